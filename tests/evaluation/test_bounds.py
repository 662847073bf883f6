"""Bounds against worked examples, brute force and simulation."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from scipy import stats

from bioloom.evaluation import bounds

CONJUNCTIONS = 10 * math.log(3)  # ln |H| of conjunctions over ten features: each in, negated or absent


def test_the_worked_examples_of_finite_families() -> None:
    assert bounds.records_if_consistent(CONJUNCTIONS, 0.1) == 140
    assert bounds.records_if_agnostic(CONJUNCTIONS, 0.1) == 734
    assert bounds.finite_gap(CONJUNCTIONS, 734) == pytest.approx(0.1, abs=1e-4)
    assert bounds.finite_gap(CONJUNCTIONS, 733) > 0.1


@pytest.mark.parametrize("eps", [0.05, 0.1])
def test_more_records_are_enough_than_are_needed(eps: float) -> None:
    for dimension in (1, 3, 50, 1e6):
        assert bounds.vc_records(dimension, eps) > bounds.vc_records_needed(dimension, eps)
    assert bounds.vc_records(3, 0.1) == math.ceil((4 * math.log2(40) + 24 * math.log2(130)) / 0.1)
    assert bounds.vc_records_needed(1, 0.1) == 30


def test_intervals_shatter_two_points_and_not_three() -> None:
    ends = np.arange(-0.5, 4)
    for points, shattered in (([1, 2], True), ([1, 2, 3], False)):
        named = {tuple((low < np.array(points)) & (np.array(points) < high)) for low in ends for high in ends}
        assert (named == set(itertools.product([False, True], repeat=len(points)))) == shattered
    assert bounds.vc_intervals() == 2


def test_linear_classifiers_shatter_as_many_points_as_stated() -> None:
    corners = np.vstack([np.zeros(3), np.eye(3)])  # n + 1 points in three dimensions
    for labels in itertools.product([-1, 1], repeat=4):
        solved = np.linalg.solve(np.column_stack([corners, np.ones(4)]), np.array(labels, dtype=float))
        assert np.array_equal(np.sign(corners @ solved[:3] + solved[3]), labels)
    assert bounds.vc_linear(3) == 4
    assert bounds.vc_boxes(3) == 6


def test_the_gap_narrows_with_records_and_is_empty_for_a_network() -> None:
    assert bounds.vapnik_gap(10, 1000) > bounds.vapnik_gap(10, 10_000)
    assert bounds.vapnik_gap(10, 10) == math.inf
    network = bounds.family("network", bounds.vc_network(100_000, 8), 50_000)
    assert network.vacuous
    assert network.gap is None
    assert not bounds.family("line", bounds.vc_linear(10), 10_000).vacuous


@pytest.mark.parametrize(("errors", "tested"), [(0, 50), (3, 50), (40, 50), (12, 1000)])
def test_the_test_bound_inverts_the_binomial_tail(errors: int, tested: int) -> None:
    bound = bounds.binomial_bound(errors, tested)
    assert stats.binom.cdf(errors, tested, bound) == pytest.approx(0.05)
    two_sided = stats.binomtest(errors, tested).proportion_ci(0.90, "exact")
    assert bound == pytest.approx(two_sided.high)
    assert bound <= bounds.hoeffding_bound(errors, tested)
    assert bounds.binomial_bound(tested, tested) == 1


def test_the_promise_is_kept_at_least_as_often_as_stated() -> None:
    for true, tested in itertools.product([0.02, 0.1, 0.4], [30, 200]):
        errors = np.arange(tested + 1)
        promised = np.array([bounds.binomial_bound(each, tested) for each in errors])
        kept = stats.binom.pmf(errors, tested, true)[promised >= true].sum()
        assert kept >= 0.95 - 1e-9


def test_records_in_groups_are_worth_fewer() -> None:
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 5)
    together = np.repeat(random.random(60) < 0.2, 5)
    assert bounds.effective_size(together, groups) == pytest.approx(60, abs=1.5)
    alone = random.random(300) < 0.2
    assert bounds.effective_size(alone, groups) > 180
    assert bounds.effective_size(alone, None) == 300
    assert bounds.effective_size(np.zeros(300, dtype=bool), groups) == 60
    found = bounds.error_bound(int(together.sum()), 300, bounds.effective_size(together, groups))
    assert found.bound > bounds.error_bound(int(together.sum()), 300).bound
    assert "come in groups" in found.text


def test_the_sentence_promises_the_bound() -> None:
    found = bounds.error_bound(12, 200)
    assert found.text.startswith("With 95 % confidence the error on new records of this kind is at most 9.")
    assert bounds.error_bound(0, 0) is None
    both = bounds.Bounds(found, (bounds.family("linear", 11, 500),))
    assert json.loads(json.dumps(both.to_json()))["test"]["errors"] == 12
