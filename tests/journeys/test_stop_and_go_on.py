"""A run that is stopped in any way goes on with the same command, and ends as if it had never been stopped."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from small_runs import FAST

SETTINGS = FAST | {"training.epochs": 40, "training.patience": 40, "training.members": 2}
COMPARED = ("model/weights.safetensors", "predictions.csv", "split.csv", "recipe.toml")


def start(file: Path, folder: Path) -> subprocess.Popen[str]:
    options = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")]
    command = [
        sys.executable,
        "-m",
        "bioloom",
        "train",
        str(file),
        "--target",
        "bound",
        "--outdir",
        str(folder),
    ]
    return subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def began(folder: Path, process: subprocess.Popen[str]) -> None:
    """Wait until the run has written its first event, or ended."""
    while process.poll() is None and not (folder / "events.jsonl").exists():
        time.sleep(0.02)


@pytest.fixture(scope="module")
def unbroken(motif_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    _, errors = (process := start(motif_file, folder)).communicate()
    assert process.returncode == 0, errors
    return folder


def test_killed_at_random_moments_it_ends_with_the_same_bytes(
    motif_file: Path, unbroken: Path, tmp_path: Path
):
    folder, moments = tmp_path / "run", random.Random(0)
    for _ in range(4):
        process = start(motif_file, folder)
        began(folder, process)
        time.sleep(moments.uniform(0.0, 1.5))
        process.kill()
        process.communicate()
    _, errors = (process := start(motif_file, folder)).communicate()
    assert process.returncode == 0, errors
    for name in COMPARED:
        assert (folder / name).read_bytes() == (unbroken / name).read_bytes(), name
    assert not (folder / "checkpoint").exists()


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(motif_file: Path, unbroken: Path, tmp_path: Path):
    folder = tmp_path / "run"
    process = start(motif_file, folder)
    began(folder, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "same command goes on" in errors
    assert "Traceback" not in errors
    _, errors = (process := start(motif_file, folder)).communicate()
    assert process.returncode == 0, errors
    for name in COMPARED:
        assert (folder / name).read_bytes() == (unbroken / name).read_bytes(), name
