"""Several networks as one: the same numbers side by side, stopped or not, and the mean of its members."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bioloom.errors import Interrupted, UserError
from bioloom.models import build
from bioloom.models.ensemble import (
    Ensemble,
    build_several,
    mean_of,
    members_of,
    predict_each,
    spread_of,
    together,
)
from bioloom.models.predict import predict
from bioloom.training import ensemble, members
from bioloom.training.ensemble import Learned, fit_members, lanes, seeds
from bioloom.training.job import Epoch
from bioloom.training.loop import fit
from simulated import STEADY, job

PLAN = replace(STEADY, epochs=5, patience=5)


def ignore(member: int, epoch: Epoch) -> None:
    pass


def identical(first: list[Learned], second: list[Learned]) -> bool:
    same = len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        states = one.fitted.network.state_dict(), other.fitted.network.state_dict()
        same &= all(torch.equal(states[0][name], states[1][name]) for name in states[0])
        same &= np.array_equal(one.raw, other.raw)
        same &= [epoch.loss for epoch in one.fitted.history] == [epoch.loss for epoch in other.fitted.history]
    return same


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "PAYS_FROM", 0.0)
    monkeypatch.setattr(members, "processors", lambda: 2)
    monkeypatch.setattr(ensemble, "SECONDS_BETWEEN_LOOKS", 0.01)


@pytest.fixture(scope="module")
def one_by_one() -> list[Learned]:
    return fit_members(seeds(job(plan=PLAN), 3), None, ignore)


@pytest.mark.usefixtures("two_processes")
def test_side_by_side_they_are_the_same_as_one_by_one(one_by_one: list[Learned], tmp_path: Path) -> None:
    jobs, told = seeds(job(plan=PLAN), 3), []
    side_by_side = fit_members(
        jobs, tmp_path / "training.safetensors", lambda member, epoch: told.append((member, epoch))
    )
    assert identical(side_by_side, one_by_one)
    assert {path.name for path in tmp_path.iterdir()} == {
        "training.safetensors",
        "training 2.safetensors",
        "training 3.safetensors",
    }
    assert all(0 <= number < 3 and 1 <= epoch.number <= 5 for number, epoch in told)


def test_each_is_the_network_that_its_seed_gives_alone(one_by_one: list[Learned]) -> None:
    for seed, learned in zip((0, 1000, 2000), one_by_one, strict=True):
        alone = fit(job(plan=PLAN, seed=seed)).network.state_dict()
        found = learned.fitted.network.state_dict()
        assert all(torch.equal(alone[name], found[name]) for name in alone)


@pytest.mark.parametrize("stop", [(0, 3), (1, 1), (2, 5)])
def test_stopped_within_a_member_or_between_two_they_end_the_same(
    stop: tuple[int, int], one_by_one: list[Learned], tmp_path: Path
) -> None:
    def press(member: int, epoch: Epoch) -> None:
        if (member, epoch.number) == stop:
            raise KeyboardInterrupt

    jobs, saved = seeds(job(plan=PLAN), 3), tmp_path / "training.safetensors"
    with pytest.raises(Interrupted):
        fit_members(jobs, saved, press)
    resumed = fit_members(jobs, saved, ignore)
    assert [learned.fitted.resumed for learned in resumed[: stop[0]]] == [5] * stop[0]
    assert resumed[stop[0]].fitted.resumed == stop[1] - 1
    assert identical(resumed, one_by_one)


@pytest.mark.usefixtures("two_processes")
def test_an_error_within_a_process_is_told_in_words() -> None:
    wild = job(plan=replace(PLAN, learning_rate=1e30, clip=1e30))
    with pytest.raises(UserError, match="not a finite number") as caught:
        fit_members(seeds(wild, 2), None, ignore)
    assert "learning_rate" in caught.value.fix


def test_a_pause_is_a_stop_after_that_epoch(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    paused = fit(job(plan=PLAN), checkpoint=path, until=2)
    assert len(paused.history) == 2
    resumed = fit(job(plan=PLAN), checkpoint=path)
    assert resumed.resumed == 2
    whole = fit(job(plan=PLAN)).network.state_dict()
    assert all(torch.equal(each, resumed.network.state_dict()[name]) for name, each in whole.items())


@pytest.mark.parametrize(
    ("number", "epochs", "workers"), list(itertools.product(range(2, 8), (1, 5, 20), range(2, 5)))
)
def test_work_is_shared_evenly_and_no_member_is_ended_before_it_is_begun(
    number: int, epochs: int, workers: int
) -> None:
    workers = min(workers, number)
    shared = lanes(number, epochs, workers)
    assert len(shared) <= workers
    assert sorted(member for lane in shared for member, until in lane if not until) == list(range(number))
    begun: dict[int, int] = {}  # by member, when its first part is done
    for lane in shared:
        if lane[0][1]:
            begun[lane[0][0]] = lane[0][1]
        assert not any(until for _, until in lane[1:])
    for lane in shared:
        clock = 0
        for member, until in lane:
            done = begun.get(member, 0)
            assert until or clock >= done
            clock += until or epochs - done
        assert clock <= -(-number * epochs // workers)


def test_an_ensemble_says_the_mean_of_its_members(one_by_one: list[Learned]) -> None:
    inputs = job().inputs
    network = together([learned.fitted.network for learned in one_by_one])
    expected = np.mean([learned.raw for learned in one_by_one], axis=0)
    np.testing.assert_allclose(predict(network, inputs), expected, atol=1e-6)
    np.testing.assert_array_equal(mean_of(predict_each(network, inputs)), expected)
    apart = np.stack([learned.raw for learned in one_by_one])
    np.testing.assert_allclose(spread_of(list(apart)), apart.std(axis=0, ddof=1), atol=1e-6)


def test_an_ensemble_of_one_is_that_one() -> None:
    small = job()
    network = build("mlp", small.shapes, 1, {})
    assert together([network]) is network
    assert members_of(network) == (network,)
    assert spread_of([np.zeros((3, 1), np.float32)]) is None
    assert seeds(small, 1) == [small]


def test_an_ensemble_is_built_from_its_settings_and_each_member_begins_elsewhere() -> None:
    small = job()
    network = build_several("mlp", small.shapes, 1, {}, 3)
    assert isinstance(network, Ensemble)
    first, second, _ = (next(member.parameters()) for member in members_of(network))
    assert not torch.equal(first, second)
    again = Ensemble.build(small.shapes, 1, Ensemble.Settings(network="mlp", members=3))
    again.load_state_dict(network.state_dict())
    np.testing.assert_array_equal(predict(network, small.inputs), predict(again, small.inputs))
