"""Occlusion of pictures: take a square away and see what the model says without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from bioloom.explanation import Explanation, Question
from bioloom.explanation.engine import ask_all, chunks, untouched

if TYPE_CHECKING:
    from torch import Tensor

STEPS = 14
"""A square moves over a picture in so many steps along its longer side, about."""

_SQUARES_PER_BLOCK = 2**14


@dataclass(frozen=True)
class Squares:
    """Where squares of one size lie.

    top, left: (squares,) row and column of the first pixel of each
    size:      pixels of height and width
    stride:    pixels from one to the next
    """

    top: Tensor
    left: Tensor
    size: int
    stride: int


def squares(height: int, width: int, window: int | None = None, stride: int | None = None) -> Squares:
    """Squares of about a seventh of a picture, each half over the one before; the last ones reach the edges.

    window, stride: pixels of a side, and from one to the next, where these are not to be the usual ones
    """
    usual = max(1, round(max(height, width) / STEPS)) if window is None else max(1, window // 2)
    size = min(2 * usual if window is None else window, height, width)
    stride = min(size, usual if stride is None else stride)
    rows = [*range(0, height - size, stride), height - size]
    columns = [*range(0, width - size, stride), width - size]
    top, left = torch.meshgrid(torch.tensor(rows), torch.tensor(columns), indexing="ij")
    return Squares(top.reshape(-1), left.reshape(-1), size, stride)


def hide_squares(question: Question, *, window: int | None = None, stride: int | None = None) -> Explanation:
    """Replace a square of a picture, in all channels, by "nothing here" and record how much of the output is lost.

    window, stride: pixels of a side, and from one to the next; about a seventh and a fourteenth of a picture by default

    effect = f(x) - mean over backgrounds of f(x with the square taken from the background). A pixel gets the mean
    effect of the squares that cover it, spread evenly over the channels. Cost: one evaluation for each square and
    background, some 200 x 4 for a record. Nothing finer than a square can be told apart.
    Source: Zeiler & Fergus 2014, ECCV, https://doi.org/10.1007/978-3-319-10590-1_53.
    """
    x, _ = question.batch[question.input]
    background = torch.zeros_like(x)[:, None] if question.background is None else question.background
    laid = squares(x.shape[2], x.shape[3], window, stride)
    effects = []
    per_record = len(laid.top) * background.shape[1]
    with untouched(question.network, question.seed, x.device):
        for block in chunks(len(x), max(1, _SQUARES_PER_BLOCK // per_record)):
            effects.append(_effects(question, background, laid, block))
            question.progress(block.stop / len(x))
    value = _on_pixels(torch.cat(effects), laid, (x.shape[2], x.shape[3]))
    attribution = value[:, None].expand_as(x) / x.shape[1]
    question.progress(1.0)
    return Explanation(
        attribution=attribution.float().cpu().numpy(),
        method="occlusion",
        input=question.input,
        reference="an even picture"
        if question.background is None
        else f"{background.shape[1]} pictures out of focus or even, for each record",
        settings={"window": laid.size, "stride": laid.stride},
    )


def _effects(question: Question, background: Tensor, laid: Squares, block: slice) -> Tensor:
    """What hiding each square costs, (records, squares)."""
    x, count, number = question.batch[question.input].x, background.shape[1], len(laid.top)
    records = torch.arange(block.start, block.stop, device=x.device)
    down, across = (torch.arange(length, device=x.device) for length in x.shape[2:])
    top, left = laid.top.to(x.device), laid.left.to(x.device)

    def hidden(part: slice) -> tuple[Tensor, Tensor]:
        place = torch.arange(part.start, part.stop, device=x.device)
        record, square, which = records[place // (number * count)], place // count % number, place % count
        rows = (down >= top[square, None]) & (down < top[square, None] + laid.size)
        columns = (across >= left[square, None]) & (across < left[square, None] + laid.size)
        inside = (rows[:, :, None] & columns[:, None, :])[:, None]
        return torch.where(inside, background[record, which], x[record]), record

    plain = ask_all(question, len(records), lambda part: (x[records[part]], records[part]))
    answers = ask_all(question, len(records) * number * count, hidden).view(len(records), number, count)
    return plain[:, None] - answers.mean(dim=2)


def _on_pixels(effects: Tensor, laid: Squares, size: tuple[int, int]) -> Tensor:
    """The mean effect of the squares that cover each pixel, (records, height, width)."""
    total = effects.new_zeros(len(effects), *size)
    cover = effects.new_zeros(size)
    for number, (top, left) in enumerate(zip(laid.top.tolist(), laid.left.tolist(), strict=True)):
        inside = (slice(top, top + laid.size), slice(left, left + laid.size))
        total[(slice(None), *inside)] += effects[:, number, None, None]
        cover[inside] += 1
    return total / cover
