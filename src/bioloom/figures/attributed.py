"""One sequence with what an explanation says about each of its letters, however long it is."""

from __future__ import annotations

from functools import partial
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from bioloom.figures import style
from bioloom.figures.logos import AMINO_ACIDS, NUCLEOTIDES, draw_logo, logo
from bioloom.figures.positions import Region, SequenceAxis, draw_regions, number_positions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

WHOLE = 160
"""Positions that still fit as letters, in two rows."""

WINDOW = 80
"""Positions of a longer sequence that are shown as letters."""


@style.styled()
def attributed_sequence(
    heights: NDArray[np.floating],
    letters: str,
    *,
    title: str = "",
    label: str = "Effect on the output",
    axis: SequenceAxis | None = None,
) -> Figure:
    """A logo of the sequence; of one longer than 160, a profile of the whole and a logo of the strongest stretch.

    heights: (letters, positions), zero for the letters that are not there
    axis:    its `first` is the number of the first position shown, more than 1 for a cropped sequence
    """
    axis = axis or SequenceAxis()
    long = heights.shape[1] > WHOLE
    draw = _whole_and_part if long else partial(logo, colours=_colours(axis))
    figure = draw(np.nan_to_num(heights), letters, label=label, axis=axis)
    across = int((figure.get_figwidth() - 0.7) / 0.11)  # inches of the axes / inches of a bold letter
    figure.axes[0].set_title(fill(title, across), pad=22 if long else 8)
    figure.axes[-1].set_xlabel(f"Position ({axis.unit}, counted from 1)")  # whatever the first one shown is
    return style.describe(figure, f"{title}: {style.alt_text(figure)}" if title else style.alt_text(figure))


def _colours(axis: SequenceAxis) -> Mapping[str, str]:
    return AMINO_ACIDS if axis.unit == "aa" else NUCLEOTIDES


def strongest(heights: NDArray[np.floating], width: int) -> int:
    """Where the window of `width` positions with the most, near its middle, begins."""
    near_middle = np.bartlett(width + 2)[1:-1]
    return int(np.argmax(np.convolve(np.abs(heights).sum(axis=0), near_middle, mode="valid")))


def _whole_and_part(heights: NDArray[np.floating], letters: str, *, label: str, axis: SequenceAxis) -> Figure:
    start = strongest(heights, WINDOW)
    end = start + WINDOW
    figure = style.new_figure(style.WIDE, 4.4)
    whole, part = figure.subplots(2, 1, height_ratios=(1, 1.15))
    shown = f"{axis.first + start} to {axis.first + end - 1}"
    _profile(whole, heights.sum(axis=0))
    window = Region(f"letters of {shown} below", start, end)
    number_positions(whole, axis, 0, heights.shape[1])
    draw_regions(whole, SequenceAxis(axis.unit, axis.first, (window,)), 0, heights.shape[1])
    draw_logo(part, heights, letters, _colours(axis))
    number_positions(part, axis, start, end)
    figure.supylabel(label, fontsize=10)
    words = f"{label} at {heights.shape[1]} positions as a profile, "
    return style.describe(figure, words + f"and as a logo for the strongest stretch, positions {shown}.")


def _profile(ax: Axes, total: NDArray[np.floating]) -> None:
    edges = np.arange(len(total) + 1)
    ax.stairs(total.clip(min=0), edges, fill=True, color=style.VERMILLION)
    ax.stairs(total.clip(max=0), edges, fill=True, color=style.BLUE)
    ax.axhline(0, color=style.MUTED, linewidth=0.8)
