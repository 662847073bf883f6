"""In-silico mutagenesis: change every letter to every other one and see what the model says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from pydantic import Field

from bioloom.errors import UserError
from bioloom.explanation import Explainer, ExplainerSettings, Explanation, Question, explainers
from bioloom.explanation.engine import (
    ask_each,
    chosen,
    chunks,
    in_chunks,
    rows_per_chunk,
    spells_letters,
    untouched,
)
from bioloom.explanation.locality.windowed import Substitutions, Way, way
from bioloom.modalities import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

_NUMBERS_PER_BLOCK = 2**20


@explainers.register
class Mutagenesis(Explainer):
    """Change each letter to each other one and record how the output changes.

    delta[letter, position] = f(x with this letter there) - f(x), which is 0 for the observed letter. With
    `centred`, the mean over letters is subtracted at each position, so that the observed letter holds minus
    the mean effect of replacing it, times (letters - 1) / letters: positive where the record's own letter
    raises the output. Nothing is lost: `summary.substitutions` gives delta back.

    Gaps and mixtures such as N are replaced by each letter in turn; positions outside the mask are skipped
    and stay 0. Cost: one evaluation for each substitution, 3 x positions for DNA, 19 x positions for proteins;
    where it pays, only what a substitution can change is worked out (`bioloom.explanation.locality.windowed`).
    Not where sites can stand in for each other: it sees one change at a time, and both may look unimportant.
    Source: Zhou & Troyanskaya 2015, Nature Methods 12:931.
    """

    name = "mutagenesis"
    title = "In-silico mutagenesis (change each letter, one at a time)"
    accepts = frozenset({Kind.SEQUENCE})
    compared = True

    class Settings(ExplainerSettings):
        """How effects are told."""

        centred: bool = Field(default=True, description="subtract the mean over letters at each position")

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to letters; see `mutagenesis`."""
        return mutagenesis(question, centred=cls.told(question).centred)

    @classmethod
    def explain_each(cls, questions: Sequence[Question]) -> list[Explanation]:
        """Attribute several outputs to letters, asking the network once for all of them."""
        return mutagenesis_each(questions, centred=cls.told(questions[0]).centred)


def mutagenesis(question: Question, *, centred: bool = True) -> Explanation:
    """Change each letter to each other one and record how the output changes.

    `Mutagenesis` says how, at what cost, and by whom.

    Raises UserError where the input is not made of letters.
    """
    return mutagenesis_each([question], centred=centred)[0]


def mutagenesis_each(questions: Sequence[Question], *, centred: bool = True) -> list[Explanation]:
    """The same for questions that differ in what is asked of the answer only: the network is asked once for all."""
    first = questions[0]
    x, mask = first.batch[first.input]
    if not spells_letters(x):
        raise UserError(
            "In-silico mutagenesis changes letters, and this input is not made of letters.",
            where=f'input "{first.input}"',
            fix="use another method: occlusion or integrated_gradients",
        )
    changes = (x < 1) & (mask[:, None] if mask is not None else torch.ones_like(x[:, :1], dtype=torch.bool))
    delta, note = _deltas(questions, changes)
    if centred:
        delta = torch.where(changes.any(dim=1, keepdim=True), delta - delta.mean(dim=2, keepdim=True), delta)
    first.progress(1.0)
    settings = {"centred": centred, "substitutions": int(changes.sum()), "worked out": note}
    return [
        Explanation(
            attribution=each.float().cpu().numpy(),
            method=Mutagenesis.name,
            input=first.input,
            reference="the record itself with one letter changed",
            settings=dict(settings),
        )
        for each in delta
    ]


def _deltas(questions: Sequence[Question], changes: Tensor) -> tuple[Tensor, str]:
    """What each change does, (questions, records, letters, positions), and how it was worked out."""
    first, note = questions[0], ""
    x = first.batch[first.input].x
    delta = x.new_zeros(len(questions), *x.shape)
    everyone = torch.arange(len(x), device=x.device)
    with untouched(first.network, first.seed, x.device), torch.no_grad():
        parts = in_chunks(
            len(x), rows_per_chunk(x), lambda some: ask_each(questions, x[some], everyone[some])
        )
        plain = torch.cat(parts, dim=1)
        chosen_way: Way | None = None
        for block in chunks(len(x), max(1, _NUMBERS_PER_BLOCK // max(1, x[:1].numel()))):
            record, letter, position = torch.nonzero(changes[block], as_tuple=True)
            asked = Substitutions(record + block.start, letter, position)
            chosen_way = chosen_way or way(first, asked, int(changes.sum()))
            note = chosen_way.note
            _measure(questions, asked, chosen_way, (plain, delta))
            first.progress(block.stop / len(x))
    return delta, note


def _measure(
    questions: Sequence[Question], asked: Substitutions, how: Way, numbers: tuple[Tensor, Tensor]
) -> None:
    """Fill in delta for some substitutions; numbers: the answers without any, and delta."""
    plain, delta = numbers
    first = questions[0]
    records = len(first.batch[first.input].x)

    def ask_about(part: slice) -> None:
        some = asked[part]
        raw, batch = how.ask(some)
        for number, question in enumerate(questions):
            change = chosen(question, raw, batch, some.record) - plain[number, some.record]
            delta[number, some.record, some.letter, some.position] = change
        first.progress(float(some.record[-1]) / records)

    in_chunks(len(asked), how.rows or rows_per_chunk(first.batch[first.input].x), ask_about)
