"""One structure with what an explanation says about each of its residues: along the chains, and between contacts."""

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

NAMED = 8
"""Residues that are named."""


@dataclass(frozen=True)
class DrawnStructure:
    """What is drawn.

    effect: (residues,) one number for each, 0 where the network does not look
    labels: (residues,) such as "A:K52"; chains: (residues,)
    seen:   positions of the residues that the network sees
    pairs:  (pairs, 2) residues in contact
    """

    effect: NDArray[np.float32]
    labels: Sequence[str]
    chains: Sequence[str]
    seen: NDArray[np.int64]
    pairs: NDArray[np.int32]


@style.styled()
def attributed_structure(drawn: DrawnStructure, label: str) -> Figure:
    """Above, a bar for each residue along the chains; below, the contact map with what each residue contributes.

    label: what the numbers are, with their unit
    """
    figure = style.new_figure(style.WIDE, 7.4)
    above, below = figure.subplots(2, 1, height_ratios=[1, 1.7])
    _along(above, drawn, label)
    _between(figure, below, drawn, label)
    strongest = ", ".join(drawn.labels[row] for row in _strongest(drawn)[:3])
    return style.describe(figure, f"Residues with the largest effects: {strongest or 'none'}")


def _strongest(drawn: DrawnStructure) -> list[int]:
    order = np.argsort(-np.abs(drawn.effect), kind="stable")[:NAMED]
    return [int(row) for row in order if drawn.effect[row]]


def _along(ax: Axes, drawn: DrawnStructure, label: str) -> None:
    """A bar for each residue, the strongest ones named."""
    count = len(drawn.effect)
    colour = np.where(drawn.effect >= 0, style.VERMILLION, style.BLUE)
    ax.bar(np.arange(count), drawn.effect, width=1.0, color=colour.tolist())
    ax.axhline(0, color=style.MUTED, linewidth=0.8)
    _chain_lines(ax, drawn, upright=True)
    taken: list[int] = []
    for row in _strongest(drawn):
        if all(abs(row - other) > 0.07 * count for other in taken):
            taken.append(row)
            up = drawn.effect[row] >= 0
            ax.annotate(drawn.labels[row], (row, float(drawn.effect[row])), (0, 3 if up else -3),
                        textcoords="offset points", ha="center", va="bottom" if up else "top", fontsize=8)  # fmt: skip
    ax.margins(x=0.01, y=0.2)
    ax.set_xlabel("Residue, in the order of the file")
    ax.set_ylabel(fill(label, 28))


def _between(figure: Figure, ax: Axes, drawn: DrawnStructure, label: str) -> None:
    """A dot for each contact; its colour is the sum of both residues, grey where the network does not look."""
    count = len(drawn.effect)
    value = drawn.effect[drawn.pairs].sum(axis=1) if len(drawn.pairs) else np.zeros(0)
    both = np.isin(drawn.pairs, drawn.seen).all(axis=1) if len(drawn.pairs) else np.zeros(0, dtype=bool)
    limit = float(np.abs(value).max(initial=0.0)) or 1.0
    size = float(np.clip(6e4 / max(count, 1) ** 1.5, 2, 40))
    one, other = drawn.pairs[:, 0], drawn.pairs[:, 1]
    for x, y in ((one, other), (other, one)):
        ax.scatter(x[~both], y[~both], s=size, c=style.FAINT, marker="s", linewidths=0)
        order = np.argsort(np.abs(value[both]), kind="stable")  # the strongest on top
        dots = ax.scatter(x[both][order], y[both][order], s=size, c=value[both][order], cmap=style.SIGNED,
                          vmin=-limit, vmax=limit, marker="s", linewidths=0.3, edgecolors=style.MUTED)  # fmt: skip
    _chain_lines(ax, drawn, upright=True)
    _chain_lines(ax, drawn, upright=False)
    ax.set_aspect("equal")
    ax.set_xlim(-1, count)
    ax.set_ylim(count, -1)
    ax.set_xlabel("Residue")
    ax.set_ylabel("Residue in contact with it")
    figure.colorbar(dots, ax=ax, shrink=0.8, label=fill(f"{label}, both residues of a contact", 34))


def _chain_lines(ax: Axes, drawn: DrawnStructure, *, upright: bool) -> None:
    """A line where a chain ends, and its name on the edge."""
    chains = np.array(drawn.chains, dtype=np.str_)
    starts = np.flatnonzero(np.append(True, chains[1:] != chains[:-1]))
    if len(starts) < 2:
        return
    for start in starts[1:]:
        (ax.axvline if upright else ax.axhline)(
            float(start) - 0.5, color=style.MUTED, linewidth=0.7, linestyle=":"
        )
    if upright:
        ends = np.append(starts[1:], len(chains))
        for start, end in zip(starts, ends, strict=True):
            ax.annotate(f"chain {chains[start]}", ((start + end) / 2, 1.0), (0, 2), xycoords=("data", "axes fraction"),
                        textcoords="offset points", ha="center", va="bottom", fontsize=8, color=style.MUTED)  # fmt: skip
