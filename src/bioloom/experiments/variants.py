"""What variants change: the answer for a sequence with a variant less that without, and how sure it is.

The interval is over the networks of the model: it tells what the training left open, not what the data cannot show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

AnswerOfEach = Callable[[Sequence[str]], NDArray[np.float64]]
"""What each network of a model says of sequences, (networks, sequences); one row where there is one model."""

AT_ONCE = 2048
"""Sequences that are answered together."""


@dataclass(frozen=True)
class Changed:
    """A sequence without a variant and with it, in as many frames as the answers are averaged over.

    before, after: (frames,) sequences of the length that the model reads
    """

    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class Effects:
    """Effects of variants; all arrays are (variants,).

    before, after: answers of the model without and with the variant
    effect:        after - before, the mean over its networks
    low, high:     95 % interval (Student's t over networks); NaN where there is one
    """

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    effect: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def effects_of(answer: AnswerOfEach, variants: Sequence[Changed]) -> Effects:
    """The effect of each variant, averaged over its frames."""
    texts = [text for each in variants for text in (*each.before, *each.after)]
    unique, place = (
        np.unique(np.array(texts, dtype=object), return_inverse=True)
        if texts
        else (np.array([]), np.array([]))
    )
    parts = [answer(unique[start : start + AT_ONCE].tolist()) for start in range(0, len(unique), AT_ONCE)]
    told = np.concatenate(parts, axis=1) if parts else np.empty((1, 0))
    without, with_ = (np.empty((len(told), len(variants))) for _ in range(2))
    at = 0
    for number, each in enumerate(variants):
        frames = len(each.before)
        without[:, number] = told[:, place[at : at + frames]].mean(axis=1)
        with_[:, number] = told[:, place[at + frames : at + 2 * frames]].mean(axis=1)
        at += 2 * frames
    change = with_ - without
    reach = np.full(len(variants), np.nan)
    if len(told) > 1:
        spread = change.std(axis=0, ddof=1) / np.sqrt(len(told))
        reach = stdtrit(len(told) - 1, 0.975) * spread
    mean = change.mean(axis=0)
    return Effects(without.mean(axis=0), with_.mean(axis=0), mean, mean - reach, mean + reach)


def framed(
    around: tuple[str, str], before: str, after: str, length: int, shifts: Sequence[int] = (0,)
) -> Changed:
    """A variant in the middle of windows of one length, once for each shift.

    around: letters before and behind it, as many as a window takes, and behind it as many more as are deleted
    shifts: how many letters the window is moved to the right
    """
    left, right = around
    frames: list[tuple[str, str]] = []
    for shift in shifts:
        lead = (length - len(before)) // 2 - shift  # letters before the variant
        lead = min(max(lead, 0), len(left))
        start = left[len(left) - lead :]
        frames.append(((start + before + right)[:length], (start + after + right)[:length]))
    return Changed(tuple(one for one, _ in frames), tuple(two for _, two in frames))


def all_substitutions(sequence: str, letters: str) -> list[tuple[int, str, str]]:
    """Every single substitution of a sequence: 0-based position, letter, and the sequence with it."""
    return [
        (place, letter, sequence[:place] + letter + sequence[place + 1 :])
        for place in range(len(sequence))
        for letter in letters
        if letter != sequence[place]
    ]
