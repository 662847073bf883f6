"""The capacity curve: scores on training and test records by the size of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioloom.figures import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    Row = tuple[int, float | None, float | None, float | None, float | None]


@style.styled()
def capacity(rows: Sequence[Row], *, label: str) -> Figure:
    """Two lines over the number of parameters; the gap between them is what was remembered, not learned.

    rows: (parameters, score on training records, score on test records, low, high), None where unknown
    """
    known = [(row[0], row[2], row[3], row[4]) for row in rows if row[2] is not None]
    if len(known) < 2:
        return style.nothing("fewer than two sizes have a score")
    figure = style.new_figure(style.WIDTH, 3.2)
    ax = figure.add_subplot()
    ax.set_xscale("log")
    fitted = [(row[0], row[1]) for row in rows if row[1] is not None]
    ax.plot(*zip(*fitted, strict=True), marker="o", ms=4, color=style.ORANGE, label="training records")
    ax.plot(
        [row[0] for row in known],
        [row[1] for row in known],
        marker="o",
        ms=4,
        color=style.BLUE,
        label="test records",
    )
    for parameters, _, low, high in known:
        if low is not None and high is not None:
            ax.plot([parameters, parameters], [low, high], color=style.BLUE, lw=1)
    ax.grid(True, axis="y")
    ax.set_xlabel("Parameters of the network (logarithmic scale)")
    ax.set_ylabel(label)
    ax.legend(loc="best")
    words = ", ".join(f"{score:.3g} with {parameters:,}" for parameters, score, _, _ in known)
    return style.describe(figure, f"{label} on test records by parameters of the network: {words}.")
