"""A run that was stopped in any way, and started again, ends as one that was not: bit for bit."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bioloom.errors import Interrupted, UserError
from bioloom.modalities import Kind
from bioloom.training.job import Epoch, Fitted, Job
from bioloom.training.loop import fit
from bioloom.training.optimisers import optimisers
from simulated import OTHERS, STEADY, SUITED, job, other_job

TESTS = Path(__file__).resolve().parents[1]
PLAN = replace(STEADY, epochs=6, patience=6)


def identical(first: Fitted, second: Fitted) -> bool:
    one, other = first.network.state_dict(), second.network.state_dict()
    losses = [[(e.loss, e.validation_loss) for e in fitted.history] for fitted in (first, second)]
    return losses[0] == losses[1] and all(torch.equal(one[name], other[name]) for name in one)


def interrupt_after(number: int) -> Callable[[Epoch], None]:
    def press(epoch: Epoch) -> None:
        if epoch.number == number:
            signal.raise_signal(signal.SIGINT)

    return press


@pytest.mark.skipif(not hasattr(os, "fork"), reason="child processes are forked")
def test_killed_at_ten_random_moments_it_ends_with_the_same_weights(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, TESTS / "honesty" / "resumable.py", tmp_path, "10"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "told.json").read_text())
    assert told["killed"] >= 3, "most kills found a child at work"
    assert not told["dynamo"], "training does not wait for torch._dynamo to be imported"
    assert (tmp_path / "killed.weights").read_bytes() == (tmp_path / "unbroken.weights").read_bytes()
    assert json.loads((tmp_path / "killed.json").read_text())["resumed"] > 0
    assert [path.name for path in (tmp_path / "killed").iterdir()] == ["checkpoint.safetensors"]


@pytest.mark.parametrize("network", SUITED)
def test_ctrl_c_leaves_a_run_that_goes_on(network: str, tmp_path: Path) -> None:
    small, path = job(network, plan=PLAN), tmp_path / "checkpoint.safetensors"
    unbroken = fit(small)
    with pytest.raises(Interrupted, match="after 4 of 6 epochs"):
        fit(small, checkpoint=path, on_epoch=interrupt_after(4))
    resumed = fit(small, checkpoint=path)
    assert resumed.resumed == 3, "the interrupted epoch is done again"
    assert identical(resumed, unbroken)


@pytest.mark.parametrize(("network", "kind"), OTHERS)
def test_pictures_texts_graphs_and_tables_go_on_bit_for_bit_too(
    network: str, kind: Kind, tmp_path: Path
) -> None:
    plan = replace(PLAN, epochs=3, patience=3)
    small, path = other_job(network, kind, plan=plan), tmp_path / "checkpoint.safetensors"
    with pytest.raises(Interrupted, match="after 2 of 3 epochs"):
        fit(small, checkpoint=path, on_epoch=interrupt_after(2))
    resumed = fit(small, checkpoint=path)
    assert resumed.resumed == 1
    assert identical(resumed, fit(small))


CHANGES: list[dict[str, object]] = [
    *({"optimiser": name} for name in optimisers),
    {"average": "swa", "schedule": "plateau"},
    {"average": "none", "schedule": "cosine"},
    {"accumulate": 2, "schedule": "constant"},
    {"l1": 0.01, "l2": 0.01, "loss": "huber"},
]


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_every_way_to_learn_goes_on_bit_for_bit(changes: dict[str, object], tmp_path: Path) -> None:
    small, path = job(plan=replace(PLAN, **changes)), tmp_path / "checkpoint.safetensors"
    with pytest.raises(Interrupted):
        fit(small, checkpoint=path, on_epoch=interrupt_after(5))
    resumed = fit(small, checkpoint=path)
    assert resumed.resumed == 4
    assert identical(resumed, fit(small))


def test_ctrl_c_in_the_middle_of_an_epoch_goes_back_to_its_beginning(tmp_path: Path) -> None:
    small, path = job(plan=PLAN), tmp_path / "checkpoint.safetensors"
    calls = iter(range(1000))

    def pressing(*arguments: torch.Tensor) -> torch.Tensor:
        if next(calls) == 15:  # six calls per epoch: five batches and the validation
            raise KeyboardInterrupt
        return small.task.loss(*arguments)

    pressed: Job = replace(small, task=replace(small.task, loss=pressing))
    with pytest.raises(Interrupted, match="after 2 of 6 epochs"):
        fit(pressed, checkpoint=path)
    resumed = fit(small, checkpoint=path)
    assert resumed.resumed == 2
    assert identical(resumed, fit(small))


def test_ctrl_c_without_a_checkpoint_is_an_interruption_too() -> None:
    with pytest.raises(Interrupted):
        fit(job(), on_epoch=interrupt_after(1))


def test_a_full_disk_is_told_and_what_was_saved_before_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, path = job(plan=PLAN), tmp_path / "checkpoint.safetensors"
    writes = iter(range(1000))

    def full(handle: int) -> None:
        if next(writes) >= 3:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(UserError, match="The disk is full"):
            fit(small, checkpoint=path, save_every=0.0)
    resumed = fit(small, checkpoint=path)
    assert resumed.resumed == 3
    assert identical(resumed, fit(small))


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    small, path = job(plan=PLAN), tmp_path / "checkpoint.safetensors"
    first, again = fit(small, checkpoint=path), fit(small, checkpoint=path)
    assert (first.resumed, again.resumed) == (0, 6)
    assert identical(first, again)


def test_a_run_that_stopped_early_stays_stopped(tmp_path: Path) -> None:
    plan = replace(STEADY, epochs=40, patience=3, learning_rate=0.02)
    small, path = job(plan=plan, settings={"dropout": 0.0}), tmp_path / "checkpoint.safetensors"
    first, again = fit(small, checkpoint=path), fit(small, checkpoint=path)
    assert len(first.history) == again.resumed < 40
    assert identical(first, again)


def test_another_job_starts_from_the_beginning_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    fit(job(), checkpoint=path)
    other = fit(job(seed=1), checkpoint=path)
    assert other.resumed == 0
    assert "other data or settings" in other.notes[0]
    assert identical(other, fit(job(seed=1)))


def test_how_often_it_is_saved_changes_nothing(tmp_path: Path) -> None:
    often = fit(job(), checkpoint=tmp_path / "a", save_every=0.0)
    rarely = fit(job(), checkpoint=tmp_path / "b", save_every=1e9)
    assert identical(often, rarely)
