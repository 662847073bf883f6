"""Scores of single classes beside those of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from bioloom.evaluation.by_class import class_scores
from bioloom.evaluation.intervals import wilson
from bioloom.evaluation.resampling import Resampling

NAMES = ("A", "B", "C")


def answers(shape: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Truth (records, 1, *places) and probabilities (records, 3, *places) that are often right."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, (shape[0], 1, *shape[1:])).astype(np.float32)
    noise = random.random((shape[0], 3, *shape[1:]))
    right = np.moveaxis(np.eye(3)[truth[:, 0].astype(int)], -1, 1)
    value = noise + 0.5 * right
    return truth, (value / value.sum(axis=1, keepdims=True)).astype(np.float32)


def expected(truth: np.ndarray, value: np.ndarray) -> list[np.ndarray]:
    """Precision, recall, F1 and size of each class, as scikit-learn has them."""
    known = np.isfinite(truth[:, 0])
    called = value.argmax(axis=1)[known]
    return list(precision_recall_fscore_support(truth[:, 0][known], called, labels=[0, 1, 2]))


@pytest.mark.parametrize("shape", [(150,), (40, 7), (12, 4, 5)])
def test_the_scores_of_each_class_are_those_of_scikit_learn(shape: tuple[int, ...]) -> None:
    truth, value = answers(shape)
    truth[0] = np.nan
    found = class_scores(truth, value, NAMES, Resampling(len(truth), draws=50))
    precision, recall, f1, size = expected(truth, value)
    for number, name in enumerate(NAMES):
        assert found[name]["precision"].value == pytest.approx(precision[number])
        assert found[name]["sensitivity"].value == pytest.approx(recall[number])
        assert found[name]["f1"].value == pytest.approx(f1[number])
        assert found[name]["sensitivity"].n == size[number]


def test_shares_of_independent_records_have_wilsons_interval() -> None:
    truth, value = answers((300,))
    score = class_scores(truth, value, NAMES, Resampling(300))["B"]["sensitivity"]
    assert score.value is not None
    span = wilson(round(score.value * score.n), score.n)
    assert (score.low, score.high, score.method) == (span.low, span.high, "Wilson")


def test_places_of_one_record_are_drawn_together() -> None:
    """A record is found as a whole or missed as a whole: a hundred places are no more evidence than one."""
    truth = np.zeros((40, 1, 100), dtype=np.float32)
    truth[20:] = 1
    value = np.zeros((40, 3, 100), dtype=np.float32)
    for row in range(40):
        value[row, (row // 20) if row % 2 else 2] = 1
    score = class_scores(truth, value, NAMES, Resampling(40, draws=400))["A"]["sensitivity"]
    assert score.value == 0.5
    assert score.high - score.low > 0.3
    assert score.method == "jackknife of 40 records"


def test_f1_of_independent_records_is_drawn_and_holds_its_value() -> None:
    truth, value = answers((400,))
    score = class_scores(truth, value, NAMES, Resampling(400, draws=200))["C"]["f1"]
    assert score.method == "bootstrap of 200 draws of records"
    assert score.low < score.value < score.high


def test_a_class_that_is_not_there_has_no_score_but_a_reason() -> None:
    truth, value = answers((100,))
    value[truth[:, 0] == 2] = (1, 0, 0)
    truth[truth == 2] = 0
    value[:, 2] = 0
    found = class_scores(truth, value, NAMES, Resampling(100))["C"]
    assert found["sensitivity"].value is None
    assert "none of the test records is of this class" in str(found["sensitivity"].undefined)
    assert "predicted to be of this class" in str(found["precision"].undefined)
    assert "neither there nor predicted" in str(found["f1"].undefined)


def test_groups_are_drawn_as_wholes() -> None:
    truth, value = answers((300,))
    groups = np.repeat(np.arange(30), 10)
    score = class_scores(truth, value, NAMES, Resampling(300, groups))["A"]["sensitivity"]
    assert score.method == "jackknife of 30 groups"


def test_predictions_that_are_not_finite_have_no_scores_of_classes() -> None:
    truth, value = answers((20,))
    value[3] = np.nan
    assert class_scores(truth, value, NAMES, Resampling(20)) == {}
