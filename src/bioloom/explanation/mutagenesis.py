"""In-silico mutagenesis: change every letter to every other one and see what the model says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from bioloom.errors import UserError
from bioloom.explanation import Explainer, Explanation, Question, explainers
from bioloom.explanation.engine import (
    ask,
    ask_all,
    chunks,
    in_chunks,
    rows_per_chunk,
    spells_letters,
    untouched,
)
from bioloom.modalities import Kind

if TYPE_CHECKING:
    from torch import Tensor

_NUMBERS_PER_BLOCK = 2**20


@explainers.register
class Mutagenesis(Explainer):
    """In-silico mutagenesis with its defaults; see `mutagenesis`."""

    name = "mutagenesis"
    title = "In-silico mutagenesis (change each letter, one at a time)"
    accepts = frozenset({Kind.SEQUENCE})

    @classmethod
    def explain(cls, question: Question) -> Explanation:
        """Attribute an output to letters; see `mutagenesis`."""
        return mutagenesis(question)


def mutagenesis(question: Question, *, centred: bool = True) -> Explanation:
    """Change each letter to each other one and record how the output changes.

    delta[letter, position] = f(x with this letter there) - f(x), which is 0 for the observed letter. With
    `centred`, the mean over letters is subtracted at each position, so that the observed letter holds minus
    the mean effect of replacing it, times (letters - 1) / letters: positive where the record's own letter
    raises the output. Nothing is lost: `summary.substitutions` gives delta back.

    Gaps and mixtures such as N are replaced by each letter in turn; positions outside the mask are skipped
    and stay 0. Cost: one evaluation for each substitution, 3 x positions for DNA, 19 x positions for proteins.
    It sees one change at a time: two sites that can stand in for each other may both look unimportant.
    Source: Zhou & Troyanskaya 2015, Nature Methods 12:931.

    Raises UserError where the input is not made of letters.
    """
    x, mask = question.batch[question.input]
    if not spells_letters(x):
        raise UserError(
            "In-silico mutagenesis changes letters, and this input is not made of letters.",
            where=f'input "{question.input}"',
            fix="use another method: occlusion or integrated_gradients",
        )
    changes = (x < 1) & (mask[:, None] if mask is not None else torch.ones_like(x[:, :1], dtype=torch.bool))
    delta = torch.zeros_like(x)
    with untouched(question.network, question.seed, x.device), torch.no_grad():
        plain = ask_all(question, len(x), lambda part: (x[part], torch.arange(len(x), device=x.device)[part]))
        for block in chunks(len(x), max(1, _NUMBERS_PER_BLOCK // max(1, x[:1].numel()))):
            _measure(question, changes[block], block.start, plain, delta)
    if centred:
        delta = torch.where(changes.any(dim=1, keepdim=True), delta - delta.mean(dim=1, keepdim=True), delta)
    question.progress(1.0)
    return Explanation(
        attribution=delta.float().cpu().numpy(),
        method=Mutagenesis.name,
        input=question.input,
        reference="the record itself with one letter changed",
        settings={"centred": centred, "substitutions": int(changes.sum())},
    )


def _measure(question: Question, changes: Tensor, first: int, plain: Tensor, delta: Tensor) -> None:
    """Fill in delta for the changes of a block of records that starts at record `first`."""
    x = question.batch[question.input].x
    record, letter, position = torch.nonzero(changes, as_tuple=True)
    record = record + first

    def ask_about(part: slice) -> None:
        who, what, where = record[part], letter[part], position[part]
        row = torch.arange(len(who), device=x.device)
        mutants = x[who]  # (substitutions, letters, positions)
        mutants[row, :, where] = 0
        mutants[row, what, where] = 1
        delta[who, what, where] = ask(question, mutants, who) - plain[who]
        question.progress((first + len(changes) * part.stop / len(record)) / len(x))

    in_chunks(len(record), rows_per_chunk(x), ask_about)
