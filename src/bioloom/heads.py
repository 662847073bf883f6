"""What a network may say of each target beside its prediction: how far off it expects to be.

Raw outputs are (records, outputs): the predictions of all targets first, then what is said of their spread, so that
whatever asks for a prediction only looks at the first columns. All in standard deviations of the training target.
"""

from __future__ import annotations

import math
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
    constant:   what is left out of the losses of a density, in nats; None where they are of no density
    """

    per_target: int
    losses: Callable[[Tensor, Tensor], Tensor]
    reach: Callable[[NDArray[np.floating], int], Reach]
    constant: float | None = None


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


ONE_DEVIATION = 0.15865525393145707
"""Share of a normal distribution that lies more than one standard deviation below its mean."""


def cauchy_losses(raw: Tensor, truth: Tensor) -> Tensor:
    """What a Cauchy distribution says of the truth, -log density without log pi, (records, targets): far-off truths,
    such as failed measurements, hardly move it.

    raw: (records, 2 x targets), its middle (the prediction), and then logarithms of squared half-widths
    """
    targets = truth.shape[1]
    middle, given = raw[:, :targets], raw[:, targets:]
    log_square = given.logaddexp(given.new_tensor(LEAST_VARIANCE).log())
    return 0.5 * log_square + ((truth - middle).square() * (-log_square).exp()).log1p()


def cauchy_reach(raw: NDArray[np.floating], targets: int) -> Reach:
    """To the ends of the middle 68 %, the same to both sides."""
    deviation, _ = gaussian_reach(raw, targets)
    reach = deviation * np.tan(np.pi * (0.5 - ONE_DEVIATION))
    return reach, reach


def skewed_losses(raw: Tensor, truth: Tensor) -> Tensor:
    """What a skewed t distribution says of the truth, -log density, (records, targets): tails as long as the data say,
    each side for itself.

    raw: (records, 4 x targets), the mode (the prediction), logarithms of squared scales, and what the shapes a and b of
    both sides are made from. With a = b it is Student's t with 2a degrees of freedom.
    Sources: Jones, Faddy (2003) doi:10.1111/1467-9868.00378; with its mode as prediction in MAVE-NN, Tareen et al. (2022)
    doi:10.1186/s13059-022-02661-7.
    """
    mode, given, first, second = raw.chunk(4, dim=1)
    a, b = ((1 + 3 * (each / 3).tanh()).exp() for each in (first, second))  # from 0.13 to 55
    log_square = given.logaddexp(given.new_tensor(LEAST_VARIANCE).log())
    at_mode = (a - b) * ((a + b) / ((2 * a + 1) * (2 * b + 1))).sqrt()
    t = at_mode + (truth - mode) * (-0.5 * log_square).exp()
    width = (a + b + t.square()).sqrt()
    larger = (t.abs() / width).log1p()
    smaller = ((a + b) / width / (width + t.abs())).log()  # log(1 - |t| / width) without loss of digits
    right = t >= 0
    log_kernel = (a + 0.5) * larger.where(right, smaller) + (b + 0.5) * smaller.where(right, larger)
    log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
    log_constant = (a + b - 1) * np.log(2.0) + log_beta + 0.5 * (a + b).log()
    losses: Tensor = log_constant + 0.5 * log_square - log_kernel
    return losses


def skewed_reach(raw: NDArray[np.floating], targets: int) -> Reach:
    """From the mode to the ends of the middle 68 %, which are quantiles of a beta distribution in disguise."""
    from scipy.special import betaincinv  # 0.3 s, which looking at data does not need

    given, *shapes = np.split(np.asarray(raw[:, targets:], dtype=np.float64), 3, axis=1)
    deviation = np.exp(0.5 * np.logaddexp(given, np.log(LEAST_VARIANCE)))
    a, b = (np.exp(1 + 3 * np.tanh(each / 3)) for each in shapes)
    at_mode = (a - b) * np.sqrt((a + b) / ((2 * a + 1) * (2 * b + 1)))

    def quantile(level: float) -> NDArray[np.float64]:
        share = betaincinv(a, b, level)
        rest = betaincinv(b, a, 1 - level)  # 1 - share without loss of digits
        found: NDArray[np.float64] = (
            np.sqrt(a + b) * (share - rest) / (2 * np.sqrt(share * rest).clip(min=1e-12))
        )
        return found

    below, above = at_mode - quantile(ONE_DEVIATION), quantile(1 - ONE_DEVIATION) - at_mode
    return deviation * below.clip(min=1e-3), deviation * above.clip(min=1e-3)


def _pinball(error: Tensor, level: float) -> Tensor:
    """What lies above costs its level, what lies below the rest, so that the level is where the loss is lowest."""
    return (level * error).maximum((level - 1) * error)


HEADS = {
    "quantile": Head(len(QUANTILES), quantile_losses, quantile_reach),
    "heteroscedastic": Head(2, gaussian_losses, gaussian_reach, 0.5 * math.log(2 * math.pi)),
    "cauchy": Head(2, cauchy_losses, cauchy_reach, math.log(math.pi)),
    "skewed_t": Head(4, skewed_losses, skewed_reach, 0.0),
}
"""By the word that users type as `training.loss`."""
