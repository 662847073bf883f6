"""Curves: how a classifier trades hits against false alarms, and how training went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from bioloom.figures import style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Counts = tuple[NDArray[np.float64], NDArray[np.float64]]

_ONE_CLASS = "all records are of one class, so there is no curve"


def true_and_false_positives(truth: NDArray[np.bool_], score: NDArray[np.floating]) -> Counts:
    """Numbers of hits and false alarms when the best-scored records are called positive, one more at a time.

    Records with equal scores are called together; both arrays start at 0 and end at all.
    """
    order = np.argsort(-score, kind="stable")
    hits, alarms = np.cumsum(truth[order]), np.cumsum(~truth[order])
    last_of_its_score = np.append(np.diff(score[order]) != 0, True)
    start = np.zeros(1)
    return np.append(start, hits[last_of_its_score]), np.append(start, alarms[last_of_its_score])


@style.styled()
def roc(
    truth: NDArray[np.bool_], scores: Mapping[str, NDArray[np.floating]], *, positive: str = "positive"
) -> Figure:
    """ROC curves with their areas and the line of guessing.

    truth:  (records,) True for the positive class
    scores: by model, (records,), higher is more likely positive; the first model is drawn boldly
    """
    if truth.all() or not truth.any():
        return style.nothing(_ONE_CLASS)
    figure = style.new_figure(4.4, 4.2)
    ax = figure.add_subplot()
    ax.plot([0, 1], [0, 1], color=style.MUTED, linestyle=(0, (4, 3)), linewidth=1.2, label="guessing: 0.500")
    areas = {}
    for rank, (name, score) in enumerate(scores.items()):
        hits, alarms = true_and_false_positives(truth, score)
        areas[name] = float(np.trapezoid(hits / hits[-1], alarms / alarms[-1]))
        _draw_curve(ax, alarms / alarms[-1], hits / hits[-1], rank, f"{name}: {areas[name]:.3f}")
    _share_axes(ax)
    ax.set_xlabel("False positive rate (% of the negative records)")
    ax.set_ylabel(f'True positive rate (% of "{positive}")')
    _legend(ax, "area under the curve")
    words = ", ".join(f"{name} {area:.3f}" for name, area in areas.items())
    return style.describe(figure, f"ROC curves. Areas: {words}; guessing gives 0.5.")


@style.styled()
def precision_recall(
    truth: NDArray[np.bool_], scores: Mapping[str, NDArray[np.floating]], *, positive: str = "positive"
) -> Figure:
    """Precision-recall curves with average precision and the share of positives, which guessing reaches.

    truth:  (records,) True for the positive class
    scores: by model, (records,), higher is more likely positive; the first model is drawn boldly
    """
    if truth.all() or not truth.any():
        return style.nothing(_ONE_CLASS)
    prevalence = float(truth.mean())
    figure = style.new_figure(4.4, 4.2)
    ax = figure.add_subplot()
    ax.axhline(prevalence, color=style.MUTED, linestyle=(0, (4, 3)), linewidth=1.2,
               label=f"guessing: {prevalence:.3f}")  # fmt: skip
    means = {}
    for rank, (name, score) in enumerate(scores.items()):
        hits, alarms = true_and_false_positives(truth, score)
        precision, recall = hits[1:] / (hits[1:] + alarms[1:]), hits / hits[-1]
        means[name] = float(np.sum(np.diff(recall) * precision))
        x, y = np.repeat(recall, 2)[1:-1], np.repeat(precision, 2)  # steps: no value between two thresholds
        _draw_curve(ax, x, y, rank, f"{name}: {means[name]:.3f}")
    _share_axes(ax)
    ax.set_xlabel(f'Recall (% of "{positive}" found)')
    ax.set_ylabel(f'Precision (% of calls that are "{positive}")')
    _legend(ax, "average precision")
    words = ", ".join(f"{name} {mean:.3f}" for name, mean in means.items())
    return style.describe(
        figure, f"Precision-recall curves. Average precision: {words}; guessing gives {prevalence:.3f}."
    )


def _draw_curve(ax: Axes, x: NDArray[np.float64], y: NDArray[np.float64], rank: int, label: str) -> None:
    ax.plot(
        x, y, color=style.PALETTE[rank % len(style.PALETTE)], linewidth=2.4 if rank == 0 else 1.5, label=label,
        zorder=3 - 0.01 * rank, clip_on=False,
    )  # fmt: skip


def _share_axes(ax: Axes) -> None:
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    ax.xaxis.set_major_formatter(PercentFormatter(1, symbol=""))
    ax.yaxis.set_major_formatter(PercentFormatter(1, symbol=""))
    ax.grid(True)


def _legend(ax: Axes, title: str) -> None:
    """Name the curves where they leave room, guessing last."""
    handles, labels = ax.get_legend_handles_labels()
    legend = ax.legend([*handles[1:], handles[0]], [*labels[1:], labels[0]], loc="best", title=title)
    legend.set_frame_on(True)
    legend.get_frame().set(edgecolor="none", alpha=0.85)
    legend.get_title().set_fontsize(9)


@style.styled()
def training(
    train: Sequence[float], validation: Sequence[float], *, best: int, label: str = "Loss"
) -> Figure:
    """Training and validation loss by epoch, with the epoch whose weights were kept.

    train, validation: one number for each epoch
    best:              the kept epoch, counted from 0
    """
    if not len(validation):
        return style.nothing("no epoch was trained")
    figure = style.new_figure(style.WIDTH, 3.2)
    ax = figure.add_subplot()
    epochs = np.arange(1, len(validation) + 1)
    marker = "o" if len(epochs) < 3 else None  # a line of one point cannot be seen
    ax.plot(epochs, train, color=style.ORANGE, linestyle=(0, (5, 1.5)), marker=marker, label="training")
    ax.plot(epochs, validation, color=style.BLUE, linewidth=2.2, marker=marker, label="validation")
    ax.axvline(best + 1, color=style.MUTED, linewidth=1.0, linestyle=(0, (1, 2)))
    ax.plot([best + 1], [validation[best]], "o", color=style.BLUE, markersize=8, markeredgecolor="white",
            label=f"kept: epoch {best + 1}", linestyle="none", zorder=4)  # fmt: skip
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.margins(x=0.03, y=0.1)
    ax.grid(True, axis="y")
    ax.set_xlabel("Epoch (passes over the training records)")
    ax.set_ylabel(label)
    ax.legend(loc="best")
    return style.describe(
        figure,
        f"{label} by epoch over {len(epochs)} epochs. Training went from {style.number(train[0])} to "
        f"{style.number(train[-1])}, validation from {style.number(validation[0])} to "
        f"{style.number(validation[-1])}; the best validation value, {style.number(validation[best])}, "
        f"is at epoch {best + 1}, which was kept.",
    )
