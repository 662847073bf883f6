"""How sure a score is: the 95 % interval, by the method that fits the metric.

Wilson      shares of independent records (accuracy, sensitivity, ...)
DeLong      the area under the ROC curve of independent records, on the logit scale
bootstrap   everything else, and everything where records come in groups
jackknife   in place of the bootstrap below 200 independent units, with Student's t, on the scale of the metric

Where no honest interval exists there is none, and the score says why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.evaluation.distributions import normal_quantile, normal_share, ranks, student_quantile
from bioloom.metrics.metric import PLAIN, Scale

LEVEL = 0.95
"""The share of repetitions of a study in which an interval should hold the true value."""

Z = float(normal_quantile(0.5 + LEVEL / 2))

FEW_UNITS = 200
"""Below this many independent units the jackknife takes the place of the bootstrap: it covers better there."""

FEWEST_UNITS = 5
"""With fewer units than this, draws hold so few different records that no interval is given."""

MOST_UNDEFINED = 0.05
"""Where the score is undefined in a larger share of draws than this, no interval is given."""


@dataclass(frozen=True)
class Interval:
    """The ends of a 95 % interval and how they were found; None and a reason where there is none."""

    low: float | None
    high: float | None
    method: str
    reason: str | None = None


@dataclass(frozen=True)
class Score:
    """A score with its 95 % interval.

    value:     None where the metric is not defined
    n:         records it was worked out on
    method:    how the interval was found
    undefined: why the value, or only the interval, is not defined; None where both are
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str
    undefined: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json; six significant digits."""
        content: dict[str, Any] = {
            "value": rounded(self.value),
            "low": rounded(self.low),
            "high": rounded(self.high),
            "n": self.n,
            "interval": self.method,
        }
        return content | ({"undefined": self.undefined} if self.undefined else {})


def decimals(low: float, high: float) -> int:
    """Decimals that tell the ends of an interval from each other and from 0; two where that is enough."""
    if low == high:
        return 2
    for digits in range(2, 6):
        ends = {round(low, digits), round(high, digits), 0.0}
        if len(ends) == 3 or (len(ends) == 2 and 0.0 in (low, high)):
            return digits
    return 6


def rounded(value: float | None) -> float | None:
    """Six significant digits, so that files do not depend on the last bits of a sum."""
    return None if value is None else float(f"{value:.6g}")


def no_interval(reason: str) -> Interval:
    """There is no interval, because."""
    return Interval(None, None, "none", reason)


# ---- shares ---------------------------------------------------------------------------------------------


def wilson(successes: float, trials: float) -> Interval:
    """The interval of a share of independent records (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    if trials <= 0:
        return no_interval("there is no record to count")
    share, denominator = successes / trials, 1 + Z**2 / trials
    centre = (share + Z**2 / (2 * trials)) / denominator
    half = Z / denominator * np.sqrt(share * (1 - share) / trials + Z**2 / (4 * trials**2))
    return Interval(max(0.0, float(centre - half)), min(1.0, float(centre + half)), "Wilson")


# ---- area under the ROC curve ---------------------------------------------------------------------------


def area_and_error(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> tuple[float, float]:
    """The area under the ROC curve and its standard error, from midranks.

    DeLong 1988 (doi:10.2307/2531595) in the form of Sun and Xu 2014 (doi:10.1109/LSP.2014.2337313).
    """
    among_all = ranks(score)
    positives, negatives = int(positive.sum()), int((~positive).sum())
    above = (among_all[positive] - ranks(score[positive])) / negatives  # per positive
    below = 1 - (among_all[~positive] - ranks(score[~positive])) / positives  # per negative
    variance = sum(part.var(ddof=1) / len(part) for part in (above, below) if len(part) > 1)
    return float(above.mean()), float(np.sqrt(variance))


def delong(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> Interval:
    """The interval of an area under the ROC curve of independent records, on the logit scale."""
    if min(positive.sum(), (~positive).sum()) < 2:
        return no_interval("one of the classes has fewer than two records")
    if score.min() == score.max():
        return no_interval("every prediction is the same")
    area, error = area_and_error(positive, score)
    if area in (0.0, 1.0):
        return _newcombe(area, int(positive.sum()), int((~positive).sum()))
    logit, half = np.log(area / (1 - area)), Z * error / (area * (1 - area))
    low, high = 1 / (1 + np.exp(-np.array([logit - half, logit + half])))
    return Interval(float(low), float(high), "DeLong, logit scale")


def _newcombe(area: float, positives: int, negatives: int) -> Interval:
    """Where all pairs are in order DeLong's error is 0; this interval stays honest there.

    The areas whose own standard error reaches `area` (Newcombe 2006, method 5, doi:10.1002/sim.2324).
    """
    grid = np.linspace(0, 1, 20001)
    extra = (positives + negatives) / 2 - 1
    weight = 1 + extra * ((1 - grid) / (2 - grid) + grid / (1 + grid))
    variance = grid * (1 - grid) * weight / (positives * negatives)
    inside = grid[(area - grid) ** 2 <= Z**2 * variance + 1e-15]
    return Interval(float(inside.min()), float(inside.max()), "Newcombe method 5")


# ---- everything else ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Drawn:
    """A number worked out on all records, on each bootstrap draw, and with each unit left out.

    value:    on all records
    draws:    (draws,)
    left_out: (units,); empty where there are 200 units or more
    units:    independent records or groups
    grouped:  whether the units are groups
    scale:    on which axis the number spreads evenly
    """

    value: float
    draws: NDArray[np.float64]
    left_out: NDArray[np.float64]
    units: int
    grouped: bool
    scale: Scale = PLAIN

    def minus(self, other: Drawn) -> Drawn:
        """The difference, draw by draw: both were worked out on the same records."""
        return Drawn(
            self.value - other.value,
            self.draws - other.draws,
            self.left_out - other.left_out,
            self.units,
            self.grouped,
        )


def resampled_interval(drawn: Drawn) -> Interval:
    """By jackknife where there are few units, by bootstrap where there are many."""
    units = "groups" if drawn.grouped else "records"
    if not np.isfinite(drawn.value):
        return no_interval("the value is not defined")
    if drawn.units < FEWEST_UNITS:
        few = (
            f"{drawn.units} independent {units} are" if drawn.units != 1 else f"1 independent {units[:-1]} is"
        )
        return no_interval(f"{few} too few for an interval")
    defined = drawn.draws[np.isfinite(drawn.draws)]
    undefined = 1 - len(defined) / len(drawn.draws)
    if undefined > MOST_UNDEFINED:
        return no_interval(f"the value is not defined in {undefined:.0%} of the bootstrap draws")
    by_jackknife = _jackknife(drawn, f"jackknife of {drawn.units} {units}")
    if by_jackknife is not None:
        return by_jackknife
    low, high = np.quantile(defined, tails(drawn.units))
    return Interval(float(low), float(high), f"bootstrap of {len(drawn.draws):,} draws of {units}")


def _jackknife(drawn: Drawn, method: str) -> Interval | None:
    """Student's t interval with the jackknife error on the stretched scale; None where it is not defined.

    Tukey 1958; error sqrt((u - 1) / u * sum of squares) of the values with each of u units left out.
    The degrees of freedom are fewer than u - 1 where a few units decide: see degrees_of_freedom.
    """
    if not len(drawn.left_out):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):  # a perfect score lies at the end of the scale
        centre = drawn.scale.stretch(np.array(drawn.value))
        left_out = drawn.scale.stretch(drawn.left_out)
        if not np.isfinite(centre) or not np.isfinite(left_out).all():
            return None
        apart = left_out - left_out.mean()
        error = np.sqrt((drawn.units - 1) / drawn.units * np.sum(apart**2))
        half = student_quantile(0.5 + LEVEL / 2, degrees_of_freedom(apart)) * error
        low, high = drawn.scale.back(np.array([centre - half, centre + half]))
    if not np.isfinite([low, high]).all() and drawn.scale.else_ is not None:
        return _jackknife(replace(drawn, scale=drawn.scale.else_), method)
    return Interval(float(low), float(high), method)


def degrees_of_freedom(apart: NDArray[np.float64]) -> float:
    """How many normal units would tell their spread as surely as these do, at most units - 1.

    apart: (units,) deviations from their mean. Where a few units deviate much more than the others the estimated
    variance is itself unsure: its variance is (kurtosis - 1 + 2 / (units - 1)) / units of its square, that of a
    chi-square with 2 units / (...) degrees of freedom (Satterthwaite 1946, doi:10.2307/3002019). The kurtosis of few
    units comes out too low; here it is the estimate without that bias (Joanes and Gill 1998, their G2,
    doi:10.1111/1467-9884.00122), and that of the normal distribution at least.
    """
    units, square = len(apart), float(np.mean(apart**2))
    if square == 0:
        return units - 1.0
    excess = float(np.mean(apart**4)) / square**2 - 3
    excess = (units - 1) / ((units - 2) * (units - 3)) * ((units + 1) * excess + 6)
    return 2 * units / (max(excess, 0.0) + 2 + 2 / (units - 1))


def tails(units: int) -> NDArray[np.float64]:
    """The two quantiles of the draws to read off; further out for few units, where draws spread too little.

    Hesterberg 2015, doi:10.1080/00031305.2015.1089789: Student's t with units - 1 degrees of freedom,
    and the variance divided by units - 1 rather than units.
    """
    reach = student_quantile(0.5 + LEVEL / 2, units - 1) * np.sqrt(units / (units - 1))
    return np.asarray(normal_share([-reach, reach]))
