"""Further trainings of one contest: which test records they are asked about, and what learning curves learn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bioloom import workflow
from bioloom.journey import contest, further
from bioloom.journey.further import Programme, nested, trainings
from bioloom.journey.prepare import Request, prepare
from bioloom.journey.trainee import Trainee, fit_rivals, train_network
from small_runs import FAST, motif_table


@pytest.fixture(scope="module")
def trainee() -> Trainee:
    frame = motif_table(120).assign(split=np.repeat(["train", "validation", "test"], [60, 20, 40]))
    settings = FAST | {"training.epochs": 1}
    request = Request(source=frame, target=("bound",), inputs=("sequence",), settings=settings, budget="fast")
    prepared = prepare(request)
    split = workflow.divide(prepared).split
    return train_network(prepared, split, workflow.encode(prepared, split), None)


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
    rivals, test = fit_rivals(trainee), trainee.split.index("test")
    programme = Programme(shuffles=1, shares=(0.5, 0.9), seeds=1)
    assert list(contest._simple_shares(trainee, rivals, programme, test)) == ["simple 0.5", "simple 0.9"]
    monkeypatch.setattr(contest, "BASELINE_RECORDS", 40)
    assert list(contest._simple_shares(trainee, rivals, programme, test)) == ["simple 0.5"]
