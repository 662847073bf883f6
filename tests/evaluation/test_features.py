"""Scores of single features against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import r2_score

from bioloom.evaluation.features import feature_scores
from bioloom.evaluation.resampling import Resampling
from bioloom.metrics import METRICS


def example() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    truth = random.normal(size=(120, 4)).astype(np.float32)
    truth[:, 3] = 1.0
    return truth, (truth + 0.5 * random.normal(size=truth.shape)).astype(np.float32)


def test_each_feature_has_the_share_that_scikit_learn_finds() -> None:
    truth, value = example()
    found = feature_scores(truth, {"model": value, "simple": 0 * value}, tuple("abcd"), Resampling(120))
    expected = [r2_score(truth[:, i], value[:, i]) for i in range(3)]
    assert found.explained["model"][:3] == pytest.approx(expected, abs=1e-6)
    assert (found.low[:3] < found.explained["model"][:3]).all()
    assert (found.high[:3] > found.explained["model"][:3]).all()
    assert np.isnan(found.explained["model"][3]), "a feature that does not differ has no share"
    assert found.to_json()["constant"] == 1


def test_all_features_together_are_weighed_by_how_much_they_differ() -> None:
    truth, value = example()
    known = METRICS["variance_explained"](truth[:, :3], value[:, :3])
    assert known == pytest.approx(
        r2_score(truth[:, :3], value[:, :3], multioutput="variance_weighted"), abs=1e-6
    )


def test_unknown_numbers_are_left_out() -> None:
    truth, value = example()
    holes = truth.copy()
    holes[::3, 0] = np.nan
    found = feature_scores(holes, {"model": value}, tuple("abcd"), Resampling(120))
    rest = np.isfinite(holes[:, 0])
    assert found.explained["model"][0] == pytest.approx(r2_score(truth[rest, 0], value[rest, 0]), abs=1e-6)
