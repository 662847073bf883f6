"""The simpler models every network has to beat, learned from the same rows."""

from __future__ import annotations

from bioloom.models import SimpleModel, TrainingData, simple_models
from bioloom.targets import Targets
from bioloom.tasks import Task

ROLES = ("trivial", "nearest", "simple", "boosting")
"""The baselines in the order of reports: no input, memory only, a weighted sum of simple features, many small
decision trees on the same features."""


def fit_baselines(
    data: TrainingData, remembered: TrainingData, task: Task, targets: Targets, seed: int
) -> dict[str, SimpleModel]:
    """Fit the baselines of a task by role; "simple" is the one the task names.

    remembered: the records among which the nearest one is looked for; the same, or a part of them
    """
    names = {role: role for role in ROLES} | {"simple": task.simple}
    return {
        role: simple_models[name].fit(remembered if role == "nearest" else data, targets, seed)
        for role, name in names.items()
    }
