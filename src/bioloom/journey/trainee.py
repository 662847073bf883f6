"""A network that learned from the training rows of one split, and what it says of every record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bioloom.data.records import Records
from bioloom.data.split import Split
from bioloom.evaluation.calibration import Calibration, Operating, Validation
from bioloom.journey import everywhere
from bioloom.journey.learnable import Learnable, make_job
from bioloom.journey.prepare import Prepared
from bioloom.journey.rotation import rotated, shared
from bioloom.journey.start import begun
from bioloom.journey.unlabelled import labelled
from bioloom.models import Network
from bioloom.models.ensemble import mean_of, spread_of, together
from bioloom.processors import processors
from bioloom.recipe import Recipe
from bioloom.training.distil import distil
from bioloom.training.ensemble import Learned, fit_members, seeds, threads_of
from bioloom.training.loop import Epoch, Fitted, Job
from bioloom.training.plan import MEMBERS

CALIBRATED = 200_000
"""Places from which probabilities are corrected at most, where each place of a record has a class."""

STUDENT = "distilled"
"""The answers of the network that learned to say what the mean of several says."""

REACH = "reach of "
"""Begins the names of answers that say how far off a model expects to be."""


@dataclass(frozen=True)
class Lesson:
    """What a network is given to learn, and what simpler models learn too.

    job: of the first network; the others differ in their seed, and in what they hold back where several of a mean take
         turns at that
    """

    prepared: Prepared
    split: Split
    learnable: Learnable
    job: Job

    @property
    def records(self) -> Records:
        """All records."""
        return self.prepared.records


@dataclass(frozen=True)
class Trainee(Lesson):
    """A trained network with all it was given.

    members:     the networks whose mean it is, one or more, with what each says of all records
    calibration: how its logits become probabilities, learned from the validation rows; None for numbers
    alone:       the same for the first member by itself
    student:     one network that learned to say what their mean says; None where none was asked for
    shared:      validation records that the second member held back too; None where all held back the same ones
    """

    members: tuple[Learned, ...]
    calibration: Calibration | None
    alone: Calibration | None
    student: Learned | None = None
    shared: NDArray[np.int64] | None = None

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


def _ignore(told: Stand | Lesson) -> None:
    pass


def train_network(
    prepared: Prepared,
    split: Split,
    learnable: Learnable,
    saved: Path | None,
    on_epoch: Callable[[Stand], None] = _ignore,
    *,
    meanwhile: Callable[[Lesson], None] = _ignore,
) -> Trainee:
    """Train the network, or the networks whose mean it is, on the training rows, and ask about every record.

    saved:     the checkpoint, to go on from where an earlier run of the same request was stopped
    meanwhile: told before the training where that leaves a processor idle
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

    if len(jobs) == 1 and threads_of(job) < min(job.threads or processors(), processors()):
        meanwhile(Lesson(prepared, split, learnable, job))
    members = tuple(fit_members(jobs, saved, tell, job.threads))
    alone = calibrate(prepared, learnable, job, members[0].raw)
    both = shared(jobs)
    mean = _mean(members, job, both is not None)
    calibration = alone if len(members) == 1 else calibrate(prepared, learnable, job, mean)
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


def calibrate(
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
