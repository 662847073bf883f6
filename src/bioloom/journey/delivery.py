"""What is delivered: the network, or the simpler model that does as well, with what is told beside predictions."""

from __future__ import annotations

from bioloom.data.learned import Learned
import numpy as np

from bioloom.evaluation.domain import Domain
from bioloom.journey.judge import Trial
from bioloom.journey.promise import promise
from bioloom.recipe import Recipe
from bioloom.trained import Model

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
        network=trainee.fitted.network,
        inputs=dict(trainee.prepared.recipe.data.inputs),
        modalities=dict(trainee.learnable.modalities),
        targets=trainee.learnable.targets,
        recipe=recipe,
        rival=rival.model,
        role=kept,
        delivered=delivered,
        calibration={role: each for role, each in calibrated.items() if each is not None},
        conformal={"network": promise(trial, "model"), kept: promise(trial, kept)},
        learned=_learned(trainee),
        domain=Domain.fit(seen.features, learned, seen.places(job.validation), job.seed, seen.features.units),
    )
