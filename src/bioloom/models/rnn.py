"""Recurrent networks: a record is read from left to right, and what matters is carried along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from bioloom.modalities import Kind, Shape
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.attention import Reading
from bioloom.models.candidates import DEFAULT, Candidate, Choice, Range, Space
from bioloom.models.language import LanguageNetwork, tokens_of

Cell = Literal["rnn", "lstm", "gru"]

CELLS: dict[Cell, type[nn.RNN] | type[nn.LSTM] | type[nn.GRU]] = {
    "rnn": nn.RNN,
    "lstm": nn.LSTM,
    "gru": nn.GRU,
}


class Recurrence(nn.Module):
    """Read positions one after the other; empty ones are never read, so they change nothing."""

    def __init__(self, settings: RNN.Settings) -> None:
        super().__init__()
        self.cells = CELLS[settings.cell](
            settings.width,
            settings.hidden,
            num_layers=settings.layers,
            batch_first=True,
            dropout=settings.dropout if settings.layers > 1 else 0.0,
            bidirectional=settings.bidirectional,
        )
        self.directions = 2 if settings.bidirectional else 1
        if settings.cell == "lstm":
            self._remember()

    def _remember(self) -> None:
        """Forget gates begin half open, so that gradients reach far back: Jozefowicz et al. (2015) ICML, section 5.1."""
        hidden = self.cells.hidden_size
        for name, bias in self.cells.named_parameters():
            if name.startswith("bias_ih"):
                nn.init.ones_(bias.data[hidden : 2 * hidden])

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """(records, positions, width) -> what is carried at each position, and at the end of each direction.

        The first is (records, positions, directions x hidden), the second (records, directions x hidden).
        """
        if mask is None:
            each, state = self.cells(x)
        else:
            lengths = mask.sum(dim=1).cpu()
            packed, state = self.cells(pack_padded_sequence(x, lengths, True, enforce_sorted=False))
            each, _ = pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])
        # (layers x directions, records, hidden)
        last: Tensor = state[0] if isinstance(state, tuple) else state
        return each, last[-self.directions :].transpose(0, 1).flatten(1)


@networks.register
class RNN(Network):
    """Read a text or a sequence from left to right, and carry along what matters.

    With h what is carried, x the position that is read, and * number by number:
        rnn   h = tanh(Whh h + Wxh x)
        lstm  i, f, o = sigmoid, g = tanh of W [h, x];  c = f * c + i * g;  h = o * tanh(c)
        gru   r, z = sigmoid of W [h, x];  n = tanh(Wxh x + r * (Whh h + b));  h = z * h + (1 - z) * n
    (the reset gate of the gru stands behind the product with Whh, as torch and cuDNN have it; in the first paper it
    stands before: Whh (r * h)). Embedding (width 64) - lstm (hidden 64), read in both directions - dropout - dense to the
    outputs; one record, one answer, from the last state of each direction and the mean and the largest value over
    positions. Positions x channels: 75x4 -> 75x64 -> 75x128 -> 384 -> 1. Empty positions are not read.
    67,265 parameters for an input of 75x4 and 1 output.
    Sources: Elman (1990) Cognitive Science 14:179; LSTM, Hochreiter & Schmidhuber (1997) Neural Computation 9:1735,
    with the forget gate of Gers et al. (2000) 12:2451; GRU, Cho et al. (2014) arXiv:1406.1078.
    """

    name = "rnn"
    title = "recurrent network (plain, LSTM or GRU)"
    accepts = frozenset({Kind.TOKENS, Kind.SEQUENCE})
    also_for = frozenset({Kind.TOKENS})
    candidates = (
        DEFAULT,
        Candidate(
            "small gru",
            {"cell": "gru", "width": 32, "hidden": 32, "dropout": 0.3},
            {"weight_decay": 0.1},
            why="few records, or much noise",
        ),
    )
    space: ClassVar[Space] = {
        "settings.cell": Choice(("lstm", "gru")),
        "settings.width": Choice((32, 64, 128)),
        "settings.hidden": Choice((32, 64, 128)),
        "settings.layers": Range(1, 2, step=1),
        "settings.dropout": Range(0.0, 0.5),
        "rate": Range(0.1, 3.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of the recurrence."""

        cell: Cell = Field(default="lstm", description="rnn, lstm or gru: how what is carried changes")
        width: int = Field(default=64, ge=1, description="numbers that describe a position")
        hidden: int = Field(default=64, ge=1, description="numbers that are carried, in each direction")
        layers: int = Field(default=1, ge=1, description="recurrences on top of each other")
        bidirectional: bool = Field(default=True, description="also read from right to left")
        dropout: float = Field(default=0.1, ge=0, lt=1, description="share of numbers silenced per step")
        hidden_tokens: float = Field(
            default=0.1, ge=0, lt=1, description="share of tokens that are hidden while learning"
        )

    def __init__(self, shape: Shape, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        self.reading = Reading(shape, settings.width, settings.hidden_tokens)
        self.recurrence = Recurrence(settings)
        carried = settings.hidden * self.recurrence.directions
        self.head = nn.Sequential(
            nn.Dropout(settings.dropout), nn.Linear(self.summaries * carried, n_outputs)
        )
        self.features: Tensor | None = None  # (records, directions x hidden, positions)

    summaries: ClassVar[int] = 3

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights."""
        (shape,) = shapes.values()
        return cls(shape, n_outputs, settings)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, positions) tokens or (records, channels, positions) -> (records, outputs)."""
        each, last = self.recurrence(self.reading(x), mask)
        self.features = each.transpose(1, 2)  # zeros at empty positions
        number = self.features.shape[2] if mask is None else mask.sum(dim=1, keepdim=True)
        mean = self.features.sum(dim=2) / number
        there = self.features if mask is None else self.features.masked_fill(~mask[:, None], -torch.inf)
        raw: Tensor = self.head(torch.cat([last, mean, there.amax(dim=2)], dim=1))
        return raw


@networks.register
class RNNEverywhere(RNN):
    """The same recurrence with an answer at every position (many to many), read in both directions.

    67,009 parameters for an input of 75x4 and 1 output.
    """

    name = "rnn_everywhere"
    title = "recurrent network with an answer at every position"
    also_for: ClassVar[frozenset[Kind]] = frozenset()
    everywhere = True
    summaries = 1

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, positions) tokens or (records, channels, positions) -> (records, outputs, positions)."""
        each, _ = self.recurrence(self.reading(x), mask)
        self.features = each.transpose(1, 2)
        raw: Tensor = self.head(self.features.transpose(1, 2))
        return raw.transpose(1, 2)


@networks.register
class RNNLanguage(LanguageNetwork):
    """Say at each position which token comes next, carrying along what was read before.

    Position t has read tokens 1 to t - 1 and answers for token t; nothing stands before the first. The same weights at
    every position: many to many; writing from nothing is one to many. Embedding (width 64) - lstm (hidden 256) - dropout
    - dense to one logit for each token. Positions x channels: 75x4 -> 75x64 -> 75x256 -> 75x4.
    331,076 parameters for an input of 75x4 and 3 outputs (what is said of a record; see `bioloom.models.language`).
    Sources: Elman (1990) Cognitive Science 14:179; Mikolov et al. (2010) Interspeech; with characters, Graves (2013)
    arXiv:1308.0850.
    """

    name = "rnn_language"
    title = "recurrent language model (plain, LSTM or GRU)"
    accepts = frozenset({Kind.TOKENS, Kind.SEQUENCE})
    learning_rate = 2.8e-2
    mixed_precision = True
    with_labels = ("rnn", "rnn_everywhere")
    candidates = (
        DEFAULT,
        Candidate("small", {"hidden": 128, "dropout": 0.3}, why="few records"),
    )
    space: ClassVar[Space] = {
        "settings.hidden": Choice((128, 256, 512)),
        "settings.layers": Range(1, 2, step=1),
        "settings.dropout": Range(0.0, 0.6),
        "rate": Range(0.2, 3.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of the recurrence."""

        cell: Cell = Field(default="lstm", description="rnn, lstm or gru: how what is carried changes")
        width: int = Field(default=64, ge=1, description="numbers that describe a token")
        hidden: int = Field(default=256, ge=1, description="numbers that are carried")
        layers: int = Field(default=1, ge=1, description="recurrences on top of each other")
        dropout: float = Field(default=0.2, ge=0, lt=1, description="share of numbers silenced per step")

    def __init__(self, shape: Shape, settings: Settings) -> None:
        super().__init__()
        self.reading = Reading(shape, settings.width)
        told = settings.model_dump() | {"bidirectional": False}
        self.recurrence = Recurrence(RNN.Settings(**told))
        self.dropout = nn.Dropout(settings.dropout)
        self.head = nn.Linear(settings.hidden, tokens_of(shape))

    @classmethod
    def of(cls, shape: Shape, settings: NetworkSettings) -> Self:
        """Make a network for one input."""
        assert isinstance(settings, cls.Settings)
        return cls(shape, settings)

    @classmethod
    def for_labels(cls, settings: Mapping[str, Any], labels: bool = True) -> dict[str, Any]:
        """The settings of `rnn` with these weights: what was learned reads from left to right alone."""
        return {"bidirectional": False, **settings} if labels else dict(settings)

    def hidden(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """What is carried behind each position; empty positions are not read."""
        each, _ = self.recurrence(self.reading(x), mask)
        carried: Tensor = self.dropout(each)
        return carried

    def start(self) -> None:
        """Nothing is carried before anything was read."""

    def step(self, x: Tensor, state: object) -> tuple[Tensor, object]:
        """See `LanguageNetwork.step`."""
        each, state = self.recurrence.cells(self.reading(x), state)
        return self.head(each), state
