"""RMSProp: gradients in units of their recent size."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from bioloom.training.optimisers import Optimiser, optimisers


@optimisers.register
class RmsProp(Optimiser):
    """Divides each step by the size of recent gradients.

    s <- 0.9 s + 0.1 g^2;  w <- w - a g / (sqrt(s) + epsilon).
    Source: Tieleman, Hinton (2012) lecture 6.5 of Neural Networks for Machine Learning, Coursera.
    """

    name = "rmsprop"
    title = "RMSProp"
    remembers = ("squares",)
    kept: ClassVar[float] = 0.9
    epsilon: ClassVar[float] = 1e-8

    def move(self, gradient: Tensor, learning_rate: float) -> None:
        """One step."""
        squares = self.memory["squares"].mul_(self.kept)
        squares.addcmul_(gradient, gradient, value=1 - self.kept)
        self.weights.addcdiv_(gradient, squares.sqrt().add_(self.epsilon), value=-learning_rate)
