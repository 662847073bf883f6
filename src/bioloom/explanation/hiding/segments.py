"""Segments: places of an input that are hidden together, and asking a network with some of them hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from bioloom.explanation.engine import ask_all, on_letters, spells_letters
from bioloom.modalities import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.explanation import Question

WINDOW_HELP = "positions of a window, or pixels of a square's side, that are hidden together; empty: by size"

SQUARES = 8
"""Squares along the longer side of a picture."""


@dataclass(frozen=True)
class Segments:
    """Which places of an input belong together.

    label: (records or 1, channels or 1, *places) whole numbers below `count`; one channel stands for all of them.
           Of a vector (records or 1, columns)
    count: segments of a record
    words: what one segment is
    """

    label: Tensor
    count: int
    words: str

    def kept(self, kept: Tensor, record: Tensor) -> Tensor:
        """Which places stay, as the input is shaped, from which segments do: (variants, count) bool."""
        label = self.label.expand(-1 if len(self.label) > 1 else int(record.max()) + 1, *self.label.shape[1:])
        label = label[record]
        return kept.gather(1, label.flatten(1)).view(label.shape)


def segments_of(question: Question, window: int | None = None) -> Segments:
    """Segments that suit an input: columns of a table, tokens, windows along a sequence, nodes, squares of a picture.

    Letters and the colours of a picture are hidden together; other signals are cut channel by channel.
    window: positions of a window, or pixels of a square's side; by default a twelfth of a sequence, 3 to 10, and an eighth
            of a picture
    """
    x = question.batch[question.input].x
    if x.dim() == 2:
        return single(x, question.together)
    if question.kind is Kind.GRAPH:
        return replace(windows(x, 1, whole=True), words="single nodes")
    if x.dim() == 3:
        width = min(x.shape[2], window or min(10, max(3, x.shape[2] // 12)))
        return windows(x, width, whole=spells_letters(x))
    return squares(x, window or -(-max(x.shape[2:]) // SQUARES))


def single(x: Tensor, together: tuple[tuple[int, ...], ...] = ()) -> Segments:
    """Columns one by one, but for those that stay together; x: (records, columns)."""
    first = torch.arange(x.shape[1], device=x.device)
    for columns in together:
        first[list(columns)] = min(columns)
    _, label = torch.unique(first, return_inverse=True)
    return Segments(label[None], int(label.max()) + 1, "single columns")


def windows(x: Tensor, width: int, *, whole: bool) -> Segments:
    """Windows of some positions side by side, of all channels at once or of each; x: (records, channels, positions)."""
    number = torch.arange(x.shape[2], device=x.device) // width  # (positions,)
    each = int(number[-1]) + 1
    channels = 1 if whole else x.shape[1]
    label = number + each * torch.arange(channels, device=x.device)[:, None]
    return Segments(label[None], each * channels, f"windows of {width} positions")


def squares(x: Tensor, size: int) -> Segments:
    """Squares of so many pixels a side, side by side; x: (records, channels, height, width)."""
    height, width = x.shape[2:]
    rows = torch.arange(height, device=x.device) // size
    columns = torch.arange(width, device=x.device) // size
    label = rows[:, None] * (int(columns[-1]) + 1) + columns
    return Segments(label[None, None], int(label.max()) + 1, f"squares of {size} pixels")


def backgrounds(question: Question) -> Tensor:
    """What stands where something is hidden, (records, count, *shape): zeros where nothing is known; equal ones once."""
    x = question.batch[question.input].x
    given = question.background
    if given is None:
        return torch.zeros_like(x)[:, None]
    return given[:, :1] if bool((given == given[:, :1]).all()) else given


def filled_places(question: Question) -> Tensor:
    """Which places hold anything, (records, 1, *places), or (records, columns) of a vector."""
    x, mask = question.batch[question.input]
    if x.dim() == 2:
        return torch.ones_like(x, dtype=torch.bool) if mask is None else mask
    return torch.ones_like(x[:, :1], dtype=torch.bool) if mask is None else mask.view(x[:, :1].shape)


@dataclass(frozen=True)
class Ways:
    """Ways of hiding segments, the same for every record.

    count: how many ways
    kept:  which segments stay, (ways, segments) bool, for the numbers of some ways
    which: which background stands for the others, (ways,), for the same numbers; None for the mean over all of them
    """

    count: int
    kept: Callable[[Tensor], Tensor]
    which: Callable[[Tensor], Tensor] | None = None


def answers(question: Question, cut: Segments, ways: Ways, rows: Tensor | None = None) -> Tensor:
    """The explained number of records with segments hidden in every way, (records, ways) float64.

    rows: the numbers of the records that are asked about; all if left out
    """
    x, nothing = question.batch[question.input].x, backgrounds(question)
    rows = torch.arange(len(x), device=x.device) if rows is None else rows
    filled, each = filled_places(question), nothing.shape[1] if ways.which is None else 1
    total = len(rows) * ways.count * each

    def hidden(part: slice) -> tuple[Tensor, Tensor]:
        number = torch.arange(part.start, part.stop, device=x.device)
        record, way = rows[number // (ways.count * each)], number // each % ways.count
        which = number % each if ways.which is None else ways.which(way)
        keep = cut.kept(ways.kept(way), record) | ~filled[record]
        question.progress(part.start / total)
        return torch.where(keep, x[record], nothing[record, which]), record

    return ask_all(question, total, hidden).view(len(rows), ways.count, each).double().mean(dim=2)


def shared_out(question: Question, cut: Segments, value: Tensor) -> Tensor:
    """Numbers of segments, (records, count), shared evenly among their places, (records, *shape), so that sums stay.

    Of letters the one that stands there gets the share of its position. Columns that are hidden together belong to one
    column of the file, where they are added up again.
    """
    x = question.batch[question.input].x
    filled = filled_places(question)
    label = cut.label.expand(len(x), *cut.label.shape[1:])
    there = filled.expand(label.shape).to(value.dtype)
    size = torch.zeros_like(value).scatter_add_(1, label.flatten(1), there.flatten(1))
    each = (value / size.clamp(min=1)).gather(1, label.flatten(1)).view(label.shape) * there
    if each.shape == x.shape:
        return each
    return on_letters(each[:, 0], x) if spells_letters(x) else each.expand(x.shape) / x.shape[1]


def hidden_at_all(question: Question, cut: Segments) -> Tensor:
    """Which segments hold a filled place, (records, count) bool."""
    x = question.batch[question.input].x
    label = cut.label.expand(len(x), *cut.label.shape[1:])
    there = filled_places(question).expand(label.shape).flatten(1).long()
    return (
        torch.zeros(len(x), cut.count, dtype=torch.long, device=x.device).scatter_add_(
            1, label.flatten(1), there
        )
        > 0
    )


def on_places(question: Question, value: Tensor) -> NDArray[np.float32]:
    """One number for each place, (records, places), as the input is shaped, with the same sum; 0 at empty places.

    Of letters the one that stands there gets it; the channels of other inputs share it.
    """
    x = question.batch[question.input].x
    there = value.to(x).view(len(x), 1, *x.shape[2:]) * filled_places(question)
    spread = on_letters(there[:, 0], x) if spells_letters(x) else there.expand(x.shape) / x.shape[1]
    return np.asarray(spread.float().cpu().numpy(), dtype=np.float32)
