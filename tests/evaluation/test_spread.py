"""The line of measured on predicted values against scikit-learn, and its intervals by simulation."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from bioloom.evaluation.assessment import assess
from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.spread import spread
from bioloom.targets import Targets


def test_the_spread_of_numbers_is_the_slope_of_measured_on_predicted() -> None:
    random = np.random.default_rng(6)
    value = random.normal(5, 2, 500)
    truth = 0.5 * value + 3 + random.normal(0, 1, 500)
    truth[:7] = np.nan
    found = spread(truth, value, "growth")
    oracle = LinearRegression().fit(value[7:, None], truth[7:])
    assert found.line.slope[0] == pytest.approx(oracle.coef_[0])
    assert found.line.intercept[0] == pytest.approx(oracle.intercept_)
    assert found.line.slope[1] < 0.5 < found.line.slope[2]
    assert "too large" in found.text


@pytest.mark.parametrize("grouped", [False, True])
def test_the_interval_of_the_slope_holds_the_truth(grouped: bool) -> None:
    random, held = np.random.default_rng(7), []
    for _ in range(400):
        codes = np.repeat(np.arange(40), 8) if grouped else np.arange(320)
        value = random.normal(size=codes.max() + 1)[codes] + 0.3 * random.normal(size=320)
        truth = value + random.normal(size=codes.max() + 1)[codes] + 0.5 * random.normal(size=320)
        line = spread(truth, value, "a", codes if grouped else None).line
        held.append(line.slope[1] <= 1 <= line.slope[2])
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)


def test_a_slope_that_may_be_nothing_is_not_taken_at_face_value() -> None:
    random = np.random.default_rng(3)
    found = spread(random.normal(size=15), 0.1 * random.normal(size=15), "growth")
    assert found.line.slope[1] <= 0
    assert found.line.slope[2] >= 1
    assert "too uncertain" in found.text


def test_constant_predictions_have_no_slope_and_say_why() -> None:
    found = spread(np.arange(20.0), np.ones(20), "growth")
    assert found.line is None
    assert "all predictions are the same" in found.text
    block = assess(
        np.arange(20.0)[:, None], np.ones((20, 1)), Targets("regression", ("growth",)), Resampling(20)
    )
    json.dumps(block.to_json(), allow_nan=False)
