"""Reliability: the errors of a perfect model, their null band, and recalibration lines, against oracles."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

from bioloom.evaluation.reliability import calibration_errors, equal_mass, reliability


def perfect(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    stated = random.random(n)
    return (random.random(n) < stated).astype(float), stated


@pytest.mark.parametrize(
    ("n", "error", "debiased"), [(200, 0.089, 0.032), (1000, 0.040, 0.013), (10_000, 0.0125, 0.004)]
)
def test_a_perfect_model_shows_the_known_errors(n: int, error: float, debiased: float) -> None:
    found = []
    for seed in range(60):
        truth, stated = perfect(n, seed)
        each = calibration_errors(truth[:, None], stated, equal_mass(stated, bins=15))
        found.append([each[0][0], each[1][0]])
    assert np.mean(found, axis=0)[0] == pytest.approx(error, rel=0.1)
    assert np.mean(found, axis=0)[1] <= 1.2 * debiased  # clipped at 0, where scatter explains it all


def test_bins_hold_equally_many_and_equal_probabilities_share_one() -> None:
    assert np.bincount(equal_mass(np.random.default_rng(0).random(3000))).tolist() == [200] * 15
    assert np.bincount(equal_mass(np.random.default_rng(0).random(100))).tolist() == [20] * 5
    assert len(np.unique(equal_mass(np.repeat([0.1, 0.9], 500)))) == 2


def test_a_perfect_model_is_rarely_doubted_and_a_sure_one_always() -> None:
    doubted = []
    for seed in range(60):
        truth, stated = perfect(400, seed)
        doubted.append(reliability(truth, stated[:, None], ("no", "yes"), seed).p <= 0.05)
    assert np.mean(doubted) < 0.13
    truth, stated = perfect(2000, 1)
    sure = reliability(truth, expit(3 * logit(stated))[:, None], ("no", "yes"))
    assert sure.p < 0.01
    assert sure.line.slope[2] < 1
    assert sure.debiased > 0.05
    assert "surer than it should be" in sure.text
    assert "no sign" in reliability(truth, stated[:, None], ("no", "yes")).text


def test_the_recalibration_line_is_the_one_of_logistic_regression() -> None:
    truth, stated = perfect(1500, 2)
    stated = np.clip(stated, 1e-6, 1 - 1e-6) ** 1.5
    found = reliability(truth, stated[:, None], ("no", "yes"))
    oracle = LogisticRegression(C=1e12, tol=1e-10, max_iter=1000).fit(logit(stated)[:, None], truth)
    assert found.line.slope[0] == pytest.approx(oracle.coef_[0, 0], rel=1e-3)
    assert found.brier == pytest.approx(brier_score_loss(truth, stated))
    assert found.log_loss == pytest.approx(log_loss(truth, stated), rel=1e-5)
    assert expit(logit(stated) + found.line.intercept[0]).mean() == pytest.approx(truth.mean(), abs=1e-6)


def test_intervals_of_the_recalibration_line_hold_the_truth() -> None:
    held = []
    for seed in range(300):
        truth, stated = perfect(300, seed + 1000)
        line = reliability(truth[:300], stated[:, None], ("no", "yes"), 0).line if seed < 40 else None
        held += (
            []
            if line is None
            else [line.slope[1] <= 1 <= line.slope[2], line.intercept[1] <= 0 <= line.intercept[2]]
        )
    assert np.mean(held) > 0.88


def test_bins_have_wilson_bars_and_a_null_band_around_the_diagonal() -> None:
    truth, stated = perfect(3000, 3)
    found = reliability(truth, stated[:, None], ("no", "yes"))
    assert len(found.bins) == 15
    assert sum(each.n for each in found.bins) == 3000
    assert all(each.null_low <= each.stated <= each.null_high for each in found.bins)
    assert all(each.low < each.happened < each.high for each in found.bins)
    assert sum(found.counts) == 3000


def test_of_several_classes_the_likeliest_is_held_to_its_word() -> None:
    random = np.random.default_rng(4)
    share = random.dirichlet([1, 1, 1], 2000)
    truth = np.array([random.choice(3, p=row) for row in share]).astype(float)
    truth[:5] = np.nan
    found = reliability(truth, share, ("x", "y", "z"))
    assert found.n == 1995
    assert found.p > 0.05
    assert "likeliest class" in found.event


@pytest.mark.parametrize("n", [0, 10, 50])
def test_few_records_and_one_class_are_told_not_hidden(n: int) -> None:
    found = reliability(np.zeros(n), np.full((n, 1), 0.2), ("no", "yes"))
    assert ("cannot be said" in found.text) == (n < 20)
    assert found.line is None
    json.dumps(found.to_json(), allow_nan=False)


def test_rare_positives_get_a_sentence_of_their_own() -> None:
    random = np.random.default_rng(5)
    stated = random.random(1000) * 0.1
    text = reliability((random.random(1000) < stated).astype(float), stated[:, None], ("no", "yes")).text
    assert text.startswith("At its surest the model says")
