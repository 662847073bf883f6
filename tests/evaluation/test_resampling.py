"""Draws by record and by group."""

from __future__ import annotations

import numpy as np
import pytest

from bioloom.evaluation.resampling import Resampling


def all_draws(plan: Resampling) -> np.ndarray:
    return np.concatenate(list(plan.bootstrap()), axis=1)


def test_each_draw_holds_as_many_records_as_there_are() -> None:
    draws = all_draws(Resampling(30, draws=120))
    assert draws.shape == (30, 120)
    assert (draws.sum(axis=0) == 30).all()


def test_the_same_seed_draws_the_same_records_and_another_seed_others() -> None:
    first, again = all_draws(Resampling(30, seed=5)), all_draws(Resampling(30, seed=5))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, all_draws(Resampling(30, seed=0)))


def test_records_of_a_group_are_drawn_together() -> None:
    groups = np.array(["a", "b", "a", "c", "b", "a"], dtype=object)
    draws = all_draws(Resampling(6, groups))
    assert (draws[0] == draws[2]).all()
    assert (draws[0] == draws[5]).all()
    assert (draws[1] == draws[4]).all()
    assert (draws[[0, 1, 3]].sum(axis=0) == 3).all()


def test_a_record_without_a_group_is_a_group_of_its_own() -> None:
    plan = Resampling(4, np.array(["a", None, "a", np.nan], dtype=object))
    assert plan.units == 3
    assert plan.grouped


def test_groups_of_one_record_each_are_no_groups() -> None:
    assert not Resampling(3, np.array([7, 8, 9])).grouped


def test_each_unit_is_drawn_once_on_average() -> None:
    assert all_draws(Resampling(20, draws=4000)).mean(axis=1) == pytest.approx(1.0, abs=0.08)


def test_each_unit_is_left_out_once() -> None:
    groups = np.array([0, 0, 1, 2, 2])
    left_out = np.concatenate(list(Resampling(5, groups).leave_one_out()), axis=1)
    assert left_out.tolist() == [[0, 1, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0], [1, 1, 0]]


def test_very_many_records_get_fewer_draws_but_never_under_200() -> None:
    assert Resampling(10_000).made == 1000
    assert Resampling(50_000).made == 400
    assert Resampling(10_000_000).made == 200
    assert Resampling(10_000_000, draws=150).made == 150
