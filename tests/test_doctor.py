"""The doctor: what it looks at, and that it tells of trouble instead of falling over it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bioloom import doctor, workflow
from bioloom.cli import main
from bioloom.doctor import Fact
from bioloom.events import Silent

EXPECTED = (
    "bioloom",
    "Python",
    "System",
    "PyTorch",
    "Libraries",
    "Graphics card",
    "Processor",
    "Memory",
    "Disk",
)


def test_everything_is_looked_at_and_a_tiny_training_works(tmp_path: Path) -> None:
    facts = {fact.name: fact for fact in doctor.examine(tmp_path, Silent())}
    assert {*EXPECTED, "Tiny training"} <= set(facts)
    assert facts["Tiny training"].state == "ok", facts["Tiny training"]
    assert list(tmp_path.iterdir()) == []


def test_whatever_breaks_the_tiny_training_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("libgomp is missing")

    monkeypatch.setattr(workflow, "train", broken)
    fact = doctor._training()
    assert fact.state == "problem"
    assert "libgomp is missing" in fact.found


def test_little_memory_and_a_full_disk_are_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "memory", lambda: 0.5)
    monkeypatch.setattr(doctor, "DISK_NEEDED", 1e9)
    assert doctor._memory().state == "problem"
    assert doctor._disk(tmp_path).state == "problem"


def test_a_system_that_does_not_tell_its_memory_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "memory", lambda: None)
    assert doctor._memory().state == "note"


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("note", 0), ("problem", 2)])
def test_a_problem_is_an_exit_code(
    state: doctor.State, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = [Fact("Memory", "0.5 GB", state, "buy more")]
    monkeypatch.setattr(doctor, "examine", lambda folder, listener: facts)
    assert main(["doctor"]) == code
    assert "0.5 GB; buy more" in capsys.readouterr().out
    assert main(["doctor", "--json"]) == code
    document = json.loads(capsys.readouterr().out)
    assert document["facts"] == [{"name": "Memory", "found": "0.5 GB", "state": state, "fix": "buy more"}]
