"""The default for targets at every position of a sequence: residual dilated convolutions that keep all positions."""

from __future__ import annotations

from typing import ClassVar, Self

import torch
from pydantic import Field
from torch import Tensor, nn

from bioloom.modalities import Kind
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.candidates import DEFAULT, Candidate, Choice, Range, Space
from bioloom.models.dilated import Block, ChannelNorm


@networks.register
class Positions(Network):
    """Look at each position in ever wider surroundings, and answer for each by itself.

    Convolution (width 64, 9 positions); 5 residual blocks of 5 positions at dilations 1, 2, 4, 8, 16 (133 positions
    seen in all); norm; dense 64 - GELU - dense at each position. Weights are shared by all positions, so that sequences
    of any length are read; what stands at empty positions changes nothing.
    140,227 parameters for an input of 75x20 and 3 outputs.
    Sources: residual blocks, He et al. (2016) arXiv:1603.05027; dilated convolutions, Yu, Koltun (2016)
    arXiv:1511.07122; convolutions for secondary structure, Lin et al. (2016) arXiv:1512.00843.
    """

    name = "positions"
    title = "residual dilated convolutions with an answer at every position"
    accepts = frozenset({Kind.SEQUENCE})
    default_for = frozenset({Kind.SEQUENCE})
    mixed_precision = True
    learning_rate = 4e-3
    everywhere = True
    candidates = (
        DEFAULT,
        Candidate(
            "small", {"width": 32, "blocks": 3}, {"weight_decay": 0.1}, why="few records, or much noise"
        ),
        Candidate("far", {"blocks": 7, "cycle": 7}, why="what matters stands far apart"),
    )
    space: ClassVar[Space] = {
        "settings.width": Choice((32, 48, 64, 96, 128)),
        "settings.stem": Choice((5, 9, 13, 17)),
        "settings.kernel": Choice((3, 5, 7)),
        "settings.blocks": Range(1, 10, step=1),
        "settings.dropout": Range(0.0, 0.3),
        "training.weight_decay": Range(1e-3, 0.3, log=True),
        "rate": Range(0.25, 3.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of the network for positions."""

        width: int = Field(default=64, ge=8, multiple_of=8, description="channels")
        stem: int = Field(default=9, ge=1, description="positions that a detector of the first layer sees")
        kernel: int = Field(default=5, ge=1, description="positions that a detector of a block sees")
        blocks: int = Field(default=5, ge=1, le=24, description="residual blocks")
        cycle: int = Field(
            default=5,
            ge=1,
            le=10,
            description="blocks, each dilated twice as far, before the first dilation follows again",
        )
        dropout: float = Field(default=0.1, ge=0, lt=1, description="share of channels silenced per block")
        head_dropout: float = Field(
            default=0.2, ge=0, lt=1, description="share of features silenced before the answer"
        )

    def __init__(self, channels: int, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        width = settings.width
        self.stem = nn.Conv2d(channels, width, (1, settings.stem), padding="same")
        self.blocks = nn.ModuleList(
            Block(width, settings.kernel, 2 ** (number % settings.cycle), settings.dropout)
            for number in range(settings.blocks)
        )
        self.norm = ChannelNorm(width)
        self.head = nn.Sequential(
            nn.Conv2d(width, width, 1),
            nn.GELU(approximate="tanh"),
            nn.Dropout2d(settings.head_dropout),
            nn.Conv2d(width, n_outputs, 1),
        )
        self.features: Tensor | None = None  # (records, channels, positions)

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights."""
        ((_, shape),) = shapes.items()
        return cls(shape.sizes[0], n_outputs, settings)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, channels, positions) -> (records, outputs, positions); mask True where there is something."""
        filled = None if mask is None else mask[:, None, None].to(x.dtype)  # (records, 1, 1, positions)
        x = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)  # (records, channels, 1, positions)
        x = self.stem(x if filled is None else x * filled)
        # that of the stem's output, bfloat16 in training
        filled = None if filled is None else filled.to(x.dtype)
        for block in self.blocks:
            x = block(x, filled)
        x = self.norm(x)
        self.features = x.squeeze(2)
        raw: Tensor = self.head(self.features.unsqueeze(2)).squeeze(2)
        return raw
