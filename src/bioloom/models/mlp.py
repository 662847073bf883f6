"""A multilayer perceptron: dense layers with an activation function between them."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field
from torch import Tensor, nn

from bioloom.modalities import Kind
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.candidates import DEFAULT, Candidate, Choice, Range, Space
from bioloom.models.dense import dense

Activation = Literal["gelu", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "maxout"]

PIECES = 2
"""Sums of which a maxout unit takes the largest."""


class Maxout(nn.Module):
    """The largest of two sums for each unit: an activation function that is learned. Goodfellow et al. (2013) arXiv:1302.4389."""

    def forward(self, x: Tensor) -> Tensor:
        """(records, 2 x units) -> (records, units)."""
        return x.reshape(len(x), -1, PIECES).amax(dim=2)


ACTIVATIONS: dict[Activation, Callable[[], nn.Module]] = {
    "gelu": nn.GELU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.1),
    "elu": nn.ELU,
    "maxout": Maxout,
}
"""The activation function after a layer of hidden units."""


@networks.register
class MLP(Network):
    """Combine all input values in layers of hidden units; the usual way to read a table beside other inputs.

    Per hidden layer: dense - activation - dropout; then dense to the outputs. Activations of a sum z:
        sigmoid     1 / (1 + exp(-z)), between 0 and 1; its slope is at most 1/4, so that gradients vanish in deep networks
        tanh        between -1 and 1; its slope is at most 1
        relu        z above 0, else 0
        leaky_relu  z above 0, else 0.1 z
        elu         z above 0, else exp(z) - 1
        maxout      the larger of two sums, each with weights of its own
        gelu        z times the share of a normal distribution below z; the default
    With the default widths (128, 128): 18,177 parameters for an input of 11 and 1 output.
    Source: Rumelhart, Hinton, Williams (1986) Nature 323:533; GELU: Hendrycks, Gimpel (2016) arXiv:1606.08415.
    """

    name = "mlp"
    title = "dense layers (multilayer perceptron)"
    accepts = frozenset({Kind.SEQUENCE, Kind.VECTOR, Kind.IMAGE})
    default_for = frozenset({Kind.VECTOR})
    also_for = frozenset({Kind.SEQUENCE})
    candidates = (
        DEFAULT,
        Candidate(
            "small",
            {"hidden": (32,), "dropout": 0.2},
            {"weight_decay": 0.1},
            why="few records, or much noise",
        ),
        Candidate("deep", {"hidden": (256, 256, 256), "dropout": 0.2}, rate=0.5, why="many records"),
    )
    space: ClassVar[Space] = {
        "settings.hidden": Choice(
            ((32,), (128,), (512,), (64, 64), (128, 128), (256, 256), (512, 512), (256, 256, 256))
        ),
        "settings.dropout": Range(0.0, 0.5),
        "training.weight_decay": Range(1e-3, 0.3, log=True),
        "rate": Range(0.1, 3.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of the perceptron."""

        hidden: tuple[Annotated[int, Field(ge=1)], ...] = Field(
            default=(128, 128), description="units of each hidden layer; none: a linear model"
        )
        activation: Activation = Field(
            default="gelu", description="activation function after each hidden layer"
        )
        dropout: float = Field(default=0.1, ge=0, lt=1, description="share of hidden units silenced per step")
        dropconnect: float = Field(
            default=0.0, ge=0, lt=1, description="share of the weights of hidden layers silenced per step"
        )

    def __init__(self, inputs: int, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        pieces = PIECES if settings.activation == "maxout" else 1
        for units in settings.hidden:
            layers.append(dense(inputs, units * pieces, settings.dropconnect))
            layers += [ACTIVATIONS[settings.activation](), nn.Dropout(settings.dropout)]
            inputs = units
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, n_outputs))

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights."""
        (shape,) = shapes.values()
        return cls(prod(shape.sizes), n_outputs, settings)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, ...) -> (records, outputs); values at empty positions count as 0."""
        if mask is not None:
            x = x * mask[:, None]  # (records, channels, positions)
        raw: Tensor = self.layers(x)
        return raw
