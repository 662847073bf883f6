"""Effects of experiments in silico, with their intervals: along a sequence, by distance, by pair of positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bioloom.figures import style

Line = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""Mean, lower and upper end of the interval, (places,) each."""


@style.styled()
def along(
    places: Sequence[float], lines: Mapping[str, Line], *, across: str = "Position", label: str = "Effect"
) -> Figure:
    """Effects along an axis, one line for each condition, with 95 % intervals as bands.

    places: where on the axis, in the unit that `across` names
    """
    figure = style.new_figure(style.WIDE, 3.0)
    ax = figure.add_subplot()
    ax.axhline(0, color=style.MUTED, linewidth=0.8)
    for colour, (name, (mean, low, high)) in zip(style.PALETTE * 9, lines.items(), strict=False):
        ax.plot(places, mean, color=colour, label=name, marker="o", markersize=3.5)
        if np.isfinite(low).all():
            ax.fill_between(places, low, high, color=colour, alpha=0.18, linewidth=0)
    if len(lines) > 1:
        ax.legend(loc="best")
    ax.set_xlabel(across)
    ax.set_ylabel(label)
    ax.margins(x=0.02)
    told = "; ".join(
        f"{name}: from {style.number(float(np.nanmin(mean)))} to {style.number(float(np.nanmax(mean)))}, "
        f"largest at {across.lower()} {places[int(np.nanargmax(np.abs(mean)))]:g}"
        for name, (mean, _, _) in lines.items()
    )
    return style.describe(figure, f"{label} by {across.lower()}. {told}.")


@style.styled()
def between(
    values: NDArray[np.float64], sequence: str, *, first: int = 1, label: str = "Dependency"
) -> Figure:
    """How much pairs of positions depend on each other, (positions, positions), as a map.

    sequence: the letters of the positions; first: the number of the first one
    """
    count = len(values)
    size = min(style.WIDE, 2.2 + 0.11 * count)
    figure = style.new_figure(size, size - 0.6)
    ax = figure.add_subplot()
    edges = np.arange(count + 1) + first - 0.5
    drawn = ax.pcolormesh(edges, edges, values, cmap=style.AMOUNT, vmin=0.0, rasterized=True)
    ax.invert_yaxis()
    ax.set_aspect("equal")
    ax.set_xlabel("Position")
    ax.set_ylabel("Position")
    if count <= 60:
        ax.set_xlabel(f"Letters at positions {first} to {first + count - 1}")
        ticks = np.arange(count) + first
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_ticks(ticks, labels=list(sequence), fontsize=min(9, 330 / count))
            axis.set_tick_params(length=0)
    figure.colorbar(drawn, ax=ax, label=label, shrink=0.8)
    one, other = np.unravel_index(int(values.argmax()), values.shape)
    words = (
        f"{label} of {count} positions; the strongest pair is {first + int(one)} and {first + int(other)}."
    )
    return style.describe(figure, words)
