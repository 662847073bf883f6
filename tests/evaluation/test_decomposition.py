"""The decompositions add up exactly, for any predictions, and say what is true of planted models."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioloom.evaluation.decomposition import decompose_squared, decompose_zero_one

sizes = st.tuples(st.integers(2, 9), st.integers(1, 30), st.integers(0, 10_000))


@settings(deadline=None, max_examples=60)
@given(sizes)
def test_squared_loss_is_noise_and_bias_and_variance(drawn: tuple[int, int, int]) -> None:
    trainings, records, seed = drawn
    random = np.random.default_rng(seed)
    predictions, truth = random.normal(size=(trainings, records)), random.normal(size=records)
    found = decompose_squared(predictions, truth, random.random(records))
    assert found.noise + found.bias + found.net == pytest.approx(found.loss, abs=1e-12)
    assert found.loss == pytest.approx(np.mean((predictions - truth) ** 2), abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(sizes, st.integers(2, 6))
def test_zero_one_loss_is_bias_and_net_variance(drawn: tuple[int, int, int], classes: int) -> None:
    trainings, records, seed = drawn
    random = np.random.default_rng(seed)
    predictions, truth = (
        random.integers(0, classes, (trainings, records)),
        random.integers(0, classes, records),
    )
    found = decompose_zero_one(predictions, truth.astype(float))
    assert found.bias + found.net == pytest.approx(found.loss, abs=1e-12)
    assert found.loss == pytest.approx(np.mean(predictions != truth), abs=1e-12)
    assert found.net == pytest.approx(by_domingos(predictions, truth, classes), abs=1e-12)
    if classes == 2:  # every departure from a wrong main prediction is right
        assert found.variance == pytest.approx(found.unbiased + found.biased, abs=1e-12)


def by_domingos(predictions: np.ndarray, truth: np.ndarray, classes: int) -> float:
    """c2 times variance, record by record, as the paper writes it."""
    total = 0.0
    for record, true in enumerate(truth):
        column = predictions[:, record]
        main = int(np.bincount(column, minlength=classes).argmax())
        away = column != main
        factor = 1.0 if main == true else -(column[away] == true).mean() if away.any() else 0.0
        total += factor * away.mean()
    return total / len(truth)


def test_the_same_mistake_every_time_is_bias_and_averaging_would_not_help() -> None:
    truth = np.zeros(50)
    found = decompose_squared(np.tile(truth + 1, (5, 1)), truth)
    assert (found.bias, found.variance) == (1.0, 0.0)
    assert "would not help much" in found.text


def test_mistakes_that_differ_are_variance_and_averaging_helps() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 400)
    flipped = np.where(random.random((15, 400)) < 0.2, 1 - truth, truth)
    found = decompose_zero_one(flipped, truth.astype(float))
    assert found.bias < 0.02
    assert found.net > 0.15
    assert "averaging several trainings" in found.text


def test_records_without_a_truth_take_no_part_and_one_training_is_too_few() -> None:
    truth = np.array([0.0, np.nan, 1.0])
    found = decompose_zero_one(np.array([[0, 1, 1], [0, 0, 0]]), truth)
    assert found.n == 2
    assert json.loads(json.dumps(found.to_json()))["loss"] == 0.25
    with pytest.raises(ValueError, match="two trainings"):
        decompose_squared(np.zeros((1, 3)), truth)
