"""The contract of a metric, and what all metrics share.

A metric is written once, as a function of how often each record counts. With every record counted once it
is the score itself; with the counts of a bootstrap draw it is the score of that draw; with one record left
out it is the score of the jackknife. What does not depend on the counts (sorting, squaring) is done once,
and all draws are computed together, so that a thousand draws cost little more than ten.

Shapes: truth (records, targets), unknown ones NaN; value (records, targets) for regression, (records, 1)
probabilities of the positive class, or (records, classes) probabilities. Classes are numbers from 0.
Where every place of a record has a target, truths are (records, targets, *places) and values (records, targets or
classes, *places); weights are of records all the same, because the places of a record are not independent.
Weights are (records, draws). A value that is not defined is NaN, never 0, and `undefined` says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Estimate = Callable[[Floats], Floats]
"""weights (records, draws) -> the metric in each draw, (draws,)"""


@dataclass(frozen=True)
class Pairs:
    """Truths and predictions of the same records.

    threshold: probability from which a record is called positive
    """

    truth: NDArray[Any]
    value: NDArray[Any]
    threshold: float = 0.5


@dataclass(frozen=True)
class Scale:
    """A stretched axis on which a metric of few records spreads evenly to both sides.

    else_: the axis to use where an end of the interval would lie beyond the end of this one
    """

    stretch: Callable[[Floats], Floats]
    back: Callable[[Floats], Floats]
    else_: Scale | None = None


PLAIN = Scale(lambda value: value, lambda value: value)
FISHER = Scale(np.arctanh, np.tanh)  # correlations (Fisher 1915)
LOG = Scale(np.log, np.exp)
CUBE_ROOT = Scale(np.cbrt, lambda z: z**3)  # a share of a variance: one over a mean of squares, as below
LOGIT = Scale(lambda share: np.log(share / (1 - share)), lambda z: 1 / (1 + np.exp(-z)))  # shares

UNEXPLAINED = Scale(lambda r2: -np.log(1 - r2), lambda z: 1 - np.exp(-z))  # log of the share not explained


def of_a_mean(power: float) -> Scale:
    """The scale of a mean of squares, deviations or losses, to the given power: minus the mean to the power -1/3.

    Such numbers are skew, and where their mean is small by chance its estimated error is small too. On the scale
    mean^-p the distance from the truth in units of that error has skewness (3 p - 1) c / sqrt(units) if the numbers
    follow a gamma distribution with coefficient of variation c (delta method): none at p = 1/3. On a logarithm,
    p = 0, the upper end comes out too low.
    """
    return Scale(
        lambda value: -(value ** (-1 / (3 * power))),
        lambda z: np.maximum(-z, 0.0) ** (-3 * power),
        LOG,
    )


MEAN, ROOT_MEAN = of_a_mean(1.0), of_a_mean(0.5)


@dataclass(frozen=True)
class Metric:
    """One way to say how good predictions are.

    title:   how reports call it
    plain:   how it reads, one sentence for a biologist
    prepare: pairs -> estimate, a function of weights
    reason:  why it is not defined for these pairs; None where it is
    chance:  truth -> what guessing gives, knowing only the mean or how often each class occurs
    best, range, higher_is_better: its scale
    scale:   where its intervals are worked out when there are few records
    format:  how reports write it
    counts:  pairs -> (successes, trials) where the metric is a share of records
    ordered: pairs -> (is positive, score) where the metric is the share of pairs in the right order
    """

    name: str
    title: str
    plain: str
    prepare: Callable[[Pairs], Estimate]
    reason: Callable[[Pairs], str | None]
    chance: Callable[[Floats], float]
    best: float = 1.0
    range: tuple[float, float] = (0.0, 1.0)
    scale: Scale = LOGIT
    higher_is_better: bool = True
    format: str = ".3f"
    counts: Callable[[Pairs], tuple[int, int]] | None = None
    ordered: Callable[[Pairs], tuple[NDArray[np.bool_], Floats]] | None = None

    def __call__(self, truth: NDArray[Any], value: NDArray[Any], threshold: float = 0.5) -> float:
        """The metric of all records; NaN where it is not defined."""
        pairs = Pairs(truth, value, threshold)
        if self.reason(pairs) is not None:
            return float("nan")
        return float(self.prepare(pairs)(np.ones((len(truth), 1)))[0])

    def undefined(self, truth: NDArray[Any], value: NDArray[Any]) -> str | None:
        """Why the metric is not defined here, in words; None where it is."""
        return self.reason(Pairs(truth, value))

    def text(self, value: float | None) -> str:
        """The value as reports write it."""
        return "not defined" if value is None or not np.isfinite(value) else format(value, self.format)

    def gain(self, value: float, other: float) -> float:
        """How much better `value` is than `other`: positive is better, whatever the direction."""
        return value - other if self.higher_is_better else other - value


def ratio(top: Floats, bottom: Floats) -> Floats:
    """top / bottom, NaN where the bottom is 0."""
    empty: Floats = np.full(np.broadcast(top, bottom).shape, np.nan)
    np.divide(top, bottom, out=empty, where=bottom > 0)
    return empty


def by_value(ordered: Floats, starts: NDArray[np.int64]) -> Floats:
    """Add up the sorted rows that share a value; `starts` are the first rows of each value."""
    return ordered if len(starts) == len(ordered) else np.add.reduceat(ordered, starts, axis=0)


def mean_of(losses: Floats) -> Estimate:
    """The mean of a number per record."""
    return lambda weights: ratio(losses @ weights, weights.sum(axis=0))


def always(value: float) -> Callable[[Floats], float]:
    """A chance level that is the same for all data."""
    return lambda _: value


def over_columns(single: Callable[[Floats], Any]) -> Callable[[Floats], float]:
    """A chance level worked out from the known truths of each target, averaged over targets."""

    def chance(truth: Floats) -> float:
        # of all places, if any
        columns = (truth[:, i][np.isfinite(truth[:, i])] for i in range(truth.shape[1]))
        each = [float(single(column)) for column in columns if len(column)]
        return float(np.mean(each)) if each else float("nan")

    return chance
