"""Horizontal bars with intervals: the model beside its baselines, and what each column contributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioloom.figures import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Bar:
    """A number with its name and its 95 % interval; NaN where a number is not defined.

    strong: drawn in the model's colour rather than in grey
    """

    name: str
    value: float
    low: float = float("nan")
    high: float = float("nan")
    strong: bool = False

    def __str__(self) -> str:
        return self.text(style.decimals(self.size))

    @property
    def size(self) -> float:
        """The largest of its numbers, signs aside; 0 where none is defined."""
        return float(np.nanmax(np.abs([self.value, self.low, self.high, 0.0])))

    def text(self, places: int) -> str:
        """The number and its interval with this many places after the point."""
        value, low, high = (style.fixed(number, places) for number in (self.value, self.low, self.high))
        return f"{value} [{low}, {high}]" if np.isfinite(self.low) else value


@style.styled()
def comparison(
    bars: Sequence[Bar], *, metric: str, chance: float | None = None, higher_is_better: bool = True
) -> Figure:
    """The model beside simpler models on one metric, with intervals and the line of guessing."""
    figure = style.new_figure(5.8, 0.95 + 0.42 * len(bars))
    ax = figure.add_subplot()
    _draw(ax, bars, [style.BLUE if bar.strong else "#9A9A9A" for bar in bars])
    if chance is not None and np.isfinite(chance):
        style.reference_line(ax, x=chance)
        ax.annotate(f"guessing {style.number(chance)}", (chance, 1.0), (4, 1), xycoords=("data", "axes fraction"),
                    textcoords="offset points", size=9, color=style.MUTED, va="bottom")  # fmt: skip
    places = style.decimals(max((bar.size for bar in bars), default=0.0))
    for row, bar in enumerate(bars):
        ax.text(1.02, row, bar.text(places), transform=ax.get_yaxis_transform(), va="center", size=9,
                weight="bold" if bar.strong else "normal")  # fmt: skip
    ax.set_xlabel(f"{metric} ({'higher' if higher_is_better else 'lower'} is better), with 95 % intervals")
    words = "; ".join(f"{bar.name} {bar.text(places)}" for bar in bars)
    guess = f"; guessing gives {style.number(chance)}" if chance is not None else ""
    return style.describe(figure, f"{metric} with 95 % intervals: {words}{guess}.")


@style.styled()
def attributions(
    bars: Sequence[Bar],
    *,
    label: str = "Effect on the output",
    title: str = "",
    at_most: int = 20,
    sizes: bool = False,
) -> Figure:
    """The largest contributions first; blue lowers and vermillion raises the output.

    sizes: the numbers are sizes, below 0 by chance alone, and all have one colour
    """
    if not bars:
        return style.nothing("there is nothing to attribute to")
    ranked = sorted(bars, key=lambda bar: -abs(np.nan_to_num(bar.value)))
    shown, left = ranked[:at_most], len(ranked) - at_most
    signed = not sizes and any(bar.value < 0 for bar in bars)
    raises = style.VERMILLION if signed else style.BLUE
    figure = style.new_figure(style.WIDTH, 0.85 + 0.3 * bool(title) + 0.28 * max(2, len(shown)))
    ax = figure.add_subplot()
    _draw(ax, shown, [style.BLUE if bar.value < 0 else raises for bar in shown])
    ax.axvline(0, color=style.MUTED, linewidth=0.8)
    ax.set_xlabel(label + (f"\n{left:,} smaller ones are not shown" if left > 0 else ""))
    ax.set_title(title)
    words = "; ".join(f"{bar.name} {bar}" for bar in shown[:5])
    return style.describe(figure, f"{title or 'Contributions'}, {label}. Largest of {len(bars):,}: {words}.")


@style.styled()
def two_attributions(
    bars: tuple[Sequence[Bar], Sequence[Bar]],
    titles: tuple[str, str],
    *,
    label: str,
    at_most: tuple[int, int] = (15, 8),
) -> Figure:
    """The largest contributions of parts, and below them those of groups of parts, each panel on its own scale."""
    ranked = [sorted(each, key=lambda bar: -abs(np.nan_to_num(bar.value)))[:most]
              for each, most in zip(bars, at_most, strict=True)]  # fmt: skip
    rows = [max(2, len(each)) for each in ranked]
    figure = style.new_figure(style.WIDTH, 1.7 + 0.28 * sum(rows))
    axes = figure.subplots(2, 1, height_ratios=rows)
    for ax, shown, each, title in zip(axes, ranked, bars, titles, strict=True):
        _draw(ax, shown, [style.BLUE if bar.value < 0 else style.VERMILLION for bar in shown])
        ax.axvline(0, color=style.MUTED, linewidth=0.8)
        left = len(each) - len(shown)
        ax.set_title(f"{title} ({len(shown)} of {len(each):,})" if left > 0 else title, loc="left")
        ax.set_xlabel(label)
    words = "; ".join(f"{bar.name} {bar}" for shown in ranked for bar in shown[:3])
    return style.describe(
        figure, f"Contributions of {titles[0]} and of {titles[1]}, {label}. Largest: {words}."
    )


def _draw(ax: Axes, bars: Sequence[Bar], colours: Sequence[str]) -> None:
    """Bars from zero, first on top, each with its interval as a thin line."""
    values = np.array([bar.value for bar in bars], dtype=np.float64)
    places = np.arange(len(bars))
    ax.barh(places, np.nan_to_num(values), height=0.62, color=list(colours), linewidth=0)
    ends = np.array([[bar.low, bar.high] for bar in bars], dtype=np.float64)
    drawn = np.isfinite(values) & np.isfinite(ends).all(axis=1)
    ax.hlines(places[drawn], ends[drawn, 0], ends[drawn, 1], color=style.INK, linewidth=1.4)
    ax.scatter(
        ends[drawn].ravel(), np.repeat(places[drawn], 2), marker="|", s=36, color=style.INK, linewidths=1.4
    )
    ax.set_yticks(places, style.short_names([bar.name for bar in bars], 28))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(bool(np.all(np.nan_to_num(values) >= 0)))
    ax.set_ylim(len(bars) - 0.5, -0.5)
    ax.grid(True, axis="x")
