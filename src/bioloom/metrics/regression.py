"""How close predicted numbers are to measured ones: each target by itself, then the mean over targets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bioloom.metrics.metric import (
    FISHER,
    MEAN,
    ROOT_MEAN,
    UNEXPLAINED,
    Estimate,
    Floats,
    Metric,
    Pairs,
    always,
    by_value,
    mean_of,
    over_columns,
    ratio,
)


def _targets(pairs: Pairs) -> list[tuple[NDArray[np.int64] | None, Floats, Floats]]:
    """For each target: which records are known (None: all), their truths and their values.

    Where every place of a record has a target: the records of all known places, one after another.
    """
    truth, value = np.asarray(pairs.truth, dtype=np.float64), np.asarray(pairs.value, dtype=np.float64)
    known = np.isfinite(truth)
    return [
        (
            None if truth.ndim == 2 and known[:, i].all() else np.nonzero(known[:, i])[0],
            truth[:, i][known[:, i]],
            value[:, i][known[:, i]],
        )
        for i in range(truth.shape[1])
    ]


def _over_targets(
    single: Callable[[Floats, Floats], Estimate], problem: Callable[[Floats, Floats], str | None]
) -> Callable[[Pairs], Estimate]:
    """Average an estimate over the targets for which it is defined."""

    def prepare(pairs: Pairs) -> Estimate:
        defined = [
            (known, single(truth, value))
            for known, truth, value in _targets(pairs)
            if problem(truth, value) is None
        ]

        def estimate(weights: Floats) -> Floats:
            each = [one(weights if known is None else weights[known]) for known, one in defined]
            return np.mean(each, axis=0) if each else np.full(weights.shape[1], np.nan)

        return estimate

    return prepare


def _any_target(problem: Callable[[Floats, Floats], str | None]) -> Callable[[Pairs], str | None]:
    """The first problem, if there is no target without one."""

    def reason(pairs: Pairs) -> str | None:
        problems = [problem(truth, value) for _, truth, value in _targets(pairs)]
        return problems[0] if all(problems) else None

    return reason


def _no_values(truth: Floats, value: Floats) -> str | None:
    if not len(truth):
        return "no record has a known value"
    return None if np.isfinite(value).all() else "some predictions are not finite numbers"


def _no_spread(truth: Floats, value: Floats) -> str | None:
    problem = _no_values(truth, value)
    if problem is None and truth.min() == truth.max():
        return "every true value is the same"
    return problem


def _no_correlation(truth: Floats, value: Floats) -> str | None:
    problem = _no_spread(truth, value)
    if problem is None and value.min() == value.max():
        return "every prediction is the same"
    return problem


def _standard(values: Floats) -> Floats:
    """Centred and scaled, so that sums of squares lose no digits; constant values become exactly 0."""
    spread = np.ptp(values)
    return np.asarray((values - values.mean()) / spread if spread > 0 else np.zeros_like(values))


def _correlation(weights: Floats, a: Floats, b: Floats) -> Floats:
    """Pearson correlation from sums over columns of products."""
    moments = np.column_stack([np.ones_like(a), a, b, a * a, b * b, a * b]).T @ weights  # (6, draws)
    n, sum_a, sum_b, aa, bb, ab = moments
    return _from_sums(n * ab - sum_a * sum_b, n * aa - sum_a**2, n * bb - sum_b**2, n * n)


def _from_sums(ab: Floats, aa: Floats, bb: Floats, scale: Floats) -> Floats:
    flat = (aa <= 1e-12 * scale) | (bb <= 1e-12 * scale)  # constant within the draw, up to rounding
    return np.clip(ratio(ab, np.where(flat, 0.0, np.sqrt(np.abs(aa * bb)))), -1.0, 1.0)


def _pearson(truth: Floats, value: Floats) -> Estimate:
    a, b = _standard(truth), _standard(value)
    return lambda weights: _correlation(weights, a, b)


def _ranker(values: Floats) -> Callable[[Floats], Floats]:
    """Midranks of the records in each draw, centred; records that share a value share a rank."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    first = np.r_[True, ordered[1:] != ordered[:-1]]
    starts = np.flatnonzero(first)
    place = np.empty(len(values), dtype=np.int64)
    place[order] = np.cumsum(first) - 1

    def ranks(weights: Floats) -> Floats:
        counts = by_value(weights[order], starts)  # (distinct values, draws)
        below = np.cumsum(counts, axis=0)
        below -= 0.5 * counts
        below -= 0.5 * below[-1:] + 0.25 * counts[-1:]  # half of all: the mean midrank
        return below[place]

    return ranks


def _spearman(truth: Floats, value: Floats) -> Estimate:
    truth_ranks, value_ranks = _ranker(truth), _ranker(value)

    def estimate(weights: Floats) -> Floats:
        a, b = truth_ranks(weights), value_ranks(weights)
        wa = weights * a
        ab, aa = np.einsum("nd,nd->d", wa, b), np.einsum("nd,nd->d", wa, a)
        bb = np.einsum("nd,nd,nd->d", weights, b, b)
        return _from_sums(ab, aa, bb, weights.sum(axis=0))

    return estimate


def _r2(truth: Floats, value: Floats) -> Estimate:
    spread = np.ptp(truth)
    a, residual = _standard(truth), (truth - value) / (spread if spread > 0 else 1.0)
    columns = np.column_stack([np.ones_like(a), a, a * a, residual * residual])

    def estimate(weights: Floats) -> Floats:
        n, sum_a, aa, error = columns.T @ weights
        around = aa - ratio(sum_a**2, n)
        return 1.0 - ratio(error, np.where(around <= 1e-12 * n, 0.0, around))

    return estimate


def _concordance(truth: Floats, value: Floats) -> Estimate:
    """Lin 1989, doi:10.2307/2532051: 2 cov / (var + var + squared distance of the means)."""
    spread = np.ptp(truth)
    centre, unit = truth.mean(), spread if spread > 0 else 1.0
    a, b = (truth - centre) / unit, (value - centre) / unit
    columns = np.column_stack([np.ones_like(a), a, b, a * a, b * b, a * b])

    def estimate(weights: Floats) -> Floats:
        n, sum_a, sum_b, aa, bb, ab = columns.T @ weights
        around_a, around_b = n * aa - sum_a**2, n * bb - sum_b**2
        apart = around_a + around_b + (sum_a - sum_b) ** 2
        shared = 2.0 * (n * ab - sum_a * sum_b)
        return np.clip(ratio(shared, np.where(around_a <= 1e-12 * n * n, 0.0, apart)), -1.0, 1.0)

    return estimate


def _mae(truth: Floats, value: Floats) -> Estimate:
    return mean_of(np.abs(truth - value))


def _rmse(truth: Floats, value: Floats) -> Estimate:
    mean_square = mean_of((truth - value) ** 2)
    return lambda weights: np.sqrt(mean_square(weights))


def _explained(pairs: Pairs) -> Estimate:
    """1 - (squared errors of all targets) / (squared distances of all truths from the means of their targets)."""
    truth, value = np.asarray(pairs.truth, dtype=np.float64), np.asarray(pairs.value, dtype=np.float64)
    known = np.isfinite(truth)
    filled = np.where(known, truth, 0.0)
    centre = filled.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, truth - centre, 0.0)
    error = np.where(known, truth - value, 0.0)
    of_record = np.column_stack([(error**2).sum(axis=1), (centred**2).sum(axis=1)])
    counted = known.astype(np.float64)

    def estimate(weights: Floats) -> Floats:
        errors, squares = of_record.T @ weights
        sums, counts = centred.T @ weights, counted.T @ weights  # (targets, draws)
        around = squares - ratio(sums**2, counts).sum(axis=0, where=counts > 0)
        return 1.0 - ratio(errors, np.where(around <= 1e-12 * squares, 0.0, around))

    return estimate


def _nothing_to_explain(pairs: Pairs) -> str | None:
    """Some target must differ between records; predictions of known targets must be numbers."""
    truth, value = np.asarray(pairs.truth, dtype=np.float64), np.asarray(pairs.value, dtype=np.float64)
    known = np.isfinite(truth)
    if not known.any():
        return "no record has a known value"
    if not np.isfinite(value[known]).all():
        return "some predictions are not finite numbers"
    lowest = np.where(known, truth, np.inf).min(axis=0)
    highest = np.where(known, truth, -np.inf).max(axis=0)
    return None if (highest > lowest).any() else "every true value is the same"


def _deviation(truth: Floats) -> float:
    return float(np.abs(truth - truth.mean()).mean())


REGRESSION = (
    Metric(
        name="variance_explained",
        title="share of variance explained",
        plain="The share of all differences between records, over all features together, that is still there after records "
        "were described by few numbers and restored from them: 1 is all, 0 is no better than naming the mean of each feature.",
        prepare=_explained,
        reason=_nothing_to_explain,
        scale=UNEXPLAINED,
        chance=always(0.0),
        range=(-np.inf, 1.0),
    ),
    Metric(
        name="spearman",
        title="Spearman correlation",
        plain="How well the predictions rank the records: 1 is exactly the right order, 0 is a guess; whether the "
        "numbers themselves are right is not asked.",
        prepare=_over_targets(_spearman, _no_correlation),
        reason=_any_target(_no_correlation),
        scale=FISHER,
        chance=always(0.0),
        range=(-1.0, 1.0),
    ),
    Metric(
        name="r2",
        title="R²",
        plain="The share of the differences between records that the predictions explain: 1 is all, "
        "0 is no better than always naming the mean, below 0 is worse than that.",
        prepare=_over_targets(_r2, _no_spread),
        reason=_any_target(_no_spread),
        scale=UNEXPLAINED,
        chance=always(0.0),
        range=(-np.inf, 1.0),
    ),
    Metric(
        name="pearson",
        title="Pearson correlation",
        plain="How close predictions and measurements lie to a straight line, from 0 (a guess) to 1; "
        "a wrong slope or offset does not lower it.",
        prepare=_over_targets(_pearson, _no_correlation),
        reason=_any_target(_no_correlation),
        scale=FISHER,
        chance=always(0.0),
        range=(-1.0, 1.0),
    ),
    Metric(
        name="concordance",
        title="concordance correlation",
        plain="How close predictions and measurements lie to the line on which they are equal: 1 is on it, 0 is a "
        "guess; unlike the Pearson correlation it falls with a wrong slope or offset.",
        prepare=_over_targets(_concordance, _no_spread),
        reason=_any_target(_no_spread),
        scale=FISHER,
        chance=always(0.0),
        range=(-1.0, 1.0),
    ),
    Metric(
        name="rmse",
        title="RMSE",
        plain="The typical size of an error, in the units of the measurement, with large errors "
        "counting more; 0 is perfect.",
        prepare=_over_targets(_rmse, _no_values),
        reason=_any_target(_no_values),
        scale=ROOT_MEAN,
        chance=over_columns(np.std),
        best=0.0,
        range=(0.0, np.inf),
        higher_is_better=False,
        format=".3g",
    ),
    Metric(
        name="mae",
        title="mean absolute error",
        plain="The mean size of an error, in the units of the measurement; 0 is perfect.",
        prepare=_over_targets(_mae, _no_values),
        reason=_any_target(_no_values),
        scale=MEAN,
        chance=over_columns(_deviation),
        best=0.0,
        range=(0.0, np.inf),
        higher_is_better=False,
        format=".3g",
    ),
)
