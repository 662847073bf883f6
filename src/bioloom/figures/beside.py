"""Maps of several methods beside each other: one row for each, so that what they agree on stands in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioloom.figures import style
from bioloom.figures.positions import SequenceAxis, draw_regions, number_positions, position_label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray


@style.styled()
def beside(
    maps: Mapping[str, NDArray[np.floating]],
    *,
    axis: SequenceAxis | None = None,
    names: Sequence[str] = (),
) -> Figure:
    """Importance of each part by each method, (parts,) each, as shares of the largest one of that method.

    axis:  how positions are numbered and named, where parts are positions
    names: of the parts, where they are none
    """
    values = np.stack([np.abs(each) / (np.abs(each).max() or 1.0) for each in maps.values()])
    figure = style.new_figure(style.WIDE, 1.3 + 0.26 * len(maps))
    ax = figure.add_subplot()
    image = ax.imshow(
        values, cmap="Blues", vmin=0, vmax=1, aspect="auto", extent=(0, values.shape[1], len(maps), 0)
    )
    ax.set_yticks(np.arange(len(maps)) + 0.5, [name.replace("_", " ") for name in maps])
    ax.tick_params(axis="y", length=0)
    if names:
        ax.set_xticks(np.arange(len(names)) + 0.5, style.short_names(names, 24), rotation=40, ha="right")
    else:
        axis = axis or SequenceAxis()
        number_positions(ax, axis, 0, values.shape[1])
        draw_regions(ax, axis, 0, values.shape[1], shade=False)
        ax.set_xlabel(position_label(axis))
    bar = figure.colorbar(image, ax=ax, pad=0.01, aspect=12)
    bar.set_label("Share of the largest")
    listed = ", ".join(maps)
    return style.describe(figure, f"Mean size of what {values.shape[1]} parts contribute, by {listed}.")
