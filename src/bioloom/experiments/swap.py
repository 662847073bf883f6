"""What a stretch brings along: it is moved from some sequences into others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bioloom.errors import UserError
from bioloom.experiments.effects import COLUMNS, Answer, effect


def swap(
    answer: Answer, sequences: Sequence[str], others: Sequence[str], start: int, end: int, *, seed: int = 0
) -> pd.DataFrame:
    """The effect of the stretch of other sequences, put in place of the own one.

    others: of which each sequence gets the stretch of one, drawn at random
    start, end: 0-based and half-open, the same in all
    One row: columns start, end, effect (with the other's stretch less with the own), low, high, sequences; then
    `explained`, the share of the mean difference between the two groups that the stretch carries (NaN where they
    do not differ). Raises UserError for a stretch beyond the end of a sequence.
    """
    if not sequences or not others:
        raise UserError("A swap needs two groups of sequences.", fix="give sequences on both sides")
    short = min(map(len, (*sequences, *others)))
    if not 0 <= start < end <= short:
        raise UserError(
            f"There is no stretch from {start} to {end} in every sequence.",
            fix=f"the shortest has {short} letters",
        )
    drawn = np.random.default_rng(seed).integers(len(others), size=len(sequences))
    changed = [
        text[:start] + others[number][start:end] + text[end:]
        for text, number in zip(sequences, drawn.tolist(), strict=True)
    ]
    before = answer(sequences)
    found = effect(answer(changed) - before)
    between = float(answer(others).mean() - before.mean())
    explained = found.mean / between if abs(between) > 1e-9 else float("nan")
    return pd.DataFrame(
        [(start, end, *found.row(), explained)], columns=["start", "end", *COLUMNS, "explained"]
    )
