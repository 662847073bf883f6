"""How many records families of models need: worked examples, and families that are shattered by brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from bioloom.evaluation import learnability

CONJUNCTIONS = 10 * math.log(3)  # ln |H| of conjunctions over ten features: each in, negated or absent


def test_the_worked_examples_of_finite_families() -> None:
    assert learnability.records_if_consistent(CONJUNCTIONS, 0.1) == 140
    assert learnability.records_if_agnostic(CONJUNCTIONS, 0.1) == 734
    assert learnability.finite_gap(CONJUNCTIONS, 734) == pytest.approx(0.1, abs=1e-4)
    assert learnability.finite_gap(CONJUNCTIONS, 733) > 0.1


@pytest.mark.parametrize("eps", [0.05, 0.1])
def test_more_records_are_enough_than_are_needed(eps: float) -> None:
    for dimension in (1, 3, 50, 1e6):
        assert learnability.vc_records(dimension, eps) > learnability.vc_records_needed(dimension, eps)
    assert learnability.vc_records(3, 0.1) == math.ceil((4 * math.log2(40) + 24 * math.log2(130)) / 0.1)
    assert learnability.vc_records_needed(1, 0.1) == 30


def test_intervals_shatter_two_points_and_not_three() -> None:
    ends = np.arange(-0.5, 4)
    for points, shattered in (([1, 2], True), ([1, 2, 3], False)):
        named = {tuple((low < np.array(points)) & (np.array(points) < high)) for low in ends for high in ends}
        assert (named == set(itertools.product([False, True], repeat=len(points)))) == shattered
    assert learnability.vc_intervals() == 2


def test_linear_classifiers_shatter_as_many_points_as_stated() -> None:
    corners = np.vstack([np.zeros(3), np.eye(3)])  # n + 1 points in three dimensions
    for labels in itertools.product([-1, 1], repeat=4):
        solved = np.linalg.solve(np.column_stack([corners, np.ones(4)]), np.array(labels, dtype=float))
        assert np.array_equal(np.sign(corners @ solved[:3] + solved[3]), labels)
    assert learnability.vc_linear(3) == 4
    assert learnability.vc_boxes(3) == 6


def test_the_gap_narrows_with_records() -> None:
    assert learnability.vapnik_gap(10, 1000) > learnability.vapnik_gap(10, 10_000)
    assert learnability.vapnik_gap(10, 10) == math.inf
