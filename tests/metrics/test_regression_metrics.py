"""Regression metrics against scikit-learn and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sklearn

from bioloom.metrics import METRICS

ORACLES = {
    "spearman": lambda t, v: stats.spearmanr(t, v).statistic,
    "pearson": lambda t, v: stats.pearsonr(t, v).statistic,
    "r2": sklearn.r2_score,
    "rmse": lambda t, v: sklearn.mean_squared_error(t, v) ** 0.5,
    "mae": sklearn.mean_absolute_error,
}


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("ties", [False, True])
def test_a_metric_agrees_with_its_oracle(name: str, ties: bool) -> None:
    random = np.random.default_rng(0)
    for n in (3, 10, 500):
        truth = random.normal(1000, 3, n)
        value = truth + random.normal(0, 2, n)
        if ties:
            truth, value = np.round(truth), np.round(value)
        expected = ORACLES[name](truth, value)
        assert METRICS[name](truth[:, None], value[:, None]) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", ORACLES)
def test_several_targets_are_averaged_over_their_known_records(name: str) -> None:
    random = np.random.default_rng(1)
    truth, value = random.normal(size=(50, 3)), random.normal(size=(50, 3))
    truth[random.random((50, 3)) < 0.3] = np.nan
    each = []
    for i in range(3):
        known = np.isfinite(truth[:, i])
        each.append(ORACLES[name](truth[known, i], value[known, i]))
    assert METRICS[name](truth, value) == pytest.approx(np.mean(each))


def test_a_target_that_is_constant_takes_no_part_in_a_correlation() -> None:
    random = np.random.default_rng(2)
    truth, value = random.normal(size=(50, 2)), random.normal(size=(50, 2))
    alone = METRICS["spearman"](truth[:, :1], value[:, :1])
    truth[:, 1] = 7.0
    assert METRICS["spearman"](truth, value) == pytest.approx(alone)
    assert METRICS["spearman"].undefined(truth[:, 1:], value[:, 1:]) == "every true value is the same"


def test_a_correlation_of_constant_predictions_is_not_defined() -> None:
    truth = np.arange(10.0)[:, None]
    assert METRICS["pearson"].undefined(truth, np.ones((10, 1))) == "every prediction is the same"
    assert METRICS["r2"](truth, np.ones((10, 1)) * 4.5) == pytest.approx(0.0)


def test_huge_numbers_with_small_differences_keep_their_digits() -> None:
    random = np.random.default_rng(3)
    truth = 1e9 + random.normal(size=200)
    value = 1e9 + random.normal(size=200)
    expected = np.corrcoef(truth - 1e9, value - 1e9)[0, 1]
    assert METRICS["pearson"](truth[:, None], value[:, None]) == pytest.approx(expected, abs=1e-6)


def test_concordance_is_lins_and_falls_with_a_wrong_slope_or_offset() -> None:
    random = np.random.default_rng(4)
    truth = random.normal(1e4, 2, 500)
    value = 0.5 * (truth - 1e4) + 1e4 + 1 + random.normal(0, 0.3, 500)
    apart = (truth.mean() - value.mean()) ** 2
    closed = 2 * np.cov(truth, value, ddof=0)[0, 1] / (truth.var() + value.var() + apart)
    found = METRICS["concordance"](truth[:, None], value[:, None])
    assert found == pytest.approx(closed, abs=1e-9)
    assert found < METRICS["pearson"](truth[:, None], value[:, None]) - 0.1
    assert METRICS["concordance"](truth[:, None], np.zeros((500, 1))) == pytest.approx(0.0, abs=1e-6)
