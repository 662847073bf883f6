"""The simpler models every network has to beat, learned from the same rows."""

from __future__ import annotations

from collections.abc import Sequence

from bioloom.models import SimpleModel, TrainingData, simple_models
from bioloom.targets import Targets
from bioloom.tasks import Task

ROLES = ("trivial", "nearest", "simple", "boosting", "forest")
"""The baselines in the order of reports: no input, memory only, a weighted sum of simple features, many small
decision trees on the same features, many deep ones. Which of them are fitted is said by the task and the inputs."""


SLOW = ("nearest", "boosting", "forest")


def fit_baselines(
    data: TrainingData,
    fewer: TrainingData,
    task: Task,
    targets: Targets,
    seed: int,
    *,
    more: Sequence[str] = (),
) -> dict[str, SimpleModel]:
    """Fit the baselines of a task by role; "simple" is the one the task names.

    more:  roles that the inputs call for beside those of the task
    fewer: for the rivals that take longest, the nearest record and boosting: the same records, or a part of them
    """
    own = {"trivial": task.trivial, "simple": task.simple}
    names = {role: own.get(role, role) for role in ROLES if role in (*task.rivals, *more)} | {
        "simple": task.simple
    }
    return {
        role: simple_models[name].fit(fewer if role in SLOW else data, targets, seed)
        for role, name in names.items()
    }
