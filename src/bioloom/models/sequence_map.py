"""Maps from sequence to function whose every number can be read: effects of letters, of neighbours, of pairs.

All share one form, as in MAVE-NN (Tareen et al. 2022, doi:10.1186/s13059-022-02661-7): a latent number phi that depends
on the sequence, and a measurement of it, which is a curve that never falls (global epistasis; Otwinowski, McCandlish,
Plotkin 2018, doi:10.1073/pnas.1804015115) or, where records were sorted into bins, how likely each bin is for a phi.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import softplus

from bioloom.modalities import Kind
from bioloom.models import Network, NetworkSettings, Outputs, Shapes, networks
from bioloom.models.epistasis import ONE, Centre
from bioloom.models.gauge import Effects

FIRST = 0.05
"""Standard deviation of effects before anything is learned."""


class Letters(nn.Linear):
    """An effect of each letter at each position on each latent number: sum of theta_lc x_lc."""

    def __init__(self, letters: int, positions: int, traits: int) -> None:
        super().__init__(letters * positions, traits)
        nn.init.normal_(self.weight, std=FIRST)
        nn.init.zeros_(self.bias)


class Pairs(nn.Module):
    """An effect of each two letters at each two positions that lie at most `reach` apart: sum of theta_lcl'c' x_lc x_l'c'."""

    places: Tensor

    def __init__(self, letters: int, positions: int, traits: int, reach: int) -> None:
        super().__init__()
        self.letters, self.positions = letters, positions
        near = [(i, j) for i in range(positions) for j in range(i + 1, min(positions, i + reach + 1))]
        places = torch.tensor(near, dtype=torch.long).reshape(-1, 2).T  # (2, pairs of positions)
        self.register_buffer("places", places, persistent=False)
        self.weight = nn.Parameter(torch.zeros(traits, self.places.shape[1], letters, letters))

    def table(self) -> Tensor:
        """All effects, (traits, letters, positions, letters, positions), 0 where the first position is not the earlier one."""
        traits = len(self.weight)
        full = self.weight.new_zeros(traits, self.positions, self.positions, self.letters, self.letters)
        full = full.index_put((torch.arange(traits)[:, None], *self.places), self.weight)
        return full.permute(0, 3, 1, 4, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(records, letters x positions) -> (records, traits)."""
        table = self.table().reshape(len(self.weight), x.shape[1], x.shape[1])
        return torch.stack([((x @ each) * x).sum(dim=1) for each in table], dim=1)


class Curve(nn.Module):
    """A curve that never falls, one for each latent number: a straight line, and steps b tanh(c phi + d) with b, c >= 0."""

    def __init__(self, traits: int, steps: int) -> None:
        super().__init__()
        self.straight = nn.Parameter(torch.full((traits,), -1.0))
        self.offset = nn.Parameter(torch.zeros(traits))
        self.height = nn.Parameter(torch.zeros(traits, steps))
        self.steepness = nn.Parameter(torch.full((traits, steps), ONE))
        self.place = nn.Parameter(torch.linspace(-2, 2, steps).repeat(traits, 1))

    def forward(self, phi: Tensor) -> Tensor:
        """(records, traits) -> the same shape."""
        steps = softplus(self.height) * torch.tanh(softplus(self.steepness) * (phi.unsqueeze(2) - self.place))
        measured: Tensor = softplus(self.straight) * phi + self.offset
        return measured + steps.mean(dim=2) if steps.shape[2] else measured


class Spread(nn.Module):
    """Numbers beside each prediction that say how it may be off: polynomials of the prediction (heteroscedastic noise)."""

    def __init__(self, predicted: int, beside: int, order: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(order + 1, beside, predicted))

    def forward(self, prediction: Tensor) -> Tensor:
        """(records, predicted) -> (records, predicted x (1 + beside)): predictions first, as heads ask for them."""
        powers = torch.stack([prediction**power for power in range(len(self.weight))])
        said = torch.einsum("krp,kbp->rbp", powers, self.weight)
        return torch.cat([prediction, said.flatten(1)], dim=1)


class Process(nn.Sequential):
    """How likely each bin, or class, is for a latent number, whatever the sorting did: one hidden layer of tanh units.

    The "measurement process agnostic" regression of MAVE-NN: with one count of cells for each bin, the loss is the
    likelihood of the counts.
    """

    def __init__(self, steps: int, outputs: int) -> None:
        first = nn.Linear(1, max(1, steps))
        nn.init.normal_(first.weight, std=1.0)
        nn.init.uniform_(first.bias, -1.0, 1.0)
        super().__init__(first, nn.Tanh(), nn.Linear(max(1, steps), outputs))


class MapSettings(NetworkSettings):
    """Settings of the measurement, which all maps share."""

    measurement: Literal["auto", "curve", "bins"] = Field(
        default="auto",
        description="curve: a number that rises with phi; bins: how likely each class is for one phi; auto: by task",
    )
    steps: int = Field(
        default=50, ge=0, description="steps of the curve, or hidden units between phi and bins"
    )
    noise_order: int = Field(
        default=2,
        ge=0,
        le=4,
        description="power of the prediction up to which the learned spread may follow it",
    )
    beside: int = Field(
        default=0,
        ge=0,
        description="numbers beside each prediction that say its spread; filled in by training.loss",
    )


class SequenceMap(Network):
    """phi of a sequence, and what is measured of it; maps differ in phi alone."""

    accepts = frozenset({Kind.SEQUENCE})
    passes: ClassVar[float] = 3.0
    learning_rate: ClassVar[float] = 1e-2

    class Settings(MapSettings):
        """Settings of the measurement."""

    def __init__(self, sizes: tuple[int, int], n_outputs: int, settings: MapSettings) -> None:
        super().__init__()
        predicted = n_outputs // (1 + settings.beside)
        bins = settings.measurement == "bins"
        self.traits = 1 if bins else predicted
        self.flatten = nn.Flatten()
        self.centre = Centre(sizes[0] * sizes[1])
        self.sizes = sizes
        self.begin(settings)
        self.measurement: nn.Module = (
            Process(settings.steps, n_outputs) if bins else Curve(self.traits, settings.steps)
        )
        self.spread = Spread(predicted, settings.beside, settings.noise_order) if settings.beside else None

    @abstractmethod
    def begin(self, settings: Any) -> None:
        """Make the layers between a centred sequence and phi."""

    @abstractmethod
    def phi(self, x: Tensor) -> Tensor:
        """Centred letters, (records, letters x positions) -> (records, traits)."""

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: MapSettings) -> Self:
        """Make a network with fresh random weights."""
        (shape,) = shapes.values()
        return cls((shape.sizes[0], shape.sizes[1]), n_outputs, settings)

    @classmethod
    def for_outputs(cls, settings: Mapping[str, Any], outputs: Outputs) -> dict[str, Any]:
        """One phi for all classes, and a polynomial for each number that says the spread."""
        measurement = settings["measurement"]
        if measurement == "auto":
            measurement = "bins" if outputs.classes else "curve"
        return {**settings, "measurement": measurement, "beside": outputs.beside}

    @property
    def near(self) -> tuple[tuple[int, int], ...]:
        """Pairs of positions that have effects together, the earlier one first."""
        return ()

    def effects(self, trait: int = 0) -> Effects | None:
        """What phi adds up of centred letters; None where it is no such sum."""
        return None

    def latent(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """phi, (records, traits), from letters, (records, letters, positions); empty positions count as 0."""
        if mask is not None:
            x = x * mask[:, None]
        return self.phi(self.centre(self.flatten(x)))

    def measured(self, phi: Tensor) -> Tensor:
        """(records, traits) -> raw outputs, (records, outputs)."""
        raw: Tensor = self.measurement(phi)
        return raw if self.spread is None else self.spread(raw)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, letters, positions) -> (records, outputs)."""
        return self.measured(self.latent(x, mask))


@networks.register
class AdditiveMap(SequenceMap):
    """phi adds up one effect of each letter at each position; a curve that never falls makes the measurement of it.

    233 parameters for an input of 20x4 and 1 output.
    Source: Tareen et al. (2022) doi:10.1186/s13059-022-02661-7.
    """

    name = "additive_map"
    title = "map from sequence to function: effects of letters, and a curve (global epistasis)"

    def begin(self, settings: MapSettings) -> None:
        """One effect of each letter at each position."""
        self.letters = Letters(*self.sizes, self.traits)

    def phi(self, x: Tensor) -> Tensor:
        """(records, letters x positions) -> (records, traits)."""
        phi: Tensor = self.letters(x)
        return phi

    def effects(self, trait: int = 0) -> Effects:
        """What letters add to phi."""
        weight, bias = (
            each.detach().double().numpy()[trait] for each in (self.letters.weight, self.letters.bias)
        )
        return Effects(bias, weight.reshape(self.sizes))


@networks.register
class NeighbourMap(AdditiveMap):
    """phi adds up effects of letters and of each two letters side by side; a curve makes the measurement of it.

    537 parameters for an input of 20x4 and 1 output.
    Source: Tareen et al. (2022) doi:10.1186/s13059-022-02661-7.
    """

    name = "neighbour_map"
    title = (
        "map from sequence to function: effects of letters and of neighbours, and a curve (global epistasis)"
    )
    reach: ClassVar[int] = 1

    def begin(self, settings: MapSettings) -> None:
        """Effects of letters, and of pairs of letters that lie so far apart at most."""
        super().begin(settings)
        self.pairs = Pairs(*self.sizes, self.traits, self.reach)

    def phi(self, x: Tensor) -> Tensor:
        """(records, letters x positions) -> (records, traits)."""
        phi: Tensor = self.letters(x) + self.pairs(x)
        return phi

    @property
    def near(self) -> tuple[tuple[int, int], ...]:
        """Pairs of positions that have effects together, the earlier one first."""
        return tuple((int(one), int(other)) for one, other in self.pairs.places.T)

    def effects(self, trait: int = 0) -> Effects:
        """What letters and pairs add to phi."""
        return replace(super().effects(trait), pairs=self.pairs.table()[trait].detach().double().numpy())


@networks.register
class PairwiseMap(NeighbourMap):
    """phi adds up effects of letters and of each two letters anywhere; a curve makes the measurement of it.

    3,273 parameters for an input of 20x4 and 1 output.
    Source: Tareen et al. (2022) doi:10.1186/s13059-022-02661-7.
    """

    name = "pairwise_map"
    title = (
        "map from sequence to function: effects of letters and of all pairs, and a curve (global epistasis)"
    )
    reach: ClassVar[int] = 1_000_000


@networks.register
class BlackboxMap(SequenceMap):
    """phi is what dense layers make of the sequence, so that nothing can be read from it: how much any map could tell.

    18,453 parameters for an input of 20x4 and 1 output.
    Source: Tareen et al. (2022) doi:10.1186/s13059-022-02661-7.
    """

    name = "blackbox_map"
    title = "map from sequence to function: dense layers, and a curve (global epistasis); the most that a map can tell"
    learning_rate: ClassVar[float] = 2e-3

    class Settings(MapSettings):
        """Settings of the dense layers."""

        hidden: tuple[int, ...] = Field(
            default=(100, 100), min_length=1, description="units of each dense layer"
        )
        dropout: float = Field(default=0.1, ge=0, lt=1, description="share of units silenced per step")

    def begin(self, settings: Settings) -> None:
        """Dense layers from all letters to phi."""
        widths = (self.sizes[0] * self.sizes[1], *settings.hidden)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.GELU(), nn.Dropout(settings.dropout)]
        self.dense = nn.Sequential(*layers, nn.Linear(widths[-1], self.traits))

    def phi(self, x: Tensor) -> Tensor:
        """(records, letters x positions) -> (records, traits)."""
        phi: Tensor = self.dense(x)
        return phi
