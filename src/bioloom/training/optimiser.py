"""AdamW with gradient clipping and averaged weights, as a few operations on one long tensor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class AdamWSettings:
    """Settings that do not change along a run.

    decay:   decoupled weight decay, applied to matrices and filters but not to biases and norms
    clip:    largest norm of the gradient
    average: share of the old average kept at each step (exponential moving average of the weights)
    """

    decay: float = 0.01
    clip: float = 1.0
    average: float = 0.99
    betas: tuple[float, float] = (0.9, 0.99)
    epsilon: float = 1e-8


class AdamW:
    """Updates all parameters of a network at once.

    While it lives, the parameters and gradients of the network are views into two long tensors, so that a step
    costs the same ten operations for a small network as for a large one. `release` ends that.
    Sources: Loshchilov, Hutter (2019) arXiv:1711.05101; average with a short memory at the start as in
    Tan, Le (2019) arXiv:1905.11946.
    """

    def __init__(self, network: nn.Module, settings: AdamWSettings) -> None:
        self.settings = settings
        parameters = [weights for weights in network.parameters() if weights.requires_grad]
        self.parameters = sorted(parameters, key=lambda weights: weights.ndim < 2)  # decayed ones first
        self.decayed = sum(weights.numel() for weights in parameters if weights.ndim >= 2)
        self.weights = torch.cat([weights.detach().reshape(-1) for weights in self.parameters])
        self.gradient = torch.zeros_like(self.weights)
        self.first = torch.zeros_like(self.weights)  # mean of gradients
        self.second = torch.zeros_like(self.weights)  # mean of squared gradients
        self.average = self.weights.clone()
        self.steps = 0
        start = 0
        for weights in self.parameters:
            part = slice(start, start + weights.numel())
            weights.data = self.weights[part].view_as(weights)
            weights.grad = self.gradient[part].view_as(weights)
            start = part.stop

    def step(self, loss: Tensor, learning_rate: float) -> None:
        """One update from the gradient of a loss."""
        settings, gradient = self.settings, self.gradient
        gradient.zero_()
        loss.backward()  # type: ignore[no-untyped-call]
        gradient.mul_((settings.clip / (gradient.norm() + 1e-6)).clamp(max=1.0))
        self.steps += 1
        short, long = settings.betas
        self.first.lerp_(gradient, 1 - short)
        self.second.mul_(long).addcmul_(gradient, gradient, value=1 - long)
        self.weights[: self.decayed].mul_(1 - learning_rate * settings.decay)
        scale = self.second.div(1 - long**self.steps).sqrt_().add_(settings.epsilon)
        self.weights.addcdiv_(self.first, scale, value=-learning_rate / (1 - short**self.steps))
        kept = min(settings.average, (1 + self.steps) / (10 + self.steps))
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
        return {
            "weights": self.weights,
            "first": self.first,
            "second": self.second,
            "average": self.average,
        }
