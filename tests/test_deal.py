"""Dealing: whole units, shares, strata, the same for a seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioloom.data.deal import Deal, deal, too_large

SHARES = np.array([0.70, 0.15, 0.15])


def dealt(
    units: object, strata: object, *, seed: int = 0, each: bool = True, shares: object = SHARES
) -> np.ndarray:
    return deal(Deal(np.asarray(units), np.asarray(strata), np.asarray(shares), seed, each))


records = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), min_size=10, max_size=80)


@given(records, st.integers(0, 5))
@settings(deadline=None)
def test_every_record_is_dealt_once_and_units_stay_whole(rows: list[tuple[int, int]], seed: int) -> None:
    units, strata = np.array(rows).T
    part = dealt(units, strata, seed=seed)
    assert part.shape == units.shape
    assert set(part.tolist()) <= {0, 1, 2}
    assert all(len(set(part[units == unit].tolist())) == 1 for unit in units)
    assert part.tolist() == dealt(units, strata, seed=seed).tolist()


@given(records)
@settings(deadline=None)
def test_no_part_is_empty_where_there_are_units_enough(rows: list[tuple[int, int]]) -> None:
    units, strata = np.array(rows).T
    used = len(set(dealt(units, strata).tolist()))
    assert used == min(3, len(set(units.tolist())))


@pytest.mark.parametrize("n", [10, 37, 1000])
def test_single_records_get_their_shares_within_one_of_each_stratum(n: int) -> None:
    random = np.random.default_rng(n)
    strata = random.choice(3, n, p=[0.6, 0.3, 0.1])
    part = dealt(np.arange(n), strata, each=False)
    for stratum in range(3):
        counts = np.bincount(part[strata == stratum], minlength=3)
        assert np.abs(counts - SHARES * counts.sum()).max() <= 2
    assert np.abs(np.bincount(part, minlength=3) - SHARES * n).max() <= 1.5


def test_families_are_balanced_in_size_and_labels() -> None:
    random = np.random.default_rng(1)
    units = random.integers(0, 300, 3000)
    strata = (random.random(3000) < 0.2 + 0.6 * (units % 2)).astype(int)  # families differ in their labels
    part = dealt(units, strata)
    assert np.bincount(part) / 3000 == pytest.approx(SHARES, abs=0.01)
    for number in range(3):
        assert strata[part == number].mean() == pytest.approx(strata.mean(), abs=0.02)


def test_seeds_deal_differently() -> None:
    assert (
        dealt(np.arange(50), np.zeros(50, int)).tolist()
        != dealt(np.arange(50), np.zeros(50, int), seed=1).tolist()
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_rare_class_is_in_the_first_part_before_the_last_and_there_before_the_others(seed: int) -> None:
    strata = np.array([0] * 47 + [1] + [2] * 2 + [3] * 3)
    part = dealt(np.arange(53), strata, seed=seed)
    assert part[strata == 1].tolist() == [0]
    assert sorted(part[strata == 2].tolist()) == [0, 2]
    assert sorted(part[strata == 3].tolist()) == [0, 1, 2]


def test_a_unit_larger_than_a_part_goes_to_the_first() -> None:
    units = np.concatenate([np.zeros(600, int), np.arange(1, 401)])
    assert too_large(units, SHARES).sum() == 1
    part = dealt(units, np.zeros(1000, int))
    assert set(part[:600].tolist()) == {0}
    assert np.bincount(part).tolist() == [700, 150, 150]


@pytest.mark.parametrize(("groups", "expected"), [(3, [1, 1, 1]), (5, [3, 1, 1]), (10, [7, 1, 2])])
def test_a_few_large_groups_are_dealt_as_they_are(groups: int, expected: list[int]) -> None:
    part = dealt(np.repeat(np.arange(groups), 20), np.zeros(20 * groups, int))
    assert (np.bincount(part) / 20).tolist() == pytest.approx(expected)


def test_a_part_without_a_share_gets_nothing() -> None:
    part = dealt(np.arange(100), np.arange(100) % 2, shares=[0.8, 0.2, 0.0])
    assert np.bincount(part, minlength=3).tolist() == [80, 20, 0]


def test_folds_are_dealt_the_same_way() -> None:
    random = np.random.default_rng(2)
    units, strata = random.integers(0, 200, 1000), random.integers(0, 4, 1000)
    part = dealt(units, strata, shares=np.full(5, 0.2))
    assert np.abs(np.bincount(part) - 200).max() <= 8


# ---- properties -----------------------------------------------------------------------------------------


def unevenness(part: np.ndarray, properties: np.ndarray) -> float:
    """How far the mean of each property in validation and test is from that of all, in standard deviations."""
    scaled = (properties - properties.mean(axis=0)) / properties.std(axis=0)
    return float(np.sqrt(np.mean([scaled[part == number].mean(axis=0) ** 2 for number in (1, 2)])))


@pytest.mark.parametrize("alone", [True, False])
def test_properties_are_balanced_and_labels_are_so_no_less(alone: bool) -> None:
    even, uneven, labels_even, labels_uneven = [], [], [], []
    for seed in range(12):
        random = np.random.default_rng(seed)
        units = np.arange(300) if alone else np.sort(random.integers(0, 70, 300))
        properties = 0.3 * random.normal(size=(300, 2)) + random.normal(size=(300, 2))[units]
        strata = (random.random(300) < 0.3 + 0.2 * (properties[:, 0] > 0)).astype(int)
        plain = dealt(units, strata, seed=seed)
        what = Deal(units, strata, SHARES, seed, each=True, properties=properties)
        balanced = deal(what)
        assert balanced.tolist() == deal(what).tolist()
        even.append(unevenness(balanced, properties))
        uneven.append(unevenness(plain, properties))
        for part, found in ((balanced, labels_even), (plain, labels_uneven)):
            found.append(np.abs(np.bincount(part[strata == 1]) / (strata == 1).sum() - SHARES).max())
    assert np.mean(even) < 0.6 * np.mean(uneven)
    assert np.mean(labels_even) <= np.mean(labels_uneven) + 0.002


def test_single_records_have_the_same_label_counts_with_and_without_properties() -> None:
    random = np.random.default_rng(0)
    strata = random.choice(3, 200, p=[0.6, 0.3, 0.1])
    parts = [
        deal(Deal(np.arange(200), strata, SHARES, 0, each=True, properties=properties))
        for properties in (None, random.normal(size=(200, 2)))
    ]
    for stratum in range(3):
        counts = [np.bincount(part[strata == stratum], minlength=3).tolist() for part in parts]
        assert counts[0] == counts[1]


def test_unknown_and_constant_properties_do_no_harm() -> None:
    properties = np.column_stack([np.ones(60), np.full(60, np.nan), np.where(np.arange(60) % 2, np.nan, 1.0)])
    part = deal(Deal(np.arange(60), np.arange(60) % 2, SHARES, 0, properties=properties))
    assert np.bincount(part).tolist() == [42, 9, 9]


# ---- exchanges ------------------------------------------------------------------------------------------


def test_exchanges_reach_the_best_of_all_deals_of_a_few_groups() -> None:
    """Against every possible deal of eight groups to two folds."""
    random = np.random.default_rng(3)
    worse = 0
    for seed in range(10):
        units = np.repeat(np.arange(8), random.integers(2, 12, 8))
        strata = random.integers(0, 2, len(units))
        counts = np.stack([np.bincount(units[strata == each], minlength=8) for each in range(2)], axis=1)
        whole = np.column_stack([counts / counts.sum(axis=0), counts.sum(axis=1) / len(units)])

        def cost(sides: np.ndarray, whole: np.ndarray = whole) -> float:
            first = (whole * sides[:, None]).sum(axis=0) - 0.5
            return float((first**2 * np.array([0.5, 0.5, 1.0])).sum())

        best = min(cost((number >> np.arange(8)) & 1) for number in range(1, 255))
        fold = deal(Deal(units, strata, np.array([0.5, 0.5]), seed, each=True, folds=True))
        worse += cost(fold[np.unique(units, return_index=True)[1]]) > best + 0.005
    assert worse <= 2


def test_a_class_of_one_unit_is_for_the_first_part() -> None:
    units = np.repeat(np.arange(30), 4)
    for seed in range(5):
        part = dealt(units, np.where(units == 0, 2, units % 2), seed=seed)
        assert set(part[:4].tolist()) == {0}
