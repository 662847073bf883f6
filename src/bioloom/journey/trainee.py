"""A network that learned from the training rows of one split, and what it says of every record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data import large
from bioloom.data.records import Records
from bioloom.data.split import Split
from bioloom.evaluation.baselines import fit_baselines
from bioloom.evaluation.calibration import Calibration, Operating, Validation, logits
from bioloom.journey import everywhere
from bioloom.journey.learnable import Learnable, make_job
from bioloom.journey.prepare import Prepared
from bioloom.journey.rotation import rotated, shared
from bioloom.journey.start import begun
from bioloom.journey.unlabelled import as_features, labelled
from bioloom.modalities import Encoded
from bioloom.modalities.combined import SomeFeatures, features_of, seen_features
from bioloom.modalities.windows import some_windows
from bioloom.models import Network, SimpleModel, TrainingData
from bioloom.models.embed import code_size
from bioloom.models.ensemble import mean_of, spread_of, together
from bioloom.models.windowed import TOLD, answers
from bioloom.recipe import Recipe
from bioloom.training.distil import distil
from bioloom.training.ensemble import Learned, fit_members, seeds
from bioloom.training.loop import Epoch, Fitted, Job
from bioloom.training.plan import MEMBERS

BASELINE_RECORDS = 50_000
"""Baselines learn from at most so many training records, chosen at random; more changes them little."""


CALIBRATED = 200_000
"""Places from which probabilities are corrected at most, where each place of a record has a class."""

STUDENT = "distilled"
"""The answers of the network that learned to say what the mean of several says."""

REACH = "reach of "
"""Begins the names of answers that say how far off a model expects to be."""

PLACES_LEARNED, PLACES_REMEMBERED, PLACES_CHOSEN_ON = 50_000, 2_500, 10_000
"""Places from which simple models learn, from which the nearest is remembered, and on which settings are chosen, at most;
where each place of a record has a target."""

CALIBRATED_ON = 100
"""Validation records on which simple models of places are calibrated, at most."""

ASKED_AT_ONCE = 10_000
"""Of many records, rivals are asked about so many at a time."""

FEWER = {"fast": 2_500, "normal": BASELINE_RECORDS, "thorough": BASELINE_RECORDS}
"""Training records for the two rivals that take longest: the nearest record, and boosting."""


@dataclass(frozen=True)
class Trainee:
    """A trained network with all it was given.

    job:         of its first member; the others differ in their seed, and where `shared` is known in what they held back
    members:     the networks whose mean it is, one or more, with what each says of all records
    calibration: how its logits become probabilities, learned from the validation rows; None for numbers
    alone:       the same for the first member by itself
    student:     one network that learned to say what their mean says; None where none was asked for
    shared:      validation records that the second member held back too; None where all held back the same ones
    """

    prepared: Prepared
    split: Split
    learnable: Learnable
    job: Job
    members: tuple[Learned, ...]
    calibration: Calibration | None
    alone: Calibration | None
    student: Learned | None = None
    shared: NDArray[np.int64] | None = None

    @property
    def records(self) -> Records:
        """All records."""
        return self.prepared.records

    @cached_property
    def network(self) -> Network:
        """The members as one network."""
        return together([member.fitted.network for member in self.members])

    @property
    def fitted(self) -> Fitted:
        """The first member, which stands for all where one is enough: layers, history, threads."""
        return self.members[0].fitted

    @cached_property
    def raw(self) -> NDArray[np.float32]:
        """(records, outputs) for all records, those it learned from included; validation records are answered by the
        members that held them back."""
        return _mean(self.members, self.job, self.shared is not None)

    @cached_property
    def spread(self) -> NDArray[np.float32] | None:
        """(records, targets or classes) standard deviation of the members' predictions; None with one member."""
        return spread_of([self.activate(member.raw) for member in self.members])

    @cached_property
    def values(self) -> NDArray[np.float32]:
        """(records, targets or classes) predictions of all records, in the target's units."""
        return self.activate(self.raw)

    @property
    def seconds(self) -> float:
        """How long the training of the first member took."""
        return sum(epoch.seconds for epoch in self.fitted.history)

    def activate(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw outputs as predictions in the target's units."""
        return self._activated(raw, self.calibration)

    def activate_alone(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same for a network that is no mean of several: the mean is surer of itself, so it is corrected less."""
        return self._activated(raw, self.alone)

    def _activated(self, raw: NDArray[np.float32], calibration: Calibration | None) -> NDArray[np.float32]:
        if calibration is not None:
            return calibration.apply(raw)
        return self.job.task.activate(raw, self.learnable.targets)

    def reach(self, index: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """How far off the network expects to be of some records, (index, 2 x targets); None where it does not say."""
        return self.job.task.reach(self.raw[index], self.learnable.targets, self.job.plan.loss)

    def groups(self, index: NDArray[np.int64]) -> NDArray[np.object_] | NDArray[np.int64] | None:
        """What some records are resampled and shuffled by: given groups, else what the split kept together."""
        if self.records.group is not None:
            return self.records.group[index]
        return None if self.split.alike is None else self.split.alike[index]


@dataclass(frozen=True)
class Stand:
    """How far the training of a network is.

    epoch:          what was done last, by which member
    member, number: its place from 0, of so many
    share:          of the whole training, 0 to 1
    """

    job: Job
    epoch: Epoch
    member: int
    number: int
    share: float

    @property
    def words(self) -> str:
        """Such as "network 2 of 5, epoch 3 of 20"."""
        which = f"network {self.member + 1} of {self.number}, " if self.number > 1 else ""
        return f"{which}epoch {self.epoch.number} of {self.epoch.epochs}"


def _ignore(stand: Stand) -> None:
    pass


def train_network(
    prepared: Prepared,
    split: Split,
    learnable: Learnable,
    saved: Path | None,
    on_epoch: Callable[[Stand], None] = _ignore,
) -> Trainee:
    """Train the network, or the networks whose mean it is, on the training rows, and ask about every record.

    saved: the checkpoint, to go on from where an earlier run of the same request was stopped
    """
    job = make_job(prepared, split, learnable)
    same = begun(prepared.start, learnable.targets, seeds(job, members_asked(prepared.recipe)))
    units = split.units if prepared.records.group is None else _codes(prepared.records.group)
    jobs = rotated(same, units)
    done = [0] * len(jobs)

    def tell(member: int, epoch: Epoch) -> None:
        done[member] = epoch.number
        share = sum(done) / (len(jobs) * epoch.epochs)
        on_epoch(Stand(jobs[member], epoch, member, len(jobs), share))

    members = tuple(fit_members(jobs, saved, tell, job.threads))
    alone = _calibrate(prepared, learnable, job, members[0].raw)
    both = shared(jobs)
    mean = _mean(members, job, both is not None)
    calibration = alone if len(members) == 1 else _calibrate(prepared, learnable, job, mean)
    taught = distil(jobs[0], mean, saved) if distilled(prepared.recipe) else None
    return Trainee(prepared, split, learnable, job, members, calibration, alone, taught, both)


def _mean(members: Sequence[Learned], job: Job, rotated: bool) -> NDArray[np.float32]:
    """What the members say together of all records; of validation records what the first says, where the others learned
    from them, because only an answer that was not learned says how far off answers are."""
    mean = mean_of([member.raw for member in members])
    if rotated:
        mean = mean.copy()
        mean[job.validation] = members[0].raw[job.validation]
    return mean


def _codes(group: NDArray[np.object_]) -> NDArray[np.int64]:
    """Groups by number, (records,)."""
    return np.unique(group.astype(str), return_inverse=True)[1]


def distilled(recipe: Recipe) -> bool:
    """Whether one network is taught to say what the mean of several says."""
    asked = recipe.training.distil
    return members_asked(recipe) > 1 and (recipe.budget == "thorough" if asked is None else asked)


def members_asked(recipe: Recipe) -> int:
    """How many networks are trained and averaged."""
    usual = MEMBERS[recipe.budget] if labelled(recipe) else 1  # codes of several networks have no common mean
    return recipe.training.members or usual


def _calibrate(
    prepared: Prepared, learnable: Learnable, job: Job, raw: NDArray[np.floating]
) -> Calibration | None:
    """How logits of all records become probabilities, from the validation rows; None for numbers."""
    if not learnable.targets.classes:
        return None
    rows = job.validation
    if job.task.everywhere:
        rows = rows[np.isfinite(raw[rows]).any(axis=tuple(range(1, raw.ndim)))]
        at = everywhere.as_rows(raw[rows], learnable.truth[rows], CALIBRATED, job.seed)
        given = Validation(at.value, at.truth[:, 0], job.weight[rows][at.record])
    else:
        given = Validation(raw[rows], learnable.truth[rows, 0], job.weight[rows])
    return Calibration.fit(given, operating(prepared.recipe))


def operating(recipe: Recipe) -> Operating:
    """The cost and prevalence that the recipe states."""
    return Operating(recipe.evaluation.missed_cost, recipe.evaluation.prevalence)


@dataclass(frozen=True)
class Rival:
    """A simpler model that learned from the same rows.

    values:      (records, targets or classes) predictions of validation and test records, NaN for training records
    calibration: how its probabilities are corrected, learned from the validation rows; None for numbers
    """

    model: SimpleModel
    values: NDArray[np.float32]
    calibration: Calibration | None


@dataclass(frozen=True)
class Rivals:
    """The simpler models by role.

    features: as the simple models see records: of all, or where these are many of those that they learned from or
              were asked about
    learned:  positions of the training records that they learned from at most
    told:     what they see, in words, where these are not the features of records
    """

    by_role: dict[str, Rival]
    features: SomeFeatures
    learned: NDArray[np.int64]
    told: str = ""

    @property
    def models(self) -> dict[str, SimpleModel]:
        """The models alone."""
        return {role: rival.model for role, rival in self.by_role.items()}


def fit_rivals(trainee: Trainee) -> Rivals:
    """Fit the baselines on the training rows of a trainee; they choose their settings on its validation rows."""
    job = trainee.job
    rows = some_rows(job.train, BASELINE_RECORDS, job.seed)
    features = _features(trainee, _looked_at(trainee, rows))
    if job.task.everywhere:
        return Rivals(_at_places(trainee), features, rows, TOLD)
    data = simple_data(trainee, features, rows)
    few = some_rows(rows, FEWER[trainee.prepared.recipe.budget], job.seed)
    fewer = simple_data(trainee, features, few)
    more = [role for each in trainee.learnable.modalities.values() for role in each.rivals]
    more = more if job.task.labelled else []
    fitted = fit_baselines(data, fewer, job.task, trainee.learnable.targets, job.seed, more=more)
    del data, fewer  # of many records, copies of half a gigabyte
    others = not_learned(trainee, features)
    return Rivals({role: asked(trainee, model, others) for role, model in fitted.items()}, features, rows)


def _at_places(trainee: Trainee) -> dict[str, Rival]:
    """The baselines of targets at every position: each position is a row, described by what stands around it.

    They learn from some positions of the training records, and answer at all of the test records and of as many
    validation records as calibrating needs.
    """
    job, learnable, learned = trainee.job, trainee.learnable, {}
    (encoded,), known = learnable.encoded.values(), np.isfinite(learnable.truth[:, 0])

    def seen(
        rows: NDArray[np.int64], most: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        found = some_windows(encoded, known, rows, most, job.seed)
        records = rows[found.record]
        return found.values, learnable.truth[records, :, found.place].astype(np.float32), job.weight[records]

    beside = seen(job.validation, PLACES_CHOSEN_ON)
    for size in (PLACES_LEARNED, PLACES_REMEMBERED):
        features, truth, weight = seen(job.train, size)
        learned[size] = TrainingData(features, truth, weight, beside[0], beside[1])
    fitted = fit_baselines(
        learned[PLACES_LEARNED],
        learned[PLACES_REMEMBERED],
        job.task,
        replace(learnable.targets, places=()),
        job.seed,
    )
    return {role: _asked_everywhere(trainee, model, encoded) for role, model in fitted.items()}


def _asked_everywhere(trainee: Trainee, model: SimpleModel, encoded: Encoded) -> Rival:
    """What a simple model says of every position of the test records, calibrated on some validation records."""
    job, targets = trainee.job, trainee.learnable.targets
    rows = np.sort(
        np.concatenate([some_rows(job.validation, CALIBRATED_ON, job.seed), trainee.split.index("test")])
    )
    found = answers(model, encoded, rows, targets.outputs)
    values = np.full((len(trainee.records), *found.shape[1:]), np.nan, dtype=np.float32)
    values[rows] = found
    if not targets.classes:
        return Rival(model, values, None)
    raw = np.full(values.shape, np.nan)
    raw[rows] = logits(found)
    calibration = _calibrate(trainee.prepared, trainee.learnable, job, raw)
    if calibration is not None:
        values[rows] = calibration.correct(found)
    return Rival(model, values, calibration)


def _features(trainee: Trainee, rows: NDArray[np.int64]) -> SomeFeatures:
    """Some records as simple models see them; where the input itself is to be restored, all numbers of it."""
    learnable = trainee.learnable
    if trainee.job.task.labelled:
        return features_of(learnable.modalities, trainee.records.inputs, rows)
    if trainee.job.task.seen is not None:
        (encoded,) = learnable.encoded.values()
        return SomeFeatures(rows, seen_features(trainee.job.task.seen, encoded.take(rows)))
    return SomeFeatures(rows, as_features(learnable.truth[rows], learnable.targets))


def _looked_at(trainee: Trainee, learned: NDArray[np.int64]) -> NDArray[np.int64]:
    """All records, or where these are many those that some are learned from, or that are held out."""
    if not large.many(len(trainee.records)):
        return np.arange(len(trainee.records))
    return np.union1d(learned, np.flatnonzero(trainee.split.part != "train"))


@dataclass(frozen=True)
class NotLearned:
    """The validation and test records as simple models see them.

    rows:  (others,) their positions
    whole: (others, features); None where records are many, whose features are taken again for each model
    """

    rows: NDArray[np.int64]
    features: SomeFeatures
    whole: NDArray[np.float32] | None

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """(some, features) of some of the records after the others; all at once unless they are many."""
        if self.whole is not None:
            yield self.whole
            return
        for first in range(0, len(self.rows), ASKED_AT_ONCE):
            yield self.features.of(self.rows[first : first + ASKED_AT_ONCE])


def not_learned(trainee: Trainee, features: SomeFeatures) -> NotLearned:
    """The records that no simple model learns from; their features are copied, so take them once for all models."""
    rows = np.flatnonzero(trainee.split.part != "train")
    return NotLearned(rows, features, None if large.many(len(trainee.records)) else features.of(rows))


def asked(trainee: Trainee, model: SimpleModel, others: NotLearned) -> Rival:
    """What a simple model says of records it has not learned from, calibrated on the validation rows like the network."""
    answers = np.concatenate([model.predict(block) for block in others.blocks()])
    values = np.full((len(trainee.records), answers.shape[1]), np.nan, dtype=np.float32)
    values[others.rows] = answers
    if not trainee.learnable.targets.classes:
        return Rival(model, values, None)
    raw = np.full(values.shape, np.nan)
    raw[others.rows] = logits(answers)
    calibration = _calibrate(trainee.prepared, trainee.learnable, trainee.job, raw)
    if calibration is not None:
        values[others.rows] = calibration.correct(answers)
    return Rival(model, values, calibration)


def simple_data(trainee: Trainee, features: SomeFeatures, train: NDArray[np.int64]) -> TrainingData:
    """What a simple model learns from: features, and the positions of training records among theirs."""
    job, truth = trainee.job, trainee.learnable.truth
    return TrainingData(
        features=features.of(train),
        truth=truth[train],
        weight=job.weight[train],
        validation_features=features.of(job.validation),
        validation_truth=truth[job.validation],
        size=code_size(trainee.members[0].fitted.network, job.shapes),
    )


def some_rows(rows: NDArray[np.int64], most: int, seed: int) -> NDArray[np.int64]:
    """At most so many of some rows, chosen at random, in order."""
    return large.sample(rows, most, seed)


def properties(seen: SomeFeatures, inputs: dict[str, pd.DataFrame]) -> NDArray[np.float32]:
    """Numbers that say little by themselves, of the records with features, (some, properties): length, GC content,
    which cells are missing."""
    features = seen.features
    plain = [
        features.values[:, column]
        for column, name in enumerate(features.names)
        if name.rpartition(": ")[2] in ("length", "GC")
    ]
    missing = [
        frame[name].isna().to_numpy(dtype=np.float32)[seen.rows]
        for frame in inputs.values()
        for name in frame.columns
        if frame[name].isna().any()
    ]
    found = [*plain, *missing]
    return np.column_stack(found) if found else np.empty((len(features.values), 0), dtype=np.float32)
