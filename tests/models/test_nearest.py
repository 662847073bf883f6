"""The nearest training record, against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from bioloom.models import TrainingData, nearest
from bioloom.models.nearest import Nearest
from bioloom.targets import Targets

NUMBERS = Targets("regression", ("y",))


def rows(features: np.ndarray, truth: np.ndarray) -> TrainingData:
    features, truth = features.astype(np.float32), truth.astype(np.float32)
    return TrainingData(features, truth, np.ones(len(truth), np.float32), features[:0], truth[:0])


def letters(n: int, length: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Letters as numbers and as marks, (n, length) and (n, length * 4)."""
    tokens = np.random.default_rng(seed).integers(0, 4, (n, length))
    return tokens, np.eye(4, dtype=np.float32)[tokens].reshape(n, -1)


def test_of_aligned_letters_it_finds_the_least_hamming_distance_and_averages_ties() -> None:
    tokens, marks = letters(300, 9, 0)
    new_tokens, new_marks = letters(50, 9, 1)
    truth = np.random.default_rng(2).normal(size=(300, 1))
    distance = (new_tokens[:, None] != tokens).sum(axis=2)
    tied = distance == distance.min(axis=1, keepdims=True)
    expected = (tied * truth[:, 0]).sum(axis=1) / tied.sum(axis=1)
    found = Nearest.fit(rows(marks, truth), NUMBERS, 0).predict(new_marks)
    assert found[:, 0] == pytest.approx(expected, abs=1e-5)


def test_words_beside_aligned_letters_do_not_break_their_ties() -> None:
    _, marks = letters(300, 9, 0)
    _, new_marks = letters(50, 9, 1)
    random = np.random.default_rng(2)
    words, new_words = (random.dirichlet(np.ones(16), n) for n in (300, 50))
    truth = random.normal(size=(300, 1))
    model = Nearest.fit(rows(np.hstack([marks, words]), truth), NUMBERS, 0)
    alone = Nearest.fit(rows(marks, truth), NUMBERS, 0)
    found = model.predict(np.hstack([new_marks, new_words]).astype(np.float32))
    assert found == pytest.approx(alone.predict(new_marks))
    assert model.describe() == "nearest of 300 training records by Hamming distance on 36 features"


def test_letters_of_varying_length_are_compared_by_their_cosine() -> None:
    _, marks = letters(100, 9, 8)
    marks[:50, 20:] = 0
    model = Nearest.fit(rows(marks, np.zeros((100, 1))), NUMBERS, 0)
    assert "cosine similarity" in model.describe()


def test_of_shares_it_finds_the_largest_cosine() -> None:
    random = np.random.default_rng(3)
    shares, new = random.dirichlet(np.ones(16), 200), random.dirichlet(np.ones(16), 40)
    truth = random.normal(size=(200, 1))
    expected = truth[cdist(new, shares, "cosine").argmin(axis=1)]
    found = Nearest.fit(rows(shares, truth), NUMBERS, 0).predict(new.astype(np.float32))
    assert found == pytest.approx(expected, abs=1e-5)


def test_of_columns_in_any_units_it_finds_the_least_standardised_distance() -> None:
    random = np.random.default_rng(4)
    scale = np.array([1, 1000, 0.01])
    columns, new = random.normal(size=(200, 3)) * scale + 50, random.normal(size=(40, 3)) * scale + 50
    truth = random.normal(size=(200, 1))
    spread = columns.std(axis=0)
    expected = truth[cdist(new / spread, columns / spread).argmin(axis=1)]
    found = Nearest.fit(rows(columns, truth), NUMBERS, 0).predict(new.astype(np.float32))
    assert found == pytest.approx(expected, abs=1e-5)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _, marks = letters(300, 9, 5)
    _, new = letters(50, 9, 6)
    model = Nearest.fit(rows(marks, np.arange(300.0)[:, None]), NUMBERS, 0)
    whole = model.predict(new)
    monkeypatch.setattr(nearest, "BLOCK", 2100)  # seven records at a time
    assert model.predict(new) == pytest.approx(whole)


def test_an_unknown_target_takes_the_nearest_record_where_it_is_known() -> None:
    features = np.array([[0.0], [1.0], [5.0]])
    truth = np.array([[10.0, np.nan], [11.0, 21.0], [12.0, 22.0]])
    model = Nearest.fit(rows(features, truth), Targets("regression", ("a", "b")), 0)
    assert model.predict(np.array([[0.1]], np.float32)).tolist() == [[10.0, 21.0]]


def test_probabilities_are_never_exactly_0_or_1() -> None:
    _, marks = letters(100, 6, 7)
    truth = (np.arange(100) % 4 == 0).astype(float)[:, None]
    model = Nearest.fit(rows(marks, truth), Targets("binary", ("y",), classes=("n", "y")), 0)
    value = model.predict(marks)
    assert 0 < value.min() < value.max() < 1
    assert value[truth[:, 0] == 1].mean() > value[truth[:, 0] == 0].mean()


def test_a_record_like_none_gets_the_mean_of_all() -> None:
    model = Nearest.fit(rows(np.eye(3), np.array([[1.0], [2.0], [6.0]])), NUMBERS, 0)
    assert model.predict(np.zeros((1, 3), np.float32)) == pytest.approx(3.0)
