"""Scores of several models on the same test records, from the same draws.

All models are scored together, because a comparison is only fair where both sides saw the same draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bioloom.evaluation.intervals import (
    FEW_UNITS,
    Drawn,
    Interval,
    Score,
    delong,
    no_interval,
    resampled_interval,
    wilson,
)
from bioloom.evaluation.resampling import Resampling
from bioloom.metrics import METRICS, Metric, Pairs
from bioloom.tasks import Task

Values = NDArray[np.float32]


@dataclass(frozen=True)
class Resampled:
    """Every metric of every model, on all test records and on each draw.

    values: by model, its predictions
    drawn:  by model and metric; metrics that are not defined for that model are missing
    """

    task: Task
    truth: NDArray[np.float32]
    values: Mapping[str, Values]
    drawn: Mapping[tuple[str, str], Drawn]
    grouped: bool

    def scores(self, model: str) -> dict[str, Score]:
        """Each metric of the task for one model, with its interval."""
        pairs = Pairs(self.truth, self.values[model])
        return {name: self._score(METRICS[name], model, pairs) for name in self.task.metrics}

    def _score(self, metric: Metric, model: str, pairs: Pairs) -> Score:
        n = int(np.isfinite(self.truth).any(axis=tuple(range(1, self.truth.ndim))).sum())
        drawn = self.drawn.get((model, metric.name))
        if drawn is None:
            return Score(None, None, None, n, "none", f"not defined, because {metric.reason(pairs)}")
        interval = self._interval(metric, drawn, pairs)
        reason = None if interval.reason is None else f"no interval, because {interval.reason}"
        return Score(drawn.value, interval.low, interval.high, n, interval.method, reason)

    def _interval(self, metric: Metric, drawn: Drawn, pairs: Pairs) -> Interval:
        independent = not self.grouped and self.truth.ndim == 2  # the places of a record are not
        if metric.counts is not None and independent:
            return wilson(*metric.counts(pairs))
        if metric.ordered is not None and independent:
            return delong(*metric.ordered(pairs))
        interval = resampled_interval(drawn)
        if interval.low is None or interval.high is None:
            return interval
        if np.isclose(interval.low, interval.high, rtol=1e-6, atol=1e-12):
            return no_interval("every resampling gives the same value")
        lowest, highest = metric.range
        return replace(interval, low=max(interval.low, lowest), high=min(interval.high, highest))


def resample(
    task: Task, truth: NDArray[np.float32], values: Mapping[str, Values], plan: Resampling
) -> Resampled:
    """Work out all metrics of all models on the test records and on the draws of the plan.

    truth: (records, targets), unknown ones NaN; values: by model, (records, targets or classes).
    """
    estimates: dict[tuple[str, str], Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {}
    for model, value in values.items():
        pairs = Pairs(truth, value)
        for name in task.metrics:
            if METRICS[name].reason(pairs) is None:
                estimates[model, name] = METRICS[name].prepare(pairs)
    whole = np.ones((len(truth), 1))
    with threadpool_limits(1, "blas"):  # the matrices are narrow: a second thread only waits
        point = {key: float(estimate(whole)[0]) for key, estimate in estimates.items()}
        draws = _collect(estimates, plan.bootstrap())
        left_out = _collect(estimates, plan.leave_one_out()) if plan.units < FEW_UNITS else {}
    drawn = {
        key: Drawn(
            point[key],
            draws[key],
            left_out.get(key, np.empty(0)),
            plan.units,
            plan.grouped,
            METRICS[key[1]].scale,
        )
        for key in estimates
    }
    return Resampled(task, truth, values, drawn, plan.grouped)


def _collect(estimates: Mapping[tuple[str, str], Any], blocks: Any) -> dict[tuple[str, str], Any]:
    found: dict[tuple[str, str], list[NDArray[np.float64]]] = {key: [] for key in estimates}
    for weights in blocks:
        for key, estimate in estimates.items():
            found[key].append(estimate(weights))
    return {key: np.concatenate(parts) for key, parts in found.items()}


def target_scores(
    task: Task, truth: NDArray[np.float32], value: Values, plan: Resampling, names: tuple[str, ...]
) -> dict[str, dict[str, Score]]:
    """The scores of one model for each target by itself; for several regression targets."""
    return {
        name: resample(task, truth[:, [i]], {"model": value[:, [i]]}, plan).scores("model")
        for i, name in enumerate(names)
    }
