"""How predictions follow columns: single records as thin lines, their mean as a thick one, and how columns interact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioloom.figures import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

LINES = 40
"""Records drawn as thin lines, at most: evenly spread over those given."""

POINTS = 8
"""Up to so many values are marked with points: between them nothing was tried."""


@dataclass(frozen=True)
class Curve:
    """What a model says of records when one column holds a value in all of them.

    values: numbers in order, or categories; curves: (records, values); seen: numbers that stand there, empty of categories
    """

    name: str
    values: Sequence[float | str]
    curves: NDArray[np.float64]
    seen: NDArray[np.float64]


@style.styled()
def dependences(curves: Sequence[Curve], *, label: str) -> Figure:
    """A panel for each column: thin lines are records, the thick one is their mean, marks are where records lie.

    label: what is predicted
    """
    if not curves:
        return style.nothing("there is no column to follow")
    figure = style.new_figure(1.1 + 2.5 * len(curves), 3.0)
    panels = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    names = style.short_names([curve.name for curve in curves], 28)
    for ax, curve, name in zip(panels, curves, names, strict=True):
        if len(curve.seen):
            _numbers(ax, curve)
        else:
            _categories(ax, curve)
        ax.set_xlabel(name)
        ax.grid(axis="y")
    panels[0].set_ylabel(label)
    return style.describe(figure, f"{label} by column. " + "; ".join(map(_words, curves)) + ".")


def _some(curve: Curve) -> NDArray[np.float64]:
    """The records that are drawn, spread over those given."""
    rows = np.linspace(0, len(curve.curves) - 1, min(LINES, len(curve.curves))).round().astype(int)
    return np.asarray(curve.curves[rows])


def _numbers(ax: Axes, curve: Curve) -> None:
    values = np.asarray(curve.values, dtype=np.float64)
    ax.plot(values, _some(curve).T, color=style.MUTED, linewidth=0.6, alpha=0.35)
    points = "o" if len(values) <= POINTS else ""
    ax.plot(values, curve.curves.mean(axis=0), color=style.BLUE, linewidth=2.6, marker=points, markersize=6)
    marks = np.unique(np.quantile(curve.seen, np.linspace(0.05, 0.95, 19), method="nearest"))
    ax.plot(
        marks,
        np.full(len(marks), 0.015),
        "|",
        color=style.INK,
        markersize=6,
        transform=ax.get_xaxis_transform(),
    )


def _categories(ax: Axes, curve: Curve) -> None:
    places = np.arange(len(curve.values))
    ax.plot(places, _some(curve).T, color=style.MUTED, linewidth=0.6, alpha=0.35)
    ax.plot(places, curve.curves.mean(axis=0), "o", color=style.BLUE, markersize=7)
    names = style.short_names([str(value) for value in curve.values], 12)
    steep = sum(map(len, names)) > 22
    ax.set_xticks(places, names, rotation=45 if steep else 0, ha="right" if steep else "center")
    ax.margins(x=0.12)


def _words(curve: Curve) -> str:
    mean = curve.curves.mean(axis=0)
    low, high = int(mean.argmin()), int(mean.argmax())
    told = [value if isinstance(value, str) else style.number(value) for value in curve.values]
    return (
        f"{curve.name}: on average from {style.number(float(mean[low]))} at {told[low]} "
        f"to {style.number(float(mean[high]))} at {told[high]}"
    )
