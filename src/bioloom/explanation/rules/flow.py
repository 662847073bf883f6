"""Asking a network under rules, and what flows back to its input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from bioloom.explanation.engine import ask
from bioloom.explanation.rules.mode import following

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from bioloom.explanation import Question
    from bioloom.explanation.rules.base import Rules


def flows(
    question: Question,
    x: Tensor,
    record: Tensor,
    rules: Rules,
    *,
    start: Callable[[Tensor], Tensor] | None = None,
    told: Callable[[Question, Tensor, Tensor], Tensor] = ask,
) -> tuple[Tensor, Tensor]:
    """What flows back to the explained input under rules, (variants, *shape), and the explained numbers.

    x, record: variants as `ask` takes them
    start:     what begins to flow at each explained number, given these; 1 if left out
    told:      asks the network, as `ask` does
    """
    with torch.enable_grad():
        leaf = x.detach().clone().requires_grad_()
        with following(rules, question.network):
            answer = told(question, leaf, record)
        if not answer.requires_grad:  # the number does not depend on this input at all
            return torch.zeros_like(x), answer
        rules.ready(answer)
        # A sum, because torch imports sympy, most of a second, the first time that it is told what begins to flow.
        begun = answer.sum() if start is None else (answer * start(answer.detach())).sum()
    (found,) = torch.autograd.grad(begun, leaf, allow_unused=True)
    return torch.zeros_like(x) if found is None else found, answer.detach()
