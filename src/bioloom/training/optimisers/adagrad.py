"""Adagrad: weights that have moved much move less."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from bioloom.training.optimisers import Optimiser, optimisers


@optimisers.register
class Adagrad(Optimiser):
    """Divides each step by the size of all gradients so far.

    s <- s + g^2;  w <- w - a g / (sqrt(s) + epsilon).
    Source: Duchi, Hazan, Singer (2011) jmlr.org/papers/v12/duchi11a.html.
    """

    name = "adagrad"
    title = "Adagrad"
    rate = 20.0
    remembers = ("squares",)
    epsilon: ClassVar[float] = 1e-10

    def move(self, gradient: Tensor, learning_rate: float) -> None:
        """One step."""
        squares = self.memory["squares"].addcmul_(gradient, gradient)
        self.weights.addcdiv_(gradient, squares.sqrt().add_(self.epsilon), value=-learning_rate)
