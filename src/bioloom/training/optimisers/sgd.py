"""SGD: stochastic gradient descent."""

from __future__ import annotations

from torch import Tensor

from bioloom.training.optimisers import Optimiser, optimisers


@optimisers.register
class Sgd(Optimiser):
    """Downhill by the gradient of a batch, w <- w - a g (Robbins, Monro 1951, doi:10.1214/aoms/1177729586)."""

    name = "sgd"
    title = "SGD"
    rate = 100.0

    def move(self, gradient: Tensor, learning_rate: float) -> None:
        """One step."""
        self.weights.add_(gradient, alpha=-learning_rate)
