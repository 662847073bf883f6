"""The usual network for tables: each number is also read as a few learned waves, then dense layers combine everything."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Self

import torch
from pydantic import Field
from torch import Tensor, nn

from bioloom.modalities import Kind
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.candidates import DEFAULT, Candidate, Choice, Range, Space

SLOW = 0.1
"""Spread of the first frequencies, in waves per standard deviation of a column: about one wave over its whole range."""

TOLD = 3
"""Numbers that are made from the waves of one column."""


class Waves(nn.Module):
    """Make a few numbers of each column that may rise and fall along it: weighted sums of cosines of learned frequency.

    A dense layer alone learns steep and wavy effects last, and with few records not at all.
    Source: Gorishniy, Rubachev, Babenko (2022) arXiv:2203.05556; with a phase, and beside the column itself, as in
    Holzmueller, Grinsztajn, Steinwart (2024) arXiv:2407.04491.
    """

    def __init__(self, columns: int, frequencies: int) -> None:
        super().__init__()
        self.frequency = nn.Parameter(SLOW * torch.randn(columns, frequencies))
        self.phase = nn.Parameter(math.pi * (2 * torch.rand(columns, frequencies) - 1))
        self.weight = nn.Parameter(torch.randn(columns, frequencies, TOLD) / math.sqrt(frequencies))

    def forward(self, x: Tensor) -> Tensor:
        """(records, columns) -> (records, columns + 3 x columns): the columns, then what was made of them."""
        turns = x[:, :, None] * self.frequency  # (records, columns, frequencies)
        waves = torch.cos(2 * math.pi * turns + self.phase)
        told = torch.einsum("rcf,cft->rct", waves, self.weight)
        return torch.cat([x, told.flatten(1)], dim=1)


@networks.register
class Periodic(Network):
    """Read each number as it is and as a few learned waves, then combine all of it in layers of hidden units.

    Waves - then per hidden layer: dense - GELU - dropout; then dense to the outputs.
    With the default settings: 23,281 parameters for an input of 11 and 1 output.
    Sources: those of `Waves`; the dense layers are those of `mlp`, which this is with `frequencies` 0.
    """

    name = "periodic"
    title = "dense layers on numbers that are also read as waves (periodic embeddings)"
    accepts = frozenset({Kind.VECTOR})
    learning_rate = 6e-3
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
        "settings.frequencies": Choice((0, 8, 16, 32)),
        "settings.hidden": Choice(
            ((32,), (128,), (512,), (64, 64), (128, 128), (256, 256), (512, 512), (256, 256, 256))
        ),
        "settings.dropout": Range(0.0, 0.5),
        "training.weight_decay": Range(1e-3, 0.3, log=True),
        "rate": Range(0.1, 2.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of the waves and of the dense layers."""

        frequencies: int = Field(default=16, ge=0, description="waves of each column; 0: numbers as they are")
        hidden: tuple[Annotated[int, Field(ge=1)], ...] = Field(
            default=(128, 128), description="units of each hidden layer; none: a linear model"
        )
        dropout: float = Field(default=0.1, ge=0, lt=1, description="share of hidden units silenced per step")

    def __init__(self, columns: int, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        self.waves = Waves(columns, settings.frequencies) if settings.frequencies else None
        width = columns * (1 + TOLD) if settings.frequencies else columns
        layers: list[nn.Module] = []
        for units in settings.hidden:
            layers += [nn.Linear(width, units), nn.GELU(), nn.Dropout(settings.dropout)]
            width = units
        self.layers = nn.Sequential(*layers, nn.Linear(width, n_outputs))

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights."""
        (shape,) = shapes.values()
        return cls(shape.sizes[0], n_outputs, settings)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, columns) -> (records, outputs)."""
        raw: Tensor = self.layers(x if self.waves is None else self.waves(x))
        return raw
