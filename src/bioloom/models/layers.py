"""What each layer of a network turns a record into, and how many parameters it has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from bioloom.errors import UserError
from bioloom.modalities import Batch, Kind, Shape, Signal
from bioloom.modalities.graphs import Layout
from bioloom.models import Network, Shapes, apply, build
from bioloom.models.sums import size_in_words, weights_in_words

LETTERS_AT_MOST = 30
"""No alphabet of sequences is larger: DNA and RNA have 4 letters, proteins 20 and a few."""

NUCLEOTIDES = 4


@dataclass(frozen=True)
class Layer:
    """One step of a network.

    name:            its place in the network, such as "blocks.0.look"
    operation:       what it does, such as "Conv1d"
    shape:           of one record after it, positions x channels
    parameters:      learned numbers
    multiplications: for one record
    size:            the sum behind its places, such as "(32 - 5 + 2 x 2)/1 + 1"; empty where they stay as they are
    sum:             the sum behind its parameters, such as "(5 x 5 x 3 + 1) x 10"; empty where it has none
    """

    name: str
    operation: str
    shape: tuple[int, ...]
    parameters: int
    multiplications: int
    size: str = ""
    sum: str = ""


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

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """A row of words for each layer: name, operation, shape, sum behind the shape, parameters, sum behind these."""
        rows: list[tuple[str, ...]] = [
            (
                *(each.name, each.operation, " x ".join(map(str, each.shape)), each.size),
                *(f"{each.parameters:,}", each.sum),
            )
            for each in self.layers
        ]
        return [*rows, ("", "others", "", "", f"{self.others:,}", "")] if self.others else rows

    def __str__(self) -> str:
        """The table as text, for a notebook or a terminal."""
        rows = [HEADINGS, *self.rows]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, f"{self.parameters:,} parameters"])


HEADINGS = ("layer", "what it does", "shape after it", "how large", "parameters", "their sum")


def layers_of(
    network: str, inputs: str | Mapping[str, str], outputs: int = 1, settings: Mapping[str, Any] | None = None
) -> LayerTable:
    """The layers of a network for an input as users write it: layers_of("cnn", "20x4", outputs=2).

    inputs: a size, or sizes by the name of an input for a network that joins several
    No weights are made, so that large networks are looked at in no time and little memory.
    Raises UserError for an unknown network or setting, and an input that the network does not understand.
    """
    named = {"input": inputs} if isinstance(inputs, str) else inputs
    shapes = {name: parse_shape(size) for name, size in named.items()}
    return table_of(network, shapes, outputs, settings or {})


def table_of(network: str, shapes: Shapes, outputs: int, settings: Mapping[str, Any]) -> LayerTable:
    """The layers of a network that need not be made for it: no random number is drawn, and no weight kept."""
    with torch.device("meta"):
        return layer_table(build(network, shapes, outputs, settings), shapes)


def layer_table(network: Network, shapes: Shapes) -> LayerTable:
    """List the layers of a network by sending one empty record through it; the network is left as it was."""
    layers: list[Layer] = []
    pictures = any(shape.kind is Kind.IMAGE for shape in shapes.values())
    hooks = [
        module.register_forward_hook(_recorder(name, layers, pictures))
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


@dataclass
class Counted:
    """Multiplications for one record of all layers that were met."""

    multiplications: float = 0.0


@contextmanager
def counting(network: nn.Module) -> Iterator[Counted]:
    """Count the multiplications for one record while a network is asked."""
    counted = Counted()

    def count(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        del inputs
        first = output if isinstance(output, Tensor) else output[0]
        if isinstance(first, Tensor) and first.dim():
            counted.multiplications += _multiplications(module, first)

    hooks = [
        module.register_forward_hook(count) for module in network.modules() if not any(module.children())
    ]
    try:
        yield counted
    finally:
        for hook in hooks:
            hook.remove()


def empty_batch(shapes: Shapes, device: torch.device) -> Batch:
    """One record of zeros."""
    return {name: Signal(torch.zeros(1, *shape.sizes, device=device)) for name, shape in shapes.items()}


def parse_shape(text: str) -> Shape:
    """A shape as users write it: "20x4" (20 positions of 4 letters), "28x28x1" (a picture) or "11" (columns).

    What can only be meant otherwise is read so: "4x20" and "4x75" as positions of 4 letters, "20x75" as 75 positions of
    20, "1x28x28" as a picture of one channel. "512 of 65" are 512 tokens of 65 kinds. Four numbers are a graph:
    "100x30x16x5" has 100 nodes of 30 features, each with 16 neighbours and 5 numbers for each of these.
    """
    if tokens := re.fullmatch(r"([1-9]\d*) of ([1-9]\d*)(?: tokens)?", text):
        return Shape(Kind.TOKENS, (int(tokens[1]),), tokens=int(tokens[2]))
    sizes = [int(size) if size.isdigit() else 0 for size in text.lower().split("x")]
    if not 1 <= len(sizes) <= 4 or min(sizes) < 1:
        raise UserError(
            f'"{text}" is no shape.',
            where="--input",
            fix="write positions x letters, such as 20x4, columns, such as 11, or a picture, such as 28x28x1",
        )
    if len(sizes) == 4:
        return Layout(*sizes).shape
    kind = (Kind.VECTOR, Kind.SEQUENCE, Kind.IMAGE)[len(sizes) - 1]
    if not _channels_first(sizes):
        sizes = [sizes[-1], *sizes[:-1]]
    return Shape(kind, tuple(sizes))


def _channels_first(sizes: list[int]) -> bool:
    """Whether letters or channels come before places, where users write them behind."""
    first, last = sizes[0], sizes[-1]
    if len(sizes) == 2:
        return first < last and (first == NUCLEOTIDES or first <= LETTERS_AT_MOST < last)
    if len(sizes) == 3 and (first == sizes[1]) != (sizes[1] == last):  # a square picture
        return sizes[1] == last
    return len(sizes) == 3 and first < last


def in_words(shape: Shape) -> str:
    """What a shape was read as, such as "20 positions of 4 letters"."""
    channels, *places = shape.sizes
    match shape.kind:
        case Kind.SEQUENCE:
            return f"{places[0]} positions of {channels} letters"
        case Kind.IMAGE:
            return f"a picture, {places[0]} pixels high and {places[1]} wide, of {channels} channel{'s' * (channels > 1)}"
        case Kind.VECTOR:
            return f"{channels} columns"
        case Kind.TOKENS:
            return f"{channels} tokens" + (f" of {shape.tokens} kinds" if shape.tokens else "")
        case Kind.GRAPH:
            layout = Layout.of(shape)
            return f"a graph of {layout.nodes} nodes, {layout.features} features each, {layout.neighbours} neighbours"


def _is_layer(module: nn.Module) -> bool:
    if isinstance(module, nn.Identity):
        return False
    return not any(module.children()) or any(True for _ in module.parameters(recurse=False))


def _recorder(
    name: str, layers: list[Layer], pictures: bool
) -> Callable[[nn.Module, tuple[Any, ...], Tensor | tuple[Tensor, ...]], None]:
    def record(module: nn.Module, inputs: tuple[Any, ...], output: Tensor | tuple[Tensor, ...]) -> None:
        output = output if isinstance(output, Tensor) else output[0]  # beside it, the state of a recurrence
        again = any(layer.name == name for layer in layers)  # its weights are counted once
        sizes = tuple(output.shape[1:])
        layers.append(
            Layer(
                name=name,
                operation=type(module).__name__,
                shape=sizes if _places_first(module, sizes, layers) else _course_order(sizes, pictures),
                parameters=0
                if again
                else sum(weights.numel() for weights in module.parameters(recurse=False)),
                multiplications=_multiplications(module, output),
                size=size_in_words(module, inputs[0], output)
                if inputs and isinstance(inputs[0], Tensor)
                else "",
                sum="" if again else weights_in_words(module),
            )
        )

    return record


def _places_first(module: nn.Module, sizes: tuple[int, ...], before: list[Layer]) -> bool:
    """Whether what a layer gives is positions x channels already: one without weights leaves that as it was before."""
    if isinstance(module, nn.Linear | nn.Embedding | nn.RNNBase) or type(module) is nn.LayerNorm:
        return True
    return bool(before) and before[-1].shape == sizes and not any(True for _ in module.parameters())


def _multiplications(module: nn.Module, output: Tensor) -> int:
    """Of one record: each number of an output takes as many as its layer has weights for it; looking up takes none."""
    if isinstance(module, nn.RNNBase):
        matrices = sum(weights.numel() for weights in module.parameters() if weights.ndim > 1)
        return matrices * output.shape[1]
    weight = getattr(module, "weight", None)
    if not isinstance(weight, Tensor) or isinstance(module, nn.Embedding):
        return 0
    return weight.numel() // weight.shape[0] * output[0].numel()


def _course_order(sizes: tuple[int, ...], pictures: bool) -> tuple[int, ...]:
    """Positions x channels from (channels, positions) or (channels, 1, positions), height x width x channels of pictures."""
    channels, *places = sizes
    last = len(places) - 1
    return (*[size for number, size in enumerate(places) if pictures or size > 1 or number == last], channels)
