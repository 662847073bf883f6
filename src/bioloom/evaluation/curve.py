"""Would more data help? The score at growing numbers of training records, and where its curve leads.

The error falls as a power of the number of records towards a floor: error = a n^-b + c (Hestness 2017,
arXiv:1712.00409; Viering and Loog 2023, doi:10.1109/TPAMI.2022.3220744). The question is answered for twice the
records, no further; where the points do not fall there is no answer, and the reason is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.evaluation.distributions import normal_quantile
from bioloom.evaluation.intervals import LEVEL, rounded
from bioloom.metrics import METRICS, Metric

Floats = NDArray[np.float64]

FEWEST_POINTS = 3
"""Different sizes below which no curve is fitted."""

FLOOR_FROM = 4
"""Different sizes from which the floor c is fitted as well; with fewer it is 0, but the interval allows for one."""

SLOPES = np.geomspace(0.01, 2.0, 40)
"""Exponents tried: from almost flat to steeper than any learning curve that has been reported."""

REFINEMENTS = 25
"""Each cuts the bracket of the exponent to two thirds."""


@dataclass(frozen=True)
class Trained:
    """A model trained on a part of the training records and scored on the test records.

    n:       training records
    score:   on all test records
    draws:   (draws,) on bootstrap draws, the same draws at every size; empty where there are none
    seed_sd: standard deviation of the score over trainings with other seeds; 0 where it is not known
    role:    "model", or the name of the simpler model
    """

    n: int
    score: float
    draws: Floats
    seed_sd: float = 0.0
    role: str = "model"


@dataclass(frozen=True)
class Point:
    """A point of the curve, in the metric itself, with its 95 % interval where there are draws."""

    n: int
    value: float
    low: float | None
    high: float | None
    role: str

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        return {
            name: each if isinstance(each, (int, str)) else rounded(each) for name, each in vars(self).items()
        }


@dataclass(frozen=True)
class Doubling:
    """What twice the records would add, in the metric; positive is better. None where it cannot be said."""

    gain: float | None
    low: float | None = None
    high: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        return {name: rounded(value) for name, value in vars(self).items()}


@dataclass(frozen=True)
class Curve:
    """A fitted learning curve; error = a n^-b + c, where the error is the distance to the best score.

    a, b, c:     None where no curve is fitted
    unsupported: why nothing is said about twice the data; None where something is
    ahead:       (n, value, low, high) of the fitted curve, from the first size to four times the last
    """

    metric: str
    points: tuple[Point, ...]
    a: float | None
    b: float | None
    c: float | None
    doubling: Doubling
    ahead: tuple[tuple[float, float, float, float], ...]
    text: str
    unsupported: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        return {
            "metric": self.metric,
            "points": [point.to_json() for point in self.points],
            **{name: rounded(getattr(self, name)) for name in ("a", "b", "c")},
            "doubling": self.doubling.to_json(),
            "curve": [[rounded(number) for number in row] for row in self.ahead],
            "text": self.text,
        } | ({"unsupported": self.unsupported} if self.unsupported else {})


@dataclass(frozen=True)
class _Errors:
    """Errors at increasing sizes: found (sizes,), drawn (sizes, draws), where points of one size are averaged."""

    sizes: Floats
    found: Floats
    drawn: Floats


def learning_curve(metric_name: str, trained: Sequence[Trained], seed: int = 0) -> Curve:
    """Fit the curve of the model and say what twice the training records would add.

    trained: any number of sizes and roles; points of one size and role are averaged. The interval comes from
    fitting every bootstrap draw of the test records, joined over sizes, with the spread of seeds added at random;
    with draws but without that spread it covers the choice of test records only.
    """
    metric = METRICS[metric_name]
    own = [each for each in trained if each.role == "model"]
    points = tuple(
        _point(each) for each in sorted(trained, key=lambda each: (each.role != "model", each.role, each.n))
    )
    nothing = Curve(metric_name, points, None, None, None, Doubling(None), (), "")
    errors = _errors(metric, own, np.random.default_rng(seed))
    problem = _problem(errors)
    if len(errors.sizes) < FEWEST_POINTS or not np.isfinite(errors.found).all():
        return replace(
            nothing, unsupported=problem, text=f"Whether more data would help cannot be said: {problem}."
        )
    floor = len(errors.sizes) >= FLOOR_FROM
    last = errors.sizes[-1]
    weight = _weights(errors)
    fit = fit_power_law(errors.sizes / last, errors.found[:, None], weight, floor=floor)
    # the interval knows of a floor that three sizes cannot show, else it would hold the truth of a curve with one
    # in 4 % of studies in place of 95 % (docs/reference/honesty.md)
    drawn = fit_power_law(errors.sizes / last, errors.drawn, weight, floor=True)
    scale, slope, level = (float(part[0]) for part in fit)
    doubling = _doubling(fit, drawn) if problem is None else Doubling(None)
    grid = np.geomspace(errors.sizes[0], 4 * last, 60)
    return Curve(
        metric_name, points, scale * last**slope, slope, level, doubling,
        ahead=_ahead(metric, grid, last, (fit, drawn)) if problem is None else (),
        text=_sentence(metric, doubling, problem, floor), unsupported=problem,
    )  # fmt: skip


def fit_power_law(
    sizes: Floats, errors: Floats, weight: Floats, *, floor: bool
) -> tuple[Floats, Floats, Floats]:
    """Weighted least squares of a n^-b + c with a >= 0, 0.01 <= b <= 2, c >= 0, for every draw at once.

    sizes: (sizes,) best given relative to the largest; errors: (sizes, draws); weight: (sizes,). Given b the
    problem is linear in a and c and solved exactly (variable projection, Golub and Pereyra 1973), so that there
    are no starting values; b is then refined between the
    tried exponents. Returns (draws,) each.
    """
    draws = errors.shape[1]
    loss = np.stack([_loss(sizes, errors, weight, np.full(draws, b), floor) for b in SLOPES])
    best = loss.argmin(axis=0)
    low, high = SLOPES[np.maximum(best - 1, 0)], SLOPES[np.minimum(best + 1, len(SLOPES) - 1)]
    for _ in range(REFINEMENTS):  # the best exponent lies in the better two thirds of its bracket
        left, right = low + (high - low) / 3, high - (high - low) / 3
        to_left = _loss(sizes, errors, weight, left, floor) <= _loss(sizes, errors, weight, right, floor)
        low, high = np.where(to_left, low, left), np.where(to_left, right, high)
    slope = (low + high) / 2
    scale, level = _linear(sizes, errors, weight, slope, floor)
    return scale, np.asarray(slope), level


def _linear(
    sizes: Floats, errors: Floats, weight: Floats, slope: Floats, floor: bool
) -> tuple[Floats, Floats]:
    """The best a >= 0 and c >= 0 for given exponents; slope (draws,) -> (draws,) each."""
    x, w = sizes[:, None] ** -slope, weight[:, None]  # (sizes, draws), (sizes, 1)
    sx, sy, sxx, sxy, n = (
        (w * x).sum(0),
        (w * errors).sum(0),
        (w * x * x).sum(0),
        (w * x * errors).sum(0),
        w.sum(),
    )
    alone = np.maximum(sxy / sxx, 0.0)
    if not floor:
        return alone, np.zeros_like(alone)
    around = n * sxx - sx**2
    scale = np.where(around > 1e-14 * n * sxx, (n * sxy - sx * sy) / np.where(around > 0, around, 1.0), 0.0)
    level = (sy - scale * sx) / n
    rising, sunk = scale < 0, level < 0
    return (
        np.where(rising, 0.0, np.where(sunk, alone, scale)),
        np.where(rising, np.maximum(sy / n, 0.0), np.where(sunk, 0.0, level)),
    )


def _loss(sizes: Floats, errors: Floats, weight: Floats, slope: Floats, floor: bool) -> Floats:
    scale, level = _linear(sizes, errors, weight, slope, floor)
    return np.asarray(
        (weight[:, None] * (errors - scale * sizes[:, None] ** -slope - level) ** 2).sum(axis=0)
    )


def _point(trained: Trained) -> Point:
    draws = trained.draws[np.isfinite(trained.draws)]
    if not len(draws):
        return Point(trained.n, trained.score, None, None, trained.role)
    low, high = np.quantile(draws, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return Point(trained.n, trained.score, float(low), float(high), trained.role)


def _errors(metric: Metric, trained: Sequence[Trained], random: np.random.Generator) -> _Errors:
    sizes = sorted({each.n for each in trained})
    draws = min((len(each.draws) for each in trained), default=0)
    found, drawn = np.empty(len(sizes)), np.empty((len(sizes), draws))
    for i, size in enumerate(sizes):
        same = [each for each in trained if each.n == size]
        found[i] = np.mean([metric.gain(metric.best, each.score) for each in same])
        luck = [random.normal(0, each.seed_sd, draws) for each in same]
        drawn[i] = np.mean([_distance(metric, each.draws[:draws]) for each in same], axis=0) + np.mean(
            luck, axis=0
        )
    return _Errors(np.array(sizes, dtype=np.float64), found, drawn[:, np.isfinite(drawn).all(axis=0)])


def _distance(metric: Metric, scores: Floats) -> Floats:
    return metric.best - scores if metric.higher_is_better else scores - metric.best


def _weights(errors: _Errors) -> Floats:
    """1 / variance of each point, never more than a hundredfold apart; equal where there are no draws, or draws do not differ."""
    variance = errors.drawn.var(axis=1) if errors.drawn.shape[1] > 1 else np.zeros(len(errors.sizes))
    most = float(variance.max(initial=0.0))
    return np.asarray(1 / np.maximum(variance / most, 0.01)) if most > 0 else np.ones(len(variance))


def _problem(errors: _Errors) -> str | None:
    """Why the curve must not be followed further; None where it may."""
    if len(errors.sizes) < FEWEST_POINTS:
        return f"it takes {FEWEST_POINTS} sizes of training set or more"
    if not np.isfinite(errors.found).all():
        return "the score is not defined at every size"
    if errors.found[-1] >= errors.found[0]:
        return "the largest training set gives no better score than the smallest"
    steps = np.diff(errors.drawn, axis=0)  # (sizes - 1, draws), positive where more data did worse
    level = (1 - LEVEL) / 2 / max(len(steps), 1)  # Bonferroni: any of the steps may be the one
    worse = np.diff(errors.found) > 0
    if steps.shape[1]:
        worse &= np.quantile(steps, level, axis=1) > 0
    return "the score falls somewhere as records are added" if worse.any() else None


def _doubling(fit: tuple[Floats, Floats, Floats], drawn: tuple[Floats, Floats, Floats]) -> Doubling:
    """Sizes are relative to the largest, so the error there is a + c and at twice the records a 2^-b + c."""
    gain = float(fit[0][0] * (1 - 2.0 ** -fit[1][0]))
    gains = drawn[0] * (1 - 2.0 ** -drawn[1])
    if len(gains) < 2:
        return Doubling(gain)
    # around the fitted value: the draws are spread as the truth is, but lie on one side where a bound is met
    half = float(normal_quantile(0.5 + LEVEL / 2) * gains.std(ddof=1))
    low, high = np.quantile(gains, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return Doubling(gain, max(0.0, min(float(low), gain - half)), max(float(high), gain + half))


def _ahead(
    metric: Metric, grid: Floats, last: float, fits: tuple[tuple[Floats, Floats, Floats], ...]
) -> tuple[tuple[float, float, float, float], ...]:
    sign = -1.0 if metric.higher_is_better else 1.0
    fitted, drawn = (
        metric.best + sign * (scale * (grid[:, None] / last) ** -slope + level)
        for scale, slope, level in fits
    )
    if drawn.shape[1] < 2:
        drawn = fitted
    low, high = np.quantile(drawn, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2], axis=1)
    return tuple(zip(grid.tolist(), fitted[:, 0].tolist(), low.tolist(), high.tolist(), strict=True))


def _sentence(metric: Metric, doubling: Doubling, problem: str | None, floor: bool) -> str:
    if problem is not None or doubling.gain is None:
        return f"Whether more data would help cannot be said: {problem}."
    places = _places(doubling.gain)
    gain, low, high = (f"{value or 0.0:.{places}f}" for value in (doubling.gain, doubling.low, doubling.high))
    span = "" if doubling.low is None else f" ({low} to {high})"
    does = f"add about {gain}{span} in" if metric.higher_is_better else f"take about {gain}{span} off the"
    told = f"Twice the data would {does} {metric.title}."
    return (
        told
        if floor
        else f"{told} With so few sizes a floor of the error was not looked for; this is the hopeful side."
    )


def _places(gain: float) -> int:
    """Two places after the point, or as many as show one digit; at most four."""
    return 2 if gain >= 0.01 or gain <= 0 else min(4, int(np.ceil(-np.log10(gain))))
