"""The simpler models every network has to beat, learned from the same rows."""

from __future__ import annotations

from bioloom.models import SimpleModel, TrainingData, simple_models
from bioloom.targets import Targets
from bioloom.tasks import Task

ROLES = ("trivial", "nearest", "simple")
"""The baselines in the order of reports: no input, memory only, a weighted sum of simple features."""


def fit_baselines(data: TrainingData, task: Task, targets: Targets, seed: int) -> dict[str, SimpleModel]:
    """Fit the three baselines of a task by role; "simple" is the one the task names."""
    names = {"trivial": "trivial", "nearest": "nearest", "simple": task.simple}
    return {role: simple_models[names[role]].fit(data, targets, seed) for role in ROLES}
