"""The model minus each baseline, on the same draws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bioloom.evaluation.comparison import Difference, compare
from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.scores import resample
from bioloom.metrics import METRICS
from bioloom.tasks import TASKS


def numbers(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    truth = random.normal(size=(n, 1))
    good, poor = truth + 0.3 * random.normal(size=(n, 1)), truth + 2 * random.normal(size=(n, 1))
    return truth.astype(np.float32), good.astype(np.float32), poor.astype(np.float32)


@pytest.mark.parametrize("n", [60, 300])
def test_a_better_model_wins_and_a_worse_one_loses(n: int) -> None:
    truth, good, poor = numbers(n)
    (better,) = compare(resample(TASKS["regression"], truth, {"model": good, "simple": poor}, Resampling(n)))
    (worse,) = compare(resample(TASKS["regression"], truth, {"model": poor, "simple": good}, Resampling(n)))
    assert better.wins
    assert not better.loses
    assert worse.loses
    assert not worse.wins
    assert better.difference == pytest.approx(-worse.difference)
    expected = METRICS["spearman"](truth, good) - METRICS["spearman"](truth, poor)
    assert better.difference == pytest.approx(expected)


def test_a_model_neither_beats_nor_loses_to_itself() -> None:
    truth, good, _ = numbers(60)
    (same,) = compare(resample(TASKS["regression"], truth, {"model": good, "simple": good}, Resampling(60)))
    assert (same.difference, same.low, same.high) == (0.0, 0.0, 0.0)
    assert not same.wins
    assert not same.loses


def test_a_constant_baseline_is_compared_in_the_next_metric_that_is_defined() -> None:
    truth, good, _ = numbers(60)
    constant = np.full_like(truth, truth.mean())
    (found,) = compare(
        resample(TASKS["regression"], truth, {"model": good, "trivial": constant}, Resampling(60))
    )
    assert found.metric == "r2"
    assert found.wins


def test_positive_means_better_also_where_lower_is_better() -> None:
    truth, good, poor = numbers(60)
    errors = replace(TASKS["regression"], metrics=("rmse",))
    (found,) = compare(resample(errors, truth, {"model": good, "simple": poor}, Resampling(60)))
    assert found.wins


def test_where_nothing_is_defined_there_is_no_difference() -> None:
    truth = np.full((40, 1), np.nan, dtype=np.float32)
    (found,) = compare(
        resample(TASKS["regression"], truth, {"model": truth, "simple": truth}, Resampling(40))
    )
    assert found.difference is None
    assert found.undefined == "no metric of the task is defined for both"
    assert not found.wins
    assert found.to_json()["undefined"] == found.undefined


def test_a_difference_without_an_interval_is_no_win() -> None:
    assert not Difference("spearman", "simple", 0.5, None, None).wins
