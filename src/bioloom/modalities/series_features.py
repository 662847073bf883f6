"""A few numbers that say what a series is like, for simple models: its level, spread, slope, rhythm and course."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIECES = 8
"""Parts of equal length whose means are features."""

BANDS = 6
"""Bands of the spectrum, each up to twice the frequency of the one before."""

_MOMENTS = (
    "mean",
    "spread",
    "lowest",
    "highest",
    "first",
    "last",
    "slope",
    "when highest",
    "mean step",
    "next alike",
)


def feature_names(channels: tuple[str, ...]) -> tuple[str, ...]:
    """The name of each feature, with that of its channel where there are several."""
    bands = [f"rhythm {number + 1}" for number in range(BANDS)]
    pieces = [f"part {number + 1}" for number in range(PIECES)]
    one = (*_MOMENTS, *bands, *pieces)
    if len(channels) == 1:
        return (*one, "length")
    return (*(f"{channel}: {name}" for channel in channels for name in one), "length")


def features_of(series: NDArray[np.float32]) -> list[float]:
    """The features of one series, (channels, points) without gaps."""
    each = [number for channel in series.astype(np.float64) for number in _of_channel(channel)]
    return [*each, float(series.shape[1])]


def _of_channel(values: NDArray[np.float64]) -> list[float]:
    points = len(values)
    centred, time = values - values.mean(), np.linspace(-0.5, 0.5, points)
    power = float((centred**2).sum())
    slope = float((centred * time).sum() / max(float((time**2).sum()), 1e-12))
    together = float((centred[1:] * centred[:-1]).sum()) / power if power > 0 else 0.0
    moments = [
        float(values.mean()),
        float(values.std()),
        float(values.min()),
        float(values.max()),
        float(values[0]),
        float(values[-1]),
        slope,
        float(values.argmax()) / max(points - 1, 1),
        float(np.abs(np.diff(values)).mean()),
        together,
    ]
    pieces = [float(part.mean()) if len(part) else 0.0 for part in np.array_split(values, PIECES)]
    return [*moments, *_rhythms(centred), *pieces]


def _rhythms(centred: NDArray[np.float64]) -> list[float]:
    """Shares of the power in bands of one octave, the slowest first: 1 swing over the whole, 2 to 3, 4 to 7, ..."""
    power = np.abs(np.fft.rfft(centred)) ** 2
    total = float(power[1:].sum())
    ends = [2**number for number in range(BANDS)] + [len(power)]
    if total <= 0:
        return [0.0] * BANDS
    return [float(power[first:last].sum()) / total for first, last in pairwise(ends)]
