"""Stated probabilities against what happened: does 80 % mean 80 %?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from bioloom.figures import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Point(NamedTuple):
    """Records of similar stated probability: how often it happened with its 95 % interval, and where 95 % of
    perfect models lie."""

    stated: float
    happened: float
    low: float
    high: float
    null_low: float
    null_high: float


@style.styled()
def reliability(points: Sequence[Point], counts: Sequence[int], *, event: str = "it happened") -> Figure:
    """Share of records for which it happened against the stated probability, with what a perfect model would show.

    points: bins of records in order of their stated probability
    counts: records in equal steps of stated probability from 0 to 1, drawn as a histogram below
    """
    if not points:
        return style.nothing("there are too few records to hold probabilities to their word")
    figure = style.new_figure(4.6, 5.0)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    _draw_points(upper, [Point(*point) for point in points])
    edges = np.linspace(0, 1, len(counts) + 1)
    lower.stairs(np.asarray(counts), edges, fill=True, color=style.BLUE, alpha=0.35)
    lower.set_ylabel("Records")
    lower.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    lower.set_xlabel("Stated probability (%)")
    lower.xaxis.set_major_formatter(PercentFormatter(1, symbol=""))
    far = max(points, key=lambda point: abs(point[1] - point[0]))
    words = (
        f"Reliability of stated probabilities in {len(points)} bins of {sum(counts):,} records. The bin farthest from the "
        f"diagonal states {far[0]:.0%} on average, and {event} in {far[1]:.0%}."
    )
    return style.describe(figure, words)


def _draw_points(ax: Axes, points: Sequence[Point]) -> None:
    stated = [point.stated for point in points]
    style.identity_line(ax, (0, 1))
    ax.fill_between(
        stated, [point.null_low for point in points], [point.null_high for point in points],
        color=style.MUTED, alpha=0.22, linewidth=0, label="95 % of perfect models",
    )  # fmt: skip
    happened = np.array([point.happened for point in points])
    ends = np.array([[point.low for point in points], [point.high for point in points]])
    ax.errorbar(
        stated, happened, yerr=np.abs(ends - happened), color=style.BLUE, marker="o", markersize=4.5,
        linewidth=1.0, elinewidth=1.2, capsize=0, zorder=4, label="network, 95 % interval",
    )  # fmt: skip
    ax.set(xlim=(0, 1), ylim=(-0.02, 1.02))
    ax.yaxis.set_major_formatter(PercentFormatter(1, symbol=""))
    ax.set_ylabel("How often it happened (%)")
    ax.set_xlabel("Stated probability (%)", visible=False)  # the axis below says it
    ax.legend(loc="upper left")
