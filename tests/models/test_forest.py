"""The random forest beside scikit-learn's own, from whose trees its nodes are taken."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from bioloom.models import TrainingData
from bioloom.models.forest import RECORDS, TREES, Forest
from bioloom.targets import Targets


def rows(truth: np.ndarray, features: np.ndarray) -> TrainingData:
    weight = np.ones(len(truth), dtype=np.float32)
    return TrainingData(features, truth, weight, features[:0], truth[:0])


def drawn(records: int = 120, features: int = 6) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(records, features)).astype(np.float32)


def test_probabilities_are_those_of_scikit_learn() -> None:
    x = drawn()
    label = (x[:, 0] + x[:, 1] > 0).astype(int) + (x[:, 2] > 1)
    ours = Forest.fit(
        rows(label[:, None].astype(np.float32), x), Targets("multiclass", ("y",), ("a", "b", "c")), 3
    )
    theirs = RandomForestClassifier(TREES, max_features="sqrt", random_state=3).fit(x, label, np.ones(len(x)))
    new = drawn(40)[::-1] * 1.1
    np.testing.assert_allclose(ours.predict(new), theirs.predict_proba(new), atol=1e-5)


def test_numbers_are_those_of_scikit_learn_for_each_target() -> None:
    x = drawn()
    y = np.column_stack([x[:, 0] * x[:, 1], x[:, 2]]).astype(np.float32)
    y[:5, 1] = np.nan
    ours = Forest.fit(rows(y, x), Targets("regression", ("a", "b"), mean=(0, 0), scale=(1, 1)), 0)
    options = {"max_features": 1 / 3, "min_samples_leaf": 2, "random_state": 0}
    found = ours.predict(x)
    for target, known in ((0, slice(None)), (1, slice(5, None))):
        theirs = RandomForestRegressor(TREES // 2, **options).fit(
            x[known], y[known, target], np.ones(len(x[known]))
        )
        np.testing.assert_allclose(found[:, target], theirs.predict(x), atol=1e-5)


def test_of_very_many_records_a_part_is_learned_from() -> None:
    x = drawn(RECORDS + 50, 1)
    model = Forest.fit(
        rows((x[:, :1] > 0).astype(np.float32), x), Targets("binary", ("y",), ("no", "yes")), 0
    )
    assert model.learned_from == RECORDS
    assert model.predict(x)[:, 0] == pytest.approx((x[:, 0] > 0).astype(float), abs=0.4)
