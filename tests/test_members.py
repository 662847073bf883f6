"""Trainings side by side give the numbers of trainings one after another."""

from __future__ import annotations

import sys
import threading
from functools import partial

import numpy as np
import pytest
import torch

from bioloom.modalities import modalities
from bioloom.targets import Targets
from bioloom.tasks import TASKS
from bioloom.training import members
from bioloom.training.device import session
from bioloom.training.loop import Job
from bioloom.training.members import Member, Work, run_all
from bioloom.training.plan import Plan


def member(seed: int) -> Member:
    demo = modalities["dna"].demo(120, 0)
    frame = demo.records.inputs[demo.input]
    encoded = {demo.input: modalities["dna"].fit(frame).encode(frame)}
    names = tuple(map(str, demo.records.targets.columns))
    classes = tuple(sorted(demo.records.targets.iloc[:, 0].unique()))
    truth = Targets(demo.task, names, classes).truth(demo.records.targets)
    plan = Plan(2, 20, 0.01, 0.01, 5, 1.0, "float32")
    rows = np.arange(120)
    job = Job(
        "cnn", {}, 1, encoded, truth, np.ones(120, np.float32), rows[:80], rows[80:100], TASKS[demo.task], plan, seed
    )  # fmt: skip
    return Member(job, ({name: each.take(rows[100:]) for name, each in encoded.items()},))


def test_processes_give_the_same_numbers_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    three = [member(seed) for seed in range(3)]
    alone = list(run_all(three, Work(seconds=0.0)))
    monkeypatch.setattr(members, "PAYS_FROM", 0.0)
    monkeypatch.setattr(members, "processors", lambda: 2)
    assert Work(1.0).workers(3) == 2
    together = list(run_all(three, Work(seconds=1.0)))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
    assert not np.array_equal(alone[0][0], alone[1][0])


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not copy processes")
def test_copies_of_this_process_give_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    three = [member(seed) for seed in range(3)]
    with session(2):  # the threads that are not copied
        torch.rand(500, 500) @ torch.rand(500, 500)
    alone = list(run_all(three, Work(seconds=0.0)))
    monkeypatch.setattr(members, "processors", lambda: 2)
    monkeypatch.setattr(threading, "active_count", lambda: 1)  # whatever other tests have started
    assert Work(1.0).workers(3) == 1
    assert Work(1.0).copies(three) == 2
    for one, other in zip(alone, run_all(three, Work(seconds=1.0)), strict=True):
        np.testing.assert_array_equal(one[0], other[0])


def test_a_process_with_other_threads_or_other_work_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "processors", lambda: 2)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    three = [member(seed) for seed in range(3)]
    assert Work(0.1).copies(three) == Work(9.0, device="cuda").copies(three) == 1
    assert Work(9.0).copies([*three, partial(int, 1)]) == 1
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    assert Work(9.0).copies(three) == 1


def test_little_work_a_graphics_card_or_one_thread_needs_no_other_process() -> None:
    assert Work(seconds=1.0).workers(8) == 1
    assert Work(seconds=1e6, device="cuda").workers(8) == 1
    assert Work(seconds=1e6, threads=1).workers(8) == 1
    assert Work(seconds=1e6).workers(1) == 1


def test_results_come_one_by_one() -> None:
    done: list[int] = []
    results = run_all([partial(done.append, number) for number in range(3)], Work(seconds=0.0))
    next(results)
    assert done == [0]


def test_an_error_in_a_process_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "PAYS_FROM", 0.0)
    monkeypatch.setattr(members, "processors", lambda: 2)
    with pytest.raises(ZeroDivisionError):
        list(run_all([partial(divmod, 1, 0), partial(divmod, 1, 1)], Work(seconds=1.0)))
