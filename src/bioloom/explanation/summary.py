"""Many explanations as one finding: where importance lies on average, and whether it lies where it should.

Positions are counted from 0, and windows are half-open, as everywhere in the code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Window = tuple[int, int]


def at_observed(attribution: NDArray[np.float32], x: NDArray[np.float32]) -> NDArray[np.float32]:
    """One number per position: what is attributed to the letter that stands there, (records, positions).

    attribution, x: (records, letters, positions); at a mixture the numbers of its letters are added up, at a
                    gap those of all letters
    """
    stands = (x > 0) | ~(x > 0).any(axis=1, keepdims=True)
    return np.asarray((attribution * stands).sum(axis=1), dtype=np.float32)


def substitutions(attribution: NDArray[np.float32], x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The change of the output by each substitution, from the centred attributions of mutagenesis.

    attribution, x: (records, letters, positions). The observed letter becomes exactly 0. Where no single
    letter stands (gaps, mixtures), centred values have lost what the change was counted from and stay centred.
    """
    observed = (attribution * (x == 1)).sum(axis=1, keepdims=True)
    return np.asarray(attribution - observed, dtype=np.float32)


def importance(
    attribution: NDArray[np.float32], x: NDArray[np.float32], mask: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Mean size of the attribution at each position over aligned records, (positions,).

    attribution, x: (records, letters, positions)
    mask:           (records, positions); a position that no record fills is NaN
    """
    size = np.abs(at_observed(attribution, x)).astype(np.float64)
    if mask is None:
        return np.asarray(size.mean(axis=0))
    filled = mask.sum(axis=0)
    unknown = np.full(len(filled), np.nan)
    return np.asarray(np.divide((size * mask).sum(axis=0), filled, out=unknown, where=filled > 0))


def average_logo(attribution: NDArray[np.float32], x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean attribution of each observed letter over aligned records, (letters, positions).

    A letter that is rare at a position is small even where its attribution is large: it is a mean over all
    records, so that the logo as a whole is the mean of the records' logos.
    """
    return np.asarray((attribution * (x > 0)).mean(axis=0, dtype=np.float64))


def enrichment(per_position: NDArray[np.floating], windows: Sequence[Window]) -> float:
    """How many times more importance a position inside the windows has than one outside, on average.

    per_position: (positions,) importance, not negative; NaN positions are left out
    NaN where the windows hold all positions or none, or where nothing lies outside them.
    """
    inside = np.zeros(len(per_position), dtype=bool)
    for start, end in windows:
        inside[start:end] = True
    known = np.isfinite(per_position)
    within, outside = per_position[inside & known], per_position[~inside & known]
    if not within.size or not outside.size or outside.mean() == 0:
        return float("nan")
    return float(within.mean() / outside.mean())


def share_within(per_position: NDArray[np.floating], windows: Sequence[Window]) -> float:
    """The part of all importance that lies inside the windows, 0 to 1; NaN where there is none at all."""
    inside = np.zeros(len(per_position), dtype=bool)
    for start, end in windows:
        inside[start:end] = True
    total = float(np.nansum(per_position))
    return float(np.nansum(per_position[inside])) / total if total > 0 else float("nan")


def concentrations(
    per_position: NDArray[np.floating], *, width: int = 6, at_most: int = 5, times: float = 1.5
) -> tuple[Window, ...]:
    """Windows where importance concentrates, strongest first, none overlapping another.

    Windows of `width` are taken in order of their mean importance while it is at least `times` the mean over
    all positions; neighbours that touch are joined.
    """
    values = np.nan_to_num(np.asarray(per_position, dtype=np.float64))
    if len(values) < width or values.sum() <= 0:
        return ()
    means = np.convolve(values, np.ones(width) / width, mode="valid")
    taken: list[Window] = []
    for start in np.argsort(-means, kind="stable").tolist():
        if len(taken) == at_most or means[start] < times * values.mean():
            break
        if all(start >= end or start + width <= begin for begin, end in taken):
            taken.append((start, start + width))
    return _joined(taken, values)


def _joined(windows: Sequence[Window], values: NDArray[np.float64]) -> tuple[Window, ...]:
    joined: list[Window] = []
    for start, end in sorted(windows):
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(sorted(joined, key=lambda window: -float(values[window[0] : window[1]].mean())))


@dataclass(frozen=True)
class ColumnImportance:
    """Mean size of the attribution of each column, (columns,), with its 95 % bootstrap interval."""

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def column_importance(
    attribution: NDArray[np.float32], *, seed: int = 0, draws: int = 1000
) -> ColumnImportance:
    """How much each column of a table moves the output, whatever the direction.

    attribution: (records, columns)
    The interval says how the mean depends on which records were explained (percentile bootstrap over
    records), not how it would change had the model been trained again. One record gives no interval: NaN.
    """
    size = np.abs(attribution.astype(np.float64))
    records = len(size)
    mean = size.mean(axis=0)
    if records < 2:
        unknown = np.full(size.shape[1], np.nan)
        return ColumnImportance(mean, unknown, unknown.copy())
    generator = np.random.default_rng(seed)
    weights = generator.multinomial(records, np.full(records, 1 / records), size=draws) / records
    low, high = np.percentile(weights @ size, [2.5, 97.5], axis=0)  # of (draws, columns)
    return ColumnImportance(mean, low, high)
