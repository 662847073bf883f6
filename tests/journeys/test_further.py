"""Further trainings of one contest: which test records they are asked about, and what learning curves learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bioloom import workflow
from bioloom.errors import UserError
from bioloom.journey import contest, further, rivals
from bioloom.journey.further import Programme, nested, trainings
from bioloom.journey.prepare import Request, prepare
from bioloom.journey.rivals import Early, fit_rivals
from bioloom.journey.trainee import Lesson, Trainee, train_network
from small_runs import FAST, motif_table


@pytest.fixture(scope="module")
def trainee() -> Trainee:
    return train_on_few()


def train_on_few(meanwhile: Callable[[Lesson], None] = lambda lesson: None, threads: int = 0) -> Trainee:
    frame = motif_table(120).assign(split=np.repeat(["train", "validation", "test"], [60, 36, 24]))
    settings = FAST | {"training.epochs": 1, "threads": threads}
    request = Request(source=frame, target=("bound",), inputs=("sequence",), settings=settings, budget="fast")
    prepared = prepare(request)
    split = workflow.divide(prepared).split
    return train_network(prepared, split, workflow.encode(prepared, split), None, meanwhile=meanwhile)


def test_shuffled_and_true_labels_are_compared_on_the_same_test_records(
    trainee: Trainee, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(further.SHUFFLE_RECORDS, "fast", 8)
    test = trainee.split.index("test")
    programme = Programme(shuffles=4, shares=(), seeds=1)
    planned = dict(trainings(trainee, programme))
    answered = [
        np.isfinite(training.answers(name, trainee, test, training.member(test)())[name]).all(axis=1)
        for name, training in planned.items()
    ]
    assert len(answered) == 5
    assert all(each.sum() == 8 for each in answered)
    assert all(np.array_equal(each, answered[0]) for each in answered)


def test_each_shuffled_training_gets_its_own_labels_and_seed_and_never_sees_a_test_label(
    trainee: Trainee,
) -> None:
    planned = dict(trainings(trainee, Programme(shuffles=2, shares=(), seeds=1)))
    assert list(planned) == ["short", "shuffled 1", "shuffled 2"]
    short, first, second = (training.job for training in planned.values())
    learned = np.concatenate([short.train, short.validation])
    assert np.array_equal(short.truth[learned], trainee.job.truth[learned])
    for job in (short, first, second):
        assert np.array_equal(np.concatenate([job.train, job.validation]), learned)
        assert not np.isfinite(job.truth[trainee.split.index("test")]).any()
        assert sorted(job.truth[learned, 0]) == sorted(short.truth[learned, 0])
    labels = [tuple(job.truth[learned, 0]) for job in (short, first, second)]
    assert len(set(labels)) == 3
    assert len({job.seed for job in (short, first, second)}) == 3


def test_groups_of_one_label_swap_it_in_shuffled_trainings(trainee: Trainee) -> None:
    label = trainee.learnable.truth[:, 0]
    group = np.array([f"{value:g} {place % 5}" for place, value in enumerate(label)], dtype=object)
    records = replace(trainee.records, group=group)
    grouped = replace(trainee, prepared=replace(trainee.prepared, records=records))
    planned = dict(trainings(grouped, Programme(shuffles=1, shares=(), seeds=1)))
    job = planned["shuffled 1"].job
    learned = np.concatenate([job.train, job.validation])
    for name in set(group[learned]):
        assert len(set(job.truth[learned][group[learned] == name, 0])) == 1


def test_records_without_a_group_are_no_group_in_the_learning_curve(trainee: Trainee) -> None:
    group = np.full(len(trainee.records), None, dtype=object)
    group[trainee.job.train[:20]] = "one"
    records = replace(trainee.records, group=group)
    grouped = replace(trainee, prepared=replace(trainee.prepared, records=records))
    rows = nested(grouped, 0.5)
    assert len(rows) == 30
    others = trainee.job.train[20:]
    assert 10 <= np.isin(others, rows).sum() < 30, "drawn one by one, before and after the group"
    last = np.diff(np.flatnonzero(np.isin(others, rows)))
    assert last.max() > 1, "not the first ones of a single large group"


def test_the_simple_model_has_no_point_at_a_share_of_more_records_than_it_learns_from(
    trainee: Trainee, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, test = fit_rivals(trainee), trainee.split.index("test")
    programme = Programme(shuffles=1, shares=(0.5, 0.9), seeds=1)
    assert list(contest._simple_shares(trainee, found, programme, test)) == ["simple 0.5", "simple 0.9"]
    monkeypatch.setattr(contest, "BASELINE_RECORDS", 40)
    assert list(contest._simple_shares(trainee, found, programme, test)) == ["simple 0.5"]


def test_a_share_of_all_records_is_the_simple_model_itself_calibration_included(trainee: Trainee) -> None:
    found, test = fit_rivals(trainee), trainee.split.index("test")
    simple = found.by_role["simple"]
    assert simple.calibration is not None
    assert simple.calibration.temperature != 1
    programme = Programme(shuffles=1, shares=(0.9999,), seeds=1)
    (share,) = contest._simple_shares(trainee, found, programme, test).values()
    np.testing.assert_array_equal(share, simple.values[test])


def test_rivals_fitted_while_the_network_trains_are_those_fitted_afterwards(trainee: Trainee) -> None:
    early = Early()
    assert early.result() is None, "nothing was begun"
    early.begin(trainee)
    found, after = early.result(), fit_rivals(trainee)
    assert found is not None
    assert list(found.by_role) == list(after.by_role)
    for role, rival in after.by_role.items():
        np.testing.assert_array_equal(found.by_role[role].values, rival.values)


def test_what_stops_early_rivals_is_said_when_they_are_asked_for(
    trainee: Trainee, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(lesson: object) -> None:
        raise UserError("There is no room left.")

    monkeypatch.setattr(rivals, "fit_rivals", refused)
    early = Early()
    early.begin(trainee)
    with pytest.raises(UserError, match="no room left"):
        early.result()


@pytest.mark.parametrize(("here", "threads", "beside"), [(1, 0, 0), (2, 0, 1), (2, 1, 0)])
def test_a_network_that_leaves_a_processor_idle_trains_beside_its_rivals(
    here: int, threads: int, beside: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Lesson] = []
    monkeypatch.setattr("bioloom.journey.trainee.processors", lambda: here)
    train_on_few(meanwhile=begun.append, threads=threads)
    assert len(begun) == beside, "no more threads than were allowed"
