"""What is delivered: the network, or the simpler model that does as well, with what is told beside predictions."""

from __future__ import annotations

import numpy as np

from bioloom.evaluation.domain import Domain
from bioloom.evaluation.verdict import Verdict
from bioloom.journey.contest import promise
from bioloom.journey.trainee import Rivals, Trainee
from bioloom.recipe import Recipe
from bioloom.trained import Model

USUAL = "simple"
"""The rival that is kept beside a network that is delivered."""


def deliver(trainee: Trainee, rivals: Rivals, verdict: Verdict, recipe: Recipe) -> Model:
    """Put together the model that `predict` uses: what the verdict prefers, unless the recipe says otherwise.

    recipe: with every choice filled in
    """
    asked = recipe.evaluation.deliver
    prefer = verdict.prefer if asked == "auto" else asked
    delivered = "network" if prefer in ("model", "network") else prefer
    kept = USUAL if delivered == "network" else delivered
    job, features = trainee.job, rivals.features
    answers = {
        "network": trainee.values[job.validation],
        kept: rivals.models[kept].predict(features.values[job.validation]),
    }
    return Model(
        network=trainee.fitted.network,
        inputs=dict(trainee.prepared.recipe.data.inputs),
        modalities=dict(trainee.learnable.modalities),
        targets=trainee.learnable.targets,
        recipe=recipe,
        calibration=trainee.calibration,
        rival=rivals.models[kept],
        role=kept,
        delivered=delivered,
        conformal={role: promise(trainee, np.asarray(values)) for role, values in answers.items()},
        domain=Domain.fit(features, job.train, job.validation, job.seed, features.units),
    )
