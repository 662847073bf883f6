"""Where in pictures importance lies, on average over many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioloom.figures.picture import map_of_places, place

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

STANDS_OUT = 0.25
"""Where half of all importance lies on a smaller share of a picture than this, a place stands out."""


def mean_places(attribution: NDArray[np.float32]) -> NDArray[np.float64]:
    """The mean size of what each place contributes, all channels together, (height, width).

    attribution: (records, channels, height, width)
    """
    found: NDArray[np.float64] = np.abs(attribution.sum(axis=1)).mean(axis=0, dtype=np.float64)
    return found


def half_lies_on(values: NDArray[np.float64]) -> float:
    """The smallest share of the places that holds half of all importance; 0.5 where all places matter alike."""
    order = np.sort(values.reshape(-1))[::-1]
    if order.sum() <= 0:
        return float("nan")
    return float((np.searchsorted(np.cumsum(order), order.sum() / 2) + 1) / len(order))


def told(values: NDArray[np.float64]) -> str:
    """Where importance lies, in one or two sentences."""
    share = half_lies_on(values)
    if np.isnan(share):
        return "No place of the pictures moves the prediction."
    row, column = map(int, np.unravel_index(int(values.argmax()), values.shape))
    where = place(row, column, values.shape)
    half = f"half of what places contribute lies on {share:.0%} of the picture"
    if share >= STANDS_OUT:
        return f"On average no place stands out: {half}. Look at single pictures."
    return (
        f"On average {half}, most of it {where}. That means something only where all pictures show the same thing "
        "in the same place."
    )


def drawn(values: NDArray[np.float64], effect: str) -> Figure:
    """The map of places."""
    return map_of_places(values, label=f"Mean size of: {effect[:1].lower()}{effect[1:]}")
