"""What a map from sequence to function has learned: effects of pairs as a triangle, and the measurement behind phi."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.ticker import MaxNLocator

from bioloom.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

LETTERS_DRAWN = 160
"""Letters times positions up to which each pair of letters is a square of its own."""

ROWS_DRAWN = 36
"""Pairs of letters that a strip of neighbours names."""

_NAMED = 48
"""Letters times positions up to which letters are written beside the triangle."""


@style.styled()
def pairs(values: NDArray[np.floating], letters: str, *, label: str, title: str = "") -> Figure:
    """Effects of pairs of letters, (letters, positions, letters, positions), as a triangle of positions by positions.

    Where there are too many letters, each pair of positions is drawn as one square: the root mean square of its effects.
    Unknown effects are NaN and grey.
    """
    names, positions = values.shape[:2]
    each = names * positions <= LETTERS_DRAWN
    table = _by_letter(values) if each else _strength(values)
    figure = style.new_figure(6.2, 5.4)
    ax = figure.add_subplot()
    limit = float(np.nanmax(np.abs(table), initial=0.0)) or 1.0
    colours, low = (style.SIGNED, -limit) if each else (style.AMOUNT, 0.0)
    image = ax.imshow(
        table,
        cmap=colours,
        vmin=low,
        vmax=limit,
        interpolation="nearest",
        extent=(0, positions, positions, 0),
    )
    if each:
        upper = np.triu(np.ones((positions, positions)), 1).repeat(names, 0).repeat(names, 1)
        grey = ListedColormap([style.FAINT])
        ax.imshow(np.where(upper > 0, 1.0, np.nan), cmap=grey, extent=(0, positions, positions, 0), zorder=-1)
    _steps(ax, positions, grid=each)
    step = max(1, round(positions / 15))
    shown = np.arange(0, positions, step)
    ax.set_xticks(shown + 0.5, [str(place + 1) for place in shown])
    ax.set_yticks(shown + 0.5, [str(place + 1) for place in shown])
    ax.tick_params(length=0)
    if each and names * positions <= _NAMED:
        _letters(ax, letters, positions)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.set(xlabel="Later position", ylabel="Earlier position")
    ax.set_title(title, pad=20)
    bar = figure.colorbar(image, ax=ax, pad=0.02, aspect=18, shrink=0.8)
    bar.set_label(label)
    bar.outline.set_visible(False)
    return style.describe(figure, f"{title}: {_strongest(_strength(values))}")


@style.styled()
def neighbours(values: NDArray[np.floating], letters: str, *, label: str, title: str = "") -> Figure:
    """Effects of two letters side by side, (letters, positions, letters, positions), as a row for each two letters.

    Unknown effects are NaN and grey.
    """
    names, positions = values.shape[:2]
    first = np.arange(positions - 1)
    # both letters by position
    table = values[:, first, :, first + 1].transpose(1, 2, 0).reshape(names**2, positions - 1)
    figure = style.new_figure(style.WIDE, 1.4 + 0.17 * names**2)
    ax = figure.add_subplot()
    limit = float(np.nanmax(np.abs(table), initial=0.0)) or 1.0
    image = ax.imshow(
        table, cmap=style.SIGNED, vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest",
        extent=(0.5, positions - 0.5, names**2, 0),
    )  # fmt: skip
    ax.set_facecolor(style.FAINT)
    ax.set_yticks(np.arange(names**2) + 0.5, [a + b for a in letters for b in letters])
    ax.tick_params(axis="y", length=0, labelsize=7)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=15, integer=True))
    ax.set(xlabel="Position of the first letter", ylabel="Two letters side by side", title=title)
    bar = figure.colorbar(image, ax=ax, pad=0.015, aspect=18)
    bar.set_label(label)
    bar.outline.set_visible(False)
    return style.describe(figure, f"{title}: {_strongest(_strength(values))}")


def _by_letter(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """(positions x letters, positions x letters), the upper triangle of positions; the rest NaN."""
    names, positions = values.shape[:2]
    upper = np.triu(np.ones((positions, positions), dtype=bool), 1)
    table = np.where(upper[:, None, :, None], values.transpose(1, 0, 3, 2), np.nan)
    return table.reshape(positions * names, positions * names)


def _strength(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Root mean square of the known effects of each two positions, (positions, positions); NaN where there are none."""
    known = np.isfinite(values)
    count = known.sum(axis=(0, 2))
    total = np.where(known, values, 0.0)
    size = np.sqrt((total**2).sum(axis=(0, 2)) / np.maximum(count, 1))
    upper = np.triu(np.ones_like(size, dtype=bool), 1)
    return np.where(upper & (count > 0), size, np.nan)


def _steps(ax: Axes, positions: int, *, grid: bool) -> None:
    """The outline of the triangle, and lines between positions."""
    width = 0.4 if grid else 0.0
    for place in range(1, positions):
        ax.plot([place, positions], [place, place], color=style.MUTED, linewidth=width)
        ax.plot([place, place], [0, place], color=style.MUTED, linewidth=width)


def _letters(ax: Axes, letters: str, positions: int) -> None:
    """The letters of each position above the columns and on the diagonal's side of the rows."""
    size = 320 / (positions * len(letters)) * 0.62
    for place in range(positions):
        for number, letter in enumerate(letters):
            at = place + (number + 0.5) / len(letters)
            if place > 0:
                ax.text(at, -0.06, letter, ha="center", va="bottom", fontsize=size, color=style.MUTED)
            if place < positions - 1:
                ax.text(place + 0.97, at, letter, ha="right", va="center", fontsize=size, color=style.MUTED)


def _strongest(size: NDArray[np.floating]) -> str:
    if not np.isfinite(size).any():
        return "no pair of positions has a known effect."
    one, other = np.unravel_index(int(np.nanargmax(size)), size.shape)
    return (
        f"effects of pairs of letters by positions; the strongest are those of positions {one + 1} and {other + 1} "
        f"(root mean square {style.number(float(size[one, other]))})."
    )


@style.styled()
def measurement(
    phi: NDArray[np.floating],
    truth: NDArray[np.floating],
    curve: tuple[NDArray[np.floating], NDArray[np.floating]],
    *,
    target: str,
    spread: tuple[NDArray[np.floating], NDArray[np.floating]] | None = None,
) -> Figure:
    """Records by phi and by what was measured, with the curve that turns one into the other.

    phi, truth: (records,); curve: phi and the prediction there; spread: the ends of what is expected there, where it is known
    """
    figure = style.new_figure(5.0, 3.8)
    ax = figure.add_subplot()
    if len(phi) > 1500:
        ax.hexbin(
            phi,
            truth,
            gridsize=45,
            cmap=style.AMOUNT,
            mincnt=1,
            norm=LogNorm(),
            linewidths=0.0,
            rasterized=True,
        )
    else:
        ax.scatter(phi, truth, s=10, color=style.SKY, alpha=0.6, linewidths=0, rasterized=True)
    ax.plot(*curve, color=style.VERMILLION, linewidth=2.2, label="curve")
    if spread is not None:
        for end in spread:
            ax.plot(curve[0], end, color=style.VERMILLION, linewidth=1.0, linestyle=(0, (4, 3)))
        ax.plot(
            [], [], color=style.VERMILLION, linewidth=1.0, linestyle=(0, (4, 3)), label="middle 68 % expected"
        )
    ax.set(xlabel="phi, in standard deviations", ylabel=f"Measured {target}", title="The measurement of phi")
    ax.legend(loc="best")
    ends = [f"{style.number(float(curve[1][end]))} at phi {curve[0][end]:.1f}" for end in (0, -1)]
    told = f"From {ends[0]} to {ends[1]}."
    return style.describe(
        figure, f"Measured {target} of {len(phi):,} records by phi, with the curve that was learned. {told}"
    )


@style.styled()
def bins(phi: NDArray[np.floating], share: NDArray[np.floating], names: tuple[str, ...]) -> Figure:
    """How likely each bin is for a phi: phi, (steps,), and probabilities, (steps, bins)."""
    figure = style.new_figure(5.6, 1.6 + 0.22 * len(names))
    ax = figure.add_subplot()
    image = ax.imshow(
        share.T, cmap=style.AMOUNT, vmin=0, aspect="auto", origin="lower", interpolation="nearest",
        extent=(float(phi[0]), float(phi[-1]), 0, len(names)),
    )  # fmt: skip
    ax.set_yticks(np.arange(len(names)) + 0.5, list(names))
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel="phi, in standard deviations", ylabel="Bin", title="The measurement of phi")
    bar = figure.colorbar(image, ax=ax, pad=0.02)
    bar.set_label("Probability")
    bar.outline.set_visible(False)
    likely = [names[number] for number in share[[0, -1]].argmax(axis=1)]
    return style.describe(
        figure,
        f"Probability of each bin by phi: {likely[0]} is likeliest where phi is lowest, {likely[1]} where it is highest.",
    )
