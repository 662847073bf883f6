"""What a map from sequence to function has learned: every effect in a fixed gauge, with how sure it is.

phi is known up to its zero and its unit, which the curve behind it takes up. Here it has mean 0 and standard deviation 1 over
the training records, and rises with the measurement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from bioloom.models.gauge import Effects, around, in_gauge
from bioloom.models.sequence_map import SequenceMap

Floats = NDArray[np.float64]

MOST = 2_000
"""Effects whose errors are worked out together: the time grows with the third power, two seconds at so many."""

LEVELS = 50
"""Stretches of phi in which the curvature of the loss is averaged."""

NORMAL = 1.959963984540054
"""Standard deviations to either side that hold 95 % of a normal distribution."""

ROWS = 4096
"""Records looked at at once."""

Losses = Callable[[Tensor], Tensor]
"""Raw outputs of all records, (records, outputs) -> the loss of each added up, up to a common factor."""


@dataclass(frozen=True)
class Library:
    """Training records as effects see them.

    letters: (records, positions) which letter stands where
    names:   how many letters there are
    groups:  (records,) numbers of groups whose records belong together; None where each stands for itself
    """

    letters: NDArray[np.int64]
    names: int
    groups: NDArray[np.int64] | None = None

    @property
    def seen(self) -> Floats:
        """How often each letter stands at each position, (letters, positions)."""
        return np.stack([(self.letters == letter).mean(axis=0) for letter in range(self.names)])

    def pairs_seen(self) -> NDArray[np.int64]:
        """Records with each pair of letters, (letters, positions, letters, positions)."""
        shape = (self.names, self.letters.shape[1])
        x = Layout(*shape).of(self)
        counts = (x.T @ x).toarray()
        return np.asarray(counts.round().astype(np.int64).reshape(*shape, *shape))

    def batches(self) -> list[Tensor]:
        """Letters as a network sees them, (records, letters, positions) each."""
        eye = torch.eye(self.names)
        return [
            eye[torch.from_numpy(self.letters[start : start + ROWS])].transpose(1, 2)
            for start in range(0, len(self.letters), ROWS)
        ]


@dataclass(frozen=True)
class Layout:
    """All effects in a row: those of letters (letter by letter), then those of each two positions that have effects together.

    near: such positions, the earlier one first
    """

    names: int
    positions: int
    near: tuple[tuple[int, int], ...] = ()

    @property
    def width(self) -> int:
        """How many effects there are."""
        return self.names * self.positions + len(self.near) * self.names**2

    def of(self, library: Library) -> sparse.csr_array:
        """Records by effects, 1 where an effect counts."""
        columns = [library.letters[:, place] * self.positions + place for place in range(self.positions)]
        for number, (one, other) in enumerate(self.near):
            both = library.letters[:, one] * self.names + library.letters[:, other]
            columns.append(self.names * self.positions + number * self.names**2 + both)
        at = np.stack(columns, axis=1).ravel()
        rows = np.repeat(np.arange(len(library.letters)), len(columns))
        return sparse.csr_array((np.ones(len(at)), (rows, at)), shape=(len(library.letters), self.width))

    def unfolded(self, row: Floats) -> Effects:
        """(..., effects) -> effects by letter and position."""
        edge, lead = self.names * self.positions, row.shape[:-1]
        letters = row[..., :edge].reshape(*lead, self.names, self.positions)
        if not self.near:
            return Effects(np.zeros(lead), letters)
        table = row[..., edge:].reshape(*lead, len(self.near), self.names, self.names)
        pairs = np.zeros((*lead, self.names, self.positions, self.names, self.positions))
        for number, (one, other) in enumerate(self.near):
            pairs[..., :, one, :, other] = table[..., number, :, :]
        return Effects(np.zeros(lead), letters, pairs)

    def folded(self, effects: Effects) -> Floats:
        """The inverse of `unfolded`; the constant is left out."""
        lead = effects.letters.shape[:-2]
        parts = [effects.letters.reshape(*lead, -1)]
        if effects.pairs is not None:
            parts += [effects.pairs[..., :, one, :, other].reshape(*lead, -1) for one, other in self.near]
        return np.concatenate(parts, axis=-1)


@dataclass(frozen=True)
class Standing:
    """Effects of one trait in units of phi, before a gauge is chosen.

    effects:    means over the networks
    layout:     their order in a row
    covariance: of all effects in that order, in the units of `effects`; None where they are too many
    zero, unit: phi of the first network is (its raw phi - zero) / unit
    """

    effects: Effects
    layout: Layout
    covariance: Floats | None
    zero: float
    unit: float


def standing(
    members: Sequence[SequenceMap], library: Library, losses: Losses, trait: int, sign: float
) -> Standing | None:
    """The effects of some networks on one latent number; None where they add up no effects.

    sign: -1 where phi falls while the measurement rises
    """
    found, units = [], []
    for member in members:
        effects = member.effects(trait)
        if effects is None:
            return None
        raw = phi(member, library)[:, trait]
        unit = sign * float(raw.std())
        told = around(effects, member.centre.mean.double().numpy().reshape(member.sizes))
        units.append((float(raw.mean()), unit))
        found.append(Effects(told.constant - raw.mean(), told.letters, told.pairs).scaled(1 / unit))
    tables = [each.pairs for each in found if each.pairs is not None]
    mean = Effects(
        np.mean([each.constant for each in found], axis=0),
        np.mean([each.letters for each in found], axis=0),
        np.mean(tables, axis=0) if tables else None,
    )
    zero, unit = units[0]
    covariance = _covariance(members[0], library, losses, trait)
    return Standing(
        mean,
        Layout(*members[0].sizes, members[0].near),
        None if covariance is None else covariance / unit**2,
        zero,
        unit,
    )


def phi(network: SequenceMap, library: Library) -> Floats:
    """Latent numbers of training records, (records, traits)."""
    with torch.inference_mode():
        return np.concatenate([network.latent(x).double().numpy() for x in library.batches()])


def errors(standing: Standing, shares: Floats) -> Effects | None:
    """The standard error of each effect in a gauge; None where they are not known."""
    if standing.covariance is None:
        return None
    single = standing.layout.unfolded(np.eye(len(standing.covariance)))
    turned = standing.layout.folded(in_gauge(single, shares))  # (effects before, effects in the gauge)
    variance = np.einsum("ij,ij->j", turned, standing.covariance @ turned).clip(min=0)
    return standing.layout.unfolded(np.sqrt(variance))


def _covariance(network: SequenceMap, library: Library, losses: Losses, trait: int) -> Floats | None:
    """How effects would scatter if the experiment were done again, the curve being as it is: H^-1 S H^-1 with the
    curvature H of the loss and the scatter S of its slopes over records (or groups of them), which holds whatever the
    noise is (White 1982, doi:10.2307/1912526). What no record tells apart is left out: a gauge does not need it.
    """
    layout = Layout(*network.sizes, network.near)
    if layout.width > MOST:
        return None
    slope, curvature = _slopes(network, library, losses, trait)
    x = layout.of(library)
    scores = sparse.csr_array(x * slope[:, None])
    if library.groups is not None:
        count = int(library.groups.max()) + 1
        joined = sparse.csr_array(
            (np.ones(len(slope)), (library.groups, np.arange(len(slope)))), shape=(count, len(slope))
        )
        scores = joined @ scores
    scatter = (scores.T @ scores).toarray()
    inverse = np.linalg.pinv((x.T @ (x * curvature[:, None])).toarray(), rcond=1e-9, hermitian=True)
    return np.asarray(inverse @ scatter @ inverse)


def _slopes(network: SequenceMap, library: Library, losses: Losses, trait: int) -> tuple[Floats, Floats]:
    """Slope of the loss of each record by its phi, and the curvature expected at its phi, (records,) each."""
    exact = deepcopy(network).double()
    raw = torch.from_numpy(phi(network, library)).requires_grad_()
    (slope,) = torch.autograd.grad(losses(exact.measured(raw)), raw, create_graph=True)
    (bent,) = torch.autograd.grad(slope[:, trait].sum(), raw)
    told, along = bent[:, trait].numpy(), raw.detach()[:, trait].numpy()
    level = (np.argsort(np.argsort(along, kind="stable")) * LEVELS) // len(along)
    mean = np.bincount(level, told) / np.maximum(1, np.bincount(level))
    expected = mean.clip(min=1e-3 * max(float(mean.max()), 1e-12))[level]
    return slope[:, trait].detach().numpy(), expected
