"""What a method of attribution decides: how each kind of operation is computed, and so what flows back through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

Bend = Callable[["Tensor"], "Tensor"]
"""Bends each number by itself."""

Pool = Callable[["Tensor"], tuple["Tensor", "Tensor"]]
"""The largest numbers, and where they stand on the last axes of the input, laid end to end."""

Pair = Callable[["Tensor", "Tensor"], "Tensor"]
"""Something linear in each of two inputs."""


def applied(function: type[torch.autograd.Function], *given: Any) -> Any:
    """The result of an operation with a gradient of its own."""
    return function.apply(*given)  # type: ignore[no-untyped-call]


@dataclass(frozen=True, eq=False)
class Layer:
    """A dense layer, a convolution or any other sum of products with weights.

    call:   (input, weight) -> what it is without bias; linear in both
    bias:   shaped so that it can be added, or None
    folds:  along which axis of the weight its output channels lie; None where a norm cannot be drawn into it
    convolution: whether it is one
    """

    call: Pair
    weight: Tensor
    bias: Tensor | None = None
    folds: int | None = None
    convolution: bool = False

    def __call__(self, x: Tensor) -> Tensor:
        """What the layer says of x."""
        y = self.call(x, self.weight)
        return y if self.bias is None else y + self.bias


Kept = list["Tensor"]
"""Tensors as they were when an operation met them."""


@dataclass(frozen=True, eq=False)
class Norm:
    """A batch norm that predicts: y = x * scale + shift, (1, channels, 1, ...) each."""

    scale: Tensor
    shift: Tensor


class Rules:
    """Ordinary computation with ordinary gradients; a method overrides what it treats in its own way.

    Every method gets tensors on the path from the explained input to the output, and returns the ordinary result; what
    differs is its gradient.

    exact: whether only known operations may be met; others are refused where the explained number depends on them
    """

    exact = True

    def moved(self, given: Sequence[Tensor], result: object) -> None:
        """Note that numbers were moved or added up; given: the tensors on the path."""

    def differing(self, name: str, numbers: Sequence[Tensor]) -> Sequence[Tensor]:
        """Which tensors off the path, used by an operation, are not what they should be for its rule to hold."""
        del name, numbers
        return ()

    def ready(self, answer: Tensor) -> None:
        """Prepare for what will flow back from this answer."""

    def changes(self, tensor: Tensor) -> None:
        """Note that the numbers of a tensor are about to be overwritten."""

    def bent(self, name: str, bend: Bend, x: Tensor) -> Tensor:
        """Each number bent by itself."""
        del name
        return bend(x)

    def product(self, name: str, call: Pair, a: Tensor, b: Tensor) -> Tensor:
        """Something linear in each of two tensors on the path."""
        del name
        return call(a, b)

    def layer(self, layer: Layer, x: Tensor, plain: Callable[[], Tensor]) -> Tensor:
        """A layer with weights; plain: computes it in the ordinary way."""
        del layer, x
        return plain()

    def norm(self, norm: Norm, x: Tensor) -> Tensor:
        """A batch norm with fixed numbers."""
        return x * norm.scale + norm.shift

    def largest(self, name: str, pool: Pool, x: Tensor, axes: int) -> tuple[Tensor, Tensor]:
        """The largest numbers of windows over the last axes, and where they stand."""
        del name, axes
        return pool(x)

    def softmax(self, x: Tensor, dim: int) -> Tensor:
        """Weights that sum to one."""
        return functional.softmax(x, dim)

    def logsumexp(self, x: Tensor, dim: int) -> Tensor:
        """A soft maximum; the axis stays with length 1."""
        return torch.logsumexp(x, dim, keepdim=True)


class Remembering(Rules):
    """Rules that remember what operations met, also if it is overwritten later."""

    def __init__(self) -> None:
        self._kept: list[Kept] = []

    def keep(self, *tensors: Tensor) -> Kept:
        """Remember some tensors as they are now; the list may be added to."""
        kept = [each.detach() for each in tensors]
        self._kept.append(kept)
        return kept

    def changes(self, tensor: Tensor) -> None:
        """Copy what is remembered and about to be overwritten."""
        place = tensor.untyped_storage().data_ptr()
        for kept in self._kept:
            for number, each in enumerate(kept):
                if each.untyped_storage().data_ptr() == place:
                    kept[number] = each.clone()
