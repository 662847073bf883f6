"""The noise ceiling: planted noise is recovered from each kind of evidence, and what is too smooth is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bioloom.evaluation.ceiling import (
    class_ceiling,
    error_from_bounds,
    noise_ceiling,
    noise_from_counts,
    noise_from_errors,
    noise_from_repeats,
)
from bioloom.evaluation.resampling import Resampling


def test_repeated_measurements_give_the_planted_noise() -> None:
    random = np.random.default_rng(0)
    signal, copies = np.repeat(random.normal(0, 2, 400), 2), np.repeat(np.arange(400), 2)
    truth = signal + random.normal(0, 1, 800)
    plan = Resampling(800, copies)
    noise = noise_from_repeats(truth, copies, plan)
    pairs = truth.reshape(-1, 2)
    assert noise.variance == pytest.approx(np.mean((pairs[:, 0] - pairs[:, 1]) ** 2) / 2)
    ceiling = noise_ceiling(noise, truth, signal)
    assert ceiling.low < 0.8 < ceiling.high
    assert ceiling.pearson == pytest.approx(np.sqrt(ceiling.r2))
    assert ceiling.explained == pytest.approx(1.0, abs=0.05)
    assert not ceiling.above


def test_too_few_repeats_set_no_ceiling() -> None:
    assert noise_from_repeats(np.arange(20.0), np.arange(20), Resampling(20)) is None
    assert noise_from_repeats(np.arange(6.0), np.array([0, 0, 1, 1, -1, -1]), Resampling(6)) is None


def test_standard_errors_give_their_mean_square_and_bounds_give_standard_errors() -> None:
    error = error_from_bounds(np.array([0.0, 1.0, 5.0]), np.array([3.92, 1.0, 4.0]))
    assert error[:2] == pytest.approx([1.0, 0.0], abs=1e-3)
    assert np.isnan(error[2])
    assert noise_from_errors(error, Resampling(3)).variance == pytest.approx(0.5, abs=1e-3)
    assert noise_from_errors(np.zeros(3), Resampling(3)) is None


def test_read_counts_give_the_noise_that_more_reads_would_remove() -> None:
    random = np.random.default_rng(1)
    n = 20_000
    counts = np.exp(random.normal(4, 1, n))
    signal = random.normal(0, 1, n)
    truth = signal + random.normal(size=n) * np.sqrt(9 / counts)
    value = signal + random.normal(0, 0.4, n)  # a model that does not know everything
    plan = Resampling(n, draws=300)
    noise = noise_from_counts(truth, value, counts, plan)
    planted = 9 * np.mean(1 / counts)
    assert noise.variance == pytest.approx(planted, rel=0.1)
    low, high = np.quantile(noise.draws, [0.025, 0.975])
    assert low < planted < high
    assert noise_from_counts(value, signal, counts, plan) is None or (
        noise_from_counts(value, signal, counts, plan).variance < 0.02
    )


def test_a_model_above_the_ceiling_is_named_and_one_below_it_is_not() -> None:
    random = np.random.default_rng(2)
    signal = random.normal(0, 1, 1000)
    plan = Resampling(1000)
    stated = noise_from_errors(np.full(1000, 0.5), plan)
    honest = noise_ceiling(stated, signal + random.normal(0, 0.5, 1000), signal)
    smooth = noise_ceiling(stated, signal + random.normal(0, 0.1, 1000), signal)
    assert not honest.above
    assert smooth.above
    assert "smoother than its own error allows" in smooth.text
    assert json.loads(json.dumps(smooth.to_json()))["above"] is True


def test_a_perfect_model_is_seldom_called_too_good_and_the_ceiling_is_covered() -> None:
    called = held = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        signal, copies = np.repeat(random.normal(0, 2, 60), 2), np.repeat(np.arange(60), 2)
        truth, plan = signal + random.normal(0, 1, 120), Resampling(120, copies, draws=300)
        found = noise_ceiling(noise_from_repeats(truth, copies, plan), truth, signal)
        called += found.above
        held += found.low <= 0.8 <= found.high
    assert called <= 12
    assert held >= 182


def test_the_ceiling_of_few_groups_is_covered() -> None:
    """Half of what the records vary by is shared in a group; noise is a fifth of the signal."""
    held = 0
    groups = np.repeat(np.arange(30), 6)
    for seed in range(300):
        random = np.random.default_rng(seed)
        signal = np.sqrt(0.5) * (random.normal(size=30)[groups] + random.normal(size=180))
        truth, plan = signal + random.normal(0, np.sqrt(0.2), 180), Resampling(180, groups, draws=60)
        noise = noise_from_errors(np.full(180, np.sqrt(0.2)), plan)
        found = noise_ceiling(noise, truth, signal)
        held += found.low <= 1 / 1.2 <= found.high
    assert held >= 270


def test_repeats_without_groups_are_left_out_together() -> None:
    copies = np.array([0, 0, 1, 1, -1, *np.repeat(np.arange(2, 12), 2)])
    truth = np.random.default_rng(3).normal(size=len(copies))
    noise = noise_from_repeats(truth, copies, Resampling(len(copies)))
    assert noise.plan.units == len(noise.left_out) == 13
    without = copies != 1
    again = noise_from_repeats(truth[without], copies[without], Resampling(int(without.sum())))
    assert noise.left_out[1] == pytest.approx(again.variance)


def test_start_context_is_smoother_than_its_own_bounds_allow(shared_data: Path) -> None:
    table = pd.read_csv(shared_data / "rna" / "start_context.csv.gz")
    truth = table["efficiency"].to_numpy(float)
    error = error_from_bounds(table["lower"].to_numpy(float), table["upper"].to_numpy(float))
    value = truth + np.random.default_rng(0).normal(0, np.sqrt(0.001) * truth.std(), len(truth))  # R2 .999
    plan = Resampling(len(truth), draws=200)
    found = noise_ceiling(noise_from_errors(error, plan), truth, value)
    assert found.r2 == pytest.approx(0.977, abs=0.003)
    assert found.above


def test_conflicting_labels_limit_the_accuracy() -> None:
    copies = np.repeat(np.arange(50), 2)
    labels = np.zeros(100)
    labels[:20:2] = 1  # ten of fifty pairs disagree
    found = class_ceiling(labels, copies, Resampling(100))
    assert found.accuracy == pytest.approx(0.9)
    assert found.conflicting == 10
    assert found.low < 0.9 < found.high
    assert class_ceiling(labels, np.arange(100), Resampling(100)) is None
