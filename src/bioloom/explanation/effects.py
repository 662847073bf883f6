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

from bioloom.explanation.scatter import Loss, Scatter, scatter
from bioloom.models.gauge import Effects, around, in_gauge, shares_of
from bioloom.models.sequence_map import SequenceMap

Floats = NDArray[np.float64]

MOST = 2_000
"""Effects whose errors are worked out together: the time grows with the third power, two seconds at so many."""

MOST_DRAWN = 100_000
"""Effects whose errors are worked out from draws; above there are none."""

LEVELS = 50
"""Stretches of phi in which the curvature of the loss is averaged."""

NORMAL = 1.959963984540054
"""Standard deviations to either side that hold 95 % of a normal distribution."""

CONSTANT = 1e-6
"""Where phi varies by less than this part of its size, what varies is rounding."""

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

    def beside(self, library: Library, parent: NDArray[np.int64]) -> sparse.csr_array:
        """Records by effects and the constant behind them, 1 where letters count that the parent does not have: of
        effects against a parent no record has more, and they are few for a library of variants.
        """
        other = library.letters != parent
        rows, places = np.nonzero(other)
        found = [(rows, library.letters[rows, places] * self.positions + places)]
        for number, (one, two) in enumerate(self.near):
            both = np.flatnonzero(other[:, one] & other[:, two])
            pair = library.letters[both, one] * self.names + library.letters[both, two]
            found.append((both, self.names * self.positions + number * self.names**2 + pair))
        found.append((np.arange(len(other)), np.full(len(other), self.width)))
        rows, columns = (np.concatenate(each) for each in zip(*found, strict=True))
        return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(other), self.width + 1))

    def unlike(self, parent: NDArray[np.int64]) -> NDArray[np.int64]:
        """For each effect 1 where it is of a letter, 2 where of two, that the parent does not have; else 0."""
        other = np.arange(self.names)[:, None] != parent  # (letters, positions)
        pairs = [2 * np.outer(other[:, one], other[:, two]).ravel() for one, two in self.near]
        return np.concatenate([other.ravel(), *pairs]).astype(np.int64)

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
    scatter:    draws of them in its place, where they are too many for a covariance; None where they are too many for draws
    zero, unit: phi of the first network is (its raw phi - zero) / unit
    """

    effects: Effects
    layout: Layout
    covariance: Floats | None
    scatter: Scatter | None
    zero: float
    unit: float

    @property
    def sure(self) -> bool:
        """Whether anything is known of how sure effects are."""
        return self.covariance is not None or self.scatter is not None


def standing(
    members: Sequence[SequenceMap], library: Library, losses: Losses, trait: int, sign: float
) -> Standing | None:
    """The effects of some networks on one latent number; None where they add up no effects, or phi is the same for all
    records, so that it has no unit.

    sign: -1 where phi falls while the measurement rises
    """
    found, units, around_zero = [], [], []
    for member in members:
        effects = member.effects(trait)
        if effects is None:
            return None
        raw = phi(member, library)[:, trait]
        if not varies(raw):
            return None
        unit = sign * float(raw.std())
        told = around(effects, member.centre.mean.double().numpy().reshape(member.sizes))
        units.append((float(raw.mean()), unit))
        around_zero.append(told)
        found.append(Effects(told.constant - raw.mean(), told.letters, told.pairs).scaled(1 / unit))
    tables = [each.pairs for each in found if each.pairs is not None]
    mean = Effects(
        np.mean([each.constant for each in found], axis=0),
        np.mean([each.letters for each in found], axis=0),
        np.mean(tables, axis=0) if tables else None,
    )
    zero, unit = units[0]
    layout = Layout(*members[0].sizes, members[0].near)
    covariance, drawn = None, None
    if layout.width <= MOST_DRAWN:
        loss = Loss(*_slopes(members[0], library, losses, trait), library.groups)
        if layout.width <= MOST:
            covariance = _covariance(layout, library, loss) / unit**2
        else:
            drawn = _drawn(layout, library, loss, around_zero[0])
            drawn = Scatter(drawn.off / unit, drawn.drawn / unit)
    return Standing(mean, layout, covariance, drawn, zero, unit)


def varies(raw: Floats) -> bool:
    """Whether phi differs between records by more than rounding, (records,)."""
    return bool(raw.std() > CONSTANT * np.abs(raw).max())


def phi(network: SequenceMap, library: Library) -> Floats:
    """Latent numbers of training records, (records, traits)."""
    with torch.inference_mode():
        return np.concatenate([network.latent(x).double().numpy() for x in library.batches()])


def errors(standing: Standing, shares: Floats) -> Effects | None:
    """The standard error of each effect in a gauge; None where they are not known."""
    if standing.scatter is not None:
        return _errors_of_draws(standing.layout, standing.scatter, shares)
    if standing.covariance is None:
        return None
    single = standing.layout.unfolded(np.eye(len(standing.covariance)))
    turned = standing.layout.folded(in_gauge(single, shares))  # (effects before, effects in the gauge)
    variance = np.einsum("ij,ij->j", turned, standing.covariance @ turned).clip(min=0)
    return standing.layout.unfolded(np.sqrt(variance))


def _errors_of_draws(layout: Layout, drawn: Scatter, shares: Floats) -> Effects:
    """The root mean square of draws in a gauge, one after the other, with how far all of them are off."""

    def squared(row: Floats) -> Floats:
        return layout.folded(in_gauge(layout.unfolded(row), shares)) ** 2

    variance = squared(drawn.off)
    for row in drawn.drawn:
        variance += squared(row) / len(drawn.drawn)
    return layout.unfolded(np.sqrt(variance))


def _covariance(layout: Layout, library: Library, loss: Loss) -> Floats:
    """How effects would scatter if the experiment were done again, the curve being as it is: H^-1 S H^-1 with the
    curvature H of the loss and the scatter S of its slopes over records (or groups of them), which holds whatever the
    noise is (White 1982, doi:10.2307/1912526). What no record tells apart is left out: a gauge does not need it.
    """
    x = layout.of(library)
    scores = sparse.csr_array(x * loss.slope[:, None])
    if loss.groups is not None:
        count = int(loss.groups.max()) + 1
        joined = sparse.csr_array(
            (np.ones(len(loss.slope)), (loss.groups, np.arange(len(loss.slope)))),
            shape=(count, len(loss.slope)),
        )
        scores = joined @ scores
    scatter = (scores.T @ scores).toarray()
    inverse = np.linalg.pinv((x.T @ (x * loss.curvature[:, None])).toarray(), rcond=1e-9, hermitian=True)
    return np.asarray(inverse @ scatter @ inverse)


def _drawn(layout: Layout, library: Library, loss: Loss, learned: Effects) -> Scatter:
    """Draws of effects against the commonest letters, in the order of the layout; those of that parent are 0."""
    shares = shares_of("consensus", library.seen)
    parent = library.seen.argmax(axis=0)
    told = in_gauge(learned, shares)
    kinds = np.append(layout.unlike(parent), 0)
    row = np.append(np.where(kinds[:-1] > 0, layout.folded(told), 0.0), told.constant)
    found = scatter(layout.beside(library, parent), row, kinds, loss)
    return Scatter(found.off[:-1], found.drawn[:, :-1])


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
