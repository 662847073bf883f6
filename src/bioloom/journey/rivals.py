"""The simpler models that the network has to beat, learned from the same rows, and what they say of the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from threading import Thread

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from bioloom.data import large
from bioloom.evaluation.baselines import fit_baselines
from bioloom.evaluation.calibration import Calibration, logits
from bioloom.journey.trainee import Lesson, calibrate
from bioloom.journey.unlabelled import as_features
from bioloom.modalities import Encoded
from bioloom.modalities.combined import SomeFeatures, features_of, seen_features
from bioloom.modalities.windows import some_windows
from bioloom.models import SimpleModel, TrainingData, build
from bioloom.models.embed import code_size
from bioloom.models.windowed import answers, told

BASELINE_RECORDS = 50_000
"""Baselines learn from at most so many training records, chosen at random; more changes them little."""

PLACES_LEARNED, PLACES_REMEMBERED, PLACES_CHOSEN_ON = 50_000, 2_500, 10_000
"""Places from which simple models learn, from which the nearest is remembered, and on which settings are chosen, at most;
where each place of a record has a target."""

CALIBRATED_ON = 100
"""Validation records on which simple models of places are calibrated, at most."""

ASKED_AT_ONCE = 10_000
"""Of many records, rivals are asked about so many at a time."""

FEWER = {"fast": 1_000, "normal": BASELINE_RECORDS, "thorough": BASELINE_RECORDS}
"""Training records for the two rivals that take longest: the nearest record, and boosting."""


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


def fit_rivals(lesson: Lesson) -> Rivals:
    """Fit the baselines on the training rows; they choose their settings on the validation rows."""
    job = lesson.job
    rows = some_rows(job.train, BASELINE_RECORDS, job.seed)
    features = _features(lesson, _looked_at(lesson, rows))
    if job.task.everywhere:
        return Rivals(_at_places(lesson), features, rows, told(next(iter(job.inputs.values()))))
    data = simple_data(lesson, features, rows)
    few = some_rows(rows, FEWER[lesson.prepared.recipe.budget], job.seed)
    fewer = simple_data(lesson, features, few)
    more = [role for each in lesson.learnable.modalities.values() for role in each.rivals]
    more = more if job.task.labelled else []
    fitted = fit_baselines(data, fewer, job.task, lesson.learnable.targets, job.seed, more=more)
    del data, fewer  # of many records, copies of half a gigabyte
    others = not_learned(lesson, features)
    return Rivals({role: asked(lesson, model, others) for role, model in fitted.items()}, features, rows)


@dataclass
class Early:
    """Rivals that a second thread fits while the network trains in one; where it did not begin, there are none.

    The numbers are those of `fit_rivals` afterwards, because rivals learn nothing from the network.
    """

    _thread: Thread | None = None
    _found: list[Rivals | Exception] = field(default_factory=list)

    def begin(self, lesson: Lesson) -> None:
        """Fit them meanwhile, unless they would take much memory beside a training."""
        if lesson.job.task.everywhere or not lesson.job.task.labelled or large.many(len(lesson.records)):
            return

        def fit() -> None:
            torch.set_num_threads(1)  # as the training beside it
            try:
                self._found.append(fit_rivals(lesson))
            except Exception as error:  # noqa: BLE001 -- raised again where they are asked for
                self._found.append(error)

        self._thread = Thread(target=fit, daemon=True)  # a stopped training does not wait for it
        self._thread.start()

    def result(self) -> Rivals | None:
        """The rivals, when they are ready."""
        if self._thread is None:
            return None
        self._thread.join()
        (found,) = self._found
        if isinstance(found, Exception):
            raise found
        return found


def _at_places(lesson: Lesson) -> dict[str, Rival]:
    """The baselines of targets at every position: each position is a row, described by what stands around it.

    They learn from some positions of the training records, and answer at all of the test records and of as many
    validation records as calibrating needs.
    """
    job, learnable, learned = lesson.job, lesson.learnable, {}
    (encoded,) = learnable.encoded.values()
    truths = learnable.truth.reshape(*learnable.truth.shape[:2], -1)  # (records, 1, places)
    known = np.isfinite(truths[:, 0])

    def seen(
        rows: NDArray[np.int64], most: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        found = some_windows(encoded, known, rows, most, job.seed)
        records = rows[found.record]
        return found.values, truths[records, :, found.place].astype(np.float32), job.weight[records]

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
    return {role: _asked_everywhere(lesson, model, encoded) for role, model in fitted.items()}


def _asked_everywhere(lesson: Lesson, model: SimpleModel, encoded: Encoded) -> Rival:
    """What a simple model says of every position of the test records, calibrated on some validation records."""
    job, targets = lesson.job, lesson.learnable.targets
    rows = np.sort(
        np.concatenate([some_rows(job.validation, CALIBRATED_ON, job.seed), lesson.split.index("test")])
    )
    found = answers(model, encoded, rows, targets.outputs)
    values = np.full((len(lesson.records), *found.shape[1:]), np.nan, dtype=np.float32)
    values[rows] = found
    if not targets.classes:
        return Rival(model, values, None)
    raw = np.full(values.shape, np.nan)
    raw[rows] = logits(found)
    calibration = calibrate(lesson.prepared, lesson.learnable, job, raw)
    if calibration is not None:
        values[rows] = calibration.correct(found)
    return Rival(model, values, calibration)


def _features(lesson: Lesson, rows: NDArray[np.int64]) -> SomeFeatures:
    """Some records as simple models see them; where the input itself is to be restored, all numbers of it."""
    learnable = lesson.learnable
    if lesson.job.task.has_target:
        return features_of(learnable.modalities, lesson.records.inputs, rows)
    if lesson.job.task.seen is not None:
        (encoded,) = learnable.encoded.values()
        return SomeFeatures(rows, seen_features(lesson.job.task.seen, encoded.take(rows)))
    return SomeFeatures(rows, as_features(learnable.truth[rows], learnable.targets))


def _looked_at(lesson: Lesson, learned: NDArray[np.int64]) -> NDArray[np.int64]:
    """All records, or where these are many those that some are learned from, or that are held out."""
    if not large.many(len(lesson.records)):
        return np.arange(len(lesson.records))
    return np.union1d(learned, np.flatnonzero(lesson.split.part != "train"))


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


def not_learned(lesson: Lesson, features: SomeFeatures) -> NotLearned:
    """The records that no simple model learns from; their features are copied, so take them once for all models."""
    rows = np.flatnonzero(lesson.split.part != "train")
    return NotLearned(rows, features, None if large.many(len(lesson.records)) else features.of(rows))


def asked(lesson: Lesson, model: SimpleModel, others: NotLearned) -> Rival:
    """What a simple model says of records it has not learned from, calibrated on the validation rows like the network."""
    answers = np.concatenate([model.predict(block) for block in others.blocks()])
    values = np.full((len(lesson.records), answers.shape[1]), np.nan, dtype=np.float32)
    values[others.rows] = answers
    if not lesson.learnable.targets.classes:
        return Rival(model, values, None)
    raw = np.full(values.shape, np.nan)
    raw[others.rows] = logits(answers)
    calibration = calibrate(lesson.prepared, lesson.learnable, lesson.job, raw)
    if calibration is not None:
        values[others.rows] = calibration.correct(answers)
    return Rival(model, values, calibration)


def simple_data(lesson: Lesson, features: SomeFeatures, train: NDArray[np.int64]) -> TrainingData:
    """What a simple model learns from: features, and the positions of training records among theirs."""
    job, truth = lesson.job, lesson.learnable.truth
    size = None
    if not job.task.has_target:
        with torch.random.fork_rng(devices=[]):
            size = code_size(build(job.network, job.shapes, job.outputs, job.settings), job.shapes)
    return TrainingData(
        features=features.of(train),
        truth=truth[train],
        weight=job.weight[train],
        validation_features=features.of(job.validation),
        validation_truth=truth[job.validation],
        size=size,
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
