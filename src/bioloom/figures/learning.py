"""The learning curve: scores at growing numbers of training records, and where their curve leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FixedLocator, NullLocator

from bioloom.figures import style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Row = tuple[float, float, float | None, float | None]

AHEAD = "with more data, as the curve has it"
"""How the curve is called where it goes on beyond the records there are."""


@style.styled()
def learning(
    points: Mapping[str, Sequence[Row]],
    ahead: Sequence[tuple[float, float, float, float]] = (),
    *,
    label: str,
) -> Figure:
    """Points with 95 % intervals, the fitted curve, and dotted where it is followed beyond the records there are.

    points: by model, (training records, score, low, high), low and high None where unknown; the first model is
            drawn boldly
    ahead:  (training records, score, low, high) of the fitted curve of the first model
    """
    own = next(iter(points.values()), ())
    if not own:
        return style.nothing("no training set was cut, so there is no curve")
    figure = style.new_figure(style.WIDTH, 3.4)
    ax = figure.add_subplot()
    ax.set_xscale("log")
    for rank, (name, rows) in enumerate(
        zip(style.short_names(list(points), 24), points.values(), strict=True)
    ):
        _draw_points(ax, rows, rank, name)
    last = max(row[0] for row in own)
    if ahead:
        _draw_ahead(ax, np.array(ahead), last)
    sizes = [row[0] for rows in points.values() for row in rows]
    _name_sizes(ax, sizes, 4 * last if ahead else max(sizes))
    ax.grid(True, axis="y")
    ax.set_xlabel("Training records (logarithmic scale)")
    ax.set_ylabel(label)
    handles, names = ax.get_legend_handles_labels()
    order = np.argsort([name == AHEAD for name in names], kind="stable")  # what was measured comes first
    ax.legend(
        [handles[place] for place in order],
        [names[place] for place in order],
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=2,
        frameon=False,
        borderaxespad=0.2,
    )
    return style.describe(figure, _words(own, ahead, label))


def _draw_points(ax: Axes, rows: Sequence[Row], rank: int, name: str) -> None:
    beside = 1 + 0.03 * rank  # so that intervals at the same size do not hide each other
    x, y = [row[0] * beside for row in rows], np.array([row[1] for row in rows])
    low = np.array([y[i] if row[2] is None else row[2] for i, row in enumerate(rows)])
    high = np.array([y[i] if row[3] is None else row[3] for i, row in enumerate(rows)])
    spread = np.maximum([y - low, high - y], 0)
    colour = style.PALETTE[rank % len(style.PALETTE)]
    marker = "o" if rank == 0 else "s"
    ax.errorbar(x, y, yerr=spread, fmt=marker, color=colour, markersize=7 if rank == 0 else 5.5, capsize=0,
                elinewidth=1.5, markeredgecolor="white", label=name, zorder=4 - 0.1 * rank)  # fmt: skip


def _draw_ahead(ax: Axes, curve: np.ndarray, last: float) -> None:
    behind, beyond = curve[curve[:, 0] <= last * 1.001], curve[curve[:, 0] >= last * 0.95]
    ax.plot(behind[:, 0], behind[:, 1], color=style.BLUE, linewidth=1.8, zorder=3)
    ax.fill_between(beyond[:, 0], beyond[:, 2], beyond[:, 3], color=style.BLUE, alpha=0.15, linewidth=0)
    ax.plot(beyond[:, 0], beyond[:, 1], color=style.BLUE, linestyle=(0, (1, 2)), linewidth=1.8, zorder=3,
            label=AHEAD)  # fmt: skip


def _name_sizes(ax: Axes, sizes: Sequence[float], end: float) -> None:
    """A tick at each size that leaves room for its number, and at twice and four times the last."""
    largest = max(sizes)
    wanted = sorted(
        {*sizes, *(largest * times for times in (2, 4) if largest * times <= end * 1.001)}, reverse=True
    )
    room = (np.log(end) - np.log(min(sizes))) / 8 or 1.0
    ticks: list[float] = []
    for size in wanted:
        if not ticks or np.log(ticks[-1]) - np.log(size) >= room:
            ticks.append(size)
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    ax.set_xlim(min(sizes) / 1.15, end * 1.15)


def _words(own: Sequence[Row], ahead: Sequence[tuple[float, float, float, float]], label: str) -> str:
    first, last = min(own), max(own)
    told = (
        f"{label} against training records: {style.number(first[1])} with {first[0]:,.0f}, "
        f"{style.number(last[1])} with {last[0]:,.0f}."
    )
    if not ahead:
        return told
    return f"{told} The curve leads to {style.number(ahead[-1][1])} with {ahead[-1][0]:,.0f}."
