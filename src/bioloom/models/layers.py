"""What each layer of a network turns a record into, and how many parameters it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from bioloom.errors import UserError
from bioloom.modalities import Batch, Kind, Shape, Signal
from bioloom.modalities.graphs import Layout
from bioloom.models import Network, Shapes, apply

LETTERS_AT_MOST = 30
"""No alphabet of sequences is larger: DNA and RNA have 4 letters, proteins 20 and a few."""


@dataclass(frozen=True)
class Layer:
    """One step of a network.

    name:            its place in the network, such as "blocks.0.look"
    operation:       what it does, such as "Conv1d"
    shape:           of one record after it, positions x channels
    parameters:      learned numbers
    multiplications: for one record
    """

    name: str
    operation: str
    shape: tuple[int, ...]
    parameters: int
    multiplications: int


@dataclass(frozen=True)
class LayerTable:
    """The layers of a network in the order in which a record meets them.

    others: learned numbers that belong to no layer, such as a position embedding
    """

    layers: tuple[Layer, ...]
    others: int

    @property
    def parameters(self) -> int:
        """All learned numbers."""
        return sum(layer.parameters for layer in self.layers) + self.others

    @property
    def multiplications(self) -> int:
        """Multiplications for one record."""
        return sum(layer.multiplications for layer in self.layers)

    @property
    def largest(self) -> int:
        """Numbers in the largest output of a layer, for one record."""
        return max((prod(layer.shape) for layer in self.layers), default=1)


def layer_table(network: Network, shapes: Shapes) -> LayerTable:
    """List the layers of a network by sending one empty record through it; the network is left as it was."""
    layers: list[Layer] = []
    hooks = [
        module.register_forward_hook(_recorder(name, layers))
        for name, module in network.named_modules()
        if name and _is_layer(module)
    ]
    training = network.training
    try:
        with torch.inference_mode():
            apply(network.eval(), empty_batch(shapes, next(network.parameters()).device))
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    total = sum(weights.numel() for weights in network.parameters())
    return LayerTable(tuple(layers), total - sum(layer.parameters for layer in layers))


def empty_batch(shapes: Shapes, device: torch.device) -> Batch:
    """One record of zeros."""
    return {name: Signal(torch.zeros(1, *shape.sizes, device=device)) for name, shape in shapes.items()}


def parse_shape(text: str) -> Shape:
    """A shape as users write it: "20x4" (20 positions of 4 letters), "28x28x3" (an image) or "11" (columns).

    "4x75" is taken as "75x4", because no alphabet has that many letters. Four numbers are a graph: "100x30x16x5" has
    100 nodes of 30 features, each with 16 neighbours and 5 numbers for each of these.
    """
    sizes = [int(size) if size.isdigit() else 0 for size in text.lower().split("x")]
    if not 1 <= len(sizes) <= 4 or min(sizes) < 1:
        raise UserError(
            f'"{text}" is no shape.',
            where="--input",
            fix="write positions x letters, such as 20x4, or columns, such as 11",
        )
    if len(sizes) == 4:
        return Layout(*sizes).shape
    kind = (Kind.VECTOR, Kind.SEQUENCE, Kind.IMAGE)[len(sizes) - 1]
    if kind is Kind.SEQUENCE and sizes[0] <= LETTERS_AT_MOST < sizes[1]:
        sizes.reverse()
    return Shape(kind, (sizes[-1], *sizes[:-1]))


def _is_layer(module: nn.Module) -> bool:
    return not any(module.children()) or any(True for _ in module.parameters(recurse=False))


def _recorder(name: str, layers: list[Layer]) -> Callable[[nn.Module, object, Tensor], None]:
    def record(module: nn.Module, _: object, output: Tensor | tuple[Tensor, ...]) -> None:
        output = output if isinstance(output, Tensor) else output[0]  # beside it, the state of a recurrence
        own = [weights for weights in module.parameters(recurse=False) if not _seen(name, layers)]
        sizes = tuple(output.shape[1:])
        layers.append(
            Layer(
                name=name,
                operation=type(module).__name__,
                shape=sizes if isinstance(module, PLACES_FIRST) else _course_order(sizes),
                parameters=sum(weights.numel() for weights in own),
                multiplications=_multiplications(module, output),
            )
        )

    return record


PLACES_FIRST = (nn.Linear, nn.Embedding, nn.LayerNorm, nn.RNNBase)
"""Layers whose outputs are positions x channels already."""


def _multiplications(module: nn.Module, output: Tensor) -> int:
    """Of one record: each number of an output takes as many as its layer has weights for it; looking up takes none."""
    if isinstance(module, nn.RNNBase):
        matrices = sum(weights.numel() for weights in module.parameters() if weights.ndim > 1)
        return matrices * output.shape[1]
    weight = getattr(module, "weight", None)
    if not isinstance(weight, Tensor) or isinstance(module, nn.Embedding):
        return 0
    return weight.numel() // weight.shape[0] * output[0].numel()


def _seen(name: str, layers: list[Layer]) -> bool:
    return any(layer.name == name for layer in layers)


def _course_order(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Positions x channels from (channels, positions) or (channels, 1, positions)."""
    channels, *places = sizes
    return (*[size for number, size in enumerate(places) if size > 1 or number == len(places) - 1], channels)
