"""Promises about single predictions are kept through the pieces of the journey, and labels without meaning earn none.

The same as `python -m benchmarks.honesty`, with fewer repetitions; seeds are fixed.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from benchmarks.honesty.rotation import rotation_rows

from bioloom import recipe as recipes
from bioloom.evaluation.ceiling import noise_ceiling, noise_from_repeats
from bioloom.evaluation.conformal import Calibrating, Conformal
from bioloom.evaluation.curve import Trained, learning_curve
from bioloom.evaluation.folds import corrected
from bioloom.evaluation.resampling import Resampling
from bioloom.journey.promise import Said, promised
from bioloom.targets import Targets


def calibrated(
    values: np.ndarray, truth: np.ndarray, groups: np.ndarray | None, targets: Targets
) -> Conformal:
    """What the journey promises, from validation records that are the first half of all; `promised` is the real one."""
    rows = np.arange(len(truth) // 2)
    evaluation = recipes.Recipe().evaluation
    trainee = SimpleNamespace(
        job=SimpleNamespace(validation=rows),
        learnable=SimpleNamespace(targets=targets, truth=truth),
        prepared=SimpleNamespace(recipe=SimpleNamespace(evaluation=evaluation)),
        groups=lambda index: None if groups is None else groups[index],
    )
    return promised(trainee, rows, Said(values[rows]))  # type: ignore[arg-type]


@pytest.mark.parametrize(("records", "each"), [(100, 1), (300, 5)], ids=["records", "60 groups"])
@pytest.mark.parametrize("classes", [0, 3], ids=["numbers", "classes"])
def test_promises_hold_for_new_records_within_two_points(records: int, each: int, classes: int) -> None:
    random, held = np.random.default_rng(records + classes), []
    groups = None if each == 1 else np.repeat(np.arange(2 * records // each), each)
    for _ in range(600):
        shared = 0.0 if groups is None else random.normal(size=2 * records // each)[groups]
        error = 0.7 * shared + 0.7 * random.normal(size=2 * records)
        if classes:
            raw = random.normal(size=(2 * records, 3))
            truth = (raw + error[:, None] * np.array([1, 0, -1])).argmax(axis=1).astype(np.float32)[:, None]
            values = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
            targets = Targets("multiclass", ("y",), classes=("a", "b", "c"))
        else:
            values = random.normal(size=(2 * records, 1))
            truth = (values[:, 0] + error).astype(np.float32)[:, None]
            targets = Targets("regression", ("y",), mean=(0.0,), scale=(1.0,))
        made = calibrated(values, truth, groups, targets)
        held.append(np.nanmean(made.held(truth[records:], values[records:])[0]))
        assert made.level == 0.9
    excess = 0.03 if classes else 0.02  # a class of 33 records is promised 31 of 34
    assert -0.02 < np.mean(held) - 0.9 < excess, np.mean(held)


def test_intervals_around_a_mean_of_networks_hold_where_each_held_back_other_records() -> None:
    """The same as the benchmark of honesty, with fewer repetitions; around the first network alone 93 to 95 % would be kept."""
    for row in rotation_rows(40):
        assert abs(row.coverage - row.aim) < 0.03, (row.size, row.coverage)


def test_few_groups_are_never_promised_more_than_is_kept() -> None:
    """Where groups are all alike inside, 12 groups keep 90 %; single records in place of groups would not."""
    random, by_group, by_row = np.random.default_rng(3), [], []
    groups = np.repeat(np.arange(12), 5)
    for _ in range(1500):
        truth, new = (np.repeat(random.normal(size=count), 5)[:, None] for count in (12, 40))
        for found, codes in ((by_group, groups), (by_row, None)):
            made = Conformal.fit(Calibrating(np.zeros_like(truth), truth, ("y",), 0, codes), 0.9)
            found.append(made.held(new, np.zeros_like(new))[0].mean())
    assert 0.9 <= np.mean(by_group) <= 0.9 + 1 / 13
    assert np.mean(by_row) < 0.87


def test_the_corrected_interval_over_folds_is_careful() -> None:
    """Five folds of a mean: their training parts overlap, yet the interval holds the truth at least as often as said."""
    random, held = np.random.default_rng(4), []
    for _ in range(2000):
        values = random.normal(size=(5, 20))
        # each fold is moved by the mean of what it learned from, as an overfitted model is
        folds = np.array([values[i].mean() + 0.3 * np.delete(values, i, 0).mean() for i in range(5)])
        found = corrected(folds, np.full(5, 0.25), test=False)
        assert found.low is not None
        assert found.high is not None
        held.append(found.low <= 0 <= found.high)
    assert np.mean(held) >= 0.93


@pytest.mark.parametrize("floor", [0.0, 0.15], ids=["no floor", "a floor"])
def test_three_sizes_do_not_promise_what_a_floor_would_take_away(floor: float) -> None:
    """The error is 0.15 / sqrt(share) + floor; twice the data take 0.044 off, whatever the floor."""
    random, held = np.random.default_rng(5), []
    for _ in range(150):
        trained = []
        for share in (1 / 16, 1 / 4, 1.0):
            error = 0.15 / np.sqrt(share) + floor
            spread = 0.05 * (1 - (1 - error) ** 2)  # as that of a correlation
            score = 1 - error + spread * random.normal()
            trained.append(Trained(round(1000 * share), score, score + spread * random.normal(size=200)))
        doubling = learning_curve("spearman", trained).doubling
        if doubling.low is not None and doubling.high is not None:
            held.append(doubling.low <= 0.15 * (1 - np.sqrt(0.5)) <= doubling.high)
    assert np.mean(held) >= 0.92


def test_the_ceiling_of_few_repeats_holds_the_true_ceiling() -> None:
    """30 inputs measured twice; noise of a fifth of the signal, so the best R² is 1 / 1.2."""
    random, held = np.random.default_rng(6), []
    copies = np.repeat(np.arange(30), 2)
    for repetition in range(600):
        signal = random.normal(size=30)[copies]
        truth = signal + np.sqrt(0.2) * random.normal(size=60)
        plan = Resampling(60, copies, 300, repetition)
        noise = noise_from_repeats(truth, copies, plan)
        assert noise is not None
        found = noise_ceiling(noise, truth, signal)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held.append(found.low <= 1 / 1.2 <= found.high)
    assert 0.92 <= np.mean(held) <= 0.98
