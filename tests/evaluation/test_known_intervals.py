"""Intervals against scipy, published figures and closed forms; their coverage is tested under honesty."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bioloom.evaluation.intervals import (
    Drawn,
    Score,
    area_and_error,
    degrees_of_freedom,
    delong,
    resampled_interval,
    wilson,
)
from bioloom.metrics.metric import CUBE_ROOT, MEAN, ROOT_MEAN, Scale


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (81, 263), (15, 148)])
def test_wilson_agrees_with_scipy(successes: int, trials: int) -> None:
    expected = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    found = wilson(successes, trials)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_a_share_of_nothing_has_no_interval() -> None:
    assert wilson(0, 0).reason == "there is no record to count"


def brute_force_delong(positive: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """All pairs, as in the paper."""
    pairs = np.subtract.outer(score[positive], score[~positive])
    order = (pairs > 0) + 0.5 * (pairs == 0)
    variance = order.mean(1).var(ddof=1) / positive.sum() + order.mean(0).var(ddof=1) / (~positive).sum()
    return float(order.mean()), float(np.sqrt(variance))


def test_delong_agrees_with_all_pairs_also_with_ties() -> None:
    random = np.random.default_rng(0)
    positive = random.random(80) < 0.3
    score = np.round(positive + random.normal(size=80), 1)
    assert area_and_error(positive, score) == pytest.approx(brute_force_delong(positive, score))


def test_the_interval_of_an_area_lies_around_it_and_inside_0_and_1() -> None:
    random = np.random.default_rng(1)
    positive = np.arange(40) < 15
    score = 3 * positive + random.normal(size=40)
    interval, (area, _) = delong(positive, score), area_and_error(positive, score)
    assert interval.low is not None
    assert interval.high is not None
    assert 0 < interval.low < area < interval.high < 1


def test_a_perfect_area_of_few_records_is_not_called_certain() -> None:
    positive = np.arange(20) < 8
    interval = delong(positive, positive.astype(float))
    assert interval.high == 1.0
    assert interval.low == pytest.approx(0.793, abs=0.002)  # the root of Newcombe's equation at 1
    turned = delong(positive, -positive.astype(float))
    assert turned.low == 0.0
    assert turned.high == pytest.approx(1 - 0.793, abs=0.002)


def test_an_area_with_a_single_positive_has_no_interval() -> None:
    assert delong(np.arange(9) == 0, np.arange(9.0)).reason == "one of the classes has fewer than two records"


def test_the_area_of_a_constant_has_no_interval() -> None:
    assert delong(np.arange(20) < 8, np.ones(20)).reason == "every prediction is the same"


def drawn_mean(values: np.ndarray, draws: int = 2000) -> Drawn:
    random = np.random.default_rng(3)
    n = len(values)
    samples = values[random.integers(0, n, (draws, n))].mean(axis=1)
    left_out = (values.sum() - values) / (n - 1) if n < 200 else np.empty(0)
    return Drawn(float(values.mean()), samples, left_out, n, False)


def test_for_a_mean_of_few_records_the_jackknife_is_students_t() -> None:
    values = np.random.default_rng(4).normal(size=25)
    expected = stats.ttest_1samp(values, 0).confidence_interval()
    found = resampled_interval(drawn_mean(values))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.method == "jackknife of 25 records"


def test_for_many_records_it_is_the_percentile_bootstrap() -> None:
    values = np.random.default_rng(5).exponential(size=400)
    found = resampled_interval(drawn_mean(values, 20_000))
    expected = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=6)
    ends = expected.confidence_interval
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), abs=0.005)


def test_four_units_are_too_few() -> None:
    found = resampled_interval(Drawn(1.0, np.ones(100), np.ones(4), 4, True))
    assert found.low is None
    assert found.reason == "4 independent groups are too few for an interval"


def test_draws_that_are_often_undefined_give_no_interval() -> None:
    draws = np.where(np.arange(1000) < 120, np.nan, np.random.default_rng(7).random(1000))
    found = resampled_interval(Drawn(0.5, draws, np.empty(0), 300, False))
    assert found.reason == "the value is not defined in 12% of the bootstrap draws"


def test_a_score_is_written_with_six_digits_and_without_nan() -> None:
    score = Score(1 / 3, 0.1, None, 9, "none", "no interval, because")
    assert score.to_json() == {
        "value": 0.333333, "low": 0.1, "high": None, "n": 9, "interval": "none",
        "undefined": "no interval, because",
    }  # fmt: skip
    assert "undefined" not in Score(0.5, 0.4, 0.6, 9, "Wilson").to_json()


def test_as_many_degrees_of_freedom_as_units_but_one_where_no_unit_decides() -> None:
    assert degrees_of_freedom(np.array([-1.0, 1.0, -1.0, 1.0, -1.0, 1.0])) == pytest.approx(5)
    assert degrees_of_freedom(np.zeros(6)) == 5


def test_the_variance_of_long_tailed_numbers_has_the_degrees_of_freedom_that_its_own_variance_says() -> None:
    """Kurtosis 9: the variance of exponential numbers varies by (9 - 1 + 2 / 499) / 500 of its square."""
    values = np.random.default_rng(8).exponential(size=(300, 500))
    found = [degrees_of_freedom(each - each.mean()) for each in values]
    spread = values.var(axis=1, ddof=1)
    assert np.median(found) == pytest.approx(2 * spread.mean() ** 2 / spread.var(), rel=0.25)


def test_one_unit_that_decides_makes_the_interval_wide_but_not_endless() -> None:
    """Seven groups without an error: the upper end lies beyond the scale of a mean and comes from the logarithm."""
    values = np.array([1.0, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3])
    alone = replace(drawn_mean(values), scale=MEAN)
    found = resampled_interval(alone)
    assert found.method == "jackknife of 8 records"
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < values.mean() < 5 * values.mean() < found.high < np.inf


@pytest.mark.parametrize("scale", [MEAN, ROOT_MEAN, CUBE_ROOT])
def test_a_scale_leads_there_and_back(scale: Scale) -> None:
    values = np.array([0.01, 0.5, 1.0, 30.0])
    assert scale.back(scale.stretch(values)) == pytest.approx(values)
    assert (np.diff(scale.stretch(values)) > 0).all()


def test_the_interval_of_a_mean_of_squares_and_of_its_root_are_one() -> None:
    squares = replace(drawn_mean(np.random.default_rng(9).exponential(size=30)), scale=MEAN)
    roots = replace(
        squares, value=np.sqrt(squares.value), left_out=np.sqrt(squares.left_out), scale=ROOT_MEAN
    )
    one, other = resampled_interval(squares), resampled_interval(roots)
    assert one.low is not None
    assert one.high is not None
    assert (other.low, other.high) == pytest.approx((np.sqrt(one.low), np.sqrt(one.high)))
