"""The encoder of the Transformer: every position looks at all others, then the record is summed up."""

from __future__ import annotations

from typing import ClassVar, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from bioloom.modalities import Kind, Shape
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.attention import Reading, angles, cut, stacked
from bioloom.models.candidates import DEFAULT, Candidate, Choice, Range, Space


@networks.register
class Transformer(Network):
    """Let every token or letter gather from all others, and weigh what stands where.

    Embedding (width 64); 2 blocks of attention (4 heads, rotary positions) and two dense layers (256, 64), each
    behind a normalisation; softmax pooling over positions with 4 heads; dense to the outputs. One-hot letters
    also get a learned embedding of their place, because in aligned sequences the place itself has a meaning.
    Positions x channels: 75x4 -> 75x64 -> 75x64 -> 256 -> 1. Empty positions are attended to by none.
    105,733 parameters for an input of 75x4 and 1 output.
    Sources: Vaswani et al. (2017) arXiv:1706.03762; normalisation first, Xiong et al. (2020) arXiv:2002.04745;
    rotary positions, Su et al. (2021) arXiv:2104.09864.
    """

    name = "transformer"
    title = "Transformer encoder (attention between all positions)"
    accepts = frozenset({Kind.TOKENS, Kind.SEQUENCE})
    default_for = frozenset({Kind.TOKENS})
    learning_rate = 1e-3
    candidates = (
        DEFAULT,
        Candidate(
            "small",
            {"width": 32, "blocks": 1, "dropout": 0.3},
            {"weight_decay": 0.1},
            why="few records, or much noise",
        ),
        Candidate("deep", {"blocks": 4}, rate=0.7, why="many records, where context decides"),
    )
    space: ClassVar[Space] = {
        "settings.width": Choice((32, 64, 96, 128)),
        "settings.blocks": Range(1, 6, step=1),
        "settings.dropout": Range(0.0, 0.5),
        "training.weight_decay": Range(1e-3, 0.3, log=True),
        "rate": Range(0.1, 3.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of the encoder."""

        width: int = Field(default=64, ge=8, description="numbers that describe a position")
        blocks: int = Field(default=2, ge=1, description="blocks of attention and dense layers")
        heads: int = Field(default=4, ge=1, description="heads of attention; each sees width / heads numbers")
        pools: int = Field(default=4, ge=1, description="heads that sum up the positions")
        dropout: float = Field(default=0.1, ge=0, lt=1, description="share of numbers silenced per block")
        hidden_tokens: float = Field(
            default=0.1, ge=0, lt=1, description="share of tokens that are hidden while learning"
        )

        @model_validator(mode="after")
        def _divides(self) -> Self:
            if self.width % (2 * self.heads):
                raise ValueError("width must be a multiple of 2 x heads")
            return self

    def __init__(self, shape: Shape, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        width, positions = settings.width, shape.sizes[-1]
        self.reading = Reading(shape, width, settings.hidden_tokens)
        aligned = shape.kind is Kind.SEQUENCE
        self.place = nn.Parameter(torch.zeros(positions, width)) if aligned else None
        self.register_buffer("angles", angles(positions, width // settings.heads), persistent=False)
        self.blocks = stacked(settings)
        self.norm = nn.LayerNorm(width)
        self.score = nn.Linear(width, settings.pools)
        self.head = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(settings.pools * width, n_outputs))
        self.features: Tensor | None = None  # (records, width, positions)

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights."""
        (shape,) = shapes.values()
        return cls(shape, n_outputs, settings)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, positions) tokens or (records, channels, positions) -> (records, outputs)."""
        x, mask = cut(x, mask)
        x = self._encoded(x, mask)
        self.features = x.transpose(1, 2)  # (records, width, positions)
        score = self.score(self.features.transpose(1, 2))
        if mask is not None:
            score = score.masked_fill(~mask[:, :, None], -torch.inf)
        weight = score.softmax(dim=1).transpose(1, 2)  # (records, pools, positions)
        raw: Tensor = self.head((weight @ self.features.transpose(1, 2)).flatten(1))
        return raw

    def _encoded(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """What each position has gathered, (records, positions, width)."""
        x = self.reading(x)
        if self.place is not None:
            x = x + self.place[: x.shape[1]]
        by = self.get_buffer("angles")[: x.shape[1]]
        seen = None if mask is None else mask[:, None, None, :]
        for block in self.blocks:
            x = block(x, by, seen)
        encoded: Tensor = self.norm(x)
        return encoded


@networks.register
class TransformerEverywhere(Transformer):
    """The same encoder with an answer at every position, such as the secondary structure of each residue.

    The last layer reads each position by itself instead of summing them up.
    105,281 parameters for an input of 75x4 and 1 output.
    """

    name = "transformer_everywhere"
    title = "Transformer encoder with an answer at every position"
    default_for: ClassVar[frozenset[Kind]] = frozenset()
    everywhere = True

    def __init__(self, shape: Shape, n_outputs: int, settings: Transformer.Settings) -> None:
        super().__init__(shape, n_outputs, settings)
        del self.score
        self.head = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(settings.width, n_outputs))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, positions) tokens or (records, channels, positions) -> (records, outputs, positions)."""
        self.features = self._encoded(x, mask).transpose(1, 2)
        raw: Tensor = self.head(self.features.transpose(1, 2)).transpose(1, 2)
        return raw if mask is None else raw.masked_fill(~mask[:, None], 0.0)
