"""An encoder and a decoder with attention between them: an answer, token by token, for a sequence, a text or a picture."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple, Self, cast

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from bioloom.data.answers import ANSWER, END
from bioloom.errors import UserError
from bioloom.modalities import Batch, Kind, Shape, Signal
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.attention import Attention, Block, Past, Reading, angles, stacked
from bioloom.models.beams import searched
from bioloom.models.candidates import DEFAULT, Candidate
from bioloom.models.language import Judged, averaged, delayed

SMALLEST = 8
"""A picture is halved until its sides are no longer than this."""


class Cross(nn.Module):
    """What the decoder looks at: softmax((Q K^T) / sqrt(d) + place) V over all positions of the encoder.

    place is a learned number for each pair of places, by which an alignment that is always the same, such as three
    letters to an amino acid, is found soon.
    """

    def __init__(self, width: int, heads: int, tokens: int, positions: int) -> None:
        super().__init__()
        self.heads = heads
        self.ask, self.tell = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.place = nn.Parameter(torch.zeros(heads, tokens, positions))

    def told(self, memory: Tensor) -> Past:
        """Keys and values of what can be looked at, the same for every token of an answer."""
        keys, values = (self._heads(part) for part in self.tell(memory).chunk(2, dim=2))
        return keys, values

    def forward(self, x: Tensor, told: Past, seen: Tensor, first: int = 0) -> Tensor:
        """(records, tokens, width) -> the same.

        told:  keys and values, (records, heads, positions, width of a head) each
        seen:  (records, positions) True where the encoder read something
        first: place of the first of these tokens in the answer
        """
        queries, (keys, values) = self._heads(self.ask(x)), told
        score = queries @ keys.transpose(2, 3) / math.sqrt(queries.shape[-1])
        score = score + self.place[:, first : first + x.shape[1]].to(score.dtype)
        weights = score.masked_fill(~seen[:, None, None], -torch.inf).softmax(dim=3)
        out: Tensor = self.out((weights @ values).transpose(1, 2).flatten(2))
        return out

    def _heads(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[:2], self.heads, -1).transpose(1, 2)


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
        x = x + self.dropout(self.cross(self.between(x), self.cross.told(memory), seen))
        out: Tensor = x + self.then(x)
        return out

    def step(self, x: Tensor, by: Tensor, kept: Kept) -> tuple[Tensor, Past]:
        """The same for the next token alone, (records, 1, width), given what is kept; and keys and values with its own."""
        read, past = self.attention.step(self.norm(x), by, kept.past)
        x = x + read
        first = past[0].shape[2] - 1
        x = x + self.cross(self.between(x), kept.told, kept.seen, first)
        return x + self.then(x), past


class Kept(NamedTuple):
    """What a block of the decoder keeps while an answer is written, so that each token is read once.

    past: keys and values of the tokens before, None before the first
    told: keys and values of what the encoder read
    seen: (records, positions) True where it read something
    """

    past: Past | None
    told: Past
    seen: Tensor

    def take(self, rows: Tensor) -> Kept:
        """The same of chosen records."""
        past = None if self.past is None else (self.past[0][rows], self.past[1][rows])
        return Kept(past, (self.told[0][rows], self.told[1][rows]), self.seen[rows])


class Letters(nn.Module):
    """A sequence or a text as memory: one vector for each position, which has gathered from all others."""

    def __init__(self, shape: Shape, settings: EncoderDecoder.Settings) -> None:
        super().__init__()
        width, self.positions = settings.width, shape.sizes[-1]
        self.reading = Reading(shape, width)
        self.register_buffer("angles", angles(self.positions, width // settings.heads), persistent=False)
        self.blocks = stacked(settings)

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
        """The settings with the sizes of the answers written out. Raises UserError where these would not fit."""
        answer = shapes.get(ANSWER, Shape(Kind.TOKENS, (USUAL_LONGEST,), USUAL_TOKENS))
        if ANSWER in shapes and 0 < settings.longest < answer.sizes[0]:
            raise UserError(
                f"The longest answer has {answer.sizes[0]} tokens with its end, and {settings.longest} could be written.",
                where="model.settings.longest",
                fix="leave it out, so that it follows from the answers; or leave out the records with long answers",
            )
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
        x = self.embed(before.clamp(min=0).long())
        by = self.get_buffer("angles")[: x.shape[1]]
        for block in self.telling:
            x = block(x, by, memory, seen)
        return self._log_p(x)

    def _log_p(self, x: Tensor) -> Tensor:
        logits = self.head(x).float()
        return torch.cat([torch.full_like(logits[..., :1], -1e9), logits[..., 1:]], dim=2).log_softmax(dim=2)

    def judge(self, memory: Tensor, seen: Tensor, answer: Tensor) -> Judged:
        """How likely each token of a known answer is, given those before it, (records, longest); what no token is for is not
        judged."""
        log_p = self.says(memory, seen, delayed(answer))
        weight = (answer > 0).to(log_p.dtype)
        likelihood = log_p.gather(2, answer.clamp(min=0)[..., None]).squeeze(2) * weight
        return Judged(likelihood, (log_p.argmax(dim=2) == answer) * weight, weight)

    def start(self, memory: Tensor, seen: Tensor) -> list[Kept]:
        """What is kept before anything is written."""
        blocks = cast("Iterable[Telling]", self.telling)
        return [Kept(None, block.cross.told(memory), seen) for block in blocks]

    def step(self, token: Tensor, state: list[Kept]) -> tuple[Tensor, list[Kept]]:
        """Log-probabilities of the token behind the one that was written last, (records, kinds), and what is kept then.

        token: (records,) numbers, 0 before the first
        """
        past = state[0].past
        place = 0 if past is None else past[0].shape[2]
        x, by, after = self.embed(token[:, None]), self.get_buffer("angles")[place : place + 1], []
        for block, kept in zip(cast("Iterable[Telling]", self.telling), state, strict=True):
            x, now = block.step(x, by, kept)
            after.append(kept._replace(past=now))
        return self._log_p(x)[:, 0], after

    def write(self, memory: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """The answer, (records, longest) numbers of tokens, and the log-likelihood of each token that was written."""
        state, token = self.start(memory, seen), memory.new_zeros(len(memory), dtype=torch.long)
        if self.beams > 1:
            return searched(self.step, state, token, (self.beams, self.longest))
        written = token[:, None].repeat(1, self.longest)
        likelihood, over = torch.zeros_like(written, dtype=torch.float32), token > 0
        for place in range(self.longest):
            log_p, state = self.step(token, state)
            best, token = log_p.max(dim=1)
            token = token.masked_fill(over, 0)
            written[:, place], likelihood[:, place] = token, best.masked_fill(over, 0.0)
            over = over | (token == END)
            if bool(over.all()):
                break
        return written, likelihood

    def in_question(self, batch: Batch) -> tuple[Network, Batch]:
        """How likely what it writes for these records is, while parts of them are changed."""
        with torch.inference_mode():
            written, _ = self.write(*self.read(batch))
        return LikelihoodOfAnswer(self), batch | {ANSWER: Signal(written.float().clone())}


class LikelihoodOfAnswer(Network):
    """The log-likelihood of a given answer, (records, 1): what is explained of a network that writes answers.

    It is made from a trained network and learns nothing, so users do not choose it.
    """

    name = "likelihood_of_answer"
    title = "how likely an answer is"
    accepts = EncoderDecoder.accepts
    several = True

    def __init__(self, network: EncoderDecoder) -> None:
        super().__init__()
        self.network = network

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: EncoderDecoder.Settings) -> Self:
        """Make the network that writes with fresh random weights, and ask it so."""
        return cls(EncoderDecoder.build(shapes, n_outputs, settings))

    def forward(self, batch: Batch) -> Tensor:
        """One signal per input, and the answer -> the sum of log p over its tokens, (records, 1)."""
        memory, seen = self.network.read(batch)
        judged = self.network.judge(memory, seen, batch[ANSWER].x.long())
        return judged.likelihood.sum(dim=1, keepdim=True)


USUAL_TOKENS, USUAL_LONGEST = 22, 25
"""Kinds and number of tokens where nothing is known of the answers: proteins of 24 residues."""
