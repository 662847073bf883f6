"""A picture, the areas that people drew in it, and those that a model found, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from bioloom.figures import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray


@style.styled()
def areas(
    pixels: NDArray[np.floating],
    truth: NDArray[np.floating],
    called: NDArray[np.integer],
    classes: Sequence[str],
) -> Figure:
    """The picture, the true areas and the predicted ones; the first class is pale, unknown places are white.

    pixels: (height, width), truth: (height, width) class numbers, NaN where unknown; called: (height, width)
    """
    height, width = truth.shape
    figure = style.new_figure(style.WIDE, min(5.0, max(1.8, 2.6 * height / width)) + 0.8)
    axes = figure.subplots(1, 3)
    colours = [
        style.FAINT,
        *(style.PALETTE[number % len(style.PALETTE)] for number in range(len(classes) - 1)),
    ]
    shades = ListedColormap(colours)
    axes[0].imshow(pixels, cmap="gray", interpolation="nearest")
    for ax, numbers in ((axes[1], truth), (axes[2], called.astype(np.float64))):
        ax.imshow(numbers, cmap=shades, vmin=-0.5, vmax=len(classes) - 0.5, interpolation="nearest")
    for ax, title in zip(axes, ("Picture", "True areas", "Predicted areas"), strict=True):
        ax.set_title(title, pad=6)
        ax.set(xticks=[], yticks=[])
    named = [Patch(facecolor=colour, label=name) for colour, name in zip(colours, classes, strict=True)]
    figure.legend(handles=named, loc="outside lower center", ncols=min(len(named), 6), frameon=False)
    known = np.isfinite(truth)
    right = float((called[known] == truth[known]).mean()) if known.any() else float("nan")
    return style.describe(
        figure, f"A picture with true and predicted areas: {100 * right:.0f} % of its pixels are right."
    )
