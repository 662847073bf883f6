"""A series of numbers over time, with what each point contributes to a prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioloom.figures import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray


@style.styled()
def attributed_series(
    series: NDArray[np.floating], attribution: NDArray[np.floating], *, names: Sequence[str], label: str
) -> Figure:
    """Each channel above, its attribution below, on one axis of points counted from 1.

    series, attribution: (channels, points)
    """
    channels, points = series.shape
    figure = style.new_figure(style.WIDE, 1.0 + 1.6 * channels + 1.3)
    heights = [*[1.6] * channels, 1.3]
    axes = figure.subplots(
        channels + 1, 1, sharex=True, gridspec_kw={"height_ratios": heights}, squeeze=False
    )[:, 0]
    places = np.arange(1, points + 1)
    for number, name in enumerate(names):
        axes[number].plot(
            places, series[number], color=style.PALETTE[number % len(style.PALETTE)], linewidth=1.4
        )
        axes[number].set_ylabel(name)
    below = axes[-1]
    below.axhline(0, color=style.MUTED, linewidth=0.8)
    for number, name in enumerate(names):
        colour = style.PALETTE[number % len(style.PALETTE)]
        below.fill_between(
            places, attribution[number], step="mid", color=colour, alpha=0.5, linewidth=0, label=name
        )
    below.set_xlabel("Point")
    below.set_ylabel(label)
    size = np.abs(attribution).sum(axis=0)
    peak = (
        f" The largest effect is at point {int(size.argmax()) + 1}."
        if size.any()
        else " All effects are zero."
    )
    return style.describe(figure, f"{', '.join(names)} at {points} points, with: {label}.{peak}")
