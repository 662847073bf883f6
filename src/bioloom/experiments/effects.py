"""Changes of a model's answer, and how sure their mean is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from bioloom.errors import UserError

Answer = Callable[[Sequence[str]], NDArray[np.float64]]
"""What a model says of sequences: (sequences,) numbers in one unit."""


@dataclass(frozen=True)
class Effect:
    """The mean change over sequences with its 95 % interval.

    The interval is that of Student's t over sequences: it tells how much the effect hangs on the sequences around,
    not how right the model is. With one sequence it is not defined, and low and high are NaN.
    """

    mean: float
    low: float
    high: float
    sequences: int

    def row(self) -> tuple[float, float, float, int]:
        """As the last columns of a table."""
        return self.mean, self.low, self.high, self.sequences


COLUMNS = ("effect", "low", "high", "sequences")


def effect(changes: NDArray[np.float64]) -> Effect:
    """The mean of changes, one for each sequence, and its interval."""
    known = changes[np.isfinite(changes)]
    count, mean = len(known), float(known.mean()) if len(known) else float("nan")
    if count < 2:
        return Effect(mean, float("nan"), float("nan"), count)
    reach = float(stdtrit(count - 1, 0.975) * known.std(ddof=1) / np.sqrt(count))
    return Effect(mean, mean - reach, mean + reach, count)


def put(sequence: str, word: str, start: int) -> str:
    """A sequence whose letters from a position on are replaced by a word."""
    return sequence[:start] + word + sequence[start + len(word) :]


def middle(sequence: str, width: int) -> int:
    """The 0-based position at which something of this width lies in the middle."""
    return (len(sequence) - width) // 2


def refuse_short(sequences: Sequence[str], width: int, what: str) -> None:
    """UserError where a sequence is shorter than what is put into it, or there is none."""
    if not sequences:
        raise UserError("There are no sequences to experiment on.", fix="give at least one")
    short = min(range(len(sequences)), key=lambda row: len(sequences[row]))
    if len(sequences[short]) < width:
        raise UserError(
            f"{what} takes {width} letters, and sequence {short + 1} has {len(sequences[short])}.",
            fix="choose longer sequences, or a shorter word, spacing or window",
        )
