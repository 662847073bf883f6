"""Asking a network about substitutions by working out only what each of them can change, where that pays.

Results are those of asking about whole sequences, up to rounding (1e-10 in double precision). Whether it pays is decided by
counting multiplications, never by a clock, so that the same question always takes the same way; a sample of substitutions
is asked in both ways first, and where the answers differ the ordinary way is taken, with a note that says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bioloom.explanation.engine import in_chunks, posed
from bioloom.explanation.locality.local import Local, Places, UnfitError, Work
from bioloom.modalities import Signal
from bioloom.models import apply
from bioloom.models.layers import counting
from bioloom.models.places import trimmed

if TYPE_CHECKING:
    from bioloom.explanation import Question
    from bioloom.modalities import Batch

SAMPLE = 16
"""Substitutions that are asked about in both ways first."""

WORTH = 1e8
"""Multiplications of a question below which the ordinary way is taken."""

SAVED = 0.3
"""Share of all multiplications that windows must save."""

_NUMBERS = 2**21
"""Numbers of the largest windows of a chunk together: more of them fall out of the cache of a processor."""

_FAILURES = (UnfitError, RuntimeError, TypeError, ValueError, IndexError, AttributeError, AssertionError)
"""What following windows may end in; the ordinary way then shows whether the network itself is at fault."""


@dataclass(frozen=True)
class Substitutions:
    """Letters put in place of others.

    record, letter, position: (variants,) integers
    """

    record: Tensor
    letter: Tensor
    position: Tensor

    def __len__(self) -> int:
        return len(self.record)

    def __getitem__(self, part: slice | Tensor) -> Substitutions:
        return Substitutions(self.record[part], self.letter[part], self.position[part])


@dataclass(frozen=True)
class Way:
    """How a network is asked about substitutions.

    ask:  gives the raw outputs of some of them, (variants, outputs, ...), and the batch that goes with these
    rows: how many at once; None: as many as of whole sequences
    note: what was done, in words
    """

    ask: Callable[[Substitutions], tuple[Tensor, Batch]]
    rows: int | None
    note: str


def way(question: Question, asked: Substitutions, total: int) -> Way:
    """The way that pays for `total` substitutions such as these; to be called inside `untouched`, without gradients."""

    def whole(some: Substitutions) -> tuple[Tensor, Batch]:
        batch = posed(question, mutants(question, some), some.record)
        return apply(question.network, batch), batch

    shared = Work()

    def windowed(some: Substitutions) -> tuple[Tensor, Batch]:
        batch = _shown(question, some, shared)
        return _all_of(apply(question.network, batch)), batch

    if not len(asked):
        return Way(whole, None, "whole sequences")
    order = torch.argsort(asked.position, stable=True)
    picked = torch.linspace(0, len(order) - 1, min(SAMPLE, len(order)), device=order.device).round().long()
    sample = asked[order[picked]]

    def plainly(part: slice) -> tuple[Tensor, float]:
        with counting(question.network) as counted:
            return whole(sample[part])[0], counted.multiplications

    told = in_chunks(len(sample), SAMPLE, plainly)
    plain = torch.cat([raw for raw, _ in told])
    work = Work()
    try:
        found = _all_of(apply(question.network, _shown(question, sample, work)))
    except _FAILURES as error:  # also where memory runs out
        return Way(whole, None, f"whole sequences, as windows cannot be followed ({type(error).__name__})")
    naive = max(*(each for _, each in told), work.naive / len(sample))
    if naive * total < WORTH or (work.naive - work.windowed) / len(sample) < SAVED * naive:
        return Way(whole, None, "whole sequences")
    gap = float((found - plain).abs().max())
    if not gap <= _allowed(plain):
        return Way(whole, None, f"whole sequences, as windows gave other numbers (off by {gap:.1g})")
    rows = int(_NUMBERS / max(1.0, work.largest))
    return Way(windowed, min(4096, max(64, rows)), "windows around each substitution")


def mutants(question: Question, some: Substitutions) -> Tensor:
    """The records with one letter replaced, (variants, letters, positions)."""
    found = question.batch[question.input].x[some.record]
    row = torch.arange(len(found), device=found.device)
    found[row, :, some.position] = 0
    found[row, some.letter, some.position] = 1
    return found


def _shown(question: Question, some: Substitutions, work: Work) -> Batch:
    """The batch of `posed` with the explained input told as windows."""
    records, owner = torch.unique(some.record, return_inverse=True)
    x, mask = question.batch[question.input]
    row = torch.arange(len(owner), device=x.device)
    window = x.new_zeros(len(owner), x.shape[1], 1)
    window[row, some.letter, 0] = 1
    local = Local(x[records], window, some.position, Places(owner, 2, work))
    kept: Tensor | None = None
    if mask is not None:
        nothing = mask.new_empty(len(owner), 0)
        kept = Local(mask[records], nothing, torch.zeros_like(owner), Places(owner, 1, work))
    batch = {
        name: Signal(local, kept)
        if name == question.input
        else Signal(signal.x[some.record], None if signal.mask is None else signal.mask[some.record])
        for name, signal in question.batch.items()
    }
    return trimmed(batch) if question.network.everywhere else batch


def _all_of(raw: Tensor) -> Tensor:
    return raw.whole() if isinstance(raw, Local) else raw


def _allowed(plain: Tensor) -> float:
    """How far answers of the two ways may lie apart by rounding."""
    tiny = {torch.float64: 1e-10, torch.float32: 2e-5}.get(plain.dtype, 2e-2)
    return tiny * (1 + float(plain.abs().max()))
