"""Variants of one parent: effects of letters and of pairs of letters, added up and bent once."""

from __future__ import annotations

import math
from math import prod
from typing import ClassVar, Self

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import softplus

from bioloom.modalities import Kind
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.candidates import DEFAULT, Candidate, Choice, Range, Space

ONE = math.log(math.e - 1)
"""softplus(ONE) = 1."""

MEMORY = 100.0
"""Batches whose mean is remembered: enough to hold still, few enough to follow."""


class Centre(nn.Module):
    """Subtract the mean of the training records, which is learned on the way: of letters that stand in every record,
    nothing is left. They would drown the others in every gradient, and their pairs would only repeat single letters.
    """

    mean: Tensor
    batches: Tensor

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("batches", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """(records, inputs) -> the same shape; while training, the mean of all batches so far."""
        if self.training:
            self.batches.add_(1)
            self.mean.lerp_(x.detach().mean(dim=0), 1 / self.batches.clamp(max=MEMORY))
        return x - self.mean


class Pairs(nn.Module):
    """An effect for each pair of inputs, as products of a few learned numbers of each: sum over i < j of
    sum over r of sign_r e_ri e_rj x_i x_j, which takes time linear in the inputs.

    Source: factorisation machines, Rendle (2010) doi:10.1109/ICDM.2010.127.
    """

    def __init__(self, inputs: int, rank: int, n_outputs: int) -> None:
        super().__init__()
        self.vectors = nn.Parameter(0.02 * torch.randn(rank, inputs))
        self.signs = nn.Parameter(0.5 * torch.randn(n_outputs, rank))

    def forward(self, x: Tensor) -> Tensor:
        """(records, inputs) -> (records, outputs)."""
        all_pairs = (
            x @ self.vectors.T
        ).square()  # (records, rank), each pair twice and each input with itself
        with_itself = x.square() @ self.vectors.square().T
        effect: Tensor = (all_pairs - with_itself) @ self.signs.T / 2
        return effect


class Bend(nn.Module):
    """A curve that never falls, one for each output: a straight line plus a few steps of learned place, width, height.

    The curve between a latent trait and its measurement, such as the saturation of a sensor. It begins as a
    gentle curve through 0.
    """

    def __init__(self, n_outputs: int, steps: int) -> None:
        super().__init__()
        self.straight = nn.Parameter(torch.full((n_outputs,), -0.7))
        self.height = nn.Parameter(torch.zeros(n_outputs, steps))
        self.steepness = nn.Parameter(torch.full((n_outputs, steps), ONE))
        self.place = nn.Parameter(torch.linspace(-2, 2, steps).repeat(n_outputs, 1))
        self.offset = nn.Parameter(torch.zeros(n_outputs))

    def forward(self, latent: Tensor) -> Tensor:
        """(records, outputs) -> the same shape."""
        away = latent.unsqueeze(2) - self.place  # (records, outputs, steps)
        steps = softplus(self.height) * torch.tanh(softplus(self.steepness) * away)
        bent: Tensor = softplus(self.straight) * latent + steps.mean(dim=2) + self.offset
        return bent


@networks.register
class Epistasis(Network):
    """Add up what each letter at each position does, bend the sum, and add what only several letters do together.

    The sum is a latent trait, such as the stability of a protein; a curve that never falls turns it into what was
    measured ("global epistasis"), so that effects which simply add up need no more. Two dense layers of 64 units beside
    it learn what is left, and `interactions` adds effects of pairs to the sum. Effects begin at 0, and only what differs
    from the mean of the training records counts: positions that never vary take no part.
    Made for variants of one parent; empty positions count as 0.
    9,516 parameters for an input of 20x4 and 1 output.
    Sources: Otwinowski, McCandlish, Plotkin (2018) doi:10.1073/pnas.1804015115; MAVE-NN, Tareen et al. (2022)
    doi:10.1186/s13059-022-02661-7.
    """

    name = "epistasis"
    title = "effects of letters, added up and bent once, with dense layers beside it (global epistasis)"
    accepts = frozenset({Kind.SEQUENCE, Kind.VECTOR})
    also_for = frozenset({Kind.SEQUENCE})
    learning_rate = 7e-3
    candidates = (
        DEFAULT,
        Candidate("additive", {"hidden": 0}, rate=2.0, why="few records, or effects that only add up"),
        Candidate("pairs", {"interactions": 32}, why="few records of variants with several mutations each"),
    )
    space: ClassVar[Space] = {
        "settings.interactions": Choice((0, 8, 32)),
        "settings.hidden": Choice((0, 32, 64, 128)),
        "training.weight_decay": Range(1e-3, 1.0, log=True),
        "rate": Range(0.2, 4.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of the sum and of the curve."""

        interactions: int = Field(default=0, ge=0, description="rank of the effects of pairs; 0: none")
        steps: int = Field(default=8, ge=0, description="steps of the curve; 0: a straight line")
        hidden: int = Field(
            default=64, ge=0, description="units of each of two dense layers beside it; 0: none"
        )
        dropout: float = Field(default=0.1, ge=0, lt=1, description="share of these units silenced per step")

    def __init__(self, inputs: int, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        self.centre = Centre(inputs)
        self.effects = nn.Linear(inputs, n_outputs)
        nn.init.zeros_(self.effects.weight)
        nn.init.zeros_(self.effects.bias)
        self.pairs = Pairs(inputs, settings.interactions, n_outputs) if settings.interactions else None
        self.dense = _dense(inputs, n_outputs, settings) if settings.hidden else None
        self.bend = Bend(n_outputs, settings.steps) if settings.steps else nn.Identity()

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights."""
        (shape,) = shapes.values()
        return cls(prod(shape.sizes), n_outputs, settings)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, ...) -> (records, outputs); values at empty positions count as 0."""
        if mask is not None:
            x = x * mask[:, None]  # (records, channels, positions)
        x = self.centre(self.flatten(x))
        latent = self.effects(x)
        if self.pairs is not None:
            latent = latent + self.pairs(x)
        raw: Tensor = self.bend(latent)
        return raw if self.dense is None else raw + self.dense(x)


def _dense(inputs: int, n_outputs: int, settings: Epistasis.Settings) -> nn.Sequential:
    """Two hidden layers; weights of the first do not shrink with the inputs, because few of these differ from the mean."""
    first, last = nn.Linear(inputs, settings.hidden), nn.Linear(settings.hidden, n_outputs)
    nn.init.uniform_(first.weight, -0.1, 0.1)
    nn.init.normal_(last.weight, std=0.1)
    return nn.Sequential(
        first,
        nn.GELU(),
        nn.Dropout(settings.dropout),
        nn.Linear(settings.hidden, settings.hidden),
        nn.GELU(),
        nn.Dropout(settings.dropout),
        last,
    )
