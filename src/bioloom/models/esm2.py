"""ESM-2, a language model of proteins: its encoder, with weights from a local file, under any answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self, cast

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from bioloom.errors import UserError
from bioloom.modalities import Kind, Shape
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.attention import Attention, angles, cut
from bioloom.models.esm2_weights import weights_of

LETTERS = "ACDEFGHIKLMNPQRSTVWY*"
"""The letters of a protein in the order of its channels."""

NUMBERS = (5, 23, 13, 9, 18, 6, 21, 12, 15, 4, 20, 17, 14, 16, 10, 8, 11, 7, 22, 19, 3)
"""The same in the vocabulary of ESM-2, in which a stop is unknown."""

BEGIN, END, GAP, KINDS = 0, 2, 30, 33
"""Its tokens before and behind a protein, its gap, and how many there are."""

UNMASKED = 0.88
"""While ESM-2 learned, 15 % x 80 % of its tokens were hidden, and what was read was scaled up for that."""


class Layer(nn.Module):
    """Attention between all positions, then two dense layers; each adds to what came in, after a normalisation."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, causal=False)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, by: Tensor, seen: Tensor | None) -> Tensor:
        """(records, positions, width) -> the same."""
        x = x + self.attention(self.norm(x), by, seen)
        together: Tensor = x + self.narrow(nn.functional.gelu(self.widen(self.between(x))))
        return together


@networks.register
class ESM2(Network):
    """Read a protein with the encoder of ESM-2, and answer from the mean over its residues.

    Embedding (width 320) with a token before and one behind; 6 layers, each attention (20 heads, rotary positions) and two
    dense layers (1,280, 320), each behind a normalisation; normalisation; mean over residues - dropout - dense to the outputs.
    Settings `checkpoint` names a file of published weights in safetensors, from which the sizes follow; without it the
    weights begin at random. With `frozen` only the last layer learns; `training.lora` learns small changes of the others.
    Mixtures of letters are read as the mean of their embeddings.

    | layers | width | heads | published as |
    |---|---|---|---|
    | 6 | 320 | 20 | 8M |
    | 12 | 480 | 20 | 35M |
    | 30 | 640 | 20 | 150M |
    | 33 | 1280 | 20 | 650M |
    | 36 | 2560 | 40 | 3B |
    | 48 | 5120 | 40 | 15B |

    7,409,281 parameters for an input of 75x21 and 1 output.
    Source: Lin et al. (2023) Science 379:1123, doi:10.1126/science.ade2574.
    """

    name = "esm2"
    title = "encoder of ESM-2 (language model of proteins)"
    accepts = frozenset({Kind.SEQUENCE})
    learning_rate = 3e-4
    batch_size = 16
    passes = 0.1

    class Settings(NetworkSettings):
        """Settings of the encoder; a checkpoint counts more than the sizes."""

        checkpoint: str = Field(
            default="", description="file of published weights, .safetensors; empty: at random"
        )
        layers: int = Field(default=6, ge=1, description="layers of attention and dense layers")
        width: int = Field(default=320, ge=8, description="numbers that describe a residue")
        heads: int = Field(
            default=20, ge=1, description="heads of attention; each sees width / heads numbers"
        )
        frozen: bool = Field(default=False, description="whether only the last layer learns")
        dropout: float = Field(
            default=0.1, ge=0, lt=1, description="share of numbers silenced before the last layer"
        )

        @model_validator(mode="after")
        def _divides(self) -> Self:
            if self.width % (2 * self.heads):
                raise ValueError("width must be a multiple of 2 x heads")
            return self

    def __init__(self, shape: Shape, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        channels, positions = shape.sizes
        self.embed = nn.Embedding(KINDS, settings.width)
        self.register_buffer("numbers", torch.tensor(NUMBERS[:channels]), persistent=False)
        self.register_buffer(
            "angles", angles(positions + 2, settings.width // settings.heads), persistent=False
        )
        self.layers = nn.ModuleList(Layer(settings.width, settings.heads) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(settings.width)
        if settings.frozen:
            self.requires_grad_(False)
        self.head = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(settings.width, n_outputs))
        self.features: Tensor | None = None  # (records, width, positions)

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights."""
        (shape,) = shapes.values()
        if shape.sizes[0] > len(LETTERS):
            raise UserError(
                "ESM-2 reads proteins.", where="model.network", fix="use another network for this input"
            )
        return cls(shape, n_outputs, settings)

    @classmethod
    def complete(cls, settings: Settings, shapes: Shapes) -> Settings:
        """The settings with the sizes of the checkpoint. Raises UserError where it is none of ESM-2's, or no protein is read."""
        if not settings.checkpoint:
            return settings
        ((name, shape),) = shapes.items()
        if shape.sizes[0] != len(LETTERS):
            raise UserError(
                f'ESM-2 learned from proteins, and "{name}" holds none.',
                where="model.settings.checkpoint",
                fix="use another network for this input",
            )
        found = weights_of(settings.checkpoint)
        layers = 1 + max(int(key.split(".")[1]) for key in found if key.startswith("layers."))
        width = found["embed.weight"].shape[1]
        return settings.model_copy(
            update={"layers": layers, "width": width, "heads": 20 if width < 2_000 else 40}
        )

    @classmethod
    def learned(cls, settings: Mapping[str, Any]) -> dict[str, Tensor]:
        """The published weights by their names here."""
        given = str(settings.get("checkpoint", ""))
        return weights_of(given) if given else {}

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, letters, positions) -> (records, outputs)."""
        x, mask = cut(x, mask)
        read = self.residues(x, mask)
        self.features = read.transpose(1, 2)
        weight = read.new_ones(read.shape[:2]) if mask is None else mask.to(read.dtype)
        mean = (self.features * weight[:, None]).sum(dim=2) / weight.sum(dim=1, keepdim=True).clamp(min=1)
        self.code = mean.detach()
        raw: Tensor = self.head(mean)
        return raw

    def residues(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """What ESM-2 says of each residue, (records, positions, width)."""
        table = self.embed.weight
        letters = x.transpose(1, 2) @ table[self.get_buffer("numbers")]
        gaps = (1 - x.sum(dim=1))[..., None] * table[GAP]  # nothing stands where no letter does
        there = x.new_ones(len(x), x.shape[2]) if mask is None else mask.to(x.dtype)
        last = there.sum(dim=1).long()  # where the token behind each protein stands
        end = nn.functional.one_hot(last, x.shape[2] + 1).to(x.dtype)[..., None] * table[END]
        body = nn.functional.pad((letters + gaps) * there[..., None], (0, 0, 0, 1)) + end
        read = UNMASKED * torch.cat([table[BEGIN].expand(len(x), 1, -1), body], dim=1)
        seen = None if mask is None else torch.arange(read.shape[1], device=x.device) < last[:, None] + 2
        by = self.get_buffer("angles")[: read.shape[1]]
        for layer in cast("Iterable[nn.Module]", self.layers):
            read = layer(read, by, None if seen is None else seen[:, None, None])
        found: Tensor = self.norm(read)[:, 1:-1]
        return found
