"""Components of variance against closed forms and simulation."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.variance import variance_components


def trainings(
    seed_spread: float, count: int = 5, n: int = 400, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Mean absolute error 1 + noise of the records + an offset of each training."""
    random = np.random.default_rng(seed)
    truth = np.zeros((n, 1))
    records = 5 + random.normal(0, 1, (1, n, 1))
    return truth, records + random.normal(0, seed_spread, (count, 1, 1))


def test_the_part_of_the_records_is_the_standard_error_of_a_mean() -> None:
    truth, values = trainings(0.2)
    found = variance_components("mae", truth, values, Resampling(400, draws=2000))
    assert found.data == pytest.approx(values[0].std(ddof=1) / 20, rel=0.05)
    assert found.seeds == pytest.approx(values.mean(axis=(1, 2)).std(ddof=1))
    assert found.seeds_low < found.seeds < found.seeds_high
    assert found.total == pytest.approx(np.hypot(found.data, found.seeds), rel=0.01)
    assert json.loads(json.dumps(found.to_json()))["metric"] == "mae"


def test_the_interval_of_the_seeds_holds_the_true_spread() -> None:
    held = 0
    for seed in range(200):
        truth, values = trainings(0.2, count=4, n=20, seed=seed)
        found = variance_components("mae", truth, values, Resampling(20, draws=50))
        held += found.seeds_low <= 0.2 <= found.seeds_high
    assert 182 <= held <= 198


def test_what_both_parts_share_is_counted_once() -> None:
    """Trainings whose errors have nothing to do with each other differ by exactly what records do."""
    random = np.random.default_rng(1)
    values = 5 + random.normal(size=(40, 300, 1))
    found = variance_components("mae", np.zeros((300, 1)), values, Resampling(300))
    assert found.total == pytest.approx(1 / np.sqrt(300), rel=0.3)
    assert found.total < 0.9 * np.hypot(found.data, found.seeds)


def test_groups_are_drawn_whole() -> None:
    truth, values = trainings(0.1, n=50)
    truth, values = np.repeat(truth, 8, axis=0), np.repeat(values, 8, axis=1)
    groups = np.repeat(np.arange(50), 8)
    alone = variance_components("mae", truth, values, Resampling(400))
    grouped = variance_components("mae", truth, values, Resampling(400, groups))
    assert grouped.data > 2 * alone.data


def test_what_cannot_be_said_is_missing_with_a_reason() -> None:
    truth, values = trainings(0.1)
    single = variance_components("mae", truth, values[:1], Resampling(400))
    assert single.seeds is None
    assert single.undefined == "one training cannot show how far trainings differ"
    few = variance_components("mae", truth[:3], values[:, :3], Resampling(3))
    assert few.data is None
    assert few.total is None
    assert variance_components("pearson", truth, values, Resampling(400)) is None
