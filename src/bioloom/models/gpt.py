"""The decoder of the Transformer: a language model that says of each token how likely it is, given all before it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar, Self, cast

from pydantic import Field, model_validator
from torch import Tensor, nn

from bioloom.modalities import Kind, Shape
from bioloom.models import NetworkSettings, networks
from bioloom.models.attention import Block, Past, Reading, angles, stacked
from bioloom.models.candidates import DEFAULT, Candidate, Choice, Range, Space
from bioloom.models.language import LanguageNetwork, tokens_of


@networks.register
class GPT(LanguageNetwork):
    """Say at each position which token comes next, from all tokens before it and none behind it.

    Position t reads tokens 1 to t - 1 and answers for token t; nothing stands before the first. Embedding (width
    128); 4 blocks of attention to earlier positions (4 heads, rotary positions) and two dense layers (512, 128), each
    behind a normalisation; dense to one logit for each token.
    When writing, keys and values of earlier positions are kept, so that each new token costs one position and not all.
    Where labels follow, `gpt_record` begins with these weights.
    Positions x channels: 75x4 -> 75x128 -> 75x128 -> 75x4. 794,500 parameters for an input of 75x4 and 3 outputs (what is
    said of a record; see `bioloom.models.language`).
    Sources: Radford et al. (2018) Improving language understanding by generative pre-training; Radford et al. (2019)
    Language models are unsupervised multitask learners; rotary positions, Su et al. (2021) arXiv:2104.09864.
    """

    name = "gpt"
    title = "Transformer decoder (language model)"
    accepts = frozenset({Kind.TOKENS, Kind.SEQUENCE})
    default_for: ClassVar[frozenset[Kind]] = frozenset()
    learning_rate = 4e-3
    mixed_precision = True
    with_labels = ("gpt_record",)
    candidates = (
        DEFAULT,
        Candidate("small", {"width": 64, "blocks": 2, "dropout": 0.2}, why="few records"),
    )
    space: ClassVar[Space] = {
        "settings.width": Choice((64, 128, 192, 256)),
        "settings.blocks": Range(2, 8, step=1),
        "settings.dropout": Range(0.0, 0.3),
        "rate": Range(0.2, 3.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of the decoder."""

        width: int = Field(default=128, ge=8, description="numbers that describe a position")
        blocks: int = Field(default=4, ge=1, description="blocks of attention and dense layers")
        heads: int = Field(default=4, ge=1, description="heads of attention; each sees width / heads numbers")
        dropout: float = Field(default=0.0, ge=0, lt=1, description="share of numbers silenced per block")

        @model_validator(mode="after")
        def _divides(self) -> Self:
            if self.width % (2 * self.heads):
                raise ValueError("width must be a multiple of 2 x heads")
            return self

    def __init__(self, shape: Shape, settings: Settings) -> None:
        super().__init__()
        width = settings.width
        self.reach = shape.sizes[-1]
        self.reading = Reading(shape, width)
        self.register_buffer("angles", angles(shape.sizes[-1], width // settings.heads), persistent=False)
        self.blocks = stacked(settings, causal=True)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, tokens_of(shape))
        for block in self.blocks:  # each adds to what came in: small first steps, as in GPT-2
            for name, weight in block.named_parameters():
                if name.endswith(("out.weight", "then.3.weight")):
                    nn.init.normal_(weight, std=0.02 / math.sqrt(2 * settings.blocks))

    @classmethod
    def of(cls, shape: Shape, settings: NetworkSettings) -> Self:
        """Make a network for one input."""
        assert isinstance(settings, cls.Settings)
        return cls(shape, settings)

    def hidden(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """What is known behind each position; empty positions are the last ones, which no other sees."""
        del mask
        read = self.reading(x)
        by = self.get_buffer("angles")[: read.shape[1]]
        for block in self.blocks:
            read = block(read, by)
        known: Tensor = self.norm(read)
        return known

    def start(self) -> list[Past | None]:
        """What is kept before anything was read."""
        return [None] * len(self.blocks)

    def step(self, x: Tensor, state: object) -> tuple[Tensor, object]:
        """See `LanguageNetwork.step`."""
        assert isinstance(state, list)
        before = 0 if state[0] is None else state[0][0].shape[2]
        read = self.reading(x)
        by = self.get_buffer("angles")[before : before + read.shape[1]]
        kept: list[Past | None] = []
        for block, past in zip(cast("Iterable[Block]", self.blocks), state, strict=True):
            read, now = block.step(read, by, past)
            kept.append(now)
        return self.head(self.norm(read)), kept
