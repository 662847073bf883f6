"""Attributions as a heat map, letters by positions: what each possible substitution would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioloom.figures import style
from bioloom.figures.positions import SequenceAxis, draw_regions, number_positions, position_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


@style.styled()
def heatmap(
    values: NDArray[np.floating],
    letters: str,
    *,
    observed: str = "",
    label: str = "Change of the output",
    title: str = "",
    axis: SequenceAxis | None = None,
) -> Figure:
    """Numbers by letter and position, (letters, positions): blue lowers, vermillion raises, white is nothing.

    observed: the sequence itself; its letters are marked with a dot
    """
    axis = axis or SequenceAxis()
    rows, positions = values.shape
    if rows != len(letters):
        raise ValueError(f"{len(letters)} letters do not fit values of shape {values.shape}")
    figure = style.new_figure(style.WIDE, 1.4 + 0.2 * max(rows, 5))
    ax = figure.add_subplot()
    limit = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    image = ax.imshow(
        values, cmap=style.SIGNED, vmin=-limit, vmax=limit, aspect="auto", extent=(0, positions, rows, 0),
        interpolation="nearest",
    )  # fmt: skip
    _mark_observed(ax, observed, letters)
    ax.set_yticks(np.arange(rows) + 0.5, list(letters))
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(rows, 0)
    number_positions(ax, axis, 0, positions)
    draw_regions(ax, axis, 0, positions, shade=False)
    ax.set_xlabel(position_label(axis))
    ax.set_ylabel("Letter")
    ax.set_title(title, pad=22 if axis.regions else 8)
    bar = figure.colorbar(image, ax=ax, pad=0.015, aspect=12)
    bar.set_label(label)
    bar.outline.set_visible(False)
    return style.describe(figure, _in_words(values, letters, title or label, axis))


def _mark_observed(ax: Axes, observed: str, letters: str) -> None:
    marks = [(place + 0.5, letters.index(letter) + 0.5) for place, letter in enumerate(observed)
             if letter in letters]  # fmt: skip
    if marks:
        size = min(9.0, 900.0 / len(observed))
        across, down = np.array(marks).T
        ax.scatter(across, down, s=size, color=style.INK, linewidths=0)


def _in_words(values: NDArray[np.floating], letters: str, title: str, axis: SequenceAxis) -> str:
    filled = np.nan_to_num(values)

    def name(flat: int) -> str:
        row, position = np.unravel_index(flat, filled.shape)
        return f"{letters[row]} at position {position + axis.first} ({style.number(float(filled[row, position]))})"

    return (
        f"{title}: heat map of {len(letters)} letters by {values.shape[1]} positions. "
        f"Lowest: {name(int(filled.argmin()))}. Highest: {name(int(filled.argmax()))}."
    )
