"""Classification metrics against scikit-learn, and against the course's own table."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as sklearn

from bioloom.metrics import METRICS

BINARY = {
    "roc_auc": sklearn.roc_auc_score,
    "average_precision": sklearn.average_precision_score,
    "mcc": lambda t, p: sklearn.matthews_corrcoef(t, p >= 0.5),
    "balanced_accuracy": lambda t, p: sklearn.balanced_accuracy_score(t, p >= 0.5),
    "accuracy": lambda t, p: sklearn.accuracy_score(t, p >= 0.5),
    "sensitivity": lambda t, p: sklearn.recall_score(t, p >= 0.5),
    "specificity": lambda t, p: sklearn.recall_score(t, p >= 0.5, pos_label=0),
    "precision": lambda t, p: sklearn.precision_score(t, p >= 0.5),
    "f1": lambda t, p: sklearn.f1_score(t, p >= 0.5),
    "log_loss": sklearn.log_loss,
    "brier": sklearn.brier_score_loss,
}

MULTICLASS = {
    "balanced_accuracy": lambda t, p: sklearn.balanced_accuracy_score(t, p.argmax(1)),
    "macro_f1": lambda t, p: sklearn.f1_score(t, p.argmax(1), average="macro"),
    "accuracy": lambda t, p: sklearn.accuracy_score(t, p.argmax(1)),
    "mcc": lambda t, p: sklearn.matthews_corrcoef(t, p.argmax(1)),
    "macro_roc_auc": lambda t, p: sklearn.roc_auc_score(t, p, multi_class="ovr"),
    "log_loss": sklearn.log_loss,
}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("ties", [False, True])
def test_a_binary_metric_agrees_with_its_oracle(name: str, ties: bool) -> None:
    random = np.random.default_rng(0)
    for n in (20, 400):
        truth = np.arange(n) % 3 == 0
        value = np.clip(0.4 * truth + 0.7 * random.random(n), 0.01, 0.99)
        value = np.round(value, 1) if ties else value
        value = np.clip(value, 0.01, 0.99)
        expected = BINARY[name](truth.astype(int), value)
        found = METRICS[name](truth.astype(float)[:, None], value[:, None])
        assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", MULTICLASS)
def test_a_metric_of_several_classes_agrees_with_its_oracle(name: str) -> None:
    random = np.random.default_rng(1)
    truth = random.integers(0, 4, 300)
    raw = np.exp(np.eye(4)[truth] + random.normal(size=(300, 4)))
    value = raw / raw.sum(axis=1, keepdims=True)
    expected = MULTICLASS[name](truth, value)
    assert METRICS[name](truth.astype(float)[:, None], value) == pytest.approx(expected, abs=1e-9)


def course_table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    positive = [1, 1, 0, 1, 1, 0, 0, 0, 1, 0]
    score = [0.9, 0.8, 0.7, 0.6, 0.55, 0.54, 0.53, 0.51, 0.5, 0.4]
    return np.array(positive, dtype=float)[:, None], np.array(score)[:, None]


def test_the_ten_records_of_the_lecture_have_an_area_of_0_76() -> None:
    assert METRICS["roc_auc"](*course_table()) == pytest.approx(0.76)


def test_another_threshold_calls_other_records() -> None:
    truth, score = course_table()
    assert METRICS["sensitivity"](truth, score, threshold=0.5) == 1.0
    assert METRICS["sensitivity"](truth, score, threshold=0.58) == pytest.approx(3 / 5)
    assert METRICS["specificity"](truth, score, threshold=0.58) == pytest.approx(4 / 5)


def test_records_of_unknown_class_take_no_part() -> None:
    truth, score = course_table()
    more_truth = np.vstack([truth, [[np.nan]]])
    more_score = np.vstack([score, [[0.99]]])
    for name in BINARY:
        assert METRICS[name](more_truth, more_score) == pytest.approx(METRICS[name](truth, score))


def test_precision_without_a_positive_call_is_not_zero_but_undefined() -> None:
    truth = np.array([[1.0], [0.0], [1.0]])
    assert (
        METRICS["precision"].undefined(truth, np.full((3, 1), 0.1)) == "no record is predicted to be positive"
    )
    assert np.isnan(METRICS["precision"](truth, np.full((3, 1), 0.1)))
    assert METRICS["f1"](truth, np.full((3, 1), 0.1)) == 0.0


def test_one_class_in_the_test_leaves_the_area_undefined() -> None:
    assert METRICS["roc_auc"].undefined(np.ones((5, 1)), np.random.default_rng(0).random((5, 1))) == (
        "all records are of one class"
    )


def test_a_sure_mistake_costs_much_but_not_infinitely_much() -> None:
    found = METRICS["log_loss"](np.array([[1.0], [0.0]]), np.array([[0.0], [0.0]]))
    assert found == pytest.approx(-np.log(1e-7) / 2)


def test_the_error_rate_is_what_is_left_of_the_accuracy() -> None:
    random = np.random.default_rng(5)
    truth, value = random.integers(0, 3, (80, 1)).astype(float), random.random((80, 3))
    assert METRICS["error_rate"](truth, value) == pytest.approx(1 - METRICS["accuracy"](truth, value))
