"""The default for sequences: residual dilated convolutions, read by pooling that knows positions."""

from __future__ import annotations

import math
from typing import ClassVar, Self

import torch
from pydantic import Field
from torch import Tensor, nn

from bioloom.modalities import Kind
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.candidates import DEFAULT, Candidate, Choice, Range, Space
from bioloom.models.dense import dense
from bioloom.models.dilated import Block, ChannelNorm


class Pool(nn.Module):
    """Turn (records, channels, 1, positions) into features in two ways, both of which know positions.

    attention: averages over positions, weighted by a softmax of what is there (content) plus where it is
               (a learned offset): "the best match, wherever it is, or there"
    profiles:  sums over positions with learned weights: "what is here counts for, what is there against"
    """

    def __init__(self, channels: int, positions: int, heads: int, profiles: int) -> None:
        super().__init__()
        self.content = nn.Conv2d(channels, heads, 1)
        self.place = nn.Parameter(torch.zeros(heads, positions))
        self.profiles = nn.Parameter(torch.randn(profiles, positions) / math.sqrt(positions))

    def forward(self, x: Tensor, filled: Tensor | None) -> Tensor:
        """(records, channels, 1, positions) -> (records, (heads + profiles) x channels)."""
        score = self.content(x).squeeze(2) + self.place  # (records, heads, positions)
        if filled is not None:
            x, score = x * filled, score.masked_fill(filled.squeeze(2) == 0, -1e4)
        profiles = self.profiles.expand(len(x), -1, -1)
        weight = torch.cat([score.softmax(dim=2).to(x.dtype), profiles.to(x.dtype)], dim=1)
        return torch.bmm(weight, x.squeeze(2).transpose(1, 2)).flatten(1)


@networks.register
class Residual(Network):
    """Read a sequence with motif detectors, let them see ever further, and weigh what stands where.

    Convolution (width 64, 7 positions) + learned position embedding; 3 residual blocks of 3 positions at
    dilations 1, 2, 4 (21 positions seen in all); attention over positions and learned position profiles;
    dense 64 - GELU - dense. Empty positions change nothing, whatever stands there. One-dimensional
    convolutions run as two-dimensional ones of height 1 with channels last, which is the faster way.
    90,461 parameters for an input of 75x4 and 1 output.
    Sources: residual blocks, He et al. (2016) arXiv:1603.05027; dilated on DNA, Kelley et al. (2018) Genome
    Research 28:739; attention pooling, Ilse et al. (2018) arXiv:1802.04712.
    """

    name = "residual"
    title = "residual dilated convolutions with attention pooling"
    accepts = frozenset({Kind.SEQUENCE})
    default_for = frozenset({Kind.SEQUENCE})
    mixed_precision = True
    candidates = (
        DEFAULT,
        Candidate(
            "small",
            {"width": 32, "blocks": 2, "dropout": 0.15, "head_dropout": 0.3},
            {"weight_decay": 0.1},
            why="few records, or much noise",
        ),
        Candidate("far", {"blocks": 5}, why="what matters stands far apart"),
        Candidate("wide", {"width": 96, "hidden": 128}, why="many records and many rules"),
    )
    space: ClassVar[Space] = {
        "settings.width": Choice((32, 48, 64, 96, 128)),
        "settings.stem": Choice((5, 7, 9, 13)),
        "settings.kernel": Choice((3, 5)),
        "settings.blocks": Range(1, 6, step=1),
        "settings.heads": Choice((2, 4, 8)),
        "settings.dropout": Range(0.0, 0.3),
        "settings.head_dropout": Range(0.0, 0.5),
        "training.weight_decay": Range(1e-3, 0.3, log=True),
        "rate": Range(0.25, 3.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of the residual network."""

        width: int = Field(default=64, ge=8, multiple_of=8, description="channels")
        stem: int = Field(default=7, ge=1, description="positions that a detector of the first layer sees")
        kernel: int = Field(default=3, ge=1, description="positions that a detector of a block sees")
        blocks: int = Field(default=3, ge=1, le=12, description="residual blocks, each dilated twice as far")
        heads: int = Field(default=4, ge=1, description="attention heads")
        profiles: int = Field(default=4, ge=1, description="learned position profiles")
        hidden: int = Field(default=64, ge=1, description="units of the dense layer")
        dropout: float = Field(default=0.05, ge=0, lt=1, description="share of channels silenced per block")
        head_dropout: float = Field(
            default=0.1, ge=0, lt=1, description="share of features silenced before and after the dense layer"
        )
        head_dropconnect: float = Field(
            default=0.0, ge=0, lt=1, description="share of the weights of the dense layer silenced per step"
        )

    def __init__(self, channels: int, positions: int, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        width, pools = settings.width, settings.heads + settings.profiles
        self.stem = nn.Conv2d(channels, width, (1, settings.stem), padding="same")
        self.place = nn.Parameter(torch.zeros(1, width, 1, positions))
        self.blocks = nn.ModuleList(
            Block(width, settings.kernel, 2**number, settings.dropout) for number in range(settings.blocks)
        )
        self.norm = ChannelNorm(width)
        self.pool = Pool(width, positions, settings.heads, settings.profiles)
        self.head = nn.Sequential(
            nn.Dropout(settings.head_dropout),
            dense(width * pools, settings.hidden, settings.head_dropconnect),
            nn.GELU(approximate="tanh"),
            nn.Dropout(settings.head_dropout),
            nn.Linear(settings.hidden, n_outputs),
        )
        self.features: Tensor | None = None  # (records, channels, positions)

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights."""
        ((channels, positions),) = (shape.sizes for shape in shapes.values())
        return cls(channels, positions, n_outputs, settings)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, channels, positions) -> (records, outputs); empty positions change nothing."""
        filled = None if mask is None else mask[:, None, None, :].to(x.dtype)
        x = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)  # (records, channels, 1, positions)
        x = self.stem(x if filled is None else x * filled)
        x = x + self.place.to(x.dtype)  # in the type of the stem's output, or bfloat16 would be lost here
        filled = None if filled is None else filled.to(x.dtype)
        for block in self.blocks:
            x = block(x, filled)
        x = self.norm(x)
        self.features = x.squeeze(2)
        raw: Tensor = self.head(self.pool(self.features.unsqueeze(2), filled))
        return raw
