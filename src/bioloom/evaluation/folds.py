"""What several folds say: the score of each, their mean, and differences with a corrected interval and test.

The folds share most of their training records, so their scores are not independent and their standard deviation is
a description only. Intervals and tests over folds use the corrected variance of Nadeau and Bengio 2003
(doi:10.1023/A:1024068626366): (1 / folds + test records / training records) times the variance over folds.

Leave-one-out is refused for everything that ranks or correlates, and the refusal says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.data.wording import counted
from bioloom.evaluation.distributions import student_above, student_quantile
from bioloom.evaluation.intervals import LEVEL, Score, rounded
from bioloom.metrics import METRICS, Metric
from bioloom.tasks import Task

Floats = NDArray[np.float64]

REFUSED = (
    "spearman", "pearson", "concordance", "mcc", "roc_auc", "macro_roc_auc", "average_precision",
)  # fmt: skip
"""Metrics that leave-one-out turns upside down."""

WHY_REFUSED = "leave-one-out moves each model away from its own test record: a model that knows nothing would reach r = -1"

METHOD = "corrected resampled t over folds"

SAME = 1e-9
"""Numbers of folds that differ by a smaller share of themselves are the same, but for rounding."""


@dataclass(frozen=True)
class OutOfFold:
    """Predictions of records by models that did not learn from them.

    truth:  (records, targets), unknown ones NaN
    values: by role ("model", "simple", ...), (repeats, records, targets or classes)
    fold:   (repeats, records) number of the fold in which each record was tested, -1 for none
    trained: by (repeat, fold), how many records were learned from; where missing, all that were not tested in it
    """

    task: Task
    truth: NDArray[Any]
    values: Mapping[str, NDArray[Any]]
    fold: NDArray[np.int64]
    trained: Mapping[tuple[int, int], int] | None = None

    @property
    def leaves_one_out(self) -> bool:
        """Whether every fold tests a single record."""
        counts = [np.unique(row[row >= 0], return_counts=True)[1] for row in self.fold]
        return bool(max(count.max(initial=0) for count in counts) <= 1)

    def parts(self) -> Iterator[tuple[int, int, NDArray[np.bool_]]]:
        """Each (repeat, fold, which records it tests)."""
        for repeat, row in enumerate(self.fold):
            for number in np.unique(row[row >= 0]):
                yield repeat, int(number), row == number

    def learned(self, repeat: int, number: int) -> int:
        """How many records the model of this fold learned from."""
        given = (self.trained or {}).get((repeat, number))
        row = self.fold[repeat]
        return given if given is not None else int(((row >= 0) & (row != number)).sum())


@dataclass(frozen=True)
class Fold:
    """One test of one model; `values` holds None where a metric is not defined."""

    fold: int
    repeat: int
    n_test: int
    n_train: int
    values: Mapping[str, float | None]

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        values = {name: rounded(value) for name, value in self.values.items()}
        return {**vars(self), "values": values}


@dataclass(frozen=True)
class FoldMean:
    """A mean over folds with its corrected interval; p is of no difference, and None for a score.

    mean, low, high: None where there is none
    reason: why there is no interval; empty where there is one
    """

    mean: float | None
    low: float | None
    high: float | None
    p: float | None = None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        numbers = {name: rounded(getattr(self, name)) for name in ("mean", "low", "high", "p")}
        return numbers | ({"undefined": self.reason} if self.reason else {})


@dataclass(frozen=True)
class FoldScores:
    """The scores of one model over folds.

    mean:        by metric, with the corrected interval
    sd:          by metric; describes how far the folds lie apart, and is no standard error
    pooled:      by metric, of all out-of-fold predictions together (the mean over repeats)
    differences: by baseline, (metric, mean difference), positive where the model is better
    refused:     by metric, why it is not given
    """

    folds: tuple[Fold, ...]
    mean: Mapping[str, FoldMean]
    sd: Mapping[str, float | None]
    pooled: Mapping[str, float | None]
    differences: Mapping[str, tuple[str, FoldMean]]
    refused: Mapping[str, str]
    text: str

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        return {
            "folds": [fold.to_json() for fold in self.folds],
            "mean": {name: rounded(mean.mean) for name, mean in self.mean.items()},
            "interval": {
                name: [rounded(mean.low), rounded(mean.high)]
                for name, mean in self.mean.items()
                if mean.low is not None
            },
            "undefined": {name: mean.reason for name, mean in self.mean.items() if mean.reason},
            "sd": {name: rounded(value) for name, value in self.sd.items()},
            "pooled": {name: rounded(value) for name, value in self.pooled.items()},
            "differences": {
                role: {"metric": metric, **mean.to_json(), "method": METHOD}
                for role, (metric, mean) in self.differences.items()
            },
            "refused": dict(self.refused),
            "text": self.text,
        }


def without_refused(task: Task) -> Task:
    """A task that decides by metrics that leave-one-out can give; the first of them decides."""
    return replace(task, metrics=tuple(name for name in task.metrics if name not in REFUSED))


def refused_scores(task: Task, n: int) -> dict[str, Score]:
    """What stands in place of the metrics that leave-one-out cannot give."""
    refused = [name for name in task.metrics if name in REFUSED]
    return {
        name: Score(None, None, None, n, "none", f"not defined, because {WHY_REFUSED}") for name in refused
    }


def fold_scores(tested: OutOfFold, model: str = "model") -> FoldScores:
    """The score in each fold, their mean, and whether the model beats each other role over the folds."""
    refused = dict.fromkeys(REFUSED, WHY_REFUSED) if tested.leaves_one_out else {}
    metrics = [name for name in tested.task.metrics if name not in refused]
    by_role = {role: _folds(tested, role, metrics) for role in tested.values}
    folds = by_role[model]
    shares = np.array([fold.n_test / max(fold.n_train, 1) for fold in folds])
    columns = {name: _column(folds, name) for name in metrics}
    mean = {
        name: _within(METRICS[name], corrected(column, shares, test=False))
        for name, column in columns.items()
    }
    scores = FoldScores(
        folds=folds,
        mean=mean,
        sd={name: _sd(column) for name, column in columns.items()},
        pooled={name: _pooled(tested, model, name) for name in metrics},
        differences={
            role: _difference(metrics, folds, other, shares)
            for role, other in by_role.items()
            if role != model
        },
        refused={name: why for name, why in refused.items() if name in tested.task.metrics},
        text="",
    )
    return FoldScores(**(vars(scores) | {"text": _sentence(scores, tested)}))


def corrected(values: Floats, shares: Floats, *, test: bool = True) -> FoldMean:
    """Mean of numbers over folds with the corrected interval, and the p value of a mean of 0.

    values: (folds,) NaN where not defined; shares: (folds,) test records / training records of each.
    Not given where one fold is not defined: the mean over the others would be a choice made by the result. Numbers that
    are the same in all folds have no interval: their variance of 0 would promise that any further fold is the same.
    """
    if not len(values) or not np.isfinite(values).all():
        return FoldMean(None, None, None, reason="not defined in every fold")
    mean, count = float(values.mean()), len(values)
    if count < 3:  # t with one degree of freedom says nothing
        return FoldMean(mean, None, None, reason=f"{counted(count, 'fold')}, and it takes three")
    if np.ptp(values) <= SAME * np.abs(values).max():
        return FoldMean(mean, None, None, reason="the same in all folds")
    error = float(np.sqrt((1 / count + shares.mean()) * values.var(ddof=1)))
    half = float(student_quantile(0.5 + LEVEL / 2, count - 1)) * error
    if not test:
        return FoldMean(mean, mean - half, mean + half)
    p = float(2 * student_above(abs(mean) / error, count - 1))
    return FoldMean(mean, mean - half, mean + half, p)


def _within(metric: Metric, mean: FoldMean) -> FoldMean:
    """The interval without what no score can reach: t intervals know no ends."""
    if mean.low is None or mean.high is None or not np.isfinite(metric.best):
        return mean
    if metric.higher_is_better:
        return replace(mean, high=min(mean.high, metric.best))
    return replace(mean, low=max(mean.low, metric.best))


def _folds(tested: OutOfFold, role: str, metrics: list[str]) -> tuple[Fold, ...]:
    return tuple(
        Fold(number, repeat, int(part.sum()), tested.learned(repeat, number),
             {name: _value(name, tested.truth[part], tested.values[role][repeat][part]) for name in metrics})
        for repeat, number, part in tested.parts()
    )  # fmt: skip


def _value(name: str, truth: NDArray[Any], value: NDArray[Any]) -> float | None:
    found = METRICS[name](truth, value)
    return found if np.isfinite(found) else None


def _column(folds: tuple[Fold, ...], name: str) -> Floats:
    return np.array([fold.values[name] for fold in folds], dtype=np.float64)  # None becomes NaN


def _sd(column: Floats) -> float | None:
    defined = column[np.isfinite(column)]
    return float(defined.std(ddof=1)) if len(defined) > 1 else None


def _pooled(tested: OutOfFold, role: str, name: str) -> float | None:
    found = [
        _value(name, tested.truth[row >= 0], tested.values[role][repeat][row >= 0])
        for repeat, row in enumerate(tested.fold)
    ]
    defined = [value for value in found if value is not None]
    return float(np.mean(defined)) if len(defined) == len(found) else None


def _difference(
    metrics: list[str], folds: tuple[Fold, ...], other: tuple[Fold, ...], shares: Floats
) -> tuple[str, FoldMean]:
    """In the first metric that is defined in every fold for both; positive where the model is better."""
    for name in metrics:
        both = _column(folds, name), _column(other, name)
        if all(np.isfinite(column).all() for column in both):
            sign = 1 if METRICS[name].higher_is_better else -1
            away = np.where(np.isclose(*both, rtol=SAME, atol=0), 0.0, both[0] - both[1])
            return name, corrected(sign * away, shares)
    return metrics[0], FoldMean(None, None, None, reason="no metric is defined in every fold for both")


def _sentence(scores: FoldScores, tested: OutOfFold) -> str:
    count, repeats = len(scores.folds), len(tested.fold)
    each = f"{count} folds" if repeats == 1 else f"{count} folds ({repeats} repeats)"
    if tested.leaves_one_out:
        each = f"{count} tests of one record each"
    name = next((name for name, mean in scores.mean.items() if mean.mean is not None), None)
    if name is None:
        return f"No metric is defined in all of {each}."
    metric, mean = METRICS[name], scores.mean[name]
    span = "" if mean.low is None else f" ({metric.text(mean.low)} to {metric.text(mean.high)})"
    told = f"Over {each} the {metric.title} is {metric.text(mean.mean)}{span} on average."
    return f"{told} {_refusal(scores)}".strip()


def _refusal(scores: FoldScores) -> str:
    titles = [METRICS[name].title for name in scores.refused]
    return f"Not given: {', '.join(titles)}, because {WHY_REFUSED}." if titles else ""
