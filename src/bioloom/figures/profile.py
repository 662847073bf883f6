"""How much each position of aligned sequences matters, with what is known about them named above."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from bioloom.figures import style
from bioloom.figures.positions import SequenceAxis, draw_regions, number_positions, position_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


@style.styled()
def profile(
    importance: NDArray[np.floating],
    *,
    label: str = "Mean size of the effect",
    title: str = "",
    axis: SequenceAxis | None = None,
) -> Figure:
    """Importance along aligned sequences, (positions,), as steps one position wide."""
    axis = axis or SequenceAxis()
    values = np.nan_to_num(np.asarray(importance, dtype=np.float64))
    figure = style.new_figure(style.WIDE, 2.5)
    ax = figure.add_subplot()
    ax.stairs(values, np.arange(len(values) + 1), fill=True, color=style.BLUE, alpha=0.9)
    ax.set_ylim(min(0.0, values.min(initial=0.0)), (values.max(initial=0.0) or 1.0) * 1.08)
    number_positions(ax, axis, 0, len(values))
    draw_regions(ax, axis, 0, len(values))
    ax.set_xlabel(position_label(axis))
    ax.set_ylabel(fill(label, 30))
    ax.set_title(title, pad=22 if axis.regions else 8)
    peak = f" Highest at position {int(values.argmax()) + axis.first}." if values.any() else " All zero."
    named = ", ".join(region.name for region in axis.regions)
    known = f" Marked regions: {named}." if named else ""
    return style.describe(
        figure, f"{title or 'Importance'}: {label} at {len(values)} positions.{peak}{known}"
    )
