"""How far single predictions may be off: learned from records that fitted nothing, checked on tested ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bioloom.evaluation.conformal import Calibrating, Conformal, Coverage
from bioloom.evaluation.conformity import share_of_mean
from bioloom.evaluation.local import fit_local
from bioloom.journey.trainee import REACH, STUDENT, Trainee

if TYPE_CHECKING:
    from bioloom.journey.judge import Trial


def promise(trial: Trial, role: str) -> Conformal:
    """The intervals or sets of a model, "model" or that of a rival.

    From the validation records; in a cross-validation from all records, each as the fold answered that had not
    learned from it. These are answers of several trainings, so that the promise is close rather than exact
    (Barber et al. 2021, doi:10.1214/20-AOS1965).
    """
    trainee, answers = trial.trainee, trial.once
    if trial.division.folds is not None:
        return promised(trainee, answers.rows, _said(trial, role))
    rows = trainee.job.validation
    if role == STUDENT and trainee.student is not None:
        return promised(trainee, rows, Said(trainee.activate(trainee.student.raw[rows])))
    if role != "model":
        return promised(trainee, rows, Said(trial.rivals.by_role[role].values[rows]))
    said = Said(trainee.values[rows], trainee.reach(rows))
    if trainee.shared is None:
        spread = None if trainee.spread is None else trainee.spread[rows]
        return promised(trainee, rows, replace(said, spread=spread))
    # members that learned from a validation record lie closer together there than on new records: no spread
    return _of_all(promised(trainee, rows, said), trainee, trainee.shared)


def _of_all(made: Conformal, trainee: Trainee, rows: NDArray[np.int64]) -> Conformal:
    """Intervals around the mean of all members, from those around the first: as much narrower as the mean errs less.

    rows: records that the first two members have not learned from
    """
    if made.classes or not len(rows):
        return made
    truth = trainee.learnable.truth[rows].astype(np.float64)
    errors = np.array([trainee.activate(member.raw[rows]) - truth for member in trainee.members[:2]])
    narrower = share_of_mean(errors, len(trainee.members))
    return replace(made, half=tuple(map(float, np.array(made.half) * narrower)))


@dataclass(frozen=True)
class Said:
    """What a model says of some records.

    value:  (records, targets or classes)
    own:    (records, 2 x targets) how far off the network expects to be; None where it does not say
    spread: (records, targets or classes) how far its members lie apart; None where it is one
    """

    value: NDArray[np.float32]
    own: NDArray[np.float32] | None = None
    spread: NDArray[np.float32] | None = None

    def of(self, index: NDArray[np.int64]) -> Said:
        """The same of some of the records."""
        own = None if self.own is None else self.own[index]
        return Said(self.value[index], own, None if self.spread is None else self.spread[index])


def _said(trial: Trial, role: str) -> Said:
    """Of the tested records."""
    values = trial.once.values
    spread = values.get("spread") if role == "model" else None
    return Said(values[role], values.get(REACH + role), spread)


def promised(trainee: Trainee, rows: NDArray[np.int64], said: Said) -> Conformal:
    """Intervals or sets from what a model says of some records."""
    targets = trainee.learnable.targets
    given = Calibrating(
        value=said.value,
        truth=trainee.learnable.truth[rows],
        names=targets.classes or targets.names,
        classes=len(targets.classes),
        groups=trainee.groups(rows),
        reach=said.own,
    )
    level = trainee.prepared.recipe.evaluation.confidence
    if said.spread is None or said.own is not None or targets.classes:
        return Conformal.fit(given, level)
    return fit_local(given, said.spread, level)


def coverage(trial: Trial, role: str) -> Coverage:
    """How often the promise was kept on tested records; in a cross-validation each fold by that of the other folds."""
    made, answers, said = promise(trial, role), trial.once, _said(trial, role)
    if trial.division.folds is None:
        return made.coverage(trial.truth, said.value, trial.plan, made.reach(said.own, said.spread))
    parts = [np.flatnonzero(answers.fold == fold) for fold in np.unique(answers.fold)]
    held = []
    for part in parts:
        others = np.setdiff1d(np.arange(len(said.value)), part)
        beside, here = promised(trial.trainee, answers.rows[others], said.of(others)), said.of(part)
        held.append(beside.held(trial.truth[part], here.value, beside.reach(here.own, here.spread)))
    order = np.argsort(np.concatenate(parts), kind="stable")
    inside, size = (np.concatenate(each)[order] for each in zip(*held, strict=True))
    return made.counted(inside, size, trial.plan)
