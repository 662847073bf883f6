"""Parts from outside: the distribution in tests/plugin is found by its entry points, and its parts work like ours."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
PLUGIN = HERE / "plugin"


def run(*words: str, plugin: bool = True, folder: Path = HERE.parent) -> subprocess.CompletedProcess[str]:
    """Run Python with the plugin on its path, as if it were installed."""
    path = os.pathsep.join([str(PLUGIN), os.environ.get("PYTHONPATH", "")]) if plugin else ""
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "120"}
    return subprocess.run(
        [sys.executable, *words], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_parts_are_found_when_the_distribution_is_there() -> None:
    shown = run("-m", "bioloom", "parts")
    assert shown.returncode == 0, shown.stderr
    assert "absorption spectra" in shown.stdout
    assert "slope of the output at each number" in shown.stdout


def test_the_parts_are_unknown_when_it_is_not() -> None:
    shown = run("-m", "bioloom", "parts", "show", "spectrum", plugin=False)
    assert shown.returncode == 2
    assert 'There is no part called "spectrum".' in shown.stderr


def test_the_contract_tests_pass_for_the_parts_of_the_plugin() -> None:
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contracts", "-k", "spectrum or slope")
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


JOURNEY = """
from bioloom.cli import main
from bioloom_spectra.spectrum import Spectrum

records = Spectrum.demo(200, 0).records
records.inputs["spectrum"].join(records.targets).to_csv("spectra.csv", index=False)
short = ["training.epochs=3", "evaluation.draws=100", "explanation.records=4", 'explanation.methods=["slope"]']
settings = [word for each in short for word in ("--set", each)]
assert main(["train", "spectra.csv", "--target", "concentration", "--outdir", "run", *settings]) == 0
assert main(["explain", "run", "--method", "slope"]) == 0
"""


@pytest.mark.slow
def test_a_model_is_trained_and_explained_with_the_parts_of_the_plugin(tmp_path: Path) -> None:
    done = run("-c", JOURNEY, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    recipe = tomllib.loads((tmp_path / "run" / "recipe.toml").read_text())
    assert recipe["data"]["inputs"]["spectrum"]["modality"] == "spectrum"
    assert "slope of the output at each number" in done.stdout


def test_the_entry_points_on_the_path_are_those_that_an_installation_would_have() -> None:
    installed = ConfigParser()
    installed.read(PLUGIN / "bioloom_spectra-1.0.dist-info" / "entry_points.txt")
    declared = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]["entry-points"]
    assert {group: dict(installed[group]) for group in installed.sections()} == declared
