"""Metrics where every position of a record has a target: all known positions together, drawn by record."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as oracle

from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.scores import resample
from bioloom.metrics import METRICS, Pairs
from bioloom.tasks import TASKS

CLASSES = ("accuracy", "balanced_accuracy", "macro_f1", "mcc", "log_loss", "macro_roc_auc")
NUMBERS = ("r2", "rmse", "mae", "pearson")


def classes(records: int = 30, width: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Truths (records, 1, width) of three classes with unknown places, and probabilities (records, 3, width)."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, (records, 1, width)).astype(np.float16)
    truth[random.random(truth.shape) < 0.3] = np.nan
    truth[0, 0] = np.nan
    raw = random.normal(size=(records, 3, width)) + 1.5 * (truth == np.arange(3)[:, None])
    return truth, (np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)).astype(np.float32)


def flat(truth: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Known places as rows, and the record of each."""
    known = np.isfinite(truth[:, 0])
    return truth[:, 0][known], np.moveaxis(value, 1, -1)[known], np.nonzero(known)[0]


@pytest.mark.parametrize("name", CLASSES)
def test_a_metric_of_classes_is_that_of_all_known_places(name: str) -> None:
    truth, value = classes()
    label, probability, _ = flat(truth, value)
    assert METRICS[name](truth, value) == pytest.approx(METRICS[name](label[:, None], probability), rel=1e-12)


def test_the_share_of_positions_named_correctly_is_that_of_scikit_learn() -> None:
    truth, value = classes()
    label, probability, _ = flat(truth, value)
    called = probability.argmax(axis=1)
    assert METRICS["accuracy"](truth, value) == pytest.approx(oracle.accuracy_score(label, called))
    assert METRICS["macro_f1"](truth, value) == pytest.approx(oracle.f1_score(label, called, average="macro"))


@pytest.mark.parametrize("name", NUMBERS)
def test_a_metric_of_numbers_is_that_of_all_known_places(name: str) -> None:
    random = np.random.default_rng(1)
    truth = random.normal(size=(20, 1, 9)).astype(np.float32)
    truth[random.random(truth.shape) < 0.3] = np.nan
    value = (np.nan_to_num(truth) + random.normal(size=truth.shape)).astype(np.float32)
    label, predicted, _ = flat(truth, value)
    assert METRICS[name](truth, value) == pytest.approx(METRICS[name](label[:, None], predicted), rel=1e-9)


@pytest.mark.parametrize("name", CLASSES)
def test_in_a_draw_each_place_counts_as_often_as_its_record(name: str) -> None:
    truth, value = classes()
    label, probability, record = flat(truth, value)
    weights = np.random.default_rng(2).integers(0, 3, (len(truth), 4)).astype(float)
    found = METRICS[name].prepare(Pairs(truth, value))(weights)
    expected = METRICS[name].prepare(Pairs(label[:, None], probability))(weights[record])
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_an_interval_over_positions_is_wider_where_those_of_a_record_agree() -> None:
    random = np.random.default_rng(3)
    records, width = 250, 40
    truth = np.zeros((records, 1, width), dtype=np.float16)
    truth[:, :, ::2] = 1
    right = random.random((records, 1, 1)) < 0.7  # all positions of a record are right, or all are wrong
    value = np.where((truth == np.arange(2)[:, None]) == right, 0.9, 0.1).astype(np.float32)
    score = resample(TASKS["position_classes"], truth, {"model": value}, Resampling(records)).scores("model")[
        "position_accuracy"
    ]
    assert score.low is not None
    assert score.high is not None
    assert score.n == records
    assert score.high - score.low == pytest.approx(2 * 1.96 * np.sqrt(0.7 * 0.3 / records), rel=0.25)
