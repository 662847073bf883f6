"""One contest: what the network, simpler models and controls say of test records that none of them learned from.

A run with one split has one contest; cross-validation has one for each fold, and their answers are pooled.
Everything that needs a training of its own is a further entry here, so that folds, controls and the learning
curve are the same code.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from bioloom.data.split import Split
from bioloom.evaluation.untrained import How, Parts, property_model, untrained
from bioloom.events import Listener
from bioloom.journey.further import ABOUT, FEWEST, Programme, nested, trainings
from bioloom.journey.rivals import (
    BASELINE_RECORDS,
    Rivals,
    asked,
    fit_rivals,
    not_learned,
    properties,
    simple_data,
)
from bioloom.journey.shelf import Arrays, Shelf
from bioloom.journey.trainee import REACH, STUDENT, Trainee
from bioloom.models import build, simple_models
from bioloom.training.members import Work, run_all

CONTROL_RECORDS = {"fast": 1_000, "normal": 10_000, "thorough": 10_000}
"""Training records from which the controls that know little learn, at most."""

SIMPLE_SHARES = (1 / 16, 1 / 4)
"""Shares from which the simple model learns where the network does not: that costs next to nothing."""


@dataclass(frozen=True)
class Answers:
    """What models said of records they had not learned from.

    rows:    (tested,) positions of the records
    fold:    (tested,) which contest, from 0
    learned: training records in each contest
    values:  by name, (tested, targets or classes)
    repeat:  (tested,) which repetition of a cross-validation, from 0
    about:   by name, numbers that are not of single records: (contests, numbers)
    """

    rows: NDArray[np.int64]
    fold: NDArray[np.int64]
    learned: tuple[int, ...]
    values: Mapping[str, NDArray[np.float32]]
    repeat: NDArray[np.int64]
    about: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def once(self) -> Answers:
        """Those of the first repetition, in which each record is tested once, in the order of the records."""
        first = np.flatnonzero(self.repeat == 0)
        order = first[np.argsort(self.rows[first], kind="stable")]
        values = {name: value[order] for name, value in self.values.items()}
        return replace(
            self, rows=self.rows[order], fold=self.fold[order], repeat=self.repeat[order], values=values
        )

    def named(self, prefix: str) -> dict[str, NDArray[np.float32]]:
        """The values whose names begin like that, "seed 2" before "seed 10", in whatever order they were worked out."""
        found = sorted(
            (name for name in self.values if name.startswith(prefix)), key=lambda name: (len(name), name)
        )
        return {name: self.values[name] for name in found}


def pool(splits: Sequence[Split], values: Sequence[Arrays], repeats: int) -> Answers:
    """The answers of several contests as one, in the order of the folds; only names that all of them have."""
    rows = [split.index("test") for split in splits]
    count = len(splits) // repeats
    common = [name for name in values[0] if all(name in each for each in values)]
    joined = {name: np.concatenate([each[name] for each in values]) for name in common}
    fold = np.concatenate([np.full(len(each), number) for number, each in enumerate(rows)])
    return Answers(
        rows=np.concatenate(rows),
        fold=fold,
        learned=tuple(len(split.index("train")) for split in splits),
        values={name: each for name, each in joined.items() if not name.startswith(ABOUT)},
        repeat=fold // count,
        about={name.removeprefix(ABOUT): each for name, each in joined.items() if name.startswith(ABOUT)},
    )


def compete(
    trainee: Trainee, programme: Programme, shelf: Shelf, listener: Listener, early: Rivals | None = None
) -> tuple[Rivals, Arrays]:
    """The rivals of a network, and all answers for the test records of one split, by name.

    early: the rivals, where they are fitted already

    model, trivial, nearest, simple, boosting   the network and its rivals
    reach of model                              how far off the network expects to be, where it says so
    untrained, properties                       controls that know little
    short, shuffled 1, shuffled 2, ...          short trainings on true and on shuffled labels
    share 0.25, simple 0.25, ...                learned from a share of the training records
    seed 1, ...                                 other seeds; "seed 0", ... the members of a mean of several networks
    spread                                      how far these lie apart
    distilled                                   one network that learned to say what their mean says
    resample 0, ...                             learned from bootstrap samples of the training records
    capacity 0, ...                             networks of other sizes; "about capacity 0" has their parameters and
                                                their scores on the training records, in the metrics of the task
    """
    with closing(_further(trainee, programme, shelf, listener)) as further:
        next(further)  # other processes train while this one goes on
        rivals = early or fit_rivals(trainee)
        listener.progress(0.1, "controls")
        values = _at_once(trainee, rivals, programme)
        for arrays in further:
            values |= arrays
    return rivals, values


def _at_once(trainee: Trainee, rivals: Rivals, programme: Programme) -> Arrays:
    """The answers that need no further training of the network."""
    test = trainee.split.index("test")
    values, reach = {"model": trainee.values[test], **_members(trainee, test)}, trainee.reach(test)
    values |= {} if reach is None else {f"{REACH}model": reach}
    values |= {role: rival.values[test] for role, rival in rivals.by_role.items()}
    told_once = not trainee.job.task.everywhere
    values |= _controls(trainee, rivals, test) if trainee.job.task.labelled and told_once else {}
    values |= _simple_shares(trainee, rivals, programme, test) if told_once else {}
    return values


def _members(trainee: Trainee, test: NDArray[np.int64]) -> Arrays:
    """The members of a mean of networks, each by itself: trainings that differ only in their seed."""
    if trainee.spread is None:
        return {}
    alone = {f"seed {n}": trainee.activate_alone(each.raw[test]) for n, each in enumerate(trainee.members)}
    taught = trainee.student
    student = {} if taught is None else {STUDENT: trainee.activate(taught.raw[test])}
    return {"spread": trainee.spread[test], **alone, **student}


def _further(
    trainee: Trainee, programme: Programme, shelf: Shelf, listener: Listener
) -> Generator[Arrays, None, None]:
    """The answers of all further trainings, one after another, after those that a stopped run has left on the shelf.

    The first are none: when they are there, the trainings have begun.
    """
    test = trainee.split.index("test")
    planned = dict(trainings(trainee, programme))
    kept = {name: shelf.kept(name) for name in planned}
    missing = {name: training for name, training in planned.items() if kept[name] is None}
    rate = trainee.seconds / max(1, len(trainee.fitted.history) * len(trainee.job.train))
    seconds = rate * sum(training.passes for training in missing.values())
    members = [training.member(test) for training in missing.values()]
    with closing(run_all(members, Work(seconds, trainee.job.device, trainee.job.threads))) as results:
        yield {}
        for arrays in kept.values():
            yield arrays or {}
        for number, (name, training) in enumerate(missing.items()):
            listener.progress(0.15 + 0.8 * number / len(missing), training.note)
            yield shelf.keep(name, training.answers(name, trainee, test, next(results)))


def _controls(trainee: Trainee, rivals: Rivals, test: NDArray[np.int64]) -> Arrays:
    """Random weights below a simple model, and a simple model of length, composition and missing cells."""
    job, learnable = trainee.job, trainee.learnable
    parts = Parts(job.train, job.validation, test, learnable.truth, job.weight)
    how = How(job.task, job.seed, control_records(trainee))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(job.seed)
        fresh = build(job.network, job.shapes, job.outputs, job.settings)
    plain = properties(rivals.features, trainee.records.inputs)
    told = parts.among(rivals.features.rows)
    found = {
        "untrained": untrained(fresh, job.inputs, parts, learnable.targets, how).value,
        "properties": property_model(plain, told, learnable.targets, how).value if plain.shape[1] else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def control_records(trainee: Trainee) -> int:
    """Training records from which the controls that know little learn, at most."""
    return CONTROL_RECORDS[trainee.prepared.recipe.budget]


def _simple_shares(trainee: Trainee, rivals: Rivals, programme: Programme, test: NDArray[np.int64]) -> Arrays:
    """The simple model, learned from shares of the training records, as long as they are fewer than it learns from.

    Its probabilities are calibrated as those of the simple model of all records are, so that the learning curve
    compares like with like.
    """
    job, model = trainee.job, simple_models[trainee.job.task.simple]
    others, found = not_learned(trainee, rivals.features), {}
    for share in programme.shares or SIMPLE_SHARES:
        rows = nested(trainee, share)
        if FEWEST <= len(rows) < BASELINE_RECORDS and np.isin(rows, rivals.features.rows).all():
            data = simple_data(trainee, rivals.features, rows)
            fitted = model.fit(data, trainee.learnable.targets, job.seed)
            found[f"simple {share:.4g}"] = asked(trainee, fitted, others).values[test]
    return found
