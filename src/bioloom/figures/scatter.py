"""Truth against prediction: how close a regression comes to what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import FuncFormatter, LogLocator

from bioloom.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_POINTS_AT_MOST = 2000
_VECTORS_AT_MOST = 500


@style.styled()
def scatter(
    truth: NDArray[np.floating],
    prediction: NDArray[np.floating],
    *,
    target: str = "target",
    unit: str = "",
    title: str = "",
    width: float | None = None,
) -> Figure:
    """Measured against predicted values with the line of equality; density from 2,000 records on.

    width: of the prediction interval, drawn as two lines beside that of equality
    truth, prediction: (records,) in the target's unit; records with an unknown truth are left out
    """
    known = np.isfinite(truth) & np.isfinite(prediction)
    if not known.any():
        return style.nothing("no record has both a measured and a predicted value")
    measured, predicted = truth[known].astype(np.float64), prediction[known].astype(np.float64)
    figure = style.new_figure(4.6, 4.1)
    ax = figure.add_subplot()
    limits = _limits(np.concatenate([measured, predicted]))
    style.identity_line(ax, limits)
    for side in (-0.5, 0.5) if width is not None else ():
        ax.plot(
            limits,
            [end + side * (width or 0.0) for end in limits],
            color=style.MUTED,
            linewidth=0.7,
            zorder=2,
        )
    if known.sum() > _POINTS_AT_MOST:
        _draw_density(ax, measured, predicted, limits)
    else:
        ax.scatter(measured, predicted, s=16, color=style.BLUE, alpha=0.55, linewidths=0,
                   rasterized=bool(known.sum() > _VECTORS_AT_MOST))  # fmt: skip
    ax.set(xlim=limits, ylim=limits, aspect="equal", title=title)
    ax.set_yticks([tick for tick in ax.get_xticks() if limits[0] <= tick <= limits[1]])
    ax.set_xlabel(style.with_unit(f"Measured {target}", unit))
    ax.set_ylabel(style.with_unit(f"Predicted {target}", unit))
    return style.describe(figure, _in_words(measured, predicted, target, int((~known).sum())))


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or 0.5
    return low - margin, high + margin


def _draw_density(
    ax: Axes, measured: NDArray[np.float64], predicted: NDArray[np.float64], limits: tuple[float, float]
) -> None:
    cells = ax.hexbin(
        measured, predicted, gridsize=34, extent=(*limits, *limits), mincnt=1, norm=LogNorm(vmin=1),
        cmap=style.AMOUNT, linewidths=0.1, rasterized=True,
    )  # fmt: skip
    bar = ax.get_figure(root=True).colorbar(cells, ax=ax, pad=0.02, aspect=28, shrink=0.9)  # type: ignore[union-attr]
    bar.set_label("Records per cell")
    bar.ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
    bar.ax.minorticks_off()
    bar.outline.set_visible(False)


def _in_words(
    measured: NDArray[np.float64], predicted: NDArray[np.float64], target: str, missing: int
) -> str:
    def spread(values: NDArray[np.float64]) -> str:
        low, high = np.percentile(values, [5, 95])
        return f"{style.number(float(low))} to {style.number(float(high))}"

    left_out = f" {missing:,} records without a value are left out." if missing else ""
    return (
        f"Measured against predicted {target} of {len(measured):,} records with the line of equality. "
        f"The middle 90 % of measured values spans {spread(measured)}, of predicted ones {spread(predicted)}."
        f"{left_out}"
    )
