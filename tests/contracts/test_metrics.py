"""What every metric promises, checked for each entry against what its own declarations say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bioloom.metrics import METRICS, Pairs
from bioloom.tasks import TASKS

Data = tuple[NDArray[np.float32], NDArray[np.float32]]

NUMBERS = ("regression", "reconstruct", "position_values")
USES = sorted({(task.name, name) for task in TASKS.values() for name in task.metrics})


def ordinary(task: str, n: int = 60, seed: int = 0) -> Data:
    """Truths with an unknown one, and predictions that are right more often than not."""
    random = np.random.default_rng(seed)
    if task in NUMBERS:
        truth = random.normal(5, 2, (n, 2))
        value = truth + random.normal(0, 1, (n, 2))
    elif task in ("language", "masked"):
        truth = np.tile([0.0, 1.0, 5.0], (n, 1))
        value = np.column_stack([random.gamma(2, 1, n), random.random(n), random.integers(1, 9, n)])
    elif task == "translation":  # nats, share right, tokens, then five tokens, of which 1 is the end
        truth = np.column_stack([np.tile([0.0, 1.0, 5.0], (n, 1)), random.integers(1, 5, (n, 5))])
        changed = random.random((n, 5)) < 0.3
        written = np.where(changed, random.integers(1, 5, (n, 5)), truth[:, 3:])
        value = np.column_stack([random.gamma(2, 1, n), random.random(n), random.integers(1, 9, n), written])
    elif task == "binary":
        truth = (random.random((n, 1)) < 0.4).astype(float)
        value = 1 / (1 + np.exp(-(2 * truth - 1 + random.normal(0, 1, (n, 1)))))
    else:
        truth = random.integers(0, 3, (n, 1)).astype(float)
        raw = np.exp(1.5 * np.eye(3)[truth[:, 0].astype(int)] + random.normal(0, 1, (n, 3)))
        value = raw / raw.sum(axis=1, keepdims=True)
    truth[3, 0] = np.nan
    return truth.astype(np.float32), value.astype(np.float32)


def perfect(truth: NDArray[np.float32], task: str) -> NDArray[np.float32]:
    filled = np.nan_to_num(truth)
    if task in ("multiclass", "position_classes", "segmentation"):
        return np.eye(3, dtype=np.float32)[filled[:, 0].astype(int)]
    return filled


def test_every_metric_that_a_task_names_exists() -> None:
    assert {name for _, name in USES} == set(METRICS)


@pytest.mark.parametrize(("task", "name"), USES)
def test_a_perfect_prediction_reaches_the_best_value(task: str, name: str) -> None:
    truth, _ = ordinary(task)
    assert METRICS[name](truth, perfect(truth, task)) == pytest.approx(METRICS[name].best, abs=1e-6)


@pytest.mark.parametrize(("task", "name"), USES)
def test_values_stay_in_the_declared_range(task: str, name: str) -> None:
    metric = METRICS[name]
    for seed in range(20):
        truth, value = ordinary(task, 25, seed)
        other = value[np.random.default_rng(seed).permutation(len(value))]
        for given in (value, other):
            found = metric(truth, given)
            assert metric.range[0] <= found <= metric.range[1]


@pytest.mark.parametrize(("task", "name"), USES)
def test_a_good_prediction_is_better_than_guessing(task: str, name: str) -> None:
    metric, (truth, value) = METRICS[name], ordinary(task, 2000)
    if np.isnan(metric.chance(truth.astype(np.float64))):
        pytest.skip("guessing is a model of its own")
    assert metric.gain(metric(truth, value), metric.chance(truth.astype(np.float64))) > 0


def guess(truth: NDArray[np.float32], task: str, metric: str) -> NDArray[np.float32]:
    """The best answer of somebody who has seen no input: the mean, the shares, or a class drawn by its share."""
    metric = metric.removeprefix("position_").removeprefix("pixel_")
    random = np.random.default_rng(1)
    known = truth[np.isfinite(truth[:, 0])]
    drawn = known[random.integers(0, len(known), len(truth)), :1]
    probabilistic = metric in ("rmse", "mae", "r2", "variance_explained", "log_loss", "brier")
    if task in NUMBERS:
        return (
            np.tile(np.nanmean(truth, axis=0), (len(truth), 1))
            if probabilistic
            else random.permutation(truth)
        )
    if task == "binary":
        return (
            np.full_like(truth, known.mean())
            if probabilistic or metric in ("accuracy", "error_rate")
            else drawn
        )
    shares = np.bincount(known[:, 0].astype(int), minlength=3) / len(known)
    if probabilistic or metric in ("accuracy", "error_rate", "dice", "iou"):
        return np.tile(shares, (len(truth), 1)).astype(np.float32)
    return np.eye(3, dtype=np.float32)[drawn[:, 0].astype(int)]


@pytest.mark.parametrize(("task", "name"), USES)
def test_the_declared_chance_level_is_what_a_guess_gets(task: str, name: str) -> None:
    truth, _ = ordinary(task, 20_000)
    truth = truth[4:]
    if np.isnan(METRICS[name].chance(truth.astype(np.float64))):
        pytest.skip("guessing is a model of its own")
    if task in NUMBERS:
        truth = np.nan_to_num(truth)
    found = METRICS[name](truth, guess(truth, task, name))
    assert found == pytest.approx(METRICS[name].chance(truth.astype(np.float64)), abs=0.03)


@pytest.mark.parametrize(("task", "name"), USES)
def test_counting_a_record_twice_is_the_same_as_having_it_twice(task: str, name: str) -> None:
    truth, value = ordinary(task, 40)
    counts = np.random.default_rng(2).integers(0, 4, (40, 3))
    drawn = METRICS[name].prepare(Pairs(truth, value))(counts.astype(np.float64))
    for i in range(3):
        repeated = METRICS[name](
            np.repeat(truth, counts[:, i], axis=0), np.repeat(value, counts[:, i], axis=0)
        )
        assert drawn[i] == pytest.approx(repeated, abs=1e-9, nan_ok=True)


def awkward(task: str) -> list[Data]:
    """Truths and predictions for which some metrics are not defined."""
    truth, value = ordinary(task)
    one = np.zeros_like(truth)
    constant = np.tile(value[:1], (len(value), 1))
    return [
        (truth[:0], value[:0]),
        (np.full_like(truth, np.nan), value),
        (one, value),
        (one + 1, value),
        (truth, constant),
        (one, constant),
        (one + 1, perfect(one + 1, task)),
        (truth[:1], value[:1]),
        (truth, np.where(np.arange(len(value))[:, None] == 5, np.nan, value)),
    ]


@pytest.mark.parametrize(("task", "name"), USES)
def test_a_metric_is_nan_exactly_where_it_gives_a_reason(task: str, name: str) -> None:
    for truth, value in awkward(task):
        reason = METRICS[name].undefined(truth, value)
        assert np.isnan(METRICS[name](truth, value)) == (reason is not None)
        assert reason is None or (reason[0].islower() and not reason.endswith("."))


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_metric_reads_as_one_plain_sentence(name: str) -> None:
    plain = METRICS[name].plain
    assert plain[0].isupper()
    assert plain.endswith(".")
    assert ". " not in plain.removesuffix(".")
    assert METRICS[name].text(float("nan")) == "not defined"


@pytest.mark.parametrize("name", sorted(METRICS))
def test_the_scale_of_a_metric_goes_there_and_back(name: str) -> None:
    values = np.array([0.05, 0.4, 0.9])
    scale = METRICS[name].scale
    assert scale.back(scale.stretch(values)) == pytest.approx(values)
