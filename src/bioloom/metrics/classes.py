"""Records with a known class, and why a metric of classes may not be defined for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioloom.metrics.metric import Estimate, Floats, Pairs


@dataclass(frozen=True)
class Classes:
    """Records with a known class: which records, their class, their probabilities, the class called."""

    known: NDArray[np.bool_]
    truth: NDArray[np.int64]  # (known records,)
    probability: Floats  # (known records, classes)
    called: NDArray[np.int64]  # (known records,)

    def over_known(self, estimate: Estimate) -> Estimate:
        """An estimate over these records, from weights of all records."""
        return lambda weights: estimate(weights if self.known.all() else weights[self.known])


def classes_of(pairs: Pairs) -> Classes:
    """The records of known class; a class called from the threshold on, or the likeliest of several."""
    truth = np.asarray(pairs.truth, dtype=np.float64)[:, 0]
    known = np.isfinite(truth)
    value = np.asarray(pairs.value, dtype=np.float64)[known]
    if value.shape[1] > 1:
        return Classes(known, truth[known].astype(np.int64), value, value.argmax(axis=1))
    called = (value[:, 0] >= pairs.threshold).astype(np.int64)
    return Classes(known, truth[known].astype(np.int64), np.column_stack([1.0 - value, value]), called)


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
