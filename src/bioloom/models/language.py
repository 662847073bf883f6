"""What language models share: they say how likely each token is, given all before it, and can go on from there.

A record is judged by itself: `forward` gives the log-likelihood of the tokens that stand there, so no labels are needed.
Position t reads tokens 1 to t - 1; nothing stands before the first.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from bioloom.modalities import Kind, Shape
from bioloom.models import Network, NetworkSettings, Shapes
from bioloom.models.attention import cut

OUTPUTS = 3
"""Of a record: the mean log-likelihood of its tokens, the share that were the likeliest ones, and how many there are."""


class Judged(NamedTuple):
    """What is said of each position, (records, positions) each; 0 where nothing stands.

    likelihood: natural logarithm of the probability of the token that stands there
    right:      1 where that token was the likeliest one
    weight:     1 where a token stands
    """

    likelihood: Tensor
    right: Tensor
    weight: Tensor


class LanguageNetwork(Network):
    """A network that says at each position which token comes next."""

    only_for = "language"
    batch_size = 16
    passes = 0.13

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: NetworkSettings) -> Self:
        """Make a network with fresh random weights; it has one logit for each token, whatever the outputs."""
        (shape,) = shapes.values()
        network = cls.of(shape, settings)
        network.outputs, network.letters = n_outputs, shape.kind is Kind.SEQUENCE
        return network

    reach: int = 0  # positions that it can read at most; 0: any number
    outputs: int = OUTPUTS
    letters: bool = False

    @classmethod
    @abstractmethod
    def of(cls, shape: Shape, settings: NetworkSettings) -> Self:
        """Make a network for one input."""

    @abstractmethod
    def hidden(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """What is known behind each position, (records, positions, width), from (records, positions) tokens or
        (records, channels, positions)."""

    head: nn.Linear

    def read(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits of the token behind each position, (records, positions, tokens)."""
        logits: Tensor = self.head(self.hidden(x, mask))
        return logits

    @abstractmethod
    def start(self) -> object:
        """What is kept before anything was read."""

    @abstractmethod
    def step(self, x: Tensor, state: object) -> tuple[Tensor, object]:
        """Read on, and say what may follow.

        x:     (records, positions) tokens or (records, channels, positions), the next ones; nothing (0) comes first
        state: what is kept of all before
        Returns logits, (records, positions, tokens), each for the token behind the one read there; and the new state.
        """

    def judge(self, x: Tensor, mask: Tensor | None = None) -> Judged:
        """How likely each token is that stands there, given all before it."""
        hidden = self.hidden(delayed(x, mask), mask)
        self.code = mean_of_filled(hidden.detach().float(), mask)
        log_p = self.head(hidden).float().log_softmax(dim=2)  # (records, positions, tokens)
        if self.letters:
            stands = x.transpose(1, 2) if mask is None else (x * mask[:, None]).transpose(1, 2)
            likelihood, weight = (log_p * stands).sum(dim=2), stands.sum(dim=2)
            right = (log_p.argmax(dim=2) == stands.argmax(dim=2)) * weight
            return Judged(likelihood, right, weight)
        token = x.long()
        weight = torch.ones_like(x) if mask is None else mask.to(x.dtype)
        likelihood = log_p.gather(2, token[..., None]).squeeze(2) * weight
        return Judged(likelihood, (log_p.argmax(dim=2) == token) * weight, weight)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, positions) tokens or (records, channels, positions) -> (records, 3): see `OUTPUTS`."""
        return averaged(self.judge(*cut(x, mask)))[:, : self.outputs]


def averaged(judged: Judged) -> Tensor:
    """What is said of each record, (records, 3): see `OUTPUTS`."""
    count = judged.weight.sum(dim=1)
    sums = [each.sum(dim=1) / count.clamp(min=1) for each in judged[:2]]
    return torch.stack([*sums, count], dim=1)


def mean_of_filled(hidden: Tensor, mask: Tensor | None) -> Tensor:
    """The mean over filled positions, (records, width), by which a record is described."""
    if mask is None:
        return hidden.mean(dim=1)
    return (hidden * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)


def tokens_of(shape: Shape) -> int:
    """How many different tokens an input has."""
    return shape.tokens if shape.kind is Kind.TOKENS else shape.sizes[0]


def delayed(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """The input moved one position to the right, so that nothing (0) stands first and the last one is left out.

    What stands at empty positions is read as nothing.
    """
    if mask is not None:
        x = x * (mask if x.ndim == 2 else mask[:, None])
    return functional.pad(x[..., :-1], (1, 0))
