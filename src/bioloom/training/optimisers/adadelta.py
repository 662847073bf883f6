"""Adadelta: steps in units of earlier steps."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from bioloom.training.optimisers import Optimiser, optimisers


@optimisers.register
class Adadelta(Optimiser):
    """Scales each step by the usual size of earlier steps over that of the gradients.

    s <- 0.9 s + 0.1 g^2;  d = g sqrt(u + epsilon) / sqrt(s + epsilon);  u <- 0.9 u + 0.1 d^2;  w <- w - a d.
    Source: Zeiler (2012) arXiv:1212.5701, where a = 1.
    """

    name = "adadelta"
    title = "Adadelta"
    rate = 500.0
    remembers = ("squares", "moves")  # means of squared gradients, and of squared steps
    kept: ClassVar[float] = 0.9
    epsilon: ClassVar[float] = 1e-6

    def move(self, gradient: Tensor, learning_rate: float) -> None:
        """One step."""
        squares, moves = self.memory["squares"], self.memory["moves"]
        squares.mul_(self.kept).addcmul_(gradient, gradient, value=1 - self.kept)
        step = gradient * moves.add(self.epsilon).sqrt_() / squares.add(self.epsilon).sqrt_()
        moves.mul_(self.kept).addcmul_(step, step, value=1 - self.kept)
        self.weights.add_(step, alpha=-learning_rate)
