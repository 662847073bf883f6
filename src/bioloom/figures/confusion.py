"""The confusion matrix: which class is taken for which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioloom.figures import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_COUNTS_AT_MOST = 6
_TEXT_AT_MOST = 14


@style.styled()
def confusion(counts: NDArray[np.integer], classes: Sequence[str], *, things: str = "records") -> Figure:
    """Counts of records by true class (rows) and predicted class (columns), coloured by share of the row.

    counts: (classes, classes); a class without records has an empty row
    things: what is counted, where it is not records, such as "positions"
    """
    total = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
    size = float(np.clip(2.0 + 0.62 * len(classes), 3.4, 8.0))
    figure = style.new_figure(size + 0.9, size)
    ax = figure.add_subplot()
    mesh = ax.pcolormesh(share, cmap=style.AMOUNT, vmin=0, vmax=1, edgecolors="white", linewidth=1.0)
    if len(classes) <= _TEXT_AT_MOST:
        _write_cells(ax, counts, share)
    _name_classes(ax, classes, total[:, 0])
    ax.set_ylabel(f"True class ({things})")
    bar = figure.colorbar(mesh, ax=ax, pad=0.03, aspect=22, ticks=[0, 0.25, 0.5, 0.75, 1])
    bar.ax.set_yticklabels(["0", "25", "50", "75", "100"])
    bar.set_label("% of the true class")
    bar.outline.set_visible(False)
    return style.describe(figure, _in_words(share, total[:, 0], classes))


def _write_cells(ax: Axes, counts: NDArray[np.integer], share: NDArray[np.float64]) -> None:
    few = len(counts) <= _COUNTS_AT_MOST
    for (row, column), part in np.ndenumerate(share):
        if not np.isfinite(part):
            if column == 0:
                ax.text(len(counts) / 2, row + 0.5, "no records of this class", ha="center", va="center",
                        color=style.MUTED, size=9)  # fmt: skip
            continue
        colour = "white" if part > 0.45 else style.INK
        ax.text(column + 0.5, row + (0.42 if few else 0.5), f"{100 * part:.0f}" + (" %" if few else ""),
                ha="center", va="center", color=colour, size=11 if few else 8,
                weight="bold" if row == column else "normal")  # fmt: skip
        if few:
            ax.text(column + 0.5, row + 0.68, f"{counts[row, column]:,}", ha="center", va="center", color=colour,
                    size=8)  # fmt: skip


def _name_classes(ax: Axes, classes: Sequence[str], totals: NDArray[np.integer]) -> None:
    short = style.short_names(classes, 18)
    middle = np.arange(len(classes)) + 0.5
    long = max(map(len, short)) * len(short) > 40
    ax.set_xticks(middle, short, rotation=45 if long else 0, ha="right" if long else "center",
                  rotation_mode="anchor")  # fmt: skip
    ax.set_yticks(middle, [f"{name}\n({total:,})" if len(classes) <= _TEXT_AT_MOST else name
                           for name, total in zip(short, totals, strict=True)])  # fmt: skip
    ax.tick_params(length=0)
    ax.set(aspect="equal", xlabel="Predicted class")
    ax.set_ylim(len(classes), 0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _in_words(share: NDArray[np.float64], totals: NDArray[np.integer], classes: Sequence[str]) -> str:
    right = ", ".join(
        f"{name} {100 * share[row, row]:.0f} %" if totals[row] else f"{name} has no record"
        for row, name in enumerate(classes)
    )
    wrong = np.nan_to_num(share.copy())
    np.fill_diagonal(wrong, 0.0)
    row, column = divmod(int(wrong.argmax()), len(classes))
    mistake = (
        f" The most frequent mistake: {classes[row]} taken for {classes[column]} ({100 * wrong[row, column]:.0f} %)."
        if wrong.any()
        else ""
    )
    return f"Confusion matrix. Share of each class that is recognised: {right}.{mistake}"
