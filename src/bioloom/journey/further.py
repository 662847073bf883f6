"""The further trainings of a contest: on shuffled labels, on shares of the records, with other seeds and sizes.

Each is a job of its own, so that they can run one after another or side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.evaluation.controls import permute, permute_places
from bioloom.evaluation.resampling import Resampling
from bioloom.journey import everywhere
from bioloom.journey.learnable import planned
from bioloom.journey.rivals import some_rows
from bioloom.journey.shelf import Arrays
from bioloom.journey.trainee import Trainee
from bioloom.metrics import METRICS
from bioloom.models import check_settings, networks
from bioloom.models.layers import table_of
from bioloom.targets import standardise
from bioloom.training.ensemble import SEEDS_APART
from bioloom.training.job import Job
from bioloom.training.members import Member
from bioloom.training.plan import Plan

SHUFFLE_RECORDS = {"fast": 750, "normal": 4_000, "thorough": 4_000}
SHUFFLE_EPOCHS = 4
SHUFFLES = {"fast": 1, "normal": 3, "thorough": 10}
"""The label-shuffle control trains on so many records, for so many epochs, so many times."""

SHARES: dict[str, tuple[float, ...]] = {
    "fast": (),
    "normal": (1 / 16, 1 / 4),
    "thorough": (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2),
}
"""Shares of the training records from which the network learns for the learning curve."""

COARSE = (1 / 4, 1 / 2)
"""Shares where there are so few training records that smaller ones would be nothing to learn from."""

SEEDS = {"fast": 1, "normal": 1, "thorough": 3}
"""Trainings that differ only in their seed."""

ABOUT = "about "
"""How the names of numbers begin that are not of single records."""

SCRATCH = "scratch"
"""The answers of the network that began with random weights, where the one of the run did not."""

FITTED_RECORDS = 2_000
"""Training records on which the fit of networks of other sizes is scored."""

FEWEST = 20
"""A share of fewer training records than this is left out of the learning curve."""


@dataclass(frozen=True)
class Programme:
    """Which trainings there are besides that of the network itself.

    shares:    of the training records, for the learning curve
    seeds:     trainings that differ only in the seed, those of the network itself included
    resamples: trainings on bootstrap samples of the training records
    capacity:  a setting of the network and the values to try, or nothing
    """

    shuffles: int
    shares: tuple[float, ...]
    seeds: int
    resamples: int = 0
    capacity: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, trainee: Trainee) -> Programme:
        """What the recipe asks for, or what goes with its budget and the number of training records."""
        recipe, records = trainee.prepared.recipe, len(trainee.job.train)
        asked, usual = recipe.evaluation, SHARES[recipe.budget]
        if usual and min(usual) * records < 2 * FEWEST:
            usual = COARSE
        return cls(
            asked.shuffles or SHUFFLES[recipe.budget],
            usual if asked.shares is None else tuple(sorted(asked.shares)),
            asked.seeds or SEEDS[recipe.budget],
            asked.resamples,
            asked.capacity,
        )


@dataclass(frozen=True)
class Training:
    """A further training of the same network.

    note:  what it is for, in words
    asked: places among the test records of those it is asked about; the others get NaN. None: all
    sized: whether the size of the network and its scores on training records are asked for too, in each metric of the
           task: which one decides is not known before the folds are
    """

    note: str
    job: Job
    asked: NDArray[np.int64] | None = None
    sized: bool = False

    @property
    def passes(self) -> int:
        """Records that pass through the network."""
        return self.job.plan.epochs * len(self.job.train)

    def member(self, test: NDArray[np.int64]) -> Member:
        """The training with the records it is asked about: test records, and training records where it is sized."""
        asked = [test[self._places(test)], *([self._seen()] if self.sized else [])]
        inputs = self.job.inputs
        return Member(
            replace(self.job, threads=1),
            tuple({name: each.take(rows) for name, each in inputs.items()} for rows in asked),
        )

    def answers(
        self, name: str, trainee: Trainee, test: NDArray[np.int64], raws: list[NDArray[np.float32]]
    ) -> Arrays:
        """What came out, by name: predictions of the test records, (tested, targets or classes)."""
        answered = trainee.activate_alone(raws[0])
        values = np.full((len(test), *answered.shape[1:]), np.nan, dtype=np.float32)
        values[self._places(test)] = answered
        found = {name: values}
        if self.sized:
            job = self.job
            truth, fitted = trainee.learnable.truth[self._seen()], trainee.activate_alone(raws[1])
            scores = [METRICS[metric](truth, fitted) for metric in job.task.metrics]
            parameters = table_of(job.network, job.shapes, job.outputs, job.settings).parameters
            found[ABOUT + name] = np.array([[parameters, *scores]], dtype=np.float32)
        return found

    def _places(self, test: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.arange(len(test)) if self.asked is None else self.asked

    def _seen(self) -> NDArray[np.int64]:
        return some_rows(self.job.train, FITTED_RECORDS, self.job.seed)


def trainings(trainee: Trainee, programme: Programme) -> Iterator[tuple[str, Training]]:
    """Every further training with its name."""
    job = trainee.job
    if job.task.labelled:
        yield from _shuffled(trainee, programme.shuffles)
    for share in programme.shares:
        rows = nested(trainee, share)
        if len(rows) >= FEWEST:
            note = f"learning curve, {len(rows):,} records"
            yield (
                f"share {share:.4g}",
                Training(note, replace(job, train=rows, plan=_plan_for(trainee, rows))),
            )
    for number in range(len(trainee.members), programme.seeds):
        yield f"seed {number}", Training(f"seed {number}", replace(job, seed=job.seed + SEEDS_APART * number))
    yield from _from_scratch(trainee)
    yield from _resampled(job, programme.resamples)
    yield from _capacities(trainee, programme.capacity)


def _from_scratch(trainee: Trainee) -> Iterator[tuple[str, Training]]:
    """The same network with random weights, where it began with what it had learned without labels."""
    start, prepared = trainee.prepared.start, trainee.prepared
    if start is None or start.labelled or not trainee.job.task.labelled:
        return
    usual = planned(
        replace(prepared, start=None), prepared.recipe.training, len(trainee.job.train), trainee.job.device
    )
    yield SCRATCH, Training("without learning first", replace(trainee.job, start={}, plan=usual))


def _resampled(job: Job, count: int) -> Iterator[tuple[str, Training]]:
    """Bootstrap samples of the training records (Efron 1979), as stand-ins for other training sets."""
    for number in range(count):
        drawn = np.random.default_rng(job.seed + 2000 + number).choice(job.train, len(job.train))
        note = f"bias and variance, training {number + 1} of {count}"
        yield f"resample {number}", Training(note, replace(job, train=np.sort(drawn), seed=job.seed + number))


def _capacities(trainee: Trainee, asked: Mapping[str, tuple[Any, ...]]) -> Iterator[tuple[str, Training]]:
    """The network with one of its settings changed."""
    job, network = trainee.job, networks[trainee.job.network]
    for setting, values in asked.items():
        for number, value in enumerate(values):
            given = {**trainee.prepared.recipe.model.settings, setting: value}
            settings = network.complete(check_settings(network, given), job.shapes).model_dump()
            changed = replace(job, settings=settings, start={})
            training = Training(f"capacity, {setting} {value}", changed, sized=True)
            yield f"capacity {number}", training


def _shuffled(trainee: Trainee, count: int) -> Iterator[tuple[str, Training]]:
    """Short trainings on a part of the training records: with the true labels, and with shuffled ones.

    All begin with random weights, also where the network began with those of another run: what such weights know of
    the true labels would be found again whatever labels are shown, and look like a leak.
    """
    job, learnable = trainee.job, trainee.learnable
    random = np.random.default_rng(job.seed + 1)
    most, epochs = shuffled_size(trainee)
    train = np.sort(random.permutation(job.train)[:most])
    validation = np.sort(random.permutation(job.validation)[: most // 4])
    learned = np.concatenate([train, validation])
    short = replace(job.plan, epochs=epochs, batch_size=min(job.plan.batch_size, 64))
    groups, labels = trainee.groups(learned), learnable.truth[learned]
    # the same whatever the labels
    asked = some_rows(np.arange(len(trainee.split.index("test"))), most, job.seed)
    for number in range(count + 1):
        seed = job.seed + number
        truth = np.full_like(job.truth, np.nan)
        deal = partial(permute_places, labels) if job.task.everywhere else partial(permute, labels, groups)
        shown = deal(seed) if number else labels
        truth[learned] = standardise(shown, learnable.targets)
        note = "shuffled labels" if number else "true labels, short training"
        told = replace(job, truth=truth, train=train, validation=validation, plan=short, seed=seed, start={})
        yield (f"shuffled {number}" if number else "short"), Training(note, told, asked)


def shuffled_size(trainee: Trainee) -> tuple[int, int]:
    """From how many training records, at most, and for how many epochs the trainings on shuffled labels learn."""
    recipe = trainee.prepared.recipe
    most = round(SHUFFLE_RECORDS[recipe.budget] / everywhere.size(trainee.records, recipe))
    return most, min(trainee.job.plan.epochs, SHUFFLE_EPOCHS)


def nested(trainee: Trainee, share: float) -> NDArray[np.int64]:
    """A share of the training records, unit by unit (the last may be cut); a smaller share lies within a larger one."""
    train = trainee.job.train
    units = Resampling(len(train), trainee.groups(train))
    place = np.random.default_rng(trainee.job.seed + 2).permutation(units.units)[units.codes]
    order = np.argsort(place, kind="stable")
    return np.sort(train[order[: max(1, round(share * len(train)))]])


def _plan_for(trainee: Trainee, rows: NDArray[np.int64]) -> Plan:
    """Fewer records are seen more often, by the square root of how much fewer they are, so that they are learned."""
    recipe, job = trainee.prepared.recipe, trainee.job
    epochs = max(1, round(job.plan.epochs * sqrt(len(job.train) / len(rows))))
    given = recipe.training.model_copy(update={"epochs": epochs})
    return planned(trainee.prepared, given, len(rows), job.device)
