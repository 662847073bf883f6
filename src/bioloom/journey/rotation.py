"""Each network of a mean holds back other records, so that together they learn from all but the test.

With few records the validation part is precious: networks that all leave out the same records share the error of
never having seen them, and other seeds do not mend it (decision 0014). Krogh and Vedelsby (1995), Neural network
ensembles, cross validation and active learning, NIPS 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bioloom.training.loop import Job

SHARED_AT_LEAST = 10
"""Validation records that a second member holds back too; from fewer it cannot be seen how alike two members err."""

FEWER_THAN = 5_000
"""Training records below which networks hold back other records; with more, what is held back teaches little."""

UNITS_AT_LEAST = 4
"""Units in each part that is held back, on average; fewer would say nothing."""


def rotated(jobs: Sequence[Job], units: NDArray[np.int64] | None) -> list[Job]:
    """The trainings of all members, the first as it is, each other one with another validation part of about the same size.

    The second shares half of its validation part with the first: records that two members have not learned from tell how
    alike two members err, and with that how much less their mean does (`shared`).
    units: (records,) what stays together when records are divided; None: each record by itself
    Nothing changes with many records, without validation records, or where there are too few units.
    """
    first = jobs[0]
    if len(jobs) < 2 or not len(first.validation) or len(first.train) >= FEWER_THAN:
        return list(jobs)
    whole = np.arange(len(first.truth)) if units is None else units
    folds = max(len(jobs) - 1, round(len(first.train) / len(first.validation)))
    if len(np.unique(whole[first.train])) < UNITS_AT_LEAST * (len(jobs) - 1):
        return list(jobs)
    fold = _folds(first, first.train, whole, folds)
    second = fold == 0
    both = _folds(first, first.validation, whole, 2) == 0
    if both.sum() >= SHARED_AT_LEAST and second.any():
        second[second] = _folds(first, first.train[second], whole, 2) == 0
    else:
        both[:] = False
    others = [_holding_back(job, fold == number) for number, job in enumerate(jobs[2:], start=1)]
    return [first, _holding_back(jobs[1], second, both), *others]


def shared(jobs: Sequence[Job]) -> NDArray[np.int64] | None:
    """Positions of the validation records of the first member that the second did not learn from either; None where all
    members hold back the same records."""
    first = jobs[0]
    if all(np.array_equal(job.validation, first.validation) for job in jobs):
        return None
    return np.intersect1d(first.validation, jobs[1].validation)


def _holding_back(job: Job, held: NDArray[np.bool_], kept: NDArray[np.bool_] | None = None) -> Job:
    """The training with these of its training records for validation; it learns from its former validation records.

    held: (train,); kept: (validation,) those that stay for validation all the same
    """
    kept = np.zeros(len(job.validation), dtype=bool) if kept is None else kept
    learned = np.sort(np.concatenate([job.train[~held], job.validation[~kept]]))
    return replace(job, train=learned, validation=np.concatenate([job.train[held], job.validation[kept]]))


def _folds(job: Job, rows: NDArray[np.int64], units: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """The fold of some records, (rows,), whole units in one."""
    _, codes = np.unique(units[rows], return_inverse=True)
    return _dealt(_mean_label(job, rows, codes), folds, job.seed)[codes]


def _mean_label(job: Job, rows: NDArray[np.int64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of the first target in each unit, (units,); 0 where it is unknown."""
    label = np.nan_to_num(job.truth[rows, 0].astype(np.float64))
    return np.asarray(np.bincount(codes, label) / np.bincount(codes))


def _dealt(label: NDArray[np.float64], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each unit, (units,): neighbours by label go to different folds, by lot."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(label))
    order = order[np.argsort(label[order], kind="stable")]
    places = [random.permutation(folds) for _ in range(-(-len(label) // folds))]
    fold = np.empty(len(label), dtype=np.int64)
    fold[order] = np.concatenate(places)[: len(label)]
    return fold
