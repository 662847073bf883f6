"""An encoder and a decoder with attention between them: an answer, token by token, for a sequence, a text or a picture."""

from __future__ import annotations

import math
from typing import Any, Self, cast

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from bioloom.data.answers import ANSWER, END
from bioloom.modalities import Batch, Kind, Shape, Signal
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.attention import Attention, Block, Reading, angles
from bioloom.models.beams import searched
from bioloom.models.candidates import DEFAULT, Candidate
from bioloom.models.language import Judged, averaged, delayed

SMALLEST = 8
"""A picture is halved until its sides are no longer than this."""


class Cross(nn.Module):
    """What the decoder looks at: softmax((Q K^T) / sqrt(d) + place) V over all positions of the encoder.

    place is a learned number for each pair of places, by which an alignment that is always the same, such as three
    letters to an amino acid, is found soon; weights: (records, heads, tokens, positions), each row adding up to 1
    """

    def __init__(self, width: int, heads: int, tokens: int, positions: int) -> None:
        super().__init__()
        self.heads = heads
        self.ask, self.tell = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.place = nn.Parameter(torch.zeros(heads, tokens, positions))
        self.weights: Tensor | None = None

    def forward(self, x: Tensor, memory: Tensor, seen: Tensor) -> Tensor:
        """(records, tokens, width) and (records, positions, width) -> (records, tokens, width).

        seen: (records, positions) True where the encoder read something
        """
        queries, keys, values = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in (self.ask(x), *self.tell(memory).chunk(2, dim=2))
        )
        score = queries @ keys.transpose(2, 3) / math.sqrt(queries.shape[-1])
        score = score + self.place[:, : x.shape[1]].to(score.dtype)
        weights = score.masked_fill(~seen[:, None, None], -torch.inf).softmax(dim=3)
        self.weights = weights.detach()  # to be looked at; a graph would be kept alive with it
        out: Tensor = self.out((weights @ values).transpose(1, 2).flatten(2))
        return out


class Telling(nn.Module):
    """A block of the decoder: attention to the tokens before, to the encoder, and two dense layers; each adds to what came in."""

    def __init__(self, width: int, heads: int, dropout: float, places: tuple[int, int]) -> None:
        super().__init__()
        self.norm, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, causal=True)
        self.cross = Cross(width, heads, *places)
        self.then = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 4 * width),
            nn.GELU(),
            nn.Linear(4 * width, width),
            nn.Dropout(dropout),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, by: Tensor, memory: Tensor, seen: Tensor) -> Tensor:
        """(records, tokens, width) -> the same."""
        x = x + self.dropout(self.attention(self.norm(x), by))
        x = x + self.dropout(self.cross(self.between(x), memory, seen))
        told: Tensor = x + self.then(x)
        return told


class Letters(nn.Module):
    """A sequence or a text as memory: one vector for each position, which has gathered from all others."""

    def __init__(self, shape: Shape, settings: EncoderDecoder.Settings) -> None:
        super().__init__()
        width, self.positions = settings.width, shape.sizes[-1]
        self.reading = Reading(shape, width)
        self.register_buffer("angles", angles(self.positions, width // settings.heads), persistent=False)
        self.blocks = nn.ModuleList(
            Block(width, settings.heads, settings.dropout) for _ in range(settings.blocks)
        )

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(records, positions) tokens or (records, channels, positions) -> (records, positions, width)."""
        x = self.reading(x)
        for block in self.blocks:
            x = block(x, self.get_buffer("angles"), None if mask is None else mask[:, None, None])
        return x


class Patches(nn.Module):
    """A picture as memory: one vector for each patch, after convolutions that halve it; patches know their place."""

    def __init__(self, shape: Shape, settings: EncoderDecoder.Settings) -> None:
        super().__init__()
        channels, height, wide = shape.sizes
        layers: list[nn.Module] = []
        while not layers or max(height, wide) > SMALLEST:
            layers += [nn.Conv2d(channels, settings.width, 3, stride=2, padding=1), nn.GELU()]
            channels, height, wide = settings.width, -(-height // 2), -(-wide // 2)
        self.positions = height * wide
        self.look = nn.Sequential(*layers, nn.Conv2d(settings.width, settings.width, 3, padding=1))
        self.place = nn.Parameter(0.02 * torch.randn(self.positions, settings.width))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(records, channels, height, width) -> (records, patches, width)."""
        del mask
        patches: Tensor = self.look(x).flatten(2).transpose(1, 2) + self.place
        return patches


class Numbers(nn.Module):
    """Columns of numbers as memory: one vector."""

    positions = 1

    def __init__(self, shape: Shape, settings: EncoderDecoder.Settings) -> None:
        super().__init__()
        self.read = nn.Linear(shape.sizes[0], settings.width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(records, features) -> (records, 1, width)."""
        del mask
        memory: Tensor = self.read(x)[:, None]
        return memory


READERS: dict[Kind, Any] = {
    Kind.SEQUENCE: Letters,
    Kind.TOKENS: Letters,
    Kind.IMAGE: Patches,
    Kind.VECTOR: Numbers,
}


@networks.register
class EncoderDecoder(Network):
    """Read a record, then write the answer token by token, looking back at what was read.

    Each input becomes a row of vectors (width 64): letters and tokens by 2 blocks of attention, pictures by convolutions
    that halve them; those of several inputs stand one after another, and gather from each other in 2 more blocks, so that a
    question finds its place in a picture. The decoder has 2 blocks: attention (4 heads) to the
    tokens before, attention to the encoder, two dense layers (256, 64); dense to one logit for each token. While learning
    it is told the true tokens before (teacher forcing); else it reads its own, and takes the likeliest each time, or
    searches among `beams` likely beginnings.
    Says of a record: nats and hits of the true answer where there is one, else of what it wrote; and the tokens it wrote.
    251,886 parameters for an input of 75x4 and 1 output.
    Sources: Sutskever et al. (2014) arXiv:1409.3215; attention, Bahdanau et al. (2015) arXiv:1409.0473; between layers of
    attention alone, Vaswani et al. (2017) arXiv:1706.03762.
    """

    name = "encoder_decoder"
    title = "encoder and decoder with attention between them (translation, captions, questions)"
    accepts = frozenset(READERS)
    several = True
    only_for = "translation"
    learning_rate = 8e-3
    batch_size = 32
    passes = 0.5
    candidates = (DEFAULT, Candidate("small", {"width": 32, "blocks": 1, "dropout": 0.2}, why="few records"))

    class Settings(NetworkSettings):
        """Settings of encoder and decoder."""

        width: int = Field(default=64, ge=8, description="numbers that describe a position")
        blocks: int = Field(default=2, ge=1, description="blocks of the encoder, and of the decoder")
        heads: int = Field(default=4, ge=1, description="heads of attention; each sees width / heads numbers")
        dropout: float = Field(default=0.1, ge=0, lt=1, description="share of numbers silenced per block")
        beams: int = Field(
            default=1, ge=1, le=64, description="likely beginnings that are kept while writing; 1: greedy"
        )
        tokens: int = Field(default=0, ge=0, description="different tokens; 0: those of the answers")
        longest: int = Field(
            default=0, ge=0, description="tokens of an answer at most; 0: those of the longest"
        )

        @model_validator(mode="after")
        def _divides(self) -> Self:
            if self.width % (2 * self.heads):
                raise ValueError("width must be a multiple of 2 x heads")
            return self

    def __init__(self, shapes: Shapes, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        self.inputs, self.outputs, self.beams = tuple(shapes), n_outputs, settings.beams
        self.tokens, self.longest = settings.tokens, settings.longest
        self.readers = nn.ModuleList(READERS[shape.kind](shape, settings) for shape in shapes.values())
        positions = sum(cast("Letters", reader).positions for reader in self.readers)
        self.joint = nn.ModuleList(
            Block(settings.width, settings.heads, settings.dropout)
            for _ in range(settings.blocks if len(shapes) > 1 else 0)
        )
        self.norm = nn.LayerNorm(settings.width)
        self.embed = nn.Embedding(self.tokens, settings.width)
        self.register_buffer(
            "angles", angles(self.longest, settings.width // settings.heads), persistent=False
        )
        places = (self.longest, positions)
        self.telling = nn.ModuleList(
            Telling(settings.width, settings.heads, settings.dropout, places) for _ in range(settings.blocks)
        )
        self.head = nn.Sequential(nn.LayerNorm(settings.width), nn.Linear(settings.width, self.tokens))

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make an encoder for each input and the decoder, with fresh random weights."""
        complete = cls.complete(settings, shapes)
        return cls({name: shape for name, shape in shapes.items() if name != ANSWER}, n_outputs, complete)

    @classmethod
    def complete(cls, settings: Settings, shapes: Shapes) -> Settings:
        """The settings with the sizes of the answers written out."""
        answer = shapes.get(ANSWER, Shape(Kind.TOKENS, (USUAL_LONGEST,), USUAL_TOKENS))
        tokens, longest = settings.tokens or answer.tokens, settings.longest or answer.sizes[0]
        return settings.model_copy(update={"tokens": tokens, "longest": longest})

    def forward(self, batch: Batch) -> Tensor:
        """One signal per input, and the answer where it is known -> (records, 3 + longest), see `bioloom.data.answers`."""
        memory, seen = self.read(batch)
        answer = batch.get(ANSWER)
        if answer is None and memory.is_meta:  # only its layers are asked for
            answer = Signal(memory.new_zeros(len(memory), self.longest))
        judged = None if answer is None else self.judge(memory, seen, answer.x.long())
        bare = answer is not None and (memory.is_meta or not bool((answer.x > 0).any()))
        if self.training or bare:
            assert judged is not None
            written = memory.new_zeros(len(memory), self.longest)
        else:
            written, likelihood = self.write(memory, seen)
            judged = judged or Judged(likelihood, (written > 0).float(), (written > 0).float())
        return torch.cat([averaged(judged), written.to(judged.likelihood.dtype)], dim=1)[:, : self.outputs]

    def read(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """What the decoder may look at, (records, positions, width), and where something stands, (records, positions)."""
        read, seen = [], []
        for name, reader in zip(self.inputs, self.readers, strict=True):
            x, mask = batch[name]
            read.append(reader(x, mask))
            seen.append(read[-1].new_ones(read[-1].shape[:2], dtype=torch.bool) if mask is None else mask)
        together, there = torch.cat(read, dim=1), torch.cat(seen, dim=1)
        still = self.get_buffer("angles").new_zeros(together.shape[1], self.get_buffer("angles").shape[1])
        for block in self.joint:  # places of different inputs have no distances
            together = block(together, still, there[:, None, None])
        memory = self.norm(together)
        kept = memory.detach().float() * there[:, :, None]
        self.code = kept.sum(dim=1) / there.sum(dim=1, keepdim=True).clamp(min=1)
        return memory, there

    def says(self, memory: Tensor, seen: Tensor, before: Tensor) -> Tensor:
        """Log-probabilities of the token behind each, (records, tokens, kinds); the empty token has none.

        before: (records, tokens) what stands before, 0 before the first
        """
        x = self.embed(before.long())
        by = self.get_buffer("angles")[: x.shape[1]]
        for block in self.telling:
            x = block(x, by, memory, seen)
        logits = self.head(x).float()
        return torch.cat([torch.full_like(logits[..., :1], -1e9), logits[..., 1:]], dim=2).log_softmax(dim=2)

    def judge(self, memory: Tensor, seen: Tensor, answer: Tensor) -> Judged:
        """How likely each token of a known answer is, given those before it, (records, longest)."""
        log_p = self.says(memory, seen, delayed(answer))
        weight = (answer > 0).to(log_p.dtype)
        likelihood = log_p.gather(2, answer[..., None]).squeeze(2) * weight
        return Judged(likelihood, (log_p.argmax(dim=2) == answer) * weight, weight)

    def write(self, memory: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """The answer, (records, longest) numbers of tokens, and the log-likelihood of each token that was written."""
        if self.beams > 1:
            return searched(self.says, memory, seen, self.beams, self.longest)
        records = len(memory)
        written = memory.new_zeros(records, self.longest, dtype=torch.long)
        likelihood = memory.new_zeros(records, self.longest, dtype=torch.float32)
        over = memory.new_zeros(records, dtype=torch.bool)
        for place in range(self.longest):
            before = delayed(written[:, : place + 1])
            best, token = self.says(memory, seen, before)[:, -1].max(dim=1)
            written[:, place] = token.masked_fill(over, 0)
            likelihood[:, place] = best.masked_fill(over, 0.0)
            over = over | (token == END)
            if bool(over.all()):
                break
        return written, likelihood


USUAL_TOKENS, USUAL_LONGEST = 22, 25
"""Kinds and number of tokens where nothing is known of the answers: proteins of 24 residues."""
