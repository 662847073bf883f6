"""How far off a mean of several is, against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from bioloom.evaluation.conformity import share_of_mean


@pytest.mark.parametrize("alike", [0.0, 0.5, 0.9])
def test_the_share_of_a_mean_is_that_of_simulated_errors(alike: float) -> None:
    random = np.random.default_rng(0)
    common = np.sqrt(alike) * random.normal(size=(200_000, 1))
    errors = common + np.sqrt(1 - alike) * random.normal(size=(200_000, 5))
    found = share_of_mean(np.moveaxis(errors[:, :2, None], 1, 0), 5)
    expected = errors.mean(axis=1).std() / errors[:, 0].std()
    assert found == pytest.approx([expected], abs=0.01)


def test_unknown_truths_are_left_out_and_where_all_are_nothing_is_narrower() -> None:
    errors = np.array([[[1.0, np.nan], [2.0, np.nan]], [[1.0, np.nan], [2.0, np.nan]]])
    assert share_of_mean(errors, 5).tolist() == [1.0, 1.0]
    errors[1, 0, 0] = np.nan
    assert share_of_mean(errors, 5).tolist() == [1.0, 1.0]


def test_members_that_err_the_other_way_are_not_thought_better_than_unrelated_ones() -> None:
    one = np.array([1.0, -1.0] * 5000)[:, None]
    assert share_of_mean(np.array([one, -one]), 4) == pytest.approx([0.5], abs=1e-3)
    few = np.array([one[:4], 0 * one[:4]])
    assert 0.5 < share_of_mean(few, 4)[0] < 1.0
