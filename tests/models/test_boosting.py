"""Gradient boosting: the stored trees answer as scikit-learn's own, and the work is bounded."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from bioloom.models import TrainingData, boosting
from bioloom.models.boosting import Boosting
from bioloom.targets import Targets

NUMBER = Targets("regression", ("a",))
TWO = Targets("binary", ("a",), classes=("no", "yes"))
THREE = Targets("multiclass", ("a",), classes=("x", "y", "z"))


def rows(task: str = "regression", n: int = 600, holes: float = 0.0) -> TrainingData:
    """Two thirds to learn from; the target is a product of features, which no weighted sum can follow."""
    random = np.random.default_rng(0)
    x = random.normal(size=(n, 6)).astype(np.float32)
    signal = x[:, 0] * x[:, 1] + 0.5 * x[:, 2] + random.normal(0, 0.3, n)
    y = {
        "regression": 1000 + 5 * signal,
        "binary": signal > 0,
        "multiclass": np.digitize(signal, (-0.5, 0.5)),
    }
    x[random.random(x.shape) < holes] = np.nan
    truth, learned = y[task].astype(np.float32)[:, None], 2 * n // 3
    weight = random.uniform(0.5, 2, learned).astype(np.float32)
    return TrainingData(x[:learned], truth[:learned], weight, x[learned:], truth[learned:])


@pytest.mark.parametrize("holes", [0.0, 0.2])
@pytest.mark.parametrize(
    ("task", "targets", "kind"),
    [
        ("regression", NUMBER, HistGradientBoostingRegressor),
        ("binary", TWO, HistGradientBoostingClassifier),
        ("multiclass", THREE, HistGradientBoostingClassifier),
    ],
)
def test_it_answers_as_scikit_learn_does_at_its_best_iteration(task, targets, kind, holes) -> None:
    data = rows(task, holes=holes)
    oracle = kind(
        learning_rate=0.1, max_iter=200, max_leaf_nodes=15, max_bins=63, early_stopping=True, n_iter_no_change=10,
        random_state=0,
    )  # fmt: skip
    oracle.fit(
        data.features, data.truth[:, 0], data.weight / data.weight.mean(),
        X_val=data.validation_features, y_val=data.validation_truth[:, 0],
    )  # fmt: skip
    best = int(np.argmax(oracle.validation_score_))
    assert best > 5
    staged = oracle.staged_predict if task == "regression" else oracle.staged_predict_proba
    expected = list(staged(data.validation_features))[best - 1].reshape(len(data.validation_features), -1)
    found = Boosting.fit(data, targets, 0).predict(data.validation_features)
    assert found == pytest.approx(expected[:, -found.shape[1] :], rel=1e-6, abs=1e-6)


def test_it_finds_a_product_of_features_that_ridge_regression_cannot() -> None:
    data = rows(n=1500)
    found = Boosting.fit(data, NUMBER, 0).predict(data.validation_features)
    assert np.corrcoef(found[:, 0], data.validation_truth[:, 0])[0, 1] > 0.85


def test_each_target_learns_from_its_own_known_records() -> None:
    data = rows()
    truth = np.column_stack([data.truth, -data.truth, np.full_like(data.truth, np.nan)])
    truth[:100, 1] = np.nan
    several = TrainingData(
        data.features, truth, data.weight, data.validation_features, np.tile(data.validation_truth, (1, 3))
    )
    found = Boosting.fit(several, Targets("regression", ("a", "b", "c")), 0).predict(data.validation_features)
    alone = Boosting.fit(data, NUMBER, 0).predict(data.validation_features)
    assert found[:, :1] == pytest.approx(alone)
    later = TrainingData(
        data.features[100:],
        -data.truth[100:],
        data.weight[100:],
        data.validation_features,
        data.validation_truth,
    )
    assert found[:, 1:2] == pytest.approx(Boosting.fit(later, NUMBER, 0).predict(data.validation_features))
    assert (found[:, 2] == 0).all()


def test_large_data_are_learned_from_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "CELLS", 1_000 * 6)
    data = rows(n=3000)
    assert "grown on 1,000 records and 6 features" in Boosting.fit(data, NUMBER, 0).describe()


def test_constant_and_rare_features_are_not_used() -> None:
    data = rows()
    wide = np.column_stack([data.features, np.ones(400), np.eye(400)[:, :30]]).astype(np.float32)
    more = np.column_stack([data.validation_features, np.ones((200, 31))]).astype(np.float32)
    model = Boosting.fit(TrainingData(wide, data.truth, data.weight, more, data.validation_truth), NUMBER, 0)
    assert model.describe().endswith("6 features")
    assert model.predict(more) == pytest.approx(
        Boosting.fit(data, NUMBER, 0).predict(data.validation_features)
    )


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    data = rows()
    model = Boosting.fit(data, NUMBER, 0)
    whole = model.predict(data.validation_features)
    monkeypatch.setattr(boosting, "BLOCK", 1000)
    assert np.array_equal(model.predict(data.validation_features), whole)


def test_predicting_needs_no_scikit_learn() -> None:
    code = "import sys, bioloom.models.boosting; print(any(m.startswith('sklearn') for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
