"""A score in bins that follow each other: points with intervals over what sets the bins apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioloom.figures import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Step:
    """The score of one bin with its 95 % interval; NaN where it is not defined. n: records in the bin."""

    name: str
    n: int
    value: float
    low: float
    high: float


@style.styled()
def steps(
    bins: Sequence[Step], *, metric: str, axis: str, guessing: float | None = None, whole: float | None = None
) -> Figure:
    """Points with intervals over bins, how many records each holds, the line of guessing, the score of all.

    axis: what sets the bins apart; whole: the score of all records together
    """
    figure = style.new_figure(5.4, 3.5)
    ax = figure.add_subplot()
    places = np.arange(len(bins))
    value, low, high = (np.array([getattr(each, name) for each in bins]) for name in ("value", "low", "high"))
    if guessing is not None and np.isfinite(guessing):
        style.reference_line(ax, y=guessing)
        _note(ax, guessing, f"guessing {style.number(guessing)}", style.MUTED)
    if whole is not None and np.isfinite(whole):
        ax.axhline(whole, color=style.BLUE, linewidth=0.9, alpha=0.5, zorder=1)
        _note(ax, whole, f"all {style.number(whole)}", style.BLUE)
    ax.vlines(places, low, high, color=style.INK, linewidth=1.4, zorder=2)
    ax.scatter(places, value, s=46, color=style.BLUE, zorder=3)
    ax.set_xticks(places, [f"{each.name}\n{each.n:,} record{'' if each.n == 1 else 's'}" for each in bins])
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.5, len(bins) - 0.5)
    ax.margins(y=0.12)
    ax.grid(True, axis="y")
    ax.set_ylabel(f"{metric}, 95 % interval")
    ax.set_xlabel(axis)
    for place, each in zip(places.tolist(), bins, strict=True):
        if np.isnan(each.value):
            ax.text(place, 0.5, "not\ndefined", transform=ax.get_xaxis_transform(), ha="center", va="center",
                    color=style.MUTED, size=9)  # fmt: skip
    words = "; ".join(
        f"{each.name}: {style.number(each.value)} [{style.number(each.low)}, {style.number(each.high)}], {each.n:,} records"
        for each in bins
    )
    return style.describe(figure, f"{metric} by {axis}. {words}.")


def _note(ax: Axes, y: float, text: str, colour: str) -> None:
    """Words at the right end of a horizontal line."""
    ax.annotate(text, (1.0, y), (3, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                size=9, color=colour, va="center", annotation_clip=False)  # fmt: skip
