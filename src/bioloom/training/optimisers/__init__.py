"""How weights follow gradients: one file per optimiser, each a few operations on one long tensor.

What all share is here: clipping, the weight penalties, decoupled decay and the average of the weights.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from bioloom.registry import Registry
from bioloom.training.average import AVERAGES


@dataclass(frozen=True)
class OptimiserSettings:
    """Settings that do not change along a run. Penalties and decay spare biases and norms.

    decay:   decoupled weight decay: each step first takes this share of the weights, times the learning rate
    l1:      penalty l1 * sum |w|, as soft thresholding after each step
    l2:      penalty l2 / 2 * sum w^2, as l2 * w added to the (clipped) gradient
    clip:    largest norm of the gradient
    average: which average of the weights is validated and kept
    steps:   planned in all
    """

    decay: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    clip: float = 1.0
    average: str = "ema"
    steps: int = 1


class Optimiser(ABC):
    """Updates all parameters of a network at once.

    While it lives, the parameters and gradients of the network are views into two long tensors, so that a step
    costs the same few operations for a small network as for a large one. `release` ends that.

    name:    what users type
    title:   how reports call it
    decay:   decoupled weight decay unless the recipe says otherwise
    rate:    its usual learning rate, as a multiple of the one that suits the network with AdamW
    remembers: names of what it keeps from step to step, each as long as the weights
    """

    name: ClassVar[str]
    title: ClassVar[str]
    decay: ClassVar[float] = 0.0
    rate: ClassVar[float] = 1.0
    remembers: ClassVar[tuple[str, ...]] = ()

    def __init__(self, network: nn.Module, settings: OptimiserSettings) -> None:
        self.settings = settings
        parameters = [weights for weights in network.parameters() if weights.requires_grad]
        self.parameters = sorted(parameters, key=lambda weights: weights.ndim < 2)  # penalised ones first
        self.penalised = sum(weights.numel() for weights in parameters if weights.ndim >= 2)
        self.weights = torch.cat([weights.detach().reshape(-1) for weights in self.parameters])
        self.gradient = torch.zeros_like(self.weights)
        self.memory = {name: torch.zeros_like(self.weights) for name in self.remembers}
        self.average = self.weights.clone()
        self.steps = 0
        self._added = 0
        start = 0
        for weights in self.parameters:
            part = slice(start, start + weights.numel())
            weights.data = self.weights[part].view_as(weights)
            weights.grad = self.gradient[part].view_as(weights)
            start = part.stop

    @abstractmethod
    def move(self, gradient: Tensor, learning_rate: float) -> None:
        """Change the weights; `steps` already counts this step."""

    def add(self, loss: Tensor) -> None:
        """Add the gradient of a loss to those that wait for the next step."""
        if not self._added:
            self.gradient.zero_()
        loss.backward()  # type: ignore[no-untyped-call]
        self._added += 1

    def step(self, learning_rate: float) -> None:
        """One update from the mean of the gradients that wait."""
        settings, gradient = self.settings, self.gradient
        penalised = self.weights[: self.penalised]
        if self._added > 1:
            gradient.div_(self._added)
        gradient.mul_((settings.clip / (torch.linalg.vector_norm(gradient) + 1e-6)).clamp_(max=1.0))
        if settings.l2:
            gradient[: self.penalised].add_(penalised, alpha=settings.l2)
        self._added = 0
        self.steps += 1
        penalised.mul_(1 - learning_rate * settings.decay)
        self.move(gradient, learning_rate)
        if settings.l1:
            penalised.copy_(torch.nn.functional.softshrink(penalised, learning_rate * settings.l1))
        kept = AVERAGES[settings.average](self.steps, settings.steps)
        self.average.lerp_(self.weights, 1 - kept)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within it, the network has the averaged weights."""
        current = self.weights.clone()
        self.weights.copy_(self.average)
        try:
            yield
        finally:
            self.weights.copy_(current)

    def state(self) -> dict[str, Tensor]:
        """Copies of everything that a step changes, but the number of steps."""
        return {name: tensor.clone() for name, tensor in self._tensors().items()}

    def load(self, state: dict[str, Tensor], steps: int) -> None:
        """Go on from a state."""
        for name, tensor in self._tensors().items():
            tensor.copy_(state[name])
        self.steps = steps

    def release(self) -> None:
        """Give each parameter its own memory again."""
        for weights in self.parameters:
            weights.data = weights.data.clone()
            weights.grad = None

    def _tensors(self) -> dict[str, Tensor]:
        return {"weights": self.weights, "average": self.average, **self.memory}


optimisers: Registry[type[Optimiser]] = Registry(
    "optimiser", "bioloom.training.optimisers", "bioloom.optimisers"
)
