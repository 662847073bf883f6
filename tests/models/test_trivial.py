"""The model that never looks."""

from __future__ import annotations

import numpy as np
import pytest

from bioloom.models import TrainingData
from bioloom.models.trivial import Trivial
from bioloom.targets import Targets


def rows(truth: list[list[float]], weight: list[float]) -> TrainingData:
    features = np.zeros((len(truth), 1), dtype=np.float32)
    return TrainingData(
        features, np.array(truth, dtype=np.float32), np.array(weight, dtype=np.float32), features, features
    )


def test_it_predicts_the_weighted_mean_of_known_values() -> None:
    data = rows([[1, 5], [2, np.nan], [4, 7]], [1, 1, 2])
    model = Trivial.fit(data, Targets("regression", ("a", "b")), 0)
    assert model.predict(np.zeros((2, 1), np.float32)) == pytest.approx(np.array([[11 / 4, 19 / 3]] * 2))
    assert model.describe() == "always 2.75, 6.33"


def test_it_predicts_the_share_of_positives() -> None:
    data = rows([[1], [0], [0], [np.nan]], [3, 1, 1, 9])
    model = Trivial.fit(data, Targets("binary", ("a",), classes=("no", "yes")), 0)
    assert model.predict(np.zeros((1, 1), np.float32)) == pytest.approx(np.array([[0.6]]))


def test_it_predicts_the_shares_of_all_classes() -> None:
    data = rows([[0], [0], [1]], [1, 1, 1])
    model = Trivial.fit(data, Targets("multiclass", ("a",), classes=("x", "y", "z")), 0)
    assert model.predict(np.zeros((1, 1), np.float32)) == pytest.approx(np.array([[2 / 3, 1 / 3, 0]]))
