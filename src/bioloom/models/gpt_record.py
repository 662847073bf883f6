"""The decoder of the Transformer with one answer for a record: what a language model becomes where there are labels."""

from __future__ import annotations

from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from bioloom.modalities import Kind, Shape
from bioloom.models import Network, Shapes, networks
from bioloom.models.attention import Reading, angles, cut, stacked
from bioloom.models.candidates import DEFAULT, Candidate
from bioloom.models.gpt import GPT
from bioloom.models.language import mean_of_filled


@networks.register
class GPTRecord(Network):
    """Read a record from left to right as `gpt` does, and answer from what is known behind its last token and on average.

    Nothing stands before the first token, as in the language model, whose weights it begins with (`--from`, `--pretrain`):
    embedding, blocks of attention to earlier positions, normalisation. Behind these: what is known at the last position,
    and the mean over positions - dropout - dense to the outputs.
    Positions x channels: 75x4 -> 76x128 -> 256 -> 1. 794,241 parameters for an input of 75x4 and 1 output.
    Source: Radford et al. (2018) Improving language understanding by generative pre-training, section 3.2.
    """

    name = "gpt_record"
    title = "Transformer decoder with one answer for a record"
    accepts = frozenset({Kind.TOKENS, Kind.SEQUENCE})
    default_for: ClassVar[frozenset[Kind]] = frozenset()
    learning_rate = 1e-3
    candidates = (DEFAULT, Candidate("small", {"width": 64, "blocks": 2, "dropout": 0.2}, why="few records"))

    class Settings(GPT.Settings):
        """Settings of the decoder."""

    def __init__(self, shape: Shape, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        width, positions = settings.width, shape.sizes[-1]
        self.reading = Reading(shape, width)
        self.register_buffer("angles", angles(positions + 1, width // settings.heads), persistent=False)
        self.blocks = stacked(settings, causal=True)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(2 * width, n_outputs))
        self.features: Tensor | None = None  # (records, width, positions)

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights."""
        (shape,) = shapes.values()
        return cls(shape, n_outputs, settings)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, positions) tokens or (records, channels, positions) -> (records, outputs)."""
        x, mask = cut(x, mask)
        read = self.reading(nn.functional.pad(x, (1, 0)))
        by = self.get_buffer("angles")[: read.shape[1]]
        for block in self.blocks:
            read = block(read, by)
        self.features = self.norm(read)[:, 1:].transpose(1, 2)
        known = self.features.transpose(1, 2)
        last = known.shape[1] - 1 if mask is None else mask.sum(dim=1).clamp(min=1) - 1
        behind = known[torch.arange(len(known), device=known.device), last]
        raw: Tensor = self.head(torch.cat([behind, mean_of_filled(known, mask)], dim=1))
        return raw
