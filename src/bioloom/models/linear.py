"""A linear model trained by gradient descent: the network to understand first."""

from __future__ import annotations

from math import prod
from typing import ClassVar, Self

from torch import Tensor, nn

from bioloom.modalities import Kind
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.candidates import DEFAULT, Candidate, Range, Space


@networks.register
class Linear(Network):
    """Give every letter at every position (or every column) one weight, and add them up.

    One affine map of the flattened input: 81 parameters for an input of 20x4 and 1 output.
    """

    name = "linear"
    title = "one weight per input value (linear or logistic regression)"
    accepts = frozenset({Kind.SEQUENCE, Kind.VECTOR, Kind.IMAGE})
    learning_rate = 5e-3
    candidates: ClassVar[tuple[Candidate, ...]] = (
        DEFAULT,
        Candidate("shrunk", training={"l2": 0.01}, why="few records for so many weights"),
    )
    space: ClassVar[Space] = {"training.l2": Range(1e-4, 0.3, log=True), "rate": Range(0.1, 3.0, log=True)}

    class Settings(NetworkSettings):
        """No settings."""

    def __init__(self, inputs: int, n_outputs: int) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        self.dense = nn.Linear(inputs, n_outputs)

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights."""
        (shape,) = shapes.values()
        return cls(prod(shape.sizes), n_outputs)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, ...) -> (records, outputs); values at empty positions count as 0."""
        if mask is not None:
            x = x * mask[:, None]  # (records, channels, positions)
        raw: Tensor = self.dense(self.flatten(x))
        return raw
