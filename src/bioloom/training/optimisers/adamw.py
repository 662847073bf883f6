"""AdamW: Adam with decoupled weight decay."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from bioloom.training.optimisers import Optimiser, optimisers


@optimisers.register
class AdamW(Optimiser):
    """Adam whose weights decay by a share of their own: the default.

    m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;
    w <- w - a decay w - a (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon), with b1 = 0.9, b2 = 0.99.
    Source: Loshchilov, Hutter (2019) arXiv:1711.05101.
    """

    name = "adamw"
    title = "AdamW"
    decay = 0.01
    remembers = ("first", "second")  # means of the gradients, and of their squares
    betas: ClassVar[tuple[float, float]] = (0.9, 0.99)
    epsilon: ClassVar[float] = 1e-8

    def move(self, gradient: Tensor, learning_rate: float) -> None:
        """One step."""
        first, second = self.memory["first"], self.memory["second"]
        short, long = self.betas
        first.lerp_(gradient, 1 - short)
        second.mul_(long).addcmul_(gradient, gradient, value=1 - long)
        scale = second.div(1 - long**self.steps).sqrt_().add_(self.epsilon)
        self.weights.addcdiv_(first, scale, value=-learning_rate / (1 - short**self.steps))
