"""A molecule in the plane, with what an explanation says about each of its atoms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from bioloom.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


ROOM, LEAST = 0.9, 3.0
"""Beside the outermost atoms, and the least width and height, in the units of the places: a bond is 1.5 long."""


@dataclass(frozen=True)
class DrawnMolecule:
    """What is drawn.

    places: (atoms, 2); symbols: (atoms,) with hydrogens and charges, "" for plain carbon
    bonds:  (first atom, second atom, lines: 1, 2 or 3, 1.5 for aromatic)
    effect: (atoms,)
    """

    places: NDArray[np.float64]
    symbols: Sequence[str]
    bonds: Sequence[tuple[int, int, float]]
    effect: NDArray[np.float32]


@style.styled()
def attributed_molecule(drawn: DrawnMolecule, label: str) -> Figure:
    """Atoms as discs coloured by what they contribute, bonds between them: blue lowers, vermillion raises."""
    spread = np.ptp(drawn.places, axis=0)
    wide, tall = np.maximum(spread + 2 * ROOM, LEAST)
    figure = style.new_figure(style.WIDE, float(np.clip(style.WIDE * tall / wide, 2.0, 6.0)) + 0.8)
    ax = figure.add_subplot()
    for first, second, order in drawn.bonds:
        _bond(ax, drawn.places[first], drawn.places[second], order)
    limit = float(np.abs(drawn.effect).max(initial=0.0)) or 1.0
    size = float(np.clip(4.5e4 / (max(spread.max(), 4) + 2) ** 2, 80, 520))
    dots = ax.scatter(drawn.places[:, 0], drawn.places[:, 1], s=size, c=drawn.effect, cmap=style.SIGNED, vmin=-limit,
                      vmax=limit, edgecolors=style.MUTED, linewidths=0.7, zorder=3)  # fmt: skip
    for (x, y), symbol, effect in zip(drawn.places, drawn.symbols, drawn.effect, strict=True):
        colour = "white" if abs(effect) > 0.6 * limit else style.INK
        ax.annotate(symbol, (x, y), ha="center", va="center", fontsize=8, color=colour, zorder=4)
    ax.set_aspect("equal")
    low, high = drawn.places.min(axis=0), drawn.places.max(axis=0)
    room = np.maximum(ROOM, (LEAST - (high - low)) / 2)  # also beside a chain, which has no height
    ax.set_xlim(low[0] - room[0], high[0] + room[0])
    ax.set_ylim(low[1] - room[1], high[1] + room[1])
    ax.set_axis_off()
    bar = figure.colorbar(dots, ax=ax, location="bottom", pad=0.02, shrink=0.6, aspect=30)
    bar.set_label(fill(label, 70))
    strongest = int(np.argmax(np.abs(drawn.effect))) if len(drawn.effect) else -1
    told = f"atom {strongest + 1} ({drawn.symbols[strongest] or 'C'})" if strongest >= 0 else "none"
    return style.describe(figure, f"The atom with the largest effect is {told}.")


def _bond(ax: Axes, one: NDArray[np.float64], other: NDArray[np.float64], order: float) -> None:
    """Parallel lines, one for each pair of electrons; an aromatic bond is a line and a dotted one."""
    along = other - one
    aside = 0.09 * np.array([-along[1], along[0]]) / (np.linalg.norm(along) or 1.0)
    shifts = {2.0: (-1.0, 1.0), 3.0: (-1.6, 0.0, 1.6), 1.5: (-1.0, 1.0)}.get(order, (0.0,))
    for number, shift in enumerate(shifts):
        ends = np.stack([one, other]) + shift * aside
        dotted = order == 1.5 and number == 1
        ax.plot(
            ends[:, 0],
            ends[:, 1],
            color=style.MUTED,
            linewidth=1.2,
            linestyle=":" if dotted else "-",
            zorder=1,
        )
