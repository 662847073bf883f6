"""Members that hold back other records: nothing is lost, units stay whole, labels are even."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bioloom.journey import rotation
from bioloom.journey.rotation import rotated, shared
from bioloom.training.ensemble import seeds
from simulated import STEADY, job

TOLD = job(plan=STEADY)
ALL = np.sort(np.concatenate([TOLD.train, TOLD.validation]))


def test_the_first_member_is_as_it_was() -> None:
    first = rotated(seeds(TOLD, 5), None)[0]
    assert np.array_equal(first.train, TOLD.train)
    assert np.array_equal(first.validation, TOLD.validation)


def test_each_member_divides_the_same_records_and_holds_back_others() -> None:
    jobs = rotated(seeds(TOLD, 5), None)
    for each in jobs:
        assert np.array_equal(np.sort(np.concatenate([each.train, each.validation])), ALL)
    both = shared(jobs)
    assert both is not None
    assert 10 <= len(both) <= 0.6 * len(TOLD.validation), "the second shares half with the first"
    held = np.concatenate([each.validation for each in jobs])
    assert len(held) - len(np.unique(held)) == len(both), "no other record is held back twice"
    assert [each.seed for each in jobs] == [each.seed for each in seeds(TOLD, 5)]


def test_with_few_validation_records_none_is_shared() -> None:
    told = replace(
        TOLD,
        train=np.sort(np.concatenate([TOLD.train, TOLD.validation[12:]])),
        validation=TOLD.validation[:12],
    )
    jobs = rotated(seeds(told, 5), None)
    found = shared(jobs)
    assert found is not None
    assert not len(found)
    assert shared(seeds(TOLD, 5)) is None, "where all hold back the same, there is nothing to tell"


def test_as_many_are_held_back_as_in_the_first_and_with_the_same_mix_of_labels() -> None:
    jobs = rotated(seeds(TOLD, 3), None)
    share = TOLD.truth[ALL, 0].mean()
    for each in jobs[1:]:
        assert abs(len(each.validation) - len(TOLD.validation)) <= 0.3 * len(TOLD.validation) + 2
        assert abs(each.truth[each.validation, 0].mean() - share) < 0.1


def test_units_are_held_back_whole() -> None:
    units = np.arange(len(TOLD.truth)) // 3
    for each in rotated(seeds(TOLD, 4), units)[1:]:
        for before in (TOLD.train, TOLD.validation):
            held, learned = (np.intersect1d(rows, before) for rows in (each.validation, each.train))
            assert not set(units[held]) & set(units[learned])


def test_many_records_or_few_units_or_no_validation_change_nothing(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def same(told, units=None) -> bool:  # type: ignore[no-untyped-def]
        return all(np.array_equal(each.train, told.train) for each in rotated(seeds(told, 4), units))

    assert not same(TOLD)
    assert same(TOLD, np.arange(len(TOLD.truth)) % 5)
    assert same(replace(TOLD, validation=np.empty(0, dtype=np.int64)))
    monkeypatch.setattr(rotation, "FEWER_THAN", 10)
    assert same(TOLD)
