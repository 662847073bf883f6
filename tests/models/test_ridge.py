"""Ridge regression, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge as Oracle

from bioloom.models import TrainingData, ridge
from bioloom.models.ridge import PENALTIES, Ridge
from bioloom.targets import Targets


def rows(n: int, features: int, targets: int = 1, seed: int = 0) -> TrainingData:
    random = np.random.default_rng(seed)
    x = (random.normal(size=(n + 40, features)) * random.uniform(0.1, 10, features) + 3).astype(np.float32)
    slope = random.normal(size=(features, targets)) / x.std(axis=0)[:, None]
    y = (x @ slope + random.normal(size=(n + 40, targets)) * 2 + 100).astype(np.float32)
    weight = random.uniform(0.5, 2, n).astype(np.float32)
    return TrainingData(x[:n], y[:n], weight, x[n:], y[n:])


def names(count: int) -> Targets:
    return Targets("regression", tuple("abcdef"[:count]))


def oracle(data: TrainingData, penalty: float, target: int = 0) -> np.ndarray:
    """Predictions for the validation rows by scikit-learn on standardised features."""
    known = np.isfinite(data.truth[:, target])
    x, y, weight = data.features[known].astype(float), data.truth[known, target], data.weight[known]
    mean = np.average(x, axis=0, weights=weight)
    scale = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=weight))
    scale[scale == 0] = 1
    model = Oracle(alpha=penalty, solver="cholesky").fit((x - mean) / scale, y, sample_weight=weight)
    return model.predict((data.validation_features - mean) / scale)


@pytest.mark.parametrize(("n", "features"), [(120, 8), (60, 60), (30, 200)])
def test_it_agrees_with_scikit_learn_for_few_and_for_many_features(n: int, features: int) -> None:
    data = rows(n, features)
    model = Ridge.fit(data, names(1), 0)
    expected = oracle(data, float(model.penalty[0]))
    assert model.predict(data.validation_features)[:, 0] == pytest.approx(expected, rel=1e-3, abs=1e-2)


def test_the_penalty_is_the_one_that_errs_least_on_the_validation_rows() -> None:
    data = rows(60, 40)
    total = float(data.weight.sum())
    errors = [
        ((oracle(data, penalty * total) - data.validation_truth[:, 0]) ** 2).mean() for penalty in PENALTIES
    ]
    model = Ridge.fit(data, names(1), 0)
    assert model.penalty[0] == pytest.approx(PENALTIES[int(np.argmin(errors))] * total)


def test_each_target_is_fitted_on_its_own_known_records() -> None:
    data = rows(100, 6, targets=3)
    data.truth[:40, 0] = np.nan
    data.truth[30:70, 2] = np.nan
    model = Ridge.fit(data, names(3), 0)
    found = model.predict(data.validation_features)
    for target in range(3):
        expected = oracle(data, float(model.penalty[target]), target)
        assert found[:, target] == pytest.approx(expected, rel=1e-3, abs=1e-2)


def test_constant_and_repeated_features_do_no_harm() -> None:
    data = rows(80, 4)
    wide = np.column_stack([data.features, data.features[:, :1], np.full(80, 7)]).astype(np.float32)
    more = np.column_stack([data.validation_features, data.validation_features[:, :1], np.full(40, 7)])
    model = Ridge.fit(
        TrainingData(wide, data.truth, data.weight, more.astype(np.float32), data.validation_truth),
        names(1),
        0,
    )
    assert model.slope[5, 0] == 0
    assert model.slope[0, 0] == pytest.approx(model.slope[4, 0], rel=1e-3)
    assert "5 features" in model.describe()


def test_a_target_without_a_known_record_is_predicted_as_zero_not_nan() -> None:
    data = rows(50, 3, targets=2)
    data.truth[:, 1] = np.nan
    assert (Ridge.fit(data, names(2), 0).predict(data.validation_features)[:, 1] == 0).all()


def test_too_many_of_both_keep_the_features_that_vary_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ridge, "LARGEST", 5)
    data = rows(50, 9)
    model = Ridge.fit(data, names(1), 0)
    used = np.flatnonzero(model.slope[:, 0])
    assert set(used) == set(np.argsort(-data.features.std(axis=0))[:5])
    assert model.describe().startswith("ridge regression on 5 features")


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for n, features in ((100, 8), (20, 90)):
        data = rows(n, features)
        whole = Ridge.fit(data, names(1), 0).predict(data.validation_features)
        monkeypatch.setattr(ridge, "BLOCK", 7)
        assert Ridge.fit(data, names(1), 0).predict(data.validation_features) == pytest.approx(
            whole, rel=1e-4
        )
        monkeypatch.undo()
