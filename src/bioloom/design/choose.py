"""Which proposals to make: good ones, unlike each other, and some that are worth knowing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr


def differences(one: str, others: Sequence[str]) -> NDArray[np.int64]:
    """At how many positions a sequence differs from others of the same length, (others,)."""
    if not others:
        return np.empty(0, dtype=np.int64)
    codes = np.frombuffer("".join(others).encode("latin-1"), dtype=np.uint8).reshape(len(others), -1)
    return np.asarray(
        (codes != np.frombuffer(one.encode("latin-1"), dtype=np.uint8)).sum(axis=1), dtype=np.int64
    )


def unlike_each_other(
    sequences: Sequence[str], scores: NDArray[np.float64], count: int, apart: int
) -> list[int]:
    """The best sequences of which no two are closer than `apart` differences; numbers, the best first."""
    chosen: list[int] = []
    for number in np.argsort(-scores, kind="stable").tolist():
        if not chosen or differences(sequences[number], [sequences[each] for each in chosen]).min() >= apart:
            chosen.append(number)
        if len(chosen) == count:
            break
    return chosen


def disagreement(each: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far networks differ about sequences, a standard deviation; 0 where there is one network, which cannot disagree.

    each: (networks, sequences) -> (sequences,)
    """
    return each.std(axis=0, ddof=1) if len(each) > 1 else np.zeros(each.shape[1])


def expected_improvement(
    mean: NDArray[np.float64], spread: NDArray[np.float64], best: float
) -> NDArray[np.float64]:
    """How much better than the best a sequence is expected to be, if it is better, (sequences,).

    (m - b) Phi(z) + s phi(z) with z = (m - b) / s: Jones (1998) doi:10.1023/A:1008306431147, eq. 15. Without spread it
    is max(m - b, 0).
    """
    gain = mean - best
    sure = np.maximum(spread, 1e-12)
    z = gain / sure
    told = gain * ndtr(z) + sure * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return np.where(spread > 1e-12, told, np.maximum(gain, 0.0))
