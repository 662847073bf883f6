"""The perceptron: the first machine that learned from its mistakes, with its rule as it was."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from bioloom.modalities import Kind
from bioloom.models import networks
from bioloom.models.candidates import DEFAULT, Space
from bioloom.models.linear import Linear

SURE = 20.0
"""What stands for "yes" where a probability is made of it: 1 to within 2 billionths; -20 stands for "no"."""


class AllOrNothing(torch.autograd.Function):
    """Answer yes or no, or the class with the highest score; errors pass back through it as if it were not there."""

    @staticmethod
    def forward(_: Any, score: Tensor) -> Tensor:
        """(records, outputs) -> the same shape, SURE or -SURE each."""
        if score.shape[1] == 1:
            yes = score > 0
        else:
            yes = torch.zeros_like(score, dtype=torch.bool).scatter_(
                1, score.argmax(dim=1, keepdim=True), True
            )
        return torch.where(yes, SURE, -SURE).to(score.dtype)

    @staticmethod
    def backward(_: Any, error: Tensor) -> Tensor:
        """The error of the answer is that of the score."""
        return error


@networks.register
class Perceptron(Linear):
    """Weigh all input values, add up, and answer yes if the sum is positive; learn from wrong answers only.

    The rule: weight <- weight + rate x (truth - answer) x input, with truth and answer 0 or 1; nothing moves where the
    answer is right. For several classes the weights of the right class gain the input, those of the answer lose it. Here
    the rule is the gradient of the cross-entropy of an all-or-nothing answer, so that every optimiser can use it; the
    plain one is --set training.optimiser=sgd training.schedule=constant training.batch_size=1 training.average=none. A
    prediction is the sum itself. One perceptron draws one straight line: it never learns exclusive or, two layers do
    (`mlp`).
    81 parameters for an input of 20x4 and 1 output.
    Sources: Rosenblatt (1958) Psychological Review 65:386; Minsky, Papert (1969) Perceptrons; averaged weights,
    Freund, Schapire (1999) Machine Learning 37:277.
    """

    name = "perceptron"
    title = "one weight per input value, learned from mistakes only (perceptron)"
    accepts = frozenset({Kind.SEQUENCE, Kind.VECTOR, Kind.IMAGE})
    suits: ClassVar[frozenset[str]] = frozenset({"binary", "multiclass"})
    learning_rate = 5e-3
    candidates = (DEFAULT,)
    space: ClassVar[Space] = {}

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, ...) -> (records, outputs): answers while learning, sums when predicting."""
        score = super().forward(x, mask)
        answer: Tensor = AllOrNothing.apply(score) if self.training else score  # type: ignore[no-untyped-call]
        return answer
