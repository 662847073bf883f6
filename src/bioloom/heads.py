"""What a network may say of each target beside its prediction: how far off it expects to be.

Raw outputs are (records, outputs): the predictions of all targets first, then what is said of their spread, so that
whatever asks for a prediction only looks at the first columns. All in standard deviations of the training target.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

Reach = tuple["NDArray[np.float64]", "NDArray[np.float64]"]
"""How far below and above its predictions a network expects the truth to lie, each (records, targets)."""

QUANTILES = (0.05, 0.5, 0.95)
"""The quantiles that the quantile loss learns; the middle one is the prediction."""

LEAST_VARIANCE = 1e-4
"""Variance that is always added: no target is told to within less than 1 % of its spread."""


@dataclass(frozen=True)
class Head:
    """A way to say how far a prediction may be off.

    per_target: raw outputs for each target
    losses:     (raw, standardised truth) -> loss of each record and target
    reach:      (raw, number of targets) -> how far below and above the prediction the truth is expected
    """

    per_target: int
    losses: Callable[[Tensor, Tensor], Tensor]
    reach: Callable[[NDArray[np.floating], int], Reach]


def gaussian_losses(raw: Tensor, truth: Tensor) -> Tensor:
    """What a normal distribution with the predicted mean and variance says of the truth, -log density, (records, targets).

    raw: (records, 2 x targets), means and then logarithms of variances; 1/2 log(2 pi) is left out
    Source: Nix, Weigend (1994) doi:10.1109/ICNN.1994.374138.
    """
    targets = truth.shape[1]
    mean, given = raw[:, :targets], raw[:, targets:]
    log_variance = given.logaddexp(given.new_tensor(LEAST_VARIANCE).log())
    return 0.5 * (log_variance + (truth - mean).square() * (-log_variance).exp())


def gaussian_reach(raw: NDArray[np.floating], targets: int) -> Reach:
    """The predicted standard deviation, the same to both sides."""
    given = np.asarray(raw[:, targets:], dtype=np.float64)
    deviation = np.exp(0.5 * np.logaddexp(given, np.log(LEAST_VARIANCE)))
    return deviation, deviation


def quantile_losses(raw: Tensor, truth: Tensor) -> Tensor:
    """The mean pinball loss of the quantiles, (records, targets).

    raw: (records, 3 x targets), medians, then what the distances to the lower and to the upper quantile are made from;
    these are never negative, so that quantiles cannot cross.
    Source: Koenker, Bassett (1978) doi:10.2307/1913643.
    """
    targets = truth.shape[1]
    median, gaps = raw[:, :targets], raw[:, targets:].logaddexp(raw.new_zeros(()))  # softplus
    ends = (median - gaps[:, :targets], median, median + gaps[:, targets:])
    losses = [_pinball(truth - end, level) for end, level in zip(ends, QUANTILES, strict=True)]
    return (losses[0] + losses[1] + losses[2]) / len(QUANTILES)


def quantile_reach(raw: NDArray[np.floating], targets: int) -> Reach:
    """The distances from the median to the outer quantiles."""
    gaps = np.logaddexp(np.asarray(raw[:, targets:], dtype=np.float64), 0).clip(min=np.sqrt(LEAST_VARIANCE))
    return gaps[:, :targets], gaps[:, targets:]


def _pinball(error: Tensor, level: float) -> Tensor:
    """What lies above costs its level, what lies below the rest, so that the level is where the loss is lowest."""
    return (level * error).maximum((level - 1) * error)


HEADS = {
    "quantile": Head(len(QUANTILES), quantile_losses, quantile_reach),
    "heteroscedastic": Head(2, gaussian_losses, gaussian_reach),
}
"""By the word that users type as `training.loss`."""
