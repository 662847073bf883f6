"""Rounds of design and measurement: how good the best sequence is, by strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from bioloom.figures import style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

NAMES = {"random": "by chance", "greedy": "changing the best", "design": "designed by a model"}


@style.styled()
def rounds(courses: Mapping[str, Sequence[Sequence[float]]], batch: int) -> Figure:
    """The true value of the best sequence after each round: a thin line for each landscape, a thick one for their mean.

    courses: by strategy, for each landscape the values after 0, 1, ... rounds
    """
    figure = style.new_figure(5.4, 3.6)
    ax = figure.add_subplot()
    last = []
    for number, (name, each) in enumerate(courses.items()):
        values, colour = np.asarray(each), style.PALETTE[(2, 1, 0)[number % 3]]
        for row in values:
            ax.plot(row, color=colour, linewidth=0.8, alpha=0.45)
        mean = values.mean(axis=0)
        label = NAMES.get(name, name)
        ax.plot(mean, color=colour, linewidth=2.4, marker="o", markersize=4, label=label)
        last.append(f"{label} {style.number(float(mean[-1]))}")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel(f"Round of {batch} measurements")
    ax.set_ylabel("True value of the best sequence\n(standard deviations of random ones)")
    ax.legend(loc="upper left")
    return style.describe(
        figure, f"True value of the best sequence by round. Means after the last: {', '.join(last)}."
    )
