"""Every kind of input has a simulator whose files are read as that kind."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from bioloom.cli import main
from bioloom.data.simulate import simulators as of_subjects
from bioloom.journey.prepare import Request, prepare
from bioloom.modalities import modalities
from bioloom.modalities.simulated import simulators

VIEWS = {"structure_atoms", "distance_map", "structure_picture"}
NAMES = [name for name in modalities if name not in VIEWS]


def test_every_modality_has_one_that_no_subject_is_called_like() -> None:
    assert list(simulators()) == NAMES
    assert not set(NAMES) & set(of_subjects)


@pytest.mark.parametrize("name", NAMES)
def test_its_files_are_read_as_what_they_are(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"{name}.csv"
    assert main(["data", "simulate", name, "-n", "24", "--seed", "3", "--out", str(path)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    simulator = simulators()[name]
    assert told.endswith(f"train with --target {simulator.target} {simulator.words}".strip())
    inputs = tuple(simulator.words.split()[1:])
    prepared = prepare(Request(str(path), target=(simulator.target,), inputs=inputs))
    assert [each.modality for each in prepared.recipe.data.inputs.values()] == [name]
    assert prepared.recipe.data.task == simulator.task
    assert len(prepared.records) == 24


@pytest.mark.parametrize("name", NAMES)
def test_what_was_planted_is_named_by_parts_of_the_record(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.csv"
    main(["data", "simulate", name, "-n", "24", "--seed", "3", "--out", str(path)])
    planted = json.loads(path.with_suffix(".truth.json").read_text())["planted"]
    assert planted
    assert set(planted) <= set(pd.read_csv(path)["id"])
    assert all(labels and all(isinstance(each, str) for each in labels) for labels in planted.values())


def test_the_same_seed_makes_the_same_files() -> None:
    known = simulators()
    for name in ("image", "structure"):
        one, other, third = (known[name].make(12, seed) for seed in (1, 1, 2))
        assert dict(one.files) == dict(other.files) != dict(third.files)
        assert one.frame.equals(other.frame)


def test_an_unknown_simulator_is_told_with_a_guess(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "simulate", "structur"]) == 2
    assert 'Did you mean "structure"' in capsys.readouterr().err
