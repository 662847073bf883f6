"""Distributions: the target in each part of the split, and how near test records are to training records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from bioloom.figures import style

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import NDArray


@style.styled()
def distribution(
    groups: Mapping[str, NDArray[np.floating]], *, label: str = "target", unit: str = ""
) -> Figure:
    """A number's distribution in each part of the split, in % of the part so that unequal parts compare.

    groups: by part, (records,); unknown values are left out
    """
    known = {name: values[np.isfinite(values)] for name, values in groups.items()}
    pooled = np.concatenate([*known.values(), np.empty(0)])
    if not pooled.size:
        return style.nothing(f"no record has a value of {label}")
    edges = _edges(pooled)
    figure = style.new_figure(style.WIDTH, 3.3)
    ax = figure.add_subplot()
    lines = ("solid", (0, (5, 1.5)), (0, (1, 1)))
    for rank, (name, values) in enumerate(known.items()):
        if values.size:
            share = 100 * np.histogram(values, edges)[0] / len(values)
            ax.stairs(share, edges, color=style.PALETTE[rank], linewidth=1.9, linestyle=lines[rank % 3],
                      fill=False, label=f"{name} ({len(values):,})")  # fmt: skip
            if rank == 0:
                ax.stairs(share, edges, color=style.PALETTE[rank], fill=True, alpha=0.13)
    ax.set_ylim(bottom=0)
    ax.margins(x=0.02)
    ax.grid(True, axis="y")
    ax.set_xlabel(style.with_unit(label, unit))
    ax.set_ylabel("% of the records")
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, frameon=False, borderaxespad=0.2)
    words = "; ".join(
        f"{name} {len(values):,} records, median {style.number(float(np.median(values)))}"
        for name, values in known.items() if values.size
    )  # fmt: skip
    return style.describe(figure, f"Distribution of {label}: {words}.")


def _edges(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Bins: one for each whole number where there are few, otherwise by Freedman and Diaconis, 10 to 40."""
    low, high = float(values.min()), float(values.max())
    whole = np.all(values == np.round(values))
    if whole and high - low <= 30:
        return np.arange(low - 0.5, high + 1.0)
    if low == high:
        return np.array([low - 0.5, high + 0.5])
    quarter, three_quarters = np.percentile(values, [25, 75])
    width = 2 * (three_quarters - quarter) / len(values) ** (1 / 3)
    bins = int(np.clip((high - low) / width, 10, 40)) if width > 0 else 40
    return np.linspace(low, high, bins + 1)


@style.styled()
def class_shares(counts: Mapping[str, Mapping[str, int]]) -> Figure:
    """How frequent each class is in each part of the split, in % of the part.

    counts: by part, then by class
    """
    classes = list(dict.fromkeys(name for part in counts.values() for name in part))
    figure = style.new_figure(style.WIDTH, 1.0 + 0.22 * max(3, len(classes) * (len(counts) + 0.7)))
    ax = figure.add_subplot()
    height = 0.8 / max(1, len(counts))
    for rank, (part, by_class) in enumerate(counts.items()):
        total = sum(by_class.values()) or 1
        values = [100 * by_class.get(name, 0) / total for name in classes]
        places = np.arange(len(classes)) - 0.4 + height * (rank + 0.5)
        ax.barh(
            places,
            values,
            height * 0.9,
            color=style.PALETTE[rank],
            label=f"{part} ({sum(by_class.values()):,})",
        )
        for place, value, name in zip(places, values, classes, strict=True):
            ax.text(value, place, f" {by_class.get(name, 0):,}", va="center", size=8)
    ax.set_yticks(np.arange(len(classes)), style.short_names(classes, 24))
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    ax.margins(x=0.12)
    ax.grid(True, axis="x")
    ax.set_xlabel("% of the records of the part (numbers: records)")
    figure.legend(loc="outside upper left", ncols=3)
    words = "; ".join(
        f"{part}: " + ", ".join(f"{name} {by_class.get(name, 0):,}" for name in classes)
        for part, by_class in counts.items()
    )
    return style.describe(figure, f"Records of each class. {words}.")


@style.styled()
def nearness(identity: NDArray[np.floating], *, threshold: float | None = None, notion: str = "") -> Figure:
    """How alike each test record is to the training record nearest to it.

    identity:  (records,) in %, 100 is an exact copy
    threshold: in %, from which records may not be split apart
    notion:    how likeness was judged, in words
    """
    known = identity[np.isfinite(identity)]
    if not known.size:
        return style.nothing("the nearest training records are not known")
    low = min(float(np.floor(known.min() / 10) * 10), 80.0, np.floor((threshold or 100.0) / 10) * 10 - 10)
    edges = np.arange(low, 102.5, 2.5 if low >= 50 else 5.0)
    edges = edges[edges <= 100.0 + 1e-9]
    figure = style.new_figure(style.WIDTH, 3.2)
    ax = figure.add_subplot()
    _, _, patches = ax.hist(known, edges.tolist(), color=style.BLUE, edgecolor="white", linewidth=0.6)
    if threshold is not None:
        for patch, edge in zip(patches, edges, strict=False):  # type: ignore[arg-type]
            patch.set_facecolor(style.VERMILLION if edge >= threshold - 1e-9 else style.BLUE)
        style.reference_line(ax, x=threshold)
        ax.annotate(f"threshold {threshold:g} %", (threshold, 1.0), (-4, 1), ha="right", va="bottom", size=9,
                    xycoords=("data", "axes fraction"), textcoords="offset points", color=style.MUTED)  # fmt: skip
    ax.set_xlim(low, 100)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(True, axis="y")
    ax.set_xlabel("Identity to the nearest training record (%)" + (f"\n{notion}" if notion else ""))
    ax.set_ylabel("Test records")
    above = int((known >= threshold).sum()) if threshold is not None else int((known >= 100).sum())
    limit = f"at or above the threshold of {threshold:g} %" if threshold is not None else "exact copies"
    return style.describe(
        figure,
        f"Identity of {len(known):,} test records to their nearest training record: median "
        f"{style.number(float(np.median(known)))} %, {above:,} {limit}.",
    )
