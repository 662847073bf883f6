"""Occlusion: take a part of the input away and see what the model says without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from pydantic import Field

from bioloom.explanation import Explainer, ExplainerSettings, Explanation, Question, explainers
from bioloom.explanation.engine import ask_all, chunks, on_letters, spells_letters, untouched
from bioloom.explanation.hiding.patches import hide_squares
from bioloom.modalities import Kind

if TYPE_CHECKING:
    from torch import Tensor

_NUMBERS_PER_BLOCK = 2**20


@explainers.register
class Occlusion(Explainer):
    """Replace a part by "nothing here" and record how much of the output is lost.

    effect = f(x) - mean over backgrounds of f(x with the part taken from the background); zeros where the
    question holds no background. A column of a table is a part of its own, and so is a token. Along a sequence a window
    slides, and each position gets the mean effect of the windows that cover it; letters are hidden whole,
    other signals one channel at a time. Positions outside the mask are left alone and get 0.

    Cost: one evaluation for each part and background. It says how much a stretch matters, not which letter
    would be better, and it blurs: nothing finer than the window can be told apart.
    Source: Zeiler & Fergus 2014, ECCV, https://doi.org/10.1007/978-3-319-10590-1_53.
    """

    name = "occlusion"
    title = "Occlusion (hide a window or a column)"
    accepts = frozenset({Kind.SEQUENCE, Kind.VECTOR, Kind.TOKENS, Kind.IMAGE})
    compared = True

    class Settings(ExplainerSettings):
        """What is hidden at once."""

        window: int | None = Field(
            default=None,
            ge=1,
            description="positions of a window, or pixels of a square's side; empty: by size",
        )
        stride: int | None = Field(
            default=None, ge=1, description="positions or pixels from one to the next; empty: by size"
        )

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to positions or columns; see `occlusion`. Of pictures, to places; see `hide_squares`."""
        told, picture = cls.told(question), question.batch[question.input].x.dim() == 4
        return (hide_squares if picture else occlusion)(question, window=told.window, stride=told.stride)


def occlusion(question: Question, *, window: int | None = None, stride: int | None = None) -> Explanation:
    """Replace a part by "nothing here" and record how much of the output is lost.

    `Occlusion` says how, at what cost, and by whom.

    window: positions hidden at once; about a twelfth of the sequence, 3 to 10, by default
    stride: positions between windows; 1 up to 500 positions by default
    """
    x, mask = question.batch[question.input]
    background = x.new_zeros(len(x), 1, *x.shape[1:]) if question.background is None else question.background
    letters = spells_letters(x)
    windows = _windows(x, window, stride)
    table = x.dim() == 2
    signal, nothing = (x[:, None], background[:, :, None]) if table else (x, background)
    filled = torch.ones_like(signal[:, 0], dtype=torch.bool) if mask is None else mask
    plan = _Plan(signal, nothing, filled, windows, whole=letters)
    with untouched(question.network, question.seed, x.device):
        value = _values(question, plan)
    attribution = on_letters(value[:, 0], x) if letters else value.reshape(x.shape)
    question.progress(1.0)
    return Explanation(
        attribution=attribution.float().cpu().numpy(),
        method=Occlusion.name,
        input=question.input,
        reference="zeros"
        if question.background is None
        else f"{background.shape[1]} backgrounds of each record",
        settings={"window": windows.width, "stride": windows.stride},
    )


@dataclass(frozen=True)
class _Windows:
    """Where windows of one width start, (windows,)."""

    starts: Tensor
    width: int
    stride: int


@dataclass(frozen=True)
class _Plan:
    """What is hidden; a table is a signal of one channel, its columns being the positions.

    x:          (records, channels, positions)
    background: (records, backgrounds, channels, positions)
    filled:     (records, positions) bool
    whole:      whether all channels of a window are hidden at once
    """

    x: Tensor
    background: Tensor
    filled: Tensor
    windows: _Windows
    whole: bool

    @property
    def rows(self) -> int:
        """How many channels are told apart."""
        return 1 if self.whole else self.x.shape[1]


def _windows(x: Tensor, width: int | None, stride: int | None) -> _Windows:
    positions = x.shape[-1]
    if x.dim() == 2:
        width = stride = 1
    if width is None:
        width = min(10, max(3, positions // 12))
    width = min(width, positions)
    stride = min(width, max(1, positions // 500) if stride is None else stride)
    starts = [*range(0, positions - width, stride), positions - width]
    return _Windows(torch.tensor(starts, device=x.device), width, stride)


def _values(question: Question, plan: _Plan) -> Tensor:
    """The mean effect of the windows that cover each place, (records, rows, positions)."""
    x, windows = plan.x, plan.windows
    total = x.new_zeros(len(x), plan.rows, x.shape[2])
    cover = torch.zeros_like(total)
    per_record = plan.rows * len(windows.starts) * plan.background.shape[1]
    for block in chunks(len(x), max(1, _NUMBERS_PER_BLOCK // per_record)):
        effect, useful = _effects(question, plan, block)
        for offset in range(windows.width):
            total[block, :, windows.starts + offset] += effect
            cover[block, :, windows.starts + offset] += useful[:, None].to(x.dtype)
        question.progress(block.stop / len(x))
    return torch.where(plan.filled[:, None], total / cover.clamp(min=1), 0.0)


def _effects(question: Question, plan: _Plan, block: slice) -> tuple[Tensor, Tensor]:
    """What hiding each window costs, (records, rows, windows), and whether it hides anything, (records, windows)."""
    x, starts, count = plan.x, plan.windows.starts, plan.background.shape[1]
    shape = question.batch[question.input].x.shape[1:]
    records = torch.arange(block.start, block.stop, device=x.device)
    plain = ask_all(question, len(records), lambda part: (x[records[part]].view(-1, *shape), records[part]))
    reach = torch.arange(plan.windows.width, device=x.device)
    useful = plan.filled[block][:, starts[:, None] + reach].any(dim=2)
    wanted = useful[:, None, :, None].expand(-1, plan.rows, -1, count)
    who, row, window, which = torch.nonzero(wanted, as_tuple=True)
    place, channel = torch.arange(x.shape[2], device=x.device), torch.arange(x.shape[1], device=x.device)

    def hidden(part: slice) -> tuple[Tensor, Tensor]:
        record, start = records[who[part]], starts[window[part], None]
        hide = (place >= start) & (place < start + plan.windows.width) & plan.filled[record]
        both = hide[:, None] & (channel >= 0 if plan.whole else channel == row[part, None])[..., None]
        return torch.where(both, plan.background[record, which[part]], x[record]).view(-1, *shape), record

    lost = x.new_zeros(len(records), plan.rows, len(starts))
    answers = ask_all(question, len(who), hidden)
    lost.index_put_((who, row, window), plain[who] - answers, accumulate=True)
    return lost / count, useful
