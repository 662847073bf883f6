"""Several motifs below each other, as logos with one scale."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioloom.figures import style
from bioloom.figures.logos import NUCLEOTIDES, draw_logo

COLUMNS = 3
"""Logos beside each other, where there are many."""

SIGN = 0.08
"""Width of a sign of a title, in inches."""


@style.styled()
def logos(named: Sequence[tuple[str, NDArray[np.float64]]], label: str = "Bits") -> Figure:
    """The logos of several motifs with their names.

    named: (name, heights); heights are (4, positions) in the unit that the label tells; what stands behind the first comma
           of a name goes on a line of its own
    """
    across = min(COLUMNS, max(1, ceil(len(named) / 4)))
    rows = ceil(len(named) / across)
    widest = max(heights.shape[1] for _, heights in named)
    lines = [[line.strip() for line in name.split(",", maxsplit=1)] for name, _ in named]
    longest = max(len(line) for each in lines for line in each)
    width = min(style.WIDE, across * (0.7 + max(0.2 + 0.16 * widest, SIGN * longest)))
    figure = style.new_figure(width, 0.3 + rows * (1.05 + 0.15 * max(map(len, lines))))
    fits = int((width / across - 0.7) / SIGN)
    axes = figure.subplots(rows, across, squeeze=False, sharey=True).ravel()
    for ax, (_, heights), each in zip(axes, named, lines, strict=False):
        draw_logo(ax, heights, "ACGT", NUCLEOTIDES)
        ax.set_xlim(0, widest)
        ax.set_title("\n".join(style.short_names(each, fits)), fontsize=9)
        ax.set_xticks([])
        ax.spines["bottom"].set_visible(False)
    for ax in axes[len(named) :]:
        ax.set_visible(False)
    tallest = max(float(heights.clip(min=0).sum(axis=0).max(initial=0)) for _, heights in named)
    lowest = min(float(heights.clip(max=0).sum(axis=0).min(initial=0)) for _, heights in named)
    axes[0].set_ylim(1.05 * lowest, 1.05 * tallest or 1.0)
    figure.supylabel(label, fontsize=10)
    words = "; ".join(f"{name}: {_consensus(heights)}" for name, heights in named)
    return style.describe(figure, f"Logos of {len(named)} motifs. {words}.")


def _consensus(heights: NDArray[np.float64]) -> str:
    return "".join("ACGT"[letter] for letter in heights.argmax(axis=0))
