"""A cross-validation that was killed between and inside its folds ends with the numbers of one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parents[1]
TIMES = ("timing",)
"""What may differ in result.json: how long it took."""


def result(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return {name: each for name, each in content.items() if name not in TIMES}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="child processes are forked")
def test_killed_between_and_inside_folds_it_ends_with_the_same_numbers(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, TESTS / "honesty" / "folded.py", tmp_path],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "told.json").read_text())
    assert (told["unbroken"], told["last"]) == (0, 0), done.stderr
    assert set(told["ended"]) == {-signal.SIGKILL}, "every start died while it wrote"
    whole = [{name for name in names if name.startswith("fold ")} for names in told["shelved"]]
    assert any("fold 0.safetensors" in names for names in whole), "some died after a whole fold"
    assert any("short.safetensors" in names for names in told["shelved"]), "some died inside a fold"
    unbroken, killed = tmp_path / "unbroken", tmp_path / "killed"
    assert result(killed) == result(unbroken)
    for name in ("predictions.csv", "split.csv", "model/weights.safetensors", "model/beside.safetensors"):
        assert (killed / name).read_bytes() == (unbroken / name).read_bytes(), name
    assert not (killed / "checkpoint").exists()
