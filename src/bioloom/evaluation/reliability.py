"""Does 80 % mean 80 %? Stated probabilities against what happened.

Even a perfect model shows a calibration error on few records, because shares in bins scatter: with 15 bins about
0.09 on 200 records and 0.04 on 1,000. So every error stands beside what a perfect model would show (draws of
labels from the stated probabilities; Brocker and Smith 2007, doi:10.1175/WAF993.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from bioloom.evaluation.distributions import lowest_ranks
from bioloom.evaluation.intervals import LEVEL, Z, rounded, wilson
from bioloom.evaluation.percent import percent

Floats = NDArray[np.float64]

BINS, FEWEST_PER_BIN = 15, 20
"""Bins of equal numbers of records; fewer bins where each would hold fewer than 20 records, never below 4."""

DRAWS = 1_000
"""Draws of labels from the stated probabilities."""

FEWEST = 20
"""With fewer records nothing can be said about calibration."""

EDGE = 1e-7
"""Probabilities are taken to lie this far from 0 and 1, so that the logarithms are finite."""


@dataclass(frozen=True)
class Bin:
    """Records with similar stated probabilities: their mean, how often it happened, its 95 % interval by Wilson,
    and where 95 % of the draws of a perfect model lie."""

    stated: float
    happened: float
    low: float
    high: float
    null_low: float
    null_high: float
    n: int

    def to_json(self) -> dict[str, Any]:
        """Six significant digits."""
        return {key: value if key == "n" else rounded(value) for key, value in self.__dict__.items()}


@dataclass(frozen=True)
class Line:
    """Intercept and slope with 95 % intervals; 0 and 1 for a perfect model."""

    intercept: tuple[float, float, float]
    slope: tuple[float, float, float]

    def to_json(self) -> dict[str, Any]:
        """Value, low and high of each."""
        return {
            name: dict(zip(("value", "low", "high"), map(rounded, part), strict=True))
            for name, part in (("intercept", self.intercept), ("slope", self.slope))
        }


@dataclass(frozen=True)
class Reliability:
    """How far stated probabilities can be trusted, on test records.

    event:     what the probability is of, in words
    n:         records; few: why nothing else is given
    error:     expected calibration error: the mean distance of bins from the diagonal, weighted by records
    expected:  the same for a perfect model: 2.5 %, 50 % and 97.5 % of draws
    p:         the share of draws with at least this error
    debiased:  root mean squared calibration error less what scatter alone adds; 0 where scatter explains it all
    brier, log_loss: mean squared distance and mean surprise
    line:      logistic recalibration: intercept of a model with slope 1, and slope (Cox 1958); None where the
               records are of one class or perfectly separated
    counts:    (20,) records by stated probability in steps of 5 %
    things:    what is counted, such as "positions" where each of them has a class
    """

    event: str
    n: int
    bins: tuple[Bin, ...] = ()
    error: float = float("nan")
    expected: tuple[float, float, float] = (float("nan"),) * 3
    p: float = float("nan")
    debiased: float = float("nan")
    brier: float = float("nan")
    log_loss: float = float("nan")
    line: Line | None = None
    counts: tuple[int, ...] = ()
    few: str = ""
    things: str = "records"

    @property
    def text(self) -> str:
        """What a stated probability is worth, in one or two sentences."""
        if self.few:
            return (
                f"Whether stated probabilities can be taken at their word cannot be said, because {self.few}."
            )
        top = self.bins[-1]
        ends = f"({percent(top.low)} to {percent(top.high)}, {top.n:,} test {self.things})"
        worth = f"When the model says {percent(top.stated)}, it is right about {percent(top.happened)} of the time {ends}."
        if top.stated < 0.5:
            worth = f"At its surest the model says {percent(top.stated)}, and {percent(top.happened)} come true {ends}."
        compared = f"off by {percent(self.error, 1)} on average, where a perfect model would be by {percent(self.expected[1], 1)}"
        if self.p > 0.05:
            return f"{worth} Over all {self.things} probabilities are {compared}: no sign that they cannot be trusted."
        return f"{worth} Over all {self.things} probabilities are {compared}{self.direction}."

    @property
    def direction(self) -> str:
        """Whether the model is too sure or too hesitant, where the slope says so; the end of a sentence."""
        if self.line is None:
            return ": do not take them at their word"
        _, low, high = self.line.slope
        if high < 1:
            return ": the model is surer than it should be"
        if low > 1:
            return ": the model is less sure than it could be"
        value, low, high = self.line.intercept
        if low > 0 or high < 0:
            return f": they are too {'low' if value > 0 else 'high'} throughout"
        return ": do not take them at their word"

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        head: dict[str, Any] = {"event": self.event, "n": self.n, "text": self.text}
        if self.few:
            return head | {"undefined": self.few}
        names = ("low", "median", "high")
        return head | {
            "error": rounded(self.error),
            "expected_error": dict(zip(names, map(rounded, self.expected), strict=True)),
            "p": rounded(self.p),
            "debiased_error": rounded(self.debiased),
            "brier": rounded(self.brier),
            "log_loss": rounded(self.log_loss),
            "recalibration": None if self.line is None else self.line.to_json(),
            "bins": [each.to_json() for each in self.bins],
            "counts": list(self.counts),
        }


def reliability(
    truth: NDArray[np.floating], probability: NDArray[np.floating], classes: tuple[str, ...], seed: int = 0
) -> Reliability:
    """Compare stated probabilities with what happened.

    truth:       (records,) class numbers, NaN where unknown
    probability: (records, 1) of the positive class; of several classes (records, classes), then the question is how
                 often the likeliest class is the true one
    """
    known = np.isfinite(truth)
    truth, value = truth[known], np.asarray(probability, dtype=np.float64)[known]
    if value.shape[1] == 1:
        happened, stated, event = truth == 1, value[:, 0], f'the record is "{classes[1]}"'
    else:
        happened, stated, event = (
            truth == value.argmax(axis=1),
            value.max(axis=1),
            "the likeliest class is the true one",
        )
    if len(truth) < FEWEST:
        return Reliability(event, len(truth), few=f"{len(truth)} test records are too few")
    return _measured(happened, stated, event, seed)


def _measured(happened: NDArray[np.bool_], stated: Floats, event: str, seed: int) -> Reliability:
    binned = equal_mass(stated)
    error, debiased = calibration_errors(happened[:, None].astype(np.float64), stated, binned)
    shares, errors = _perfect(stated, binned, seed)
    least, usual, most = map(float, np.quantile(errors, (0.025, 0.5, 0.975)))
    clipped = np.clip(stated, EDGE, 1 - EDGE)
    surprise = -np.log(np.where(happened, clipped, 1 - clipped))
    return Reliability(
        event=event,
        n=len(stated),
        bins=_bins(happened, stated, binned, shares),
        error=float(error[0]),
        expected=(least, usual, most),
        p=float((1 + (errors >= error[0] - 1e-12).sum()) / (1 + len(errors))),
        debiased=float(debiased[0]),
        brier=float(((stated - happened) ** 2).mean()),
        log_loss=float(surprise.mean()),
        line=_recalibration(happened, clipped),
        counts=tuple(map(int, np.histogram(stated, np.linspace(0, 1, 21))[0])),
    )


def equal_mass(stated: Floats, bins: int | None = None) -> NDArray[np.int64]:
    """The bin of each record, (records,), by rank: bins hold equally many; equal probabilities share a bin."""
    bins = bins or max(4, min(BINS, len(stated) // FEWEST_PER_BIN))
    first = lowest_ranks(stated) - 1
    codes = np.minimum(first * bins // len(stated), bins - 1).astype(np.int64)
    return np.asarray(np.unique(codes, return_inverse=True)[1], dtype=np.int64)


def calibration_errors(happened: Floats, stated: Floats, binned: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Expected and debiased root mean squared calibration error of each column of labels, (draws,).

    happened: (records, draws) 0 or 1; stated (records,); binned (records,) from 0
    Debiased: sum over bins of w [(p - y)^2 - y (1 - y) / (n - 1)] (Kumar et al. 2019, arXiv:1909.10155).
    """
    n = np.bincount(binned).astype(np.float64)
    share = _means(happened, binned, n)
    gap = np.bincount(binned, stated)[:, None] / n[:, None] - share
    weight = (n / n.sum())[:, None]
    scatter = share * (1 - share) / np.maximum(n - 1, 1)[:, None]
    squared = (weight * (gap**2 - scatter)).sum(axis=0)
    return (weight * np.abs(gap)).sum(axis=0), np.sqrt(np.maximum(squared, 0))


def _means(happened: Floats, binned: NDArray[np.int64], n: Floats) -> Floats:
    """(bins, draws) shares of records for which it happened."""
    order = np.argsort(binned, kind="stable")
    starts = np.concatenate([[0], np.cumsum(n)[:-1]]).astype(np.int64)
    return np.asarray(np.add.reduceat(happened[order], starts, axis=0) / n[:, None])


def _perfect(stated: Floats, binned: NDArray[np.int64], seed: int) -> tuple[Floats, Floats]:
    """Shares in bins (bins, draws) and errors (draws,) of a model that is right in every probability."""
    random = np.random.default_rng(seed)
    n = np.bincount(binned).astype(np.float64)
    step = max(1, 4_000_000 // len(stated))
    shares, errors = [], []
    for first in range(0, DRAWS, step):
        drawn = random.random((len(stated), min(step, DRAWS - first)), dtype=np.float32) < stated[:, None]
        happened = drawn.astype(np.float64)
        shares.append(_means(happened, binned, n))
        errors.append(calibration_errors(happened, stated, binned)[0])
    return np.concatenate(shares, axis=1), np.concatenate(errors)


def _bins(
    happened: NDArray[np.bool_], stated: Floats, binned: NDArray[np.int64], shares: Floats
) -> tuple[Bin, ...]:
    tail = (1 - LEVEL) / 2
    found = []
    for place in range(len(shares)):
        here = binned == place
        spread = wilson(float(happened[here].sum()), int(here.sum()))
        assert spread.low is not None
        assert spread.high is not None
        null = np.quantile(shares[place], (tail, 1 - tail))
        found.append(
            Bin(
                float(stated[here].mean()), float(happened[here].mean()), spread.low, spread.high,
                float(null[0]), float(null[1]), int(here.sum()),
            )
        )  # fmt: skip
    return tuple(found)


def _recalibration(happened: NDArray[np.bool_], stated: Floats) -> Line | None:
    """Logistic regression of what happened on the logit of what was stated, by Newton's method."""
    if happened.all() or not happened.any() or stated.min() == stated.max():
        return None
    x = logit(stated)
    both = _newton(np.column_stack([np.ones_like(x), x]), happened, np.zeros_like(x))
    level = _newton(np.ones((len(x), 1)), happened, x)
    if both is None or level is None:
        return None
    (_, slope), (_, slope_error) = both
    ((intercept,), (intercept_error,)) = level
    return Line(_with_ends(intercept, intercept_error), _with_ends(slope, slope_error))


def _newton(design: Floats, happened: NDArray[np.bool_], offset: Floats) -> tuple[Floats, Floats] | None:
    """Coefficients and their standard errors; None where the records are (nearly) separated."""
    solution = np.zeros(design.shape[1])
    for _ in range(50):
        chance = expit(design @ solution + offset)
        curvature = design.T @ (design * (chance * (1 - chance))[:, None])
        if np.linalg.cond(curvature) > 1e12:
            return None
        step = np.linalg.solve(curvature, design.T @ (happened - chance))
        solution = solution + np.clip(step, -2, 2)
        if np.abs(solution).max() > 50:
            return None
        if np.abs(step).max() < 1e-8:
            return solution, np.sqrt(np.diag(np.linalg.inv(curvature)))
    return None


def _with_ends(value: float, error: float) -> tuple[float, float, float]:
    return float(value), float(value - Z * error), float(value + Z * error)
