"""What a stretch did: the answer for a sequence less that with the stretch shuffled away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bioloom.errors import UserError
from bioloom.experiments.effects import COLUMNS, Answer, effect
from bioloom.modalities.shuffles import any_order, neighbours_kept, shuffled_texts

SHUFFLES = 10
"""Shuffles of each stretch whose answers are averaged."""

NEIGHBOURS = 20
"""Letters from which on a shuffle keeps neighbours: a shorter stretch hardly changes if they stay together."""


def ablate(
    answer: Answer, sequences: Sequence[str], start: int, end: int, *, shuffles: int = SHUFFLES, seed: int = 0
) -> pd.DataFrame:
    """The effect of a stretch of each sequence: its answer less the mean answer with the stretch shuffled.

    start, end: 0-based and half-open; its letters come in another order, of long stretches with their neighbours kept
    One row; columns: start, end, effect, low, high, sequences. A positive effect means that the stretch raises the
    answer. Raises UserError for a stretch beyond the end of a sequence.
    """
    changes = stretch_effects(answer, sequences, start, end, shuffles=shuffles, seed=seed)
    return pd.DataFrame([(start, end, *effect(changes).row())], columns=["start", "end", *COLUMNS])


def stretch_effects(
    answer: Answer, sequences: Sequence[str], start: int, end: int, *, shuffles: int = SHUFFLES, seed: int = 0
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The same for each sequence, (sequences,)."""
    short = [row for row, text in enumerate(sequences) if len(text) < end]
    if not 0 <= start < end or short or not sequences:
        where = (
            f"sequence {short[0] + 1} has {len(sequences[short[0]])} letters"
            if short
            else f"{start} to {end}"
        )
        raise UserError(
            "There is no such stretch in every sequence.",
            where=where,
            fix="choose a start below its end, inside of all",
        )
    parts = [text[start:end] for text in sequences]
    orders = any_order if end - start < NEIGHBOURS else neighbours_kept
    answers = [
        answer([
            text[:start] + shuffled + text[end:]
            for text, shuffled in zip(sequences, shuffled_texts(parts, seed + number, orders), strict=True)
        ])
        for number in range(shuffles)
    ]  # fmt: skip
    return np.asarray(answer(sequences) - np.mean(answers, axis=0))
