"""Logistic regression, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from bioloom.models import TrainingData
from bioloom.models.logistic import PENALTIES, Logistic
from bioloom.targets import Targets


def rows(classes: int, n: int = 150, features: int = 5, seed: int = 0) -> TrainingData:
    random = np.random.default_rng(seed)
    x = (random.normal(size=(n + 60, features)) * random.uniform(0.5, 5, features) + 2).astype(np.float32)
    raw = (x / x.std(axis=0)) @ random.normal(size=(features, classes)) + random.normal(
        size=(n + 60, classes)
    )
    y = (raw - raw.mean(axis=0)).argmax(axis=1).astype(np.float32)[:, None]
    return TrainingData(x[:n], y[:n], random.uniform(0.5, 2, n).astype(np.float32), x[n:], y[n:])


def names(classes: int) -> Targets:
    return Targets("binary" if classes == 2 else "multiclass", ("y",), classes=tuple("abcd"[:classes]))


def oracle(data: TrainingData, penalty: float) -> np.ndarray:
    """Probabilities of the validation rows by scikit-learn on standardised features."""
    x = data.features.astype(float)
    mean, scale = x.mean(axis=0), x.std(axis=0)
    model = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=5000)
    model.fit((x - mean) / scale, data.truth[:, 0], sample_weight=data.weight.astype(float))
    return model.predict_proba((data.validation_features - mean) / scale)


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_it_agrees_with_scikit_learn(classes: int) -> None:
    data = rows(classes)
    model = Logistic.fit(data, names(classes), 0)
    expected = oracle(data, float(model.penalty[0]))
    found = model.predict(data.validation_features)
    assert found == pytest.approx(expected[:, 1:] if classes == 2 else expected, abs=2e-3)


def test_the_penalty_is_the_one_that_suits_the_validation_rows() -> None:
    data = rows(2, n=30, features=25)
    total = float(data.weight.sum())
    chosen = data.validation_truth[:, 0].astype(int)
    losses = [-np.log(oracle(data, p * total)[np.arange(60), chosen]).mean() for p in PENALTIES]
    model = Logistic.fit(data, names(2), 0)
    assert model.penalty[0] == pytest.approx(PENALTIES[int(np.argmin(losses))] * total)


def test_a_class_that_training_never_saw_gets_probability_zero() -> None:
    data = rows(3)
    data.truth[data.truth == 1] = 2
    value = Logistic.fit(data, names(3), 0).predict(data.validation_features)
    assert (value[:, 1] == 0).all()
    assert value.sum(axis=1) == pytest.approx(1.0)


def test_records_of_unknown_class_take_no_part() -> None:
    data = rows(2)
    more = TrainingData(
        np.vstack([data.features, data.features[:20] + 50]),
        np.vstack([data.truth, np.full((20, 1), np.nan)]).astype(np.float32),
        np.concatenate([data.weight, np.ones(20, np.float32)]),
        data.validation_features,
        data.validation_truth,
    )
    with_unknown = Logistic.fit(more, names(2), 0).predict(data.validation_features)
    assert with_unknown == pytest.approx(Logistic.fit(data, names(2), 0).predict(data.validation_features))


def test_a_constant_feature_takes_no_part() -> None:
    data = rows(2)
    data.features[:, 0] = 7
    model = Logistic.fit(data, names(2), 0)
    assert model.slope[0, 0] == 0
    assert model.describe().startswith("logistic regression on 4 features, penalty ")
