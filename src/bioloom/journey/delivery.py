"""What is delivered: the network, or the simpler model that does as well, with what is told beside predictions."""

from __future__ import annotations

import numpy as np

from bioloom.data.learned import Learned
from bioloom.evaluation.conformal import Conformal
from bioloom.evaluation.domain import Domain
from bioloom.journey.judge import Trial
from bioloom.journey.promise import promise
from bioloom.journey.start import learned_from
from bioloom.journey.trainee import STUDENT, Trainee
from bioloom.recipe import Recipe
from bioloom.trained import FAST, Model

USUAL = "simple"
"""The rival that is kept beside a network that is delivered."""


def deliver(trial: Trial, role: str, recipe: Recipe) -> Model:
    """Put together the model that `predict` uses.

    role: "model" for the network, else that of the rival; recipe: with every choice filled in
    """
    delivered = "network" if role == "model" else role
    kept = USUAL if delivered == "network" else delivered
    trainee, rivals = trial.trainee, trial.rivals
    rival, job = rivals.by_role[kept], trainee.job
    calibrated = {"network": trainee.calibration, kept: rival.calibration}
    seen = rivals.features
    learned = seen.places(job.train[np.isin(job.train, seen.rows)])
    return Model(
        network=trainee.network,
        inputs=dict(trainee.prepared.recipe.data.inputs),
        modalities=dict(trainee.learnable.modalities),
        targets=trainee.learnable.targets,
        recipe=recipe,
        rival=rival.model,
        role=kept,
        delivered=delivered,
        calibration={role: each for role, each in calibrated.items() if each is not None},
        conformal=_promises(trial, kept) if trial.task.by_record else {},
        student=None if trainee.student is None else trainee.student.fitted.network,
        learned=_learned(trainee),
        domain=Domain.fit(seen.features, learned, seen.places(job.validation), job.seed, seen.features.units),
    )


def _promises(trial: Trial, kept: str) -> dict[str, Conformal]:
    """How far predictions may be off: those of the network, and of the model that is kept beside it."""
    return {"network": promise(trial, "model"), kept: promise(trial, kept), **_student(trial)}


def _student(trial: Trial) -> dict[str, Conformal]:
    """How far the network may be off that learned to say what the mean of several says."""
    return {} if trial.trainee.student is None else {FAST: promise(trial, STUDENT)}


def _learned(trainee: Trainee) -> Learned:
    """Which records the network learned from, those of the run that it began with included."""
    start, parts = trainee.prepared.start, {"train": trainee.job.train, "validation": trainee.job.validation}
    own = learned_from(trainee.learnable.modalities, trainee.records.inputs, parts)
    before = None if start is None else start.learned
    return own if before is None else own.joined(before)
