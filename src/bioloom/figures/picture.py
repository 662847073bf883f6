"""A picture beside what its pixels contribute to a prediction."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from bioloom.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

FAINT = 0.35
"""How strong the picture is below its attributions."""


@style.styled()
def attributed_picture(
    pixels: NDArray[np.float32], attribution: NDArray[np.float32], *, label: str, title: str = ""
) -> Figure:
    """The picture, and the same in pale grey below what its places contribute: blue lowers, vermillion raises.

    pixels:      (height, width) or (height, width, 3), from 0 (black) to 1
    attribution: (height, width); the strongest places are opaque, those that do nothing show the picture
    label:       what an attribution is, with its unit
    """
    height, width = attribution.shape
    tall = min(5.0, max(1.6, 3.3 * height / width))
    figure = style.new_figure(style.WIDE, tall + 0.7)
    left, right = figure.subplots(1, 2)
    left.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    left.set_title("Picture", pad=6)
    grey = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    right.imshow(1 - FAINT * (1 - grey), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    limit = float(np.nanmax(np.abs(attribution), initial=0.0)) or 1.0
    strength = np.abs(attribution) / limit
    right.imshow(
        attribution, cmap=style.SIGNED, vmin=-limit, vmax=limit, alpha=np.sqrt(strength) * 0.85,
        interpolation="nearest",
    )  # fmt: skip
    right.set_title(title or "What its places contribute", pad=6)
    for ax in (left, right):
        _bare(ax)
    scale = ScalarMappable(Normalize(-limit, limit), cmap=style.SIGNED)  # that of the picture is see-through
    bar = figure.colorbar(scale, ax=[left, right], pad=0.015, aspect=14)
    if not (attribution < 0).any():
        bar.ax.set_ylim(0, limit)  # a method that says only what speaks for something has no other half
    bar.set_label(fill(label, _letters(tall)))
    bar.outline.set_visible(False)
    return style.describe(figure, _in_words(attribution, label))


@style.styled()
def map_of_places(values: NDArray[np.floating], *, label: str) -> Figure:
    """How much each place of a picture matters, (height, width), 0 for nothing."""
    height, width = values.shape
    tall = min(5.0, max(1.6, 3.4 * height / width))
    figure = style.new_figure(style.WIDTH, tall + 0.5)
    ax = figure.add_subplot()
    image = ax.imshow(values, cmap=style.AMOUNT, vmin=0, interpolation="nearest")
    _bare(ax)
    bar = figure.colorbar(image, ax=ax, pad=0.02, aspect=14)
    bar.set_label(fill(label, _letters(tall)))
    bar.outline.set_visible(False)
    row, column = map(int, np.unravel_index(int(values.argmax()), values.shape))
    return style.describe(
        figure,
        f"{label}: map of {height} rows by {width} columns. Highest {place(row, column, values.shape)}.",
    )


def place(row: int, column: int, shape: tuple[int, ...]) -> str:
    """Where a pixel lies, in words: "in the middle", "at the top left"."""
    down = ("top", "", "bottom")[min(2, 3 * row // shape[0])]
    across = ("left", "", "right")[min(2, 3 * column // shape[1])]
    words = f"{down} {across}".strip()
    return f"at the {words}" if words else "in the middle"


def _letters(inches: float) -> int:
    """Letters of a label that fit beside a picture of that height."""
    return max(16, int(11 * inches))


def _bare(ax: Axes) -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)


def _in_words(attribution: NDArray[np.float32], label: str) -> str:
    filled = np.nan_to_num(attribution)
    high, low = (np.unravel_index(int(found), filled.shape) for found in (filled.argmax(), filled.argmin()))

    def told(spot: tuple[np.intp, ...]) -> str:
        row, column = map(int, spot)
        return f"{place(row, column, filled.shape)} ({style.number(float(filled[row, column]))})"

    return f"{label}: a picture, and over it what its places contribute. Highest {told(high)}, lowest {told(low)}."
