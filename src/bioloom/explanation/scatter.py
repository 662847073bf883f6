"""How sure effects are where they are too many for a matrix of how they vary together: draws of what they could be.

Many pairs of letters stand in a handful of records, which tell little of their effects; they are as large as such effects
are in general. So an effect is what records and that usual size together say: with the curvature H of the loss, the scatter S
of its slopes over records, the usual size tau of such effects, and the noise in units of the loss, s = trace S / trace H
(both S and s made larger by what was fitted away),

    draw = (H + s / tau^2)^-1 (S^1/2 z + s / tau z')      z, z' standard normal

Without noise in the model of the noise (S = s H) draws have the covariance s (H + s / tau^2)^-1 of a Laplace approximation,
and where records tell much, that of robust errors, H^-1 S H^-1. Drawn by perturbing what is maximised (Papandreou, Yuille
2010, "Gaussian sampling by local perturbations"), solved by conjugate gradients (Hestenes, Stiefel 1952).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]

DRAWS = 60
"""Draws: a standard error is known to within a tenth of itself."""

FEW, ROUNDS = 10, 3
"""Draws, and rounds, by which is found how much of the noise effects have taken up."""

STEPS, CLOSE = 200, 1e-3
"""Steps of conjugate gradients at most, and the share of what is to be solved that may be left."""

TOLD = 0.25
"""Share of effects, those that most records tell of, from which their usual size is taken."""


@dataclass(frozen=True)
class Scatter:
    """What effects could be.

    off:   (effects,) how far the most probable ones lie from those that were learned
    drawn: (draws, effects) how far draws lie from the most probable ones
    """

    off: Floats
    drawn: Floats


@dataclass(frozen=True)
class Loss:
    """What records say of their phi, (records,) each; groups: numbers of what belongs together, or None."""

    slope: Floats
    curvature: Floats
    groups: NDArray[np.int64] | None = None

    @property
    def noise(self) -> float:
        """Scatter of slopes for each unit of curvature; 1 where the loss is a likelihood."""
        return float((self.slope**2).sum() / self.curvature.sum())

    def perturbed(self, random: np.random.Generator, draws: int) -> Floats:
        """Slopes with signs drawn at random, the same within a group, (records, draws)."""
        count = len(self.slope) if self.groups is None else int(self.groups.max()) + 1
        signs = random.choice([-1.0, 1.0], size=(count, draws))
        return (signs if self.groups is None else signs[self.groups]) * self.slope[:, None]


def scatter(design: sparse.csr_array, learned: Floats, kinds: NDArray[np.int64], loss: Loss) -> Scatter:
    """Draws of effects that have a usual size by kind.

    design:  (records, effects) 1 where an effect counts, no two effects always together with others
    learned: (effects,) what the network says
    kinds:   (effects,) 0 where an effect may be of any size, else which effects are alike in size
    """
    random = np.random.default_rng(0)
    weighted = sparse.csr_array(design * loss.curvature[:, None])
    sizes = _penalties(learned, kinds, np.asarray(design.T @ loss.curvature))
    drawn, noise = design.T @ loss.perturbed(random, DRAWS), loss.noise
    for _ in range(ROUNDS):
        taken = _taken(_solved(design, weighted, noise * sizes, drawn[:, :FEW]), drawn[:, :FEW], loss)
        noise = loss.noise / (1 - taken)
    penalty = noise * sizes
    after = -(design.T @ loss.slope + penalty * learned)
    drawn = drawn / np.sqrt(1 - taken)
    drawn = drawn + np.sqrt(noise * penalty)[:, None] * random.normal(size=(len(learned), DRAWS))
    solved = _solved(design, weighted, penalty, np.column_stack([after, drawn]))
    return Scatter(solved[:, 0], solved[:, 1:].T)


def _taken(solved: Floats, drawn: Floats, loss: Loss) -> float:
    """The share of the noise that effects have taken up, because they were fitted to it: their degrees of freedom by record.

    Residuals are that much too small (generalised cross-validation: Golub, Heath, Wahba 1979, doi:10.2307/1268518).
    """
    freedom = float((solved * drawn).sum(axis=0).mean()) / loss.noise
    return min(freedom / len(loss.slope), 0.9)


def _penalties(learned: Floats, kinds: NDArray[np.int64], told: Floats) -> Floats:
    """1 / tau^2 of each effect, (effects,), with tau^2 from those of its kind that most records tell of."""
    penalties = np.zeros(len(learned))
    for kind in np.unique(kinds[kinds > 0]).tolist():
        mine = np.flatnonzero(kinds == kind)
        best = mine[np.argsort(-told[mine], kind="stable")[: max(1, round(TOLD * len(mine)))]]
        penalties[mine] = 1 / max(float(np.mean(learned[best] ** 2)), 1e-12)
    return penalties


def _solved(design: sparse.csr_array, weighted: sparse.csr_array, penalty: Floats, wanted: Floats) -> Floats:
    """(H + penalty)^-1 of several columns at once, (effects, columns), by conjugate gradients scaled by the diagonal."""
    turned = sparse.csr_array(design.T)
    scale = np.asarray(weighted.sum(axis=0)).ravel() + penalty
    scale = np.where(scale > 0, 1 / np.maximum(scale, 1e-300), 0.0)[:, None]
    found, left = np.zeros_like(wanted), wanted.copy()
    scaled = scale * left
    along, size = scaled.copy(), (left * scaled).sum(axis=0)
    enough = CLOSE**2 * size
    for _ in range(STEPS):
        if (size <= enough).all():
            break
        ahead = turned @ (weighted @ along) + penalty[:, None] * along
        bend = (along * ahead).sum(axis=0)
        step = np.divide(size, bend, out=np.zeros_like(size), where=bend > 0)
        found, left = found + step * along, left - step * ahead
        scaled, before = scale * left, size
        size = (left * scaled).sum(axis=0)
        along = scaled + np.divide(size, before, out=np.zeros_like(size), where=before > 0) * along
    return found
