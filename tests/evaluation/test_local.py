"""Intervals in proportion to the spread of several networks: the promise is kept, and they are taken where they pay."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bioloom.evaluation.conformal import Calibrating, Conformal
from bioloom.evaluation.conformity import from_spread
from bioloom.evaluation.local import fit_local


def simulated(
    random: np.random.Generator, count: int, uneven: float
) -> tuple[Calibrating, NDArray[np.float64]]:
    """Errors whose size goes with a known factor between records, and the spread of five members that share it."""
    factor = np.exp(uneven * random.normal(size=(count, 1)))
    value = random.normal(size=(count, 1))
    truth = value + factor * random.normal(size=(count, 1))
    members = factor[:, None] * random.normal(size=(count, 5, 1))
    return Calibrating(value, truth, ("y",)), members.std(axis=1, ddof=1)


@pytest.mark.parametrize("uneven", [0.0, 0.3, 1.0])
def test_the_promise_is_kept_within_two_points_whichever_is_chosen(uneven: float) -> None:
    random, held = np.random.default_rng(0), []
    for _ in range(200):
        given, spread = simulated(random, 200, uneven)
        made = fit_local(given, spread, 0.9)
        new, apart = simulated(random, 500, uneven)
        held.append(made.held(new.truth, new.value, made.reach(None, apart))[0].mean())
    assert abs(np.mean(held) - 0.9) < 0.02


def test_where_the_spread_says_how_far_off_they_are_narrower_and_even() -> None:
    random = np.random.default_rng(1)
    given, spread = simulated(random, 2000, 1.0)
    local, plain = fit_local(given, spread, 0.9), Conformal.fit(given, 0.9)
    assert local.scaled
    assert local.constant == pytest.approx((spread.mean(),))
    new, apart = simulated(random, 20_000, 1.0)
    inside, width = local.held(new.truth, new.value, local.reach(None, apart))
    inside_plain, width_plain = plain.held(new.truth, new.value)
    assert width.mean() < 0.95 * width_plain.mean()
    far = apart[:, 0] > np.quantile(apart, 0.8)
    assert inside[far].mean() > inside_plain[far].mean() + 0.1


def test_a_spread_that_says_nothing_is_left_out() -> None:
    random = np.random.default_rng(2)
    given, _ = simulated(random, 500, 0.0)
    noise = np.exp(random.normal(size=(500, 1)))
    found = fit_local(given, noise, 0.9)
    assert not found.scaled
    assert found == Conformal.fit(given, 0.9)
    assert found.reach(None, noise) is None


@pytest.mark.parametrize(("count", "scale"), [(30, 1.0), (500, 0.0)])
def test_few_records_or_members_that_are_all_the_same_keep_one_width(count: int, scale: float) -> None:
    given, spread = simulated(np.random.default_rng(3), count, 1.0)
    assert not fit_local(given, scale * spread, 0.9).scaled


def test_it_is_stored_with_its_constant() -> None:
    given, spread = simulated(np.random.default_rng(4), 500, 1.0)
    made = fit_local(given, spread, 0.9)
    again = Conformal.from_json(made.to_json())
    assert again == made
    low, high = again.interval(given.value, again.reach(None, spread))
    half = made.half[0] * (spread + made.constant[0])
    np.testing.assert_allclose(low, given.value - half)
    np.testing.assert_allclose(high, given.value + half)
    assert "constant" not in Conformal.fit(given, 0.9).to_json()
    assert from_spread(spread, np.array([1.0])).shape == (500, 2)
