"""The label shuffle: what is permuted, what is compared, and how it reads."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from bioloom.evaluation.controls import Shuffle, permute, read_shuffles
from bioloom.tasks import TASKS


def rows(count: int = 60) -> np.ndarray:
    return np.arange(count * 2, dtype=np.float32).reshape(count, 2)


def test_targets_of_a_record_stay_together_and_none_is_lost() -> None:
    truth = rows()
    found = permute(truth, None, 1)
    assert not np.array_equal(found, truth)
    assert sorted(map(tuple, found)) == sorted(map(tuple, truth))


def test_groups_of_one_label_swap_it_as_a_whole() -> None:
    groups = np.repeat(np.arange(20), 3)
    truth = (groups * 10.0).astype(np.float32)[:, None]
    found = permute(truth, groups, 2)[:, 0].reshape(20, 3)
    assert (found == found[:, :1]).all()
    assert sorted(found[:, 0]) == sorted(np.arange(20) * 10.0)


def test_groups_of_mixed_labels_are_dealt_out_freely() -> None:
    groups = np.repeat(np.arange(20), 3)
    found = permute(rows(), groups, 3)[:, 0].reshape(20, 3)
    assert not (np.diff(found, axis=1) == 2).all()


def test_unknown_labels_stay_unknown_for_as_many_records() -> None:
    truth = rows()
    truth[:7] = np.nan
    assert np.isnan(permute(truth, None, 0)).sum() == 14


def data(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.normal(size=(n, 5))
    return x, (x @ [1, 1, 0, 0, 0.5] + 0.5 * random.normal(size=n)).astype(np.float32)[:, None]


def read(train: Callable[[np.ndarray], np.ndarray], y: np.ndarray, count: int = 1, seed: int = 0) -> Shuffle:
    """150 records are learned from, with their own and with shuffled labels, and the others are the test."""
    learned, tested = y[:150], y[150:]
    shuffled = [train(permute(learned, None, seed + number)) for number in range(1, count + 1)]
    return read_shuffles(TASKS["regression"], tested, shuffled, train(learned), seed)


def test_an_honest_pipeline_reads_as_guessing_and_the_real_labels_stand_out() -> None:
    x, y = data()

    def train(truth: np.ndarray) -> np.ndarray:
        return (x[150:] @ np.linalg.lstsq(x[:150], truth, rcond=None)[0]).astype(np.float32)

    found = read(train, y, count=9)
    assert found.reads_as_guessing
    assert found.real > 0.8
    assert found.p == pytest.approx(0.1)
    assert len(found.values) == 9
    assert "which reads as guessing (0.000)" in found.text
    json.dumps(found.to_json(), allow_nan=False)


def test_a_pipeline_that_has_seen_the_test_does_not_read_as_guessing() -> None:
    _, y = data()
    found = read(lambda truth: y[150:], y, count=5)
    assert not found.reads_as_guessing
    assert found.firm
    assert found.p == 1.0
    assert "should not be" in found.text


def test_few_shuffles_of_few_columns_accuse_no_honest_pipeline_for_sure() -> None:
    """A model of shuffled labels lies along the only direction that matters with probability 1/2."""
    random, above, accused = np.random.default_rng(0), 0, 0
    for repetition in range(100):
        x = random.normal(size=(200, 1))
        y = (x + 0.5 * random.normal(size=(200, 1))).astype(np.float32)

        def train(truth: np.ndarray, x: np.ndarray = x) -> np.ndarray:
            return (x[150:] @ np.linalg.lstsq(x[:150], truth, rcond=None)[0]).astype(np.float32)

        count = 1 if repetition % 2 else 5
        found = read(train, y, count, seed=10 * repetition)
        above += not found.reads_as_guessing
        accused += found.firm and not found.reads_as_guessing
        assert found.firm == (count == 5)
        assert found.reads_as_guessing or found.firm == ("should not be" in found.text)
    assert above > 15
    assert accused <= 4


def test_a_collapse_to_a_constant_counts_as_guessing() -> None:
    _, y = data()

    def train(truth: np.ndarray) -> np.ndarray:
        return np.full((50, 1), truth.mean(), dtype=np.float32)

    found = read(train, y)
    assert found.values == (0.0,)
    assert found.reads_as_guessing
