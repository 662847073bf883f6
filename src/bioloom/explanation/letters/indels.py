"""Deletions and insertions: take each letter out of a sequence, or put each letter in before each other one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from bioloom.errors import UserError
from bioloom.explanation import Explainer, Explanation, Question, explainers
from bioloom.explanation.engine import (
    chosen,
    in_chunks,
    on_letters,
    posed,
    rows_per_chunk,
    spells_letters,
    untouched,
)
from bioloom.modalities import Kind, Signal
from bioloom.models import apply
from bioloom.models.places import trimmed

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    Edit = Callable[[slice], tuple[Tensor, Tensor, Tensor]]


@explainers.register
class Deletion(Explainer):
    """Take each letter out and record what is lost: f(x) - f(x without it), given to the letter that stands there.

    What stands behind moves up by one. A record that may be shorter gets shorter; where all records are equally long, an even
    mixture of letters stands at the end. Deleting any letter of a run of equal ones gives the same sequence, so these share
    one number. Cost: one evaluation for each position. Not for reading letters where spacing matters: a deletion between two
    sites also brings them closer together.
    Source: deletions as in Zhou & Troyanskaya 2015, Nature Methods 12:931, which has substitutions.
    """

    name = "deletion"
    title = "Deletion (take each letter out, and let the others move up)"
    accepts = frozenset({Kind.SEQUENCE})

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to letters; see `deletion`."""
        return deletion(question)


@explainers.register
class Insertion(Explainer):
    """Put each letter in before each position and record what changes: f(x with it) - f(x), (letters, positions).

    What stands behind moves down by one. A record gets longer where there is room; else its last letter is pushed out.
    Cost: one evaluation for each letter and position. It tells where a gap between sites may grow, which substitutions
    cannot. Values are of letters that are not there, so their sum over a record means nothing.
    Source: as for `deletion`.
    """

    name = "insertion"
    title = "Insertion (put each letter in before each other one)"
    accepts = frozenset({Kind.SEQUENCE})

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Say what each insertion does; see `insertion`."""
        return insertion(question)


def deletion(question: Question) -> Explanation:
    """Take each letter out and record what is lost: f(x) - f(x without it), given to the letter that stands there.

    `Deletion` says how, at what cost, and by whom.

    Raises UserError where the input is not made of letters.
    """
    x, mask = _letters_of(question)
    filled = torch.ones_like(x[:, 0], dtype=torch.bool) if mask is None else mask
    record, position = torch.nonzero(filled, as_tuple=True)
    positions = torch.arange(x.shape[2], device=x.device)

    def without(part: slice) -> tuple[Tensor, Tensor, Tensor]:
        who, where = record[part], position[part, None]
        length = filled[who].sum(dim=1, keepdim=True)
        source = torch.where(positions >= where, positions + 1, positions).clamp(max=x.shape[2] - 1)
        moved = x[who].gather(2, source[:, None].expand(-1, x.shape[1], -1))
        last = (positions == length - 1)[:, None]
        moved = torch.where(last, 0.0 if mask is not None else 1 / x.shape[1], moved)
        return moved, positions < (length - 1 if mask is not None else length), who

    change = _changes(question, len(record), without, record)
    value = x.new_zeros(len(x), x.shape[2])
    value[record, position] = -change
    reference = "the record without the letter"
    return _told(question, (Deletion.name, reference), on_letters(value, x), len(record))


def insertion(question: Question) -> Explanation:
    """Put each letter in before each position and record what changes: f(x with it) - f(x), (letters, positions).

    `Insertion` says how, at what cost, and by whom.

    Raises UserError where the input is not made of letters.
    """
    x, mask = _letters_of(question)
    filled = torch.ones_like(x[:, 0], dtype=torch.bool) if mask is None else mask
    everywhere = filled[:, None].expand(-1, x.shape[1], -1)
    record, letter, position = torch.nonzero(everywhere, as_tuple=True)
    positions = torch.arange(x.shape[2], device=x.device)

    def with_it(part: slice) -> tuple[Tensor, Tensor, Tensor]:
        who, where = record[part], position[part, None]
        length = (filled[who].sum(dim=1, keepdim=True) + 1).clamp(max=x.shape[2])
        source = torch.where(positions > where, positions - 1, positions)
        moved = x[who].gather(2, source[:, None].expand(-1, x.shape[1], -1))
        row = torch.arange(len(who), device=x.device)
        moved[row, :, where[:, 0]] = 0
        moved[row, letter[part], where[:, 0]] = 1
        return moved, positions < length, who

    delta = torch.zeros_like(x)
    delta[record, letter, position] = _changes(question, len(record), with_it, record)
    return _told(question, (Insertion.name, "the record itself without the insertion"), delta, len(record))


def _letters_of(question: Question) -> Signal:
    signal = question.batch[question.input]
    if not spells_letters(signal.x):
        raise UserError(
            "Deletions and insertions change letters, and this input is not made of letters.",
            where=f'input "{question.input}"',
            fix="use another method: occlusion or integrated_gradients",
        )
    return signal


def _changes(question: Question, count: int, edit: Edit, record: Tensor) -> Tensor:
    """f(edited) - f(x) for each edit, (edits,)."""
    x, mask = question.batch[question.input]
    everyone = torch.arange(len(x), device=x.device)

    def plain(part: slice) -> Tensor:
        batch = posed(question, x[part], everyone[part])
        return chosen(question, apply(question.network, batch), batch, everyone[part])

    def edited(part: slice) -> Tensor:
        variants, filled, who = edit(part)
        batch = {
            name: Signal(each.x[who], None if each.mask is None else each.mask[who])
            for name, each in question.batch.items()
        }
        batch[question.input] = Signal(variants, None if mask is None else filled)
        batch = trimmed(batch) if question.network.everywhere else batch
        question.progress(part.stop / count)
        return chosen(question, apply(question.network, batch), batch, who)

    with untouched(question.network, question.seed, x.device), torch.no_grad():
        before = torch.cat(in_chunks(len(x), rows_per_chunk(x), plain))
        return torch.cat(in_chunks(count, rows_per_chunk(x), edited)) - before[record]


def _told(question: Question, named: tuple[str, str], attribution: Tensor, edits: int) -> Explanation:
    question.progress(1.0)
    name, reference = named
    return Explanation(
        attribution=attribution.float().cpu().numpy(),
        method=name,
        input=question.input,
        reference=reference,
        settings={"edits": edits},
    )
