"""Predictive information against closed forms, scikit-learn and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.feature_selection import mutual_info_regression

from bioloom.evaluation.information import (
    mutual_information,
    predictive_information,
    variational_information,
)


def normal(correlation: float, n: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    truth = random.normal(size=n)
    return truth, correlation * truth + np.sqrt(1 - correlation**2) * random.normal(size=n)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9, 0.99])
def test_it_is_the_closed_form_for_normal_numbers(correlation: float) -> None:
    truth, value = normal(correlation, 5000)
    assert mutual_information(truth, value) == pytest.approx(-0.5 * np.log2(1 - correlation**2), abs=0.05)


def test_it_agrees_with_scikit_learn() -> None:
    truth, value = normal(0.7, 3000, seed=1)
    other = mutual_info_regression(value[:, None], truth, n_neighbors=5, random_state=0)[0] / np.log(2)
    assert mutual_information(truth, value) == pytest.approx(other, abs=0.005)


def test_few_records_do_not_pull_it_down() -> None:
    """The record at the edge of a neighbourhood does not count as inside; counted by rounding it costs 0.035 bits."""
    found = [mutual_information(*normal(0.7, 200, seed)) for seed in range(300)]
    assert np.mean(found) == pytest.approx(-0.5 * np.log2(1 - 0.7**2), abs=0.015)


def test_a_bent_scale_loses_nothing_and_measurements_in_few_steps_are_no_problem() -> None:
    truth, value = normal(0.8, 4000, seed=2)
    assert mutual_information(np.exp(truth), value**3) == pytest.approx(mutual_information(truth, value))
    upper = (truth > 0).astype(float)  # one bit; neighbourhoods reach over its edge
    assert mutual_information(upper, truth) == pytest.approx(1.0, abs=0.06)


def test_a_constant_prediction_tells_nothing_and_a_constant_truth_is_not_defined() -> None:
    truth, _ = normal(0.5, 200)
    assert predictive_information(truth, np.ones(200)).value == 0
    undefined = predictive_information(np.ones(200), truth)
    assert undefined.value is None
    assert undefined.undefined == "not defined, because every true value is the same"
    assert predictive_information(truth[:20], truth[:20]).value is None


def test_the_interval_holds_the_true_value() -> None:
    true, held = -0.5 * np.log2(1 - 0.6**2), 0
    for seed in range(60):
        score = predictive_information(*normal(0.6, 400, seed), seed=seed)
        assert score.low is not None
        assert score.high is not None
        held += score.low <= true <= score.high
    assert held >= 54  # 57 expected; fewer than 54 happens in 3 of 100 such tests


def test_records_in_groups_make_the_interval_wider() -> None:
    truth, value = normal(0.8, 100, seed=3)
    copies = np.repeat(np.arange(100), 5)
    jitter = np.random.default_rng(0).normal(0, 0.3, (2, 500))
    truth, value = truth[copies] + jitter[0], value[copies] + jitter[1]
    alone, grouped = predictive_information(truth, value), predictive_information(truth, value, copies)
    assert grouped.high - grouped.low > 1.3 * (alone.high - alone.low)


def test_targets_are_averaged_and_many_records_are_cut() -> None:
    truth, value = normal(0.9, 12_000)
    two = predictive_information(np.column_stack([truth, truth]), np.column_stack([value, np.zeros(12_000)]))
    one = predictive_information(truth, value)
    assert one.n == 10_000
    assert two.value == pytest.approx(one.value / 2)


def test_a_right_account_of_normal_noise_tells_the_closed_form_and_a_wrong_one_less() -> None:
    random = np.random.default_rng(0)
    signal = random.normal(size=6000)
    truth = signal + 0.5 * random.normal(size=6000)
    told = variational_information(-norm.logpdf(truth, signal, 0.5), truth)
    assert told.low is not None
    assert told.high is not None
    assert told.value == pytest.approx(0.5 * np.log2(1 + 4), abs=0.04)
    assert told.low < 0.5 * np.log2(5) < told.high
    wrong = variational_information(-norm.logpdf(truth, signal, 1.0), truth)
    assert wrong.value is not None
    assert told.value is not None
    # divergence of the two normal distributions, in bits
    lost = np.log2(1.0 / 0.5) + (0.25 - 1) / 2 / np.log(2)
    assert wrong.value == pytest.approx(told.value - lost, abs=0.02)


def test_of_classes_it_is_the_closed_form_of_a_symmetric_channel() -> None:
    random = np.random.default_rng(0)
    sent = random.integers(0, 2, 5000)
    received = np.where(random.random(5000) < 0.1, 1 - sent, sent)
    surprise = -np.log(np.where(sent == received, 0.9, 0.1))
    told = variational_information(surprise, received, classes=True)
    assert told.value == pytest.approx(1 + 0.9 * np.log2(0.9) + 0.1 * np.log2(0.1), abs=0.03)


def test_a_density_is_refused_for_repeated_numbers_and_groups_widen_the_interval() -> None:
    random = np.random.default_rng(0)
    assert variational_information(np.zeros(100), random.integers(0, 3, 100)).value is None
    of_group = np.repeat(random.normal(size=60), 5)
    truth = of_group + 0.3 * random.normal(size=300)
    surprise = -norm.logpdf(truth, 0.0, 1.0)
    alone, grouped = (
        variational_information(surprise, truth, groups) for groups in (None, np.arange(300) // 5)
    )
    assert alone.value == grouped.value
    assert alone.high - alone.low < grouped.high - grouped.low  # type: ignore[operator]
