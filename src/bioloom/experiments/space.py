"""Two motifs at growing distances, either way round: does the model care how far apart they are?"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bioloom.data.similarity.copies import reverse_complement
from bioloom.experiments.effects import COLUMNS, Answer, effect, middle, put, refuse_short

WAYS = (("+", "+"), ("+", "-"), ("-", "+"), ("-", "-"))
"""Strands of the first and of the second motif."""


def space(
    answer: Answer,
    sequences: Sequence[str],
    first: str,
    second: str,
    spacings: Sequence[int],
    *,
    turn: bool = True,
) -> pd.DataFrame:
    """The effect of both motifs together at each distance and in each orientation.

    spacings: letters between the end of the first and the start of the second
    turn:     try the reverse complement of each as well
    The pair lies in the middle of each sequence. Columns: spacing, first, second (strands), effect, low, high,
    sequences; the effect is that of both against the sequence without. Cost: one answer for each of them.
    Raises UserError where the widest pair does not fit.
    """
    refuse_short(sequences, len(first) + max(spacings) + len(second), "The widest pair")
    before = answer(sequences)
    rows = []
    for gap in spacings:
        for strands in WAYS if turn else WAYS[:1]:
            changed = [pair(text, (first, second), gap, strands) for text in sequences]
            rows.append((gap, *strands, *effect(answer(changed) - before).row()))
    return pd.DataFrame(rows, columns=["spacing", "first", "second", *COLUMNS])


def pair(text: str, words: tuple[str, str], gap: int, strands: tuple[str, str] = ("+", "+")) -> str:
    """A sequence with two words in its middle, some letters apart."""
    one, two = (
        word if strand == "+" else reverse_complement(word)
        for word, strand in zip(words, strands, strict=True)
    )
    start = middle(text, len(one) + gap + len(two))
    return put(put(text, one, start), two, start + len(one) + gap)
