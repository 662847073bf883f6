"""One contest: what the network, simpler models and controls say of test records that none of them learned from.

A run with one split has one contest; cross-validation has one for each fold, and their answers are pooled.
Everything that needs a training of its own is a further entry here, so that folds, controls and the learning
curve are the same code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import sqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bioloom.data.split import Split
from bioloom.evaluation.conformal import Calibrating, Conformal
from bioloom.evaluation.controls import permute
from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.untrained import How, Parts, property_model, untrained
from bioloom.events import Listener
from bioloom.journey.shelf import Arrays, Shelf
from bioloom.journey.trainee import Rivals, Trainee, properties, simple_data, some_rows
from bioloom.metrics import METRICS
from bioloom.models import Network, build, check_settings, networks, simple_models
from bioloom.models.layers import layer_table
from bioloom.targets import standardise
from bioloom.training.loop import Job, fit, predict
from bioloom.training.plan import Plan, plan

SHUFFLE_RECORDS = {"fast": 2_000, "normal": 4_000, "thorough": 4_000}
SHUFFLE_EPOCHS = 4
SHUFFLES = {"fast": 1, "normal": 3, "thorough": 10}
"""The label-shuffle control trains on so many records, for so many epochs, so many times."""

SHARES: dict[str, tuple[float, ...]] = {
    "fast": (),
    "normal": (1 / 16, 1 / 4),
    "thorough": (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2),
}
"""Shares of the training records from which the network learns for the learning curve."""

SIMPLE_SHARES = (1 / 16, 1 / 4)
"""Shares from which the simple model learns where the network does not: that costs next to nothing."""

COARSE = (1 / 4, 1 / 2)
"""Shares where there are so few training records that smaller ones would be nothing to learn from."""

SEEDS = {"fast": 1, "normal": 1, "thorough": 3}
"""Trainings that differ only in their seed."""

ABOUT = "about "
"""How the names of numbers begin that are not of single records."""

FITTED_RECORDS = 2_000
"""Training records on which the fit of networks of other sizes is scored."""

FEWEST = 20
"""A share of fewer training records than this is left out of the learning curve."""


@dataclass(frozen=True)
class Programme:
    """Which trainings there are besides that of the network itself.

    shares:    of the training records, for the learning curve
    seeds:     trainings that differ only in the seed, the network itself included
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
        """The values whose names begin like that."""
        return {name: value for name, value in self.values.items() if name.startswith(prefix)}


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
    trainee: Trainee, rivals: Rivals, programme: Programme, shelf: Shelf, listener: Listener
) -> Arrays:
    """All answers for the test records of one split, by name.

    model, trivial, nearest, simple, boosting   the network and its rivals
    untrained, properties                       controls that know little
    short, shuffled 1, shuffled 2, ...          short trainings on true and on shuffled labels
    share 0.25, simple 0.25, ...                learned from a share of the training records
    seed 1, ...                                 other seeds
    resample 0, ...                             learned from bootstrap samples of the training records
    capacity 0, ...                             networks of other sizes; "about capacity 0" has their parameters and
                                                their score on the training records
    """
    test = trainee.split.index("test")
    values = {"model": trainee.values[test]}
    values |= {role: rival.values[test] for role, rival in rivals.by_role.items()}
    listener.progress(0.1, "controls")
    values |= _controls(trainee, rivals, test)
    values |= _simple_shares(trainee, rivals, programme, test)
    values |= _covered(trainee, rivals, values, test)
    further = list(_trainings(trainee, programme))
    for number, (name, training) in enumerate(further):
        listener.progress(0.15 + 0.8 * number / len(further), training.note)
        values |= shelf.arrays(name, partial(training.run, name, trainee, test))
    return values


def _controls(trainee: Trainee, rivals: Rivals, test: NDArray[np.int64]) -> Arrays:
    """Random weights below a simple model, and a simple model of length, composition and missing cells."""
    job, learnable = trainee.job, trainee.learnable
    parts = Parts(job.train, job.validation, test, learnable.truth, job.weight)
    how = How(job.task, job.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(job.seed)
        fresh = build(job.network, job.shapes, job.outputs, job.settings)
    plain = properties(rivals.features, trainee.records.inputs)
    found = {
        "untrained": untrained(fresh, job.inputs, parts, learnable.targets, how).value,
        "properties": property_model(plain, parts, learnable.targets, how).value if plain.shape[1] else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def promise(trainee: Trainee, values: NDArray[np.float32]) -> Conformal:
    """How far predictions of a model may be off, from its errors on the validation rows.

    values: (records, targets or classes) predictions of the validation records
    """
    rows, targets = trainee.job.validation, trainee.learnable.targets
    given = Calibrating(
        value=values,
        truth=trainee.learnable.truth[rows],
        names=() if targets.classes else targets.names,
        classes=len(targets.classes),
        groups=trainee.groups(rows),
    )
    return Conformal.fit(given, trainee.prepared.recipe.evaluation.confidence)


def _covered(
    trainee: Trainee, rivals: Rivals, values: Mapping[str, NDArray[np.float32]], test: NDArray[np.int64]
) -> Arrays:
    """For the network and each rival: which test records its intervals hold, and how wide they are."""
    rows, truth = trainee.job.validation, trainee.learnable.truth[test]
    found = {}
    for role in ("model", *rivals.by_role):
        seen = trainee.values if role == "model" else rivals.by_role[role].values
        inside, size = promise(trainee, seen[rows]).held(truth, values[role])
        found[f"inside {role}"], found[f"size {role}"] = inside.astype(np.float32), size.astype(np.float32)
    return found


def _simple_shares(trainee: Trainee, rivals: Rivals, programme: Programme, test: NDArray[np.int64]) -> Arrays:
    """The simple model, learned from shares of the training records."""
    job, model = trainee.job, simple_models[trainee.job.task.simple]
    found = {}
    for share in programme.shares or SIMPLE_SHARES:
        rows = nested(trainee, share)
        if len(rows) >= FEWEST:
            data = simple_data(trainee, rivals.features.values, some_rows(rows, 50_000, job.seed))
            fitted = model.fit(data, trainee.learnable.targets, job.seed)
            found[f"simple {share:.4g}"] = fitted.predict(rivals.features.values[test])
    return found


@dataclass(frozen=True)
class Training:
    """A further training of the same network.

    truth: (records, targets) what it learns from, standardised
    most:  test records it is asked about, chosen at random; the others get NaN
    settings: of the network, where they differ
    """

    note: str
    truth: NDArray[np.float32]
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    plan: Plan
    seed: int
    most: int | None = None
    settings: Mapping[str, Any] | None = None

    def run(self, name: str, trainee: Trainee, test: NDArray[np.int64]) -> Arrays:
        """Train, and predict the test records, (tested, targets or classes)."""
        job = replace(
            trainee.job,
            settings=trainee.job.settings if self.settings is None else self.settings,
            truth=self.truth,
            train=self.train,
            validation=self.validation,
            plan=self.plan,
            seed=self.seed,
        )
        network = fit(job).network
        asked = np.arange(len(test))
        if self.most is not None:  # the same records whatever the seed of this training: they are compared
            asked = some_rows(asked, self.most, trainee.job.seed)
        inputs = {name: encoded.take(test[asked]) for name, encoded in job.inputs.items()}
        answered = trainee.activate(predict(network, inputs, device=job.device))
        values = np.full((len(test), answered.shape[1]), np.nan, dtype=np.float32)
        values[asked] = answered
        if self.settings is None:
            return {name: values}
        return {name: values, ABOUT + name: _size_and_fit(trainee, job, network)}


def _trainings(trainee: Trainee, programme: Programme) -> Iterator[tuple[str, Training]]:
    """Every further training with its name."""
    yield from _shuffled(trainee, programme.shuffles)
    job = trainee.job
    whole = Training("", job.truth, job.train, job.validation, job.plan, job.seed)
    for share in programme.shares:
        rows = nested(trainee, share)
        if len(rows) >= FEWEST:
            note = f"learning curve, {len(rows):,} records"
            yield f"share {share:.4g}", replace(whole, note=note, train=rows, plan=_plan_for(trainee, rows))
    for number in range(1, programme.seeds):
        yield f"seed {number}", replace(whole, note=f"seed {number}", seed=job.seed + 1000 * number)
    yield from _resampled(trainee, whole, programme.resamples)
    yield from _capacities(trainee, whole, programme.capacity)


def _size_and_fit(trainee: Trainee, job: Job, network: Network) -> NDArray[np.float32]:
    """How many parameters a network has, and its score on training records, (1, 2)."""
    seen = some_rows(job.train, FITTED_RECORDS, job.seed)
    inputs = {name: encoded.take(seen) for name, encoded in job.inputs.items()}
    value = trainee.activate(predict(network, inputs, device=job.device))
    score = METRICS[job.task.primary](trainee.learnable.truth[seen], value)
    return np.array([[layer_table(network, job.shapes).parameters, score]], dtype=np.float32)


def _resampled(trainee: Trainee, whole: Training, count: int) -> Iterator[tuple[str, Training]]:
    """Bootstrap samples of the training records (Efron 1979), as stand-ins for other training sets."""
    train = trainee.job.train
    for number in range(count):
        drawn = np.random.default_rng(trainee.job.seed + 2000 + number).choice(train, len(train))
        note = f"bias and variance, training {number + 1} of {count}"
        yield f"resample {number}", replace(whole, note=note, train=np.sort(drawn), seed=whole.seed + number)


def _capacities(
    trainee: Trainee, whole: Training, asked: Mapping[str, tuple[Any, ...]]
) -> Iterator[tuple[str, Training]]:
    """The network with one of its settings changed."""
    network = networks[trainee.job.network]
    for setting, values in asked.items():
        for number, value in enumerate(values):
            given = {**trainee.prepared.recipe.model.settings, setting: value}
            settings = network.complete(check_settings(network, given), trainee.job.shapes).model_dump()
            yield f"capacity {number}", replace(whole, note=f"capacity, {setting} {value}", settings=settings)


def _shuffled(trainee: Trainee, count: int) -> Iterator[tuple[str, Training]]:
    """Short trainings on a part of the training records: with the true labels, and with shuffled ones."""
    job, learnable = trainee.job, trainee.learnable
    random, most = np.random.default_rng(job.seed + 1), SHUFFLE_RECORDS[trainee.prepared.recipe.budget]
    train = np.sort(random.permutation(job.train)[:most])
    validation = np.sort(random.permutation(job.validation)[: most // 4])
    learned = np.concatenate([train, validation])
    short = replace(
        job.plan, epochs=min(job.plan.epochs, SHUFFLE_EPOCHS), batch_size=min(job.plan.batch_size, 64)
    )
    groups, labels = trainee.groups(learned), learnable.truth[learned]
    for number in range(count + 1):
        seed = job.seed + number
        truth = np.full_like(job.truth, np.nan)
        shown = permute(labels, groups, seed) if number else labels
        truth[learned] = standardise(shown, learnable.targets)
        note = "shuffled labels" if number else "true labels, short training"
        training = Training(note, truth, train, validation, short, seed, most)
        yield (f"shuffled {number}" if number else "short"), training


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
    return plan(given, len(rows), networks[job.network], recipe.budget, job.device)
