"""How many bits a prediction tells about the measurement: predictive information.

Mutual information asks for no shape of the relation: a model whose predictions are a bent function of the truth
loses nothing, as long as the measurement can be told from them. MAVE-NN reports the same number as I_predictive
(Tareen 2022, doi:10.1186/s13059-022-02661-7).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.special import digamma

from bioloom.evaluation.distributions import normal_quantile, student_quantile
from bioloom.evaluation.intervals import FEWEST_UNITS, LEVEL, Score
from bioloom.evaluation.resampling import Resampling

Floats = NDArray[np.float64]

NEIGHBOURS = 5
"""Nearest neighbours of the estimate, as in MAVE-NN."""

SPLITS = 25
"""Times that the records are parted into two halves at random, to see how sure the estimate is."""

MOST_RECORDS = 10_000
"""Above so many records a random part of them is used: the error of 10,000 is below 0.02 bits."""

FEWEST_RECORDS = 50
"""Halves with fewer than 25 records hold too few for a neighbourhood of five to be local."""

NAME = "predictive_information"
METHOD = f"{SPLITS} splits into halves, k nearest neighbours"


def predictive_information(
    truth: NDArray[Any], value: NDArray[Any], groups: NDArray[Any] | None = None, seed: int = 0
) -> Score:
    """How many bits the prediction tells about the measurement, with its 95 % interval.

    truth, value: (records,) or (records, targets), unknown truths NaN; several targets are averaged.
    groups: (records,) or None; halves are drawn by group where records come in groups.
    The estimator is that of Kraskov 2004, doi:10.1103/PhysRevE.69.066138. Its variance is half that of an estimate
    from half of the records, which the two halves of a split show without bias, as they share no record (Holmes and
    Nemenman 2019, doi:10.1103/PhysRevE.100.022404). Halves of different splits do share records but not neighbours:
    taken one by one they spread too much.
    """
    truths, values = (np.asarray(each, dtype=np.float64).reshape(len(each), -1) for each in (truth, value))
    known = np.flatnonzero(np.isfinite(truths).any(axis=1))
    if not np.isfinite(values[known]).all():
        return _undefined(len(known), "some predictions are not finite numbers")
    if len(known) < FEWEST_RECORDS:
        return _undefined(len(known), f"fewer than {FEWEST_RECORDS} records have a known value")
    random = np.random.default_rng(seed)
    chosen = np.sort(random.permutation(known)[:MOST_RECORDS])
    truths, values = truths[chosen], values[chosen]
    found = _over_targets(truths, values, np.arange(len(chosen)), seed)
    if not np.isfinite(found):
        return _undefined(len(chosen), "every true value is the same")
    plan = Resampling(len(chosen), None if groups is None else np.asarray(groups)[chosen], seed=seed)
    if plan.units < 2 * FEWEST_UNITS:
        return Score(max(0.0, found), None, None, len(chosen), "none", _few(plan))
    pairs = [[_over_targets(truths, values, np.flatnonzero(half), seed) for half in (first, ~first)]
             for first in _halves(plan, random)]  # fmt: skip
    error = np.sqrt(np.mean(np.diff(pairs) ** 2)) / 2
    reach = float(student_quantile(0.5 + LEVEL / 2, SPLITS) * error)
    if not np.isfinite(reach):
        return Score(max(0.0, found), None, None, len(chosen), "none",
                     "no interval, because the value is not defined in some of the halves")  # fmt: skip
    return Score(max(0.0, found), max(0.0, found - reach), max(0.0, found + reach), len(chosen), METHOD)


def variational_information(
    surprise: NDArray[Any], truth: NDArray[Any], groups: NDArray[Any] | None = None, classes: bool = False
) -> Score:
    """How many bits a model tells about the measurement by its own account of the noise, with its 95 % interval.

    surprise: (records,) -log of the probability, or of its density in the units of `truth`, that the model gave to each
    truth, nats; truth: (records,) numbers, or classes by number
    It is the mean of log2 p(y | prediction) / p(y): a lower bound of the predictive information, which it reaches where the
    account of the noise is right, as I_variational of MAVE-NN (Tareen 2022). The density of y is estimated from nearest
    neighbours (Kozachenko and Leonenko 1987), the probability of classes by their shares. The interval is that of a mean
    over records, or over groups.
    """
    known = np.isfinite(truth) & np.isfinite(surprise)
    told, values = np.asarray(surprise, dtype=np.float64)[known], np.asarray(truth, dtype=np.float64)[known]
    if len(values) < FEWEST_RECORDS:
        return _undefined(len(values), f"fewer than {FEWEST_RECORDS} records have a known value")
    usual = _log_shares(values) if classes else _log_density(values)
    if usual is None:
        return _undefined(len(values), "too many measurements are the same for a density")
    bits = (-told - usual) / np.log(2)
    codes = (
        np.arange(len(bits))
        if groups is None
        else np.unique(np.asarray(groups)[known], return_inverse=True)[1]
    )
    count = int(codes.max()) + 1
    if count < FEWEST_UNITS:
        return Score(
            float(bits.mean()),
            None,
            None,
            len(bits),
            "none",
            f"no interval, because {count} groups are too few",
        )
    apart = np.bincount(codes, bits - bits.mean())  # (groups,)
    error = np.sqrt((apart**2).sum() * count / (count - 1)) / len(bits)
    reach = float(student_quantile(0.5 + LEVEL / 2, count - 1) * error)
    return Score(
        float(bits.mean()),
        float(bits.mean()) - reach,
        float(bits.mean()) + reach,
        len(bits),
        "mean over records",
    )


def _log_density(values: Floats) -> Floats | None:
    """The logarithm of the density at each of n numbers, from the distance to the sqrt(n)-th nearest, so that some repeated
    numbers do no harm; None where more are the same."""
    near = max(NEIGHBOURS, round(np.sqrt(len(values))))
    nearest, _ = KDTree(values[:, None]).query(values[:, None], k=[near + 1])
    reach = np.asarray(nearest, dtype=np.float64)[:, 0]
    if (reach <= 0).any():
        return None
    return np.asarray(digamma(near) - digamma(len(values)) - np.log(2 * reach))


def _log_shares(values: Floats) -> Floats:
    """The logarithm of the share of the class of each record."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray(np.log(counts[codes] / len(values)))


def mutual_information(a: Floats, b: Floats, seed: int = 0) -> float:
    """Mutual information of two numbers per record, in bits; (records,) each, no missing values.

    Both are first replaced by normal scores of their ranks, ties broken at random: the information is that of the
    copula and does not change, and repeated values (where every neighbour would be at distance 0) do no harm.
    """
    random = np.random.default_rng(seed)
    points = np.column_stack([_normal_scores(a, random), _normal_scores(b, random)])
    nearest, _ = KDTree(points).query(points, k=[NEIGHBOURS + 1], p=np.inf)  # the point itself is the first
    reach = np.asarray(nearest, dtype=np.float64)[:, 0]
    inside = [_closer(points[:, i], reach) for i in range(2)]
    nats = digamma(NEIGHBOURS) + digamma(len(points)) - sum(digamma(n + 1).mean() for n in inside)
    return float(nats / np.log(2))


def _normal_scores(values: Floats, random: np.random.Generator) -> Floats:
    order = np.lexsort((random.random(len(values)), values))
    ranks = np.empty(len(values))
    ranks[order] = np.arange(1, len(values) + 1)
    return np.asarray(normal_quantile((ranks - 0.5) / len(values)))


def _closer(values: Floats, reach: Floats) -> NDArray[np.int64]:
    """How many other records lie strictly within reach of each."""
    ordered = np.sort(values)
    # one unit in the last place would be lost in the sums below: ends are outside
    within = reach * (1 - 1e-9)
    below = np.searchsorted(ordered, values - within, side="left")
    above = np.searchsorted(ordered, values + within, side="right")
    return np.asarray(np.maximum(above - below - 1, 0), dtype=np.int64)


def _over_targets(truths: Floats, values: Floats, index: NDArray[np.int64], seed: int) -> float:
    """The mean over the targets that vary; NaN where none does. A constant prediction tells nothing: 0 bits."""
    found = []
    for i in range(truths.shape[1]):
        known = index[np.isfinite(truths[index, i])]
        truth, value = truths[known, i], values[known, i]
        if len(known) > NEIGHBOURS and truth.min() < truth.max():
            found.append(mutual_information(truth, value, seed) if value.min() < value.max() else 0.0)
    return float(np.mean(found)) if found else float("nan")


def _halves(plan: Resampling, random: np.random.Generator) -> list[NDArray[np.bool_]]:
    """Which records are in the first half of each split; groups stay together."""
    return [(random.permutation(plan.units) < plan.units // 2)[plan.codes] for _ in range(SPLITS)]


def _few(plan: Resampling) -> str:
    return f"no interval, because {plan.units} independent groups are too few for one"


def _undefined(n: int, reason: str) -> Score:
    return Score(None, None, None, n, "none", f"not defined, because {reason}")
