"""The set-up script: which PyTorch it takes, what it skips, and what it says when something fails."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "tools" / "bootstrap.py"


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, working in an empty folder and installing nothing."""
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / ".venv").mkdir()
    for name, path in {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "STAMP": tmp_path / ".venv" / "stamp.json",
        "LOG": tmp_path / ".venv" / "log",
        "TORCH_PIN": tmp_path / ".venv" / "torch.txt",
    }.items():
        monkeypatch.setattr(module, name, path)
    return module


def names(ways: list) -> list[str]:
    return [way.__name__ for way in ways]


def test_a_wheel_on_the_machine_is_taken_first(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "quietly", lambda command: "--no-index" in command)
    assert names(bootstrap.torch_ways())[0] == "torch_from_wheel"


@pytest.mark.parametrize(
    ("system", "nvidia", "first"),
    [
        ("Linux", True, "torch_from_index"),
        ("Linux", False, "torch_for_processors"),
        ("Darwin", False, "torch_from_index"),
        ("Windows", False, "torch_from_index"),
    ],
)
def test_the_build_of_pytorch_suits_the_machine(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, system: str, nvidia: bool, first: str
) -> None:
    monkeypatch.setattr(bootstrap, "quietly", lambda command: False)
    monkeypatch.setattr(bootstrap, "has_nvidia", lambda: nvidia)
    monkeypatch.setattr(bootstrap.platform, "system", lambda: system)
    assert names(bootstrap.torch_ways())[0] == first
    assert names(bootstrap.torch_ways())[-1] == "torch_from_index"


def test_pytorch_is_pinned_and_not_installed_twice(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "torch_version", lambda: "2.13.0+cpu")
    monkeypatch.setattr(bootstrap, "torch_ways", lambda: pytest.fail("PyTorch is there already"))
    bootstrap.install_torch()
    assert bootstrap.TORCH_PIN.read_text() == "torch==2.13.0+cpu\n"


def test_a_second_set_up_does_nothing(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[str] = []
    monkeypatch.setattr(bootstrap, "works", lambda: True)
    monkeypatch.setattr(bootstrap, "install_torch", lambda: done.append("torch"))
    monkeypatch.setattr(bootstrap, "install_bioloom", lambda extra: done.append(f"bioloom[{extra}]"))
    bootstrap.prepare("dev")
    bootstrap.prepare("dev")
    bootstrap.prepare("")  # what developers have is enough for users
    assert done == ["torch", "bioloom[dev]"]
    (bootstrap.ROOT / "pyproject.toml").write_text("other needs")
    bootstrap.prepare("")
    assert done[2:] == ["torch", "bioloom[]"]
    assert "Setting up bioloom" in capsys.readouterr().out


def test_a_failed_installation_shows_its_last_words_and_what_to_do(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = [sys.executable, "-c", "print('ERROR: no space left'); raise SystemExit(1)"]
    monkeypatch.setattr(bootstrap, "works", lambda: True)
    monkeypatch.setattr(bootstrap, "install_torch", lambda: None)
    monkeypatch.setattr(bootstrap, "pip", lambda *words: failing)
    assert bootstrap.main(["setup"]) == 2
    shown = capsys.readouterr().err
    assert "ERROR: no space left" in shown
    assert "fix:" in shown
    assert not bootstrap.STAMP.exists()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Downloading pandas-3.1.1-cp311-manylinux.whl (12.4 MB)", "downloading pandas (12 MB)"),
        ("Downloading torch (190.5MiB)", "downloading torch (190 MB)"),
        ("Downloading six-1.0-py3.whl (0.1 MB)", ""),
        ("Collecting pandas", ""),
    ],
)
def test_large_downloads_are_announced(
    bootstrap: ModuleType, capsys: pytest.CaptureFixture[str], line: str, shown: str
) -> None:
    bootstrap.announce(line)
    assert capsys.readouterr().out.strip() == shown


def test_an_old_python_is_told_what_it_needs(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 1))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    assert bootstrap.main(["demo"]) == 2
    assert "needs Python 3.11 or later" in capsys.readouterr().err


def test_the_script_can_be_read_by_the_pythons_that_it_refuses() -> None:
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_without_a_known_word_it_says_what_there_is() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "dmeo"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "bootstrap.py demo" in done.stdout
