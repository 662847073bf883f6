"""Curves against scikit-learn."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from bioloom.figures import curves, style

rng = np.random.default_rng(0)
TRUTH = rng.random(300) < 0.3


@pytest.mark.parametrize("ties", [False, True])
def test_areas_equal_scikit_learn(ties: bool) -> None:
    score = TRUTH + rng.normal(0, 1, 300)
    score = np.round(score) if ties else score
    expected = roc_auc_score(TRUTH, score), average_precision_score(TRUTH, score)
    assert f"cnn {expected[0]:.3f}" in style.alt_text(curves.roc(TRUTH, {"cnn": score}))
    assert f"cnn {expected[1]:.3f}" in style.alt_text(curves.precision_recall(TRUTH, {"cnn": score}))


def test_the_curve_passes_through_the_points_of_scikit_learn() -> None:
    score = np.round(TRUTH + rng.normal(0, 1, 300), 1)
    hits, alarms = curves.true_and_false_positives(TRUTH, score)
    rate, recall, _ = roc_curve(TRUTH, score, drop_intermediate=False)
    assert hits / TRUTH.sum() == pytest.approx(recall)
    assert alarms / (~TRUTH).sum() == pytest.approx(rate)


def test_guessing_is_half_the_area_and_the_share_of_positives() -> None:
    figure = curves.precision_recall(TRUTH, {"cnn": rng.random(300)})
    assert f"guessing gives {TRUTH.mean():.3f}" in style.alt_text(figure)
    assert "guessing: 0.500" in style.svg(curves.roc(TRUTH, {"cnn": rng.random(300)}))


@pytest.mark.parametrize("truth", [np.zeros(5, bool), np.ones(5, bool)])
@pytest.mark.parametrize("draw", [curves.roc, curves.precision_recall])
def test_one_class_has_no_curve_and_the_figure_says_so(truth: np.ndarray, draw: object) -> None:
    assert "one class" in style.alt_text(draw(truth, {"cnn": np.arange(5.0)}))


def test_the_kept_epoch_is_counted_from_one_for_people() -> None:
    figure = curves.training([1.0, 0.5, 0.2], [1.0, 0.6, 0.7], best=1)
    assert "epoch 2" in style.alt_text(figure)
    assert re.search("kept: epoch 2", style.svg(figure))


def test_one_epoch_and_no_epoch_are_drawn() -> None:
    assert "1 epochs" in style.alt_text(curves.training([1.0], [1.0], best=0))
    assert "no epoch" in style.alt_text(curves.training([], [], best=0))
