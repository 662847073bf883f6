"""Scores over folds: the corrected test against its formula and by simulation, and why leave-one-out is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import roc_auc_score

from bioloom.evaluation.folds import REFUSED, WHY_REFUSED, OutOfFold, corrected, fold_scores
from bioloom.metrics import METRICS
from bioloom.tasks import TASKS


def numbers(n: int = 100, repeats: int = 2) -> OutOfFold:
    random = np.random.default_rng(0)
    truth = random.normal(size=(n, 1))
    fold = np.stack([random.permutation(n) % 5 for _ in range(repeats)])
    good = truth + random.normal(0, 0.3, (repeats, n, 1))
    poor = truth + random.normal(0, 1.0, (repeats, n, 1))
    return OutOfFold(TASKS["regression"], truth, {"model": good, "simple": poor}, fold)


def nothing_known(truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of all other records: what leave-one-out gives a model that has learned nothing."""
    return (truth.sum() - truth) / (len(truth) - 1)


def test_a_model_that_knows_nothing_reaches_minus_one_with_leave_one_out() -> None:
    truth = np.random.default_rng(1).normal(size=(60, 1))
    assert METRICS["pearson"](truth, nothing_known(truth)) == pytest.approx(-1.0)
    assert METRICS["spearman"](truth, nothing_known(truth)) == pytest.approx(-1.0)
    classes = (np.arange(60) % 2).astype(float)[:, None]
    assert METRICS["roc_auc"](classes, nothing_known(classes)) == 0.0


@pytest.mark.parametrize("task", ["regression", "binary"])
def test_leave_one_out_refuses_correlations_and_areas_and_says_why(task: str) -> None:
    truth = (np.arange(60) % 2).astype(float)[:, None]
    tested = OutOfFold(TASKS[task], truth, {"model": nothing_known(truth)[None]}, np.arange(60)[None])
    found = fold_scores(tested)
    assert tested.leaves_one_out
    assert set(found.refused) == set(REFUSED) & set(TASKS[task].metrics)
    assert set(found.refused.values()) == {WHY_REFUSED}
    assert not set(found.pooled) & set(REFUSED)
    assert "r = -1" in found.text
    assert found.mean["mae" if task == "regression" else "accuracy"].mean is not None


def test_each_fold_holds_its_own_score_and_sizes() -> None:
    tested = numbers()
    found = fold_scores(tested)
    assert len(found.folds) == 10
    first = found.folds[0]
    part = tested.fold[0] == 0
    assert (first.n_test, first.n_train) == (20, 80)
    expected = np.corrcoef(tested.truth[part, 0], tested.values["model"][0][part, 0])[0, 1]
    assert first.values["pearson"] == pytest.approx(expected)
    assert found.mean["pearson"].mean == pytest.approx(
        np.mean([fold.values["pearson"] for fold in found.folds])
    )
    assert json.loads(json.dumps(found.to_json()))["folds"][0]["n_test"] == 20


def test_the_corrected_test_is_that_of_nadeau_and_bengio() -> None:
    values, shares = np.array([0.1, 0.3, 0.2, 0.25, 0.15]), np.full(5, 0.25)
    error = np.sqrt((1 / 5 + 1 / 4) * values.var(ddof=1))
    found = corrected(values, shares)
    assert found.p == pytest.approx(2 * stats.t.sf(values.mean() / error, 4))
    assert found.high - found.mean == pytest.approx(stats.t.ppf(0.975, 4) * error)
    assert found.p > stats.ttest_1samp(values, 0).pvalue  # the uncorrected test is too sure


@pytest.mark.parametrize("value", [0.0, 0.1, -3.0])
def test_differences_that_are_the_same_in_all_folds_prove_nothing(value: float) -> None:
    found = corrected(np.full(5, value) * np.array([1, 1, 1 + 1e-15, 1, 1]), np.full(5, 0.25))
    assert found.mean == pytest.approx(value)
    assert (found.low, found.high, found.p) == (None, None, None)
    assert found.to_json()["undefined"] == "the same in all folds"
    assert corrected(np.full(5, value), np.full(5, 0.25), test=False).low is None


def test_two_models_that_say_the_same_differ_by_nothing_and_that_is_no_proof() -> None:
    tested = numbers()
    same = {"model": tested.values["model"], "simple": tested.values["model"] * (1 + 1e-15)}
    _, found = fold_scores(replace(tested, values=same)).differences["simple"]
    assert (found.mean, found.low, found.p) == (0, None, None)
    assert found.reason == "the same in all folds"


def test_where_there_is_no_interval_over_folds_the_reason_is_told() -> None:
    assert corrected(np.array([0.1, 0.2]), np.full(2, 1.0)).reason == "2 folds, and it takes three"
    assert corrected(np.array([0.1, np.nan, 0.2]), np.full(3, 0.5)).reason == "not defined in every fold"
    assert "undefined" not in corrected(np.array([0.1, 0.3, 0.2]), np.full(3, 0.5)).to_json()


def test_the_better_model_wins_whichever_way_the_metric_runs() -> None:
    metric, difference = fold_scores(numbers()).differences["simple"]
    assert metric == "spearman"
    assert difference.low > 0
    assert difference.p < 0.01


def test_the_area_is_given_pooled_and_as_mean_over_folds() -> None:
    random = np.random.default_rng(2)
    truth = (np.arange(90) % 3 == 0).astype(float)[:, None]
    fold = (random.permutation(90) % 3)[None]
    shifted = np.clip(0.4 * truth + random.random((90, 1)) * 0.3 + 0.1 * fold.T, 0, 1)
    found = fold_scores(OutOfFold(TASKS["binary"], truth, {"model": shifted[None]}, fold))
    assert found.pooled["roc_auc"] == pytest.approx(roc_auc_score(truth[:, 0], shifted[:, 0]))
    assert found.mean["roc_auc"].mean > found.pooled["roc_auc"]  # folds on different levels


def test_a_metric_that_is_not_defined_in_one_fold_has_no_mean() -> None:
    truth = np.array([0, 0, 0, 1, 0, 1, 0, 1, 1.0])[:, None]
    found = fold_scores(
        OutOfFold(TASKS["binary"], truth, {"model": truth[None] * 0.8 + 0.1}, np.repeat([0, 1, 2], 3)[None])
    )
    assert found.mean["roc_auc"].mean is None
    assert found.mean["accuracy"].mean == 1.0


def test_the_corrected_test_seldom_sees_what_is_not_there() -> None:
    """Two ridge models of different useless columns, five folds: the plain t test errs far more often."""
    claims = plain = 0
    for seed in range(150):
        random = np.random.default_rng(seed)
        truth, columns = random.normal(size=60), random.normal(size=(2, 60, 8))
        fold = np.arange(60) % 5
        error = np.empty((2, 5))
        for k in range(5):
            learn, test = fold != k, fold == k
            for i in range(2):
                x = columns[i]
                weights = np.linalg.solve(x[learn].T @ x[learn] + np.eye(8), x[learn].T @ truth[learn])
                error[i, k] = np.mean((truth[test] - x[test] @ weights) ** 2)
        difference = error[0] - error[1]
        claims += corrected(difference, np.full(5, 0.25)).p < 0.05
        plain += stats.ttest_1samp(difference, 0).pvalue < 0.05
    assert claims <= 13  # 7.5 expected at most
    assert claims < plain
