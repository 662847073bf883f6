"""Scores of several models from the same draws."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.scores import resample, target_scores
from bioloom.tasks import TASKS


def two_classes(n: int = 80) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    truth = (np.arange(n) % 3 == 0).astype(np.float32)[:, None]
    value = 1 / (1 + np.exp(-(2 * truth - 1 + random.normal(size=(n, 1)))))
    return truth, value.astype(np.float32)


def test_every_metric_of_the_task_is_scored_with_an_interval_around_it() -> None:
    truth, value = two_classes()
    found = resample(TASKS["binary"], truth, {"model": value}, Resampling(80)).scores("model")
    assert list(found) == list(TASKS["binary"].metrics)
    for score in found.values():
        assert score.value is not None
        assert score.low is not None
        assert score.high is not None
        assert score.low < score.value < score.high
        assert score.n == 80
    assert found["roc_auc"].value == pytest.approx(roc_auc_score(truth[:, 0], value[:, 0]))


def test_the_method_fits_the_metric_and_the_groups() -> None:
    truth, value = two_classes()
    alone = resample(TASKS["binary"], truth, {"model": value}, Resampling(80)).scores("model")
    assert alone["accuracy"].method == "Wilson"
    assert alone["roc_auc"].method == "DeLong, logit scale"
    assert alone["mcc"].method == "jackknife of 80 records"
    groups = np.arange(80) // 4
    grouped = resample(TASKS["binary"], truth, {"model": value}, Resampling(80, groups)).scores("model")
    assert {score.method for score in grouped.values()} == {"jackknife of 20 groups"}


def test_many_records_are_bootstrapped() -> None:
    random = np.random.default_rng(1)
    truth = random.normal(size=(250, 1)).astype(np.float32)
    found = resample(TASKS["regression"], truth, {"model": truth + 1}, Resampling(250, draws=300))
    assert (
        found.scores("model")["mae"].undefined == "no interval, because every resampling gives the same value"
    )
    noisy = truth + random.normal(size=truth.shape).astype(np.float32)
    score = resample(TASKS["regression"], truth, {"model": noisy}, Resampling(250, draws=300)).scores(
        "model"
    )["r2"]
    assert score.method == "bootstrap of 300 draws of records"


def test_an_undefined_metric_says_why_and_the_others_stand() -> None:
    truth = np.random.default_rng(2).normal(size=(60, 1)).astype(np.float32)
    found = resample(TASKS["regression"], truth, {"trivial": np.zeros_like(truth)}, Resampling(60)).scores(
        "trivial"
    )
    assert found["spearman"].value is None
    assert found["spearman"].undefined == "not defined, because every prediction is the same"
    assert found["rmse"].value is not None


def test_intervals_do_not_leave_the_range_of_the_metric() -> None:
    truth, value = two_classes(24)
    value[truth == 1] = np.maximum(value[truth == 1], 0.45)
    found = resample(TASKS["binary"], truth, {"model": value}, Resampling(24)).scores("model")
    for name in ("f1", "average_precision", "brier"):
        assert 0 <= found[name].low <= found[name].high <= 1


def test_no_test_records_give_no_scores() -> None:
    empty = np.zeros((0, 1), dtype=np.float32)
    found = resample(TASKS["regression"], empty, {"model": empty}, Resampling(0)).scores("model")
    assert all(score.value is None and score.n == 0 for score in found.values())


def test_each_target_is_scored_by_itself() -> None:
    random = np.random.default_rng(3)
    truth = random.normal(size=(60, 2)).astype(np.float32)
    value = np.column_stack([truth[:, 0], random.normal(size=60)]).astype(np.float32)
    found = target_scores(TASKS["regression"], truth, value, Resampling(60), ("first", "second"))
    assert found["first"]["spearman"].value == pytest.approx(1.0)
    assert abs(found["second"]["spearman"].value) < 0.4
