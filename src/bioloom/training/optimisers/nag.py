"""NAG: momentum that looks ahead."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from bioloom.training.optimisers import Optimiser, optimisers


@optimisers.register
class Nag(Optimiser):
    """Nesterov's accelerated gradient: as momentum, but the gradient counts as if the ball had already rolled on.

    v <- 0.9 v + g;  w <- w - a (g + 0.9 v).
    Sources: Nesterov (1983); in this form Sutskever et al. (2013) proceedings.mlr.press/v28/sutskever13.html.
    """

    name = "nag"
    title = "SGD with Nesterov momentum"
    rate = 20.0
    remembers = ("velocity",)
    kept: ClassVar[float] = 0.9

    def move(self, gradient: Tensor, learning_rate: float) -> None:
        """One step."""
        velocity = self.memory["velocity"].mul_(self.kept).add_(gradient)
        self.weights.add_(gradient.add(velocity, alpha=self.kept), alpha=-learning_rate)
