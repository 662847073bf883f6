"""Records with a known class, and why a metric of classes may not be defined for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioloom.metrics.metric import Estimate, Floats, Pairs


@dataclass(frozen=True)
class Classes:
    """Records with a known class: which records, their class, their probabilities, the class called.

    Where every place of a record has a class, these are the known places of all records, each of which counts as often
    as its record does; `record` says whose they are.
    """

    known: NDArray[np.bool_]
    truth: NDArray[np.int64]  # (known records,)
    probability: Floats  # (known records, classes)
    called: NDArray[np.int64]  # (known records,)
    record: NDArray[np.int64] | None = None  # (known places,)

    def over_known(self, estimate: Estimate) -> Estimate:
        """An estimate over these records, from weights of all records."""
        if self.record is not None:
            record = self.record
            return lambda weights: estimate(weights[record])
        return lambda weights: estimate(weights if self.known.all() else weights[self.known])

    def over_sums(self, columns: Floats, estimate: Estimate) -> Estimate:
        """An estimate that needs only weighted sums of some columns, (known records, columns), from weights of all.

        Sums over the places of each record are made once, so that a draw costs as much as one of plain records.
        """
        if self.record is None:
            return self.over_known(lambda weights: estimate(columns.T @ weights))
        sums = sums_of_records(columns, self.record, len(self.known))
        return lambda weights: estimate(sums.T @ weights)


def sums_of_records(columns: Floats, record: NDArray[np.int64], records: int) -> Floats:
    """Sums over the places of each record, (records, columns); columns: (places, columns), record: (places,)."""
    return np.column_stack([np.bincount(record, weights=column, minlength=records) for column in columns.T])


def classes_of(pairs: Pairs) -> Classes:
    """The records of known class; a class called from the threshold on, or the likeliest of several."""
    if pairs.truth.ndim > 2:
        return _of_places(pairs)
    truth = np.asarray(pairs.truth, dtype=np.float64)[:, 0]
    known = np.isfinite(truth)
    value = np.asarray(pairs.value, dtype=np.float64)[known]
    if value.shape[1] > 1:
        return Classes(known, truth[known].astype(np.int64), value, value.argmax(axis=1))
    called = (value[:, 0] >= pairs.threshold).astype(np.int64)
    return Classes(known, truth[known].astype(np.int64), np.column_stack([1.0 - value, value]), called)


def _of_places(pairs: Pairs) -> Classes:
    """The known places of all records; truth (records, 1, *places), value (records, classes, *places)."""
    truth = pairs.truth[:, 0].reshape(len(pairs.truth), -1)  # (records, places)
    record, place = np.nonzero(np.isfinite(truth))
    value = pairs.value.reshape(*pairs.value.shape[:2], -1)[record, :, place].astype(np.float64)
    label = truth[record, place].astype(np.int64)
    known = np.isfinite(truth).any(axis=1)
    return Classes(known, label, value, value.argmax(axis=1), record)


def no_class(pairs: Pairs) -> str | None:
    """Why nothing is defined: no record has a class."""
    classes = classes_of(pairs)
    if not classes.known.any():
        return "no record has a known class"
    return None if np.isfinite(classes.probability).all() else "some predictions are not finite numbers"


def one_class(pairs: Pairs) -> str | None:
    """Why nothing that compares classes is defined."""
    problem = no_class(pairs)
    if problem is None and len(np.unique(classes_of(pairs).truth)) == 1:
        return "all records are of one class"
    return problem


def one_called(pairs: Pairs) -> str | None:
    """Why no correlation of classes is defined."""
    problem = one_class(pairs)
    if problem is None and len(np.unique(classes_of(pairs).called)) == 1:
        return "all records are predicted to be of one class"
    return problem


def none_of(what: str, count: Callable[[Classes], int]) -> Callable[[Pairs], str | None]:
    """A reason for where there is none of something to take a share of."""

    def reason(pairs: Pairs) -> str | None:
        problem = no_class(pairs)
        return what if problem is None and count(classes_of(pairs)) == 0 else problem

    return reason


def positives(classes: Classes) -> int:
    """Records of the positive class."""
    return int((classes.truth == 1).sum())


def negatives(classes: Classes) -> int:
    """Records of the negative class."""
    return int((classes.truth == 0).sum())


def called_positive(classes: Classes) -> int:
    """Records called positive."""
    return int((classes.called == 1).sum())


def positive_at_all(classes: Classes) -> int:
    """Records that are positive, or called so; those that are both count twice."""
    return positives(classes) + called_positive(classes)
