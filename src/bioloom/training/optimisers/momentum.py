"""SGD with momentum: a ball that rolls downhill."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from bioloom.training.optimisers import Optimiser, optimisers


@optimisers.register
class Momentum(Optimiser):
    """Steps along a fading sum of all gradients.

    v <- 0.9 v + g;  w <- w - a v.
    Source: Polyak (1964) doi:10.1016/0041-5553(64)90137-5.
    """

    name = "momentum"
    title = "SGD with momentum"
    rate = 20.0
    remembers = ("velocity",)
    kept: ClassVar[float] = 0.9

    def move(self, gradient: Tensor, learning_rate: float) -> None:
        """One step."""
        velocity = self.memory["velocity"].mul_(self.kept).add_(gradient)
        self.weights.add_(velocity, alpha=-learning_rate)
