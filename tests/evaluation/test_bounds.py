"""The bound of the test against the binomial tail and simulation, beside what training alone promises."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from scipy import stats

from bioloom.evaluation import bounds
from bioloom.evaluation.learnability import vc_linear, vc_network


def test_the_promise_of_training_alone_is_empty_for_a_network() -> None:
    network = bounds.family("network", vc_network(100_000, 8), 50_000)
    assert network.vacuous
    assert network.gap is None
    assert not bounds.family("line", vc_linear(10), 10_000).vacuous


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
