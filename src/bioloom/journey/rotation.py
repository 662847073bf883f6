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

FEWER_THAN = 5_000
"""Training records below which networks hold back other records; with more, what is held back teaches little."""

UNITS_AT_LEAST = 4
"""Units in each part that is held back, on average; fewer would say nothing."""


def rotated(jobs: Sequence[Job], units: NDArray[np.int64] | None) -> list[Job]:
    """The trainings of all members, the first as it is, each other one with another validation part of about the same size.

    units: (records,) what stays together when records are divided; None: each record by itself
    Nothing changes with many records, without validation records, or where there are too few units.
    """
    first = jobs[0]
    if len(jobs) < 2 or not len(first.validation) or len(first.train) >= FEWER_THAN:
        return list(jobs)
    whole = np.arange(len(first.truth)) if units is None else units
    _, codes = np.unique(whole[first.train], return_inverse=True)
    folds = max(len(jobs) - 1, round(len(first.train) / len(first.validation)))
    count = int(codes.max()) + 1
    if count < UNITS_AT_LEAST * (len(jobs) - 1):
        return list(jobs)
    fold = _dealt(_mean_label(first, codes, count), folds, first.seed)[codes]  # (train,)
    return [first, *(_holding_back(job, fold == number) for number, job in enumerate(jobs[1:]))]


def _holding_back(job: Job, held: NDArray[np.bool_]) -> Job:
    """The training with these of its training records for validation; it learns from its former validation records."""
    learned = np.sort(np.concatenate([job.train[~held], job.validation]))
    return replace(job, train=learned, validation=job.train[held])


def _mean_label(job: Job, codes: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Of the first target in each unit, (units,); 0 where it is unknown."""
    label = job.truth[job.train, 0].astype(np.float64)
    if label.ndim > 1:  # each place has a target; here the mean stands for all
        known = np.isfinite(label)
        label = np.where(known, label, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    label = np.nan_to_num(label)
    return np.asarray(np.bincount(codes, label, count) / np.bincount(codes, minlength=count))


def _dealt(label: NDArray[np.float64], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each unit, (units,): neighbours by label go to different folds, by lot."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(label))
    order = order[np.argsort(label[order], kind="stable")]
    places = [random.permutation(folds) for _ in range(-(-len(label) // folds))]
    fold = np.empty(len(label), dtype=np.int64)
    fold[order] = np.concatenate(places)[: len(label)]
    return fold
