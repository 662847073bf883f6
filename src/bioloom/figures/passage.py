"""A text with what an explanation says about each of its words, as colour behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgb
from matplotlib.patches import Rectangle

from bioloom.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS = 88
"""Characters of a line."""

LINES = 24
"""Lines that are shown; of a longer text those around the strongest word."""


@dataclass(frozen=True)
class Word:
    """A word, or signs, and what is attributed to it."""

    text: str
    value: float


@style.styled()
def passage(words: Sequence[Word], *, label: str = "Effect on the output", title: str = "") -> Figure:
    """A text whose words are blue where they lower the output, and vermillion where they raise it."""
    if not words:
        return style.nothing("the text is empty")
    lines = _lines(words)
    first = _first_line(lines)
    shown = lines[first : first + LINES]
    figure = style.new_figure(style.WIDE, 0.95 + 0.24 * len(shown))
    ax = figure.add_subplot()
    limit = max((abs(word.value) for word in words), default=0.0) or 1.0
    for row, line in enumerate(shown):
        _draw_line(ax, row, line, limit)
    ax.set(xlim=(0, ACROSS), ylim=(len(shown), 0))
    ax.set_axis_off()
    ax.set_title(title)
    scale = figure.colorbar(
        _scale(limit), ax=ax, orientation="horizontal", fraction=0.04, aspect=40, pad=0.02
    )
    left = len(lines) - len(shown)
    scale.ax.set_xlabel(label + ("" if not left else f"\n{left} more lines are not shown"))
    scale.outline.set_visible(False)
    top = sorted(words, key=lambda word: -abs(word.value))[:5]
    strongest = "; ".join(f"{word.text.strip()} {style.number(word.value)}" for word in top)
    return style.describe(figure, f"{title or 'A text'}, {label}. Strongest words: {strongest}.")


def _lines(words: Sequence[Word]) -> list[list[tuple[int, Word]]]:
    """Words with the column where each begins, line by line."""
    lines: list[list[tuple[int, Word]]] = [[]]
    column = 0
    for word in words:
        text = word.text.replace("\n", " ").replace("\t", " ")
        if column + len(text) > ACROSS and column:
            lines.append([])
            column, text = 0, text.lstrip(" ")
        for piece in [text[start : start + ACROSS] for start in range(0, len(text), ACROSS)]:
            lines[-1].append((column, Word(piece, word.value)))
            column += len(piece)
    return lines


def _first_line(lines: Sequence[Sequence[tuple[int, Word]]]) -> int:
    """Where to begin, so that the strongest word is shown."""
    if len(lines) <= LINES:
        return 0
    sizes = [max((abs(word.value) for _, word in line), default=0.0) for line in lines]
    return int(np.clip(int(np.argmax(sizes)) - LINES // 2, 0, len(lines) - LINES))


def _scale(limit: float) -> ScalarMappable:
    return ScalarMappable(Normalize(-limit, limit), style.SIGNED)


def _draw_line(ax: Axes, row: int, line: Sequence[tuple[int, Word]], limit: float) -> None:
    for column, word in line:
        shift = len(word.text) - len(word.text.lstrip(" "))
        colour = to_rgb(style.SIGNED(0.5 + 0.5 * word.value / limit))
        ax.add_patch(
            Rectangle((column + shift, row + 0.08), len(word.text) - shift, 0.84, color=colour, linewidth=0)
        )
        dark = np.dot(colour, (0.299, 0.587, 0.114)) < 0.5  # brightness as eyes see it
        ax.text(
            column + shift + (len(word.text) - shift) / 2, row + 0.5, word.text.strip(" "), ha="center", va="center",
            size=10, family="DejaVu Sans Mono", color="white" if dark else style.INK, clip_on=True,
        )  # fmt: skip
