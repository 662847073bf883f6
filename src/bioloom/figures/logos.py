"""Sequence logos: letters as tall as their number, upward where it is positive, downward where it is negative."""

from __future__ import annotations

from functools import cache
from math import ceil
from textwrap import fill
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from bioloom.figures import style
from bioloom.figures.positions import SequenceAxis, draw_regions, number_positions, position_label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

NUCLEOTIDES: Mapping[str, str] = MappingProxyType({
    "A": style.GREEN, "C": style.BLUE, "G": style.ORANGE, "T": style.VERMILLION, "U": style.VERMILLION,
})  # fmt: skip
"""The colours molecular biologists know, in tones that colour-blind readers can tell apart."""

AMINO_ACIDS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys("AVLIMFWP", style.INK)  # hydrophobic
    | dict.fromkeys("STYCGNQ", style.GREEN)  # polar
    | dict.fromkeys("KRH", style.BLUE)  # basic
    | dict.fromkeys("DE", style.VERMILLION)  # acidic
)
"""By chemistry: hydrophobic black, polar green, basic blue, acidic vermillion."""

_OTHER = "#8A8A8A"
_TOO_SMALL = 1 / 400  # of the tallest stack: less than half a point, no letter can be seen


@cache
def _glyph(letter: str) -> Path:
    """A letter that fills the unit square; a narrow one (I) keeps its width in the middle."""
    bold = FontProperties(family="DejaVu Sans", weight="bold")
    path, usual = TextPath((0, 0), letter, prop=bold), TextPath((0, 0), "H", prop=bold)
    box, usual_width = path.get_extents(), usual.get_extents().width
    share = min(1.0, box.width / usual_width)
    share = 1.0 if share > 0.6 else share
    unit = (np.asarray(path.vertices) - box.min) / box.size * (share, 1.0) + ((1.0 - share) / 2, 0.0)
    (closing,) = np.nonzero(path.codes == Path.CLOSEPOLY)
    unit[closing] = unit[closing - 1]  # matplotlib ignores these points, which lie anywhere
    return Path(unit, path.codes)


def stack(heights: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower edge and height of each letter, (letters, positions), the largest number farthest from the axis."""
    numbers = np.nan_to_num(np.asarray(heights, dtype=np.float64))
    order = np.argsort(np.abs(numbers), axis=0, kind="stable")
    ordered = np.take_along_axis(numbers, order, axis=0)
    far_edge = np.where(
        ordered > 0, np.cumsum(ordered.clip(min=0), axis=0), np.cumsum(ordered.clip(max=0), axis=0)
    )
    lower = np.empty_like(numbers)
    np.put_along_axis(lower, order, np.minimum(far_edge, far_edge - ordered), axis=0)
    return lower, np.abs(numbers)


def draw_logo(
    ax: Axes, heights: NDArray[np.floating], letters: str, colours: Mapping[str, str], *, start: int = 0
) -> None:
    """Draw a logo into axes: heights is (letters, positions), position p fills x from start + p to start + p + 1.

    Letters shorter than 1/400 of the tallest stack are left out. All copies of a letter are one path, so
    a hundred positions of twenty letters take a few hundredths of a second.
    """
    if heights.ndim != 2 or heights.shape[0] != len(letters):
        raise ValueError(
            f"heights of {len(letters)} letters must be (letters, positions), not {heights.shape}"
        )
    lower, tall = stack(heights)
    top, bottom = float((lower + tall).max(initial=0.0)), float(lower.min(initial=0.0))
    visible = tall > _TOO_SMALL * max(top - bottom, 1e-300)
    for row, letter in enumerate(letters):
        (where,) = np.nonzero(visible[row])
        if where.size:
            corners = np.stack([where + (start + 0.04), lower[row, where]], axis=1)  # (copies, 2)
            ax.add_artist(_copies(letter, corners, tall[row, where], colours))
    margin = 0.04 * (top - bottom) or 1.0
    ax.set_xlim(start, start + heights.shape[1])
    ax.set_ylim(bottom - margin * (bottom < 0), top + margin)
    ax.axhline(0, color=style.MUTED, linewidth=0.8, zorder=0.9)


def _copies(
    letter: str, corners: NDArray[np.float64], tall: NDArray[np.float64], colours: Mapping[str, str]
) -> PathPatch:
    glyph = _glyph(letter)
    size = np.stack([np.full(len(tall), 0.92), tall], axis=1)  # (copies, 2)
    vertices = np.asarray(glyph.vertices)[None] * size[:, None] + corners[:, None]  # (copies, vertices, 2)
    path = Path(vertices.reshape(-1, 2), np.tile(np.asarray(glyph.codes), len(tall)))
    return PathPatch(path, facecolor=colours.get(letter, _OTHER), edgecolor="none", linewidth=0)


@style.styled()
def logo(
    heights: NDArray[np.floating],
    letters: str,
    colours: Mapping[str, str],
    *,
    label: str = "Effect on the output",
    title: str = "",
    axis: SequenceAxis | None = None,
) -> Figure:
    """A logo of one sequence or motif, in rows of at most 80 positions with one scale.

    heights: (letters, positions)
    label:   what a height is, with its unit
    """
    axis = axis or SequenceAxis()
    positions = heights.shape[1]
    rows = max(1, ceil(positions / 80))
    per_row = ceil(positions / rows)
    width = min(style.WIDE, max(2.6, 1.2 + 0.16 * per_row))
    figure = style.new_figure(width, 0.7 + (1.75 + 0.25 * bool(axis.regions)) * rows)
    axes = figure.subplots(rows, 1, squeeze=False, sharey=True)[:, 0]
    limits = []
    for row, ax in enumerate(axes):
        start, end = row * per_row, min((row + 1) * per_row, positions)
        draw_logo(ax, heights[:, start:end], letters, colours, start=start)
        limits.append(ax.get_ylim())
        number_positions(ax, axis, start, end)
        ax.set_xlim(start, start + per_row)
        draw_regions(ax, axis, start, end)
    axes[0].set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
    axes[-1].set_xlabel(position_label(axis))
    if rows > 1:
        figure.supylabel(label, fontsize=10)
    else:
        axes[0].set_ylabel(fill(label, 30))
    axes[0].set_title(title, pad=22 if axis.regions else 8)
    return style.describe(figure, _in_words(heights, letters, title, label, axis))


def _in_words(heights: NDArray[np.floating], letters: str, title: str, label: str, axis: SequenceAxis) -> str:
    total = np.abs(np.nan_to_num(heights)).sum(axis=0)
    largest = sorted(np.argsort(-total, kind="stable")[:5].tolist())
    named = [
        f"{letters[int(np.argmax(np.abs(heights[:, p])))]}{p + axis.first}" for p in largest if total[p] > 0
    ]
    head = f"{title}: sequence logo" if title else "Sequence logo"
    return f"{head} of {heights.shape[1]} positions, {label}. Tallest: {', '.join(named) or 'none'}."
