"""How far single predictions may be off: learned from records that fitted nothing, checked on tested ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bioloom.evaluation.conformal import Calibrating, Conformal, Coverage
from bioloom.journey.trainee import REACH, Trainee

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
        return promised(trainee, answers.rows, answers.values[role], answers.values.get(REACH + role))
    rows = trainee.job.validation
    if role != "model":
        return promised(trainee, rows, trial.rivals.by_role[role].values[rows])
    return promised(trainee, rows, trainee.values[rows], trainee.reach(rows))


def promised(
    trainee: Trainee,
    rows: NDArray[np.int64],
    values: NDArray[np.float32],
    reach: NDArray[np.float32] | None = None,
) -> Conformal:
    """Intervals or sets from what a model says of some records, (rows, targets or classes), and of how far it is off."""
    targets = trainee.learnable.targets
    given = Calibrating(
        value=values,
        truth=trainee.learnable.truth[rows],
        names=targets.classes or targets.names,
        classes=len(targets.classes),
        groups=trainee.groups(rows),
        reach=reach,
    )
    return Conformal.fit(given, trainee.prepared.recipe.evaluation.confidence)


def coverage(trial: Trial, role: str) -> Coverage:
    """How often the promise was kept on tested records; in a cross-validation each fold by that of the other folds."""
    made, answers = promise(trial, role), trial.once
    values, reach = answers.values[role], answers.values.get(REACH + role)
    if trial.division.folds is None:
        return made.coverage(trial.truth, values, trial.plan, reach)
    parts = [np.flatnonzero(answers.fold == fold) for fold in np.unique(answers.fold)]
    held = []
    for part in parts:
        others = np.setdiff1d(np.arange(len(values)), part)
        beside = promised(trial.trainee, answers.rows[others], values[others], _some(reach, others))
        held.append(beside.held(trial.truth[part], values[part], _some(reach, part)))
    order = np.argsort(np.concatenate(parts), kind="stable")
    inside, size = (np.concatenate(each)[order] for each in zip(*held, strict=True))
    return made.counted(inside, size, trial.plan)


def _some(reach: NDArray[np.float32] | None, index: NDArray[np.int64]) -> NDArray[np.float32] | None:
    return None if reach is None else reach[index]
