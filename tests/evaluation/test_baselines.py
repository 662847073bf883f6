"""Which simpler models a task is compared with."""

from __future__ import annotations

import numpy as np

from bioloom.evaluation.baselines import ROLES, fit_baselines
from bioloom.models import TrainingData
from bioloom.targets import Targets
from bioloom.tasks import TASKS


def test_a_task_gets_a_trivial_a_nearest_and_its_own_simple_model() -> None:
    random = np.random.default_rng(0)
    features = random.random((60, 4)).astype(np.float32)
    data = TrainingData(
        features[:40], features[:40, :1], np.ones(40, np.float32), features[40:], features[40:, :1]
    )
    numbers = fit_baselines(data, data, TASKS["regression"], Targets("regression", ("y",)), seed=0)
    assert tuple(numbers) == ROLES[:4]
    assert [model.name for model in numbers.values()] == ["trivial", "nearest", "ridge", "boosting"]
    task, targets = TASKS["regression"], Targets("regression", ("y",))
    assert tuple(fit_baselines(data, data, task, targets, 0, more=("forest",))) == ROLES
    labels = TrainingData(
        features[:40], np.round(features[:40, :1]), data.weight, features[40:], np.round(features[40:, :1])
    )
    two = fit_baselines(
        labels, labels, TASKS["binary"], Targets("binary", ("y",), classes=("a", "b")), seed=0
    )
    assert [model.name for model in two.values()] == ["trivial", "nearest", "logistic", "boosting"]
