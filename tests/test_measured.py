from __future__ import annotations

import json
from pathlib import Path

import pytest

from bioloom import files
from bioloom.files import cache_folder
from bioloom.training import measured
from bioloom.training.measured import Arithmetic, arithmetic, gains_from_bfloat16


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache on a machine with bfloat16 whose timings are 4 and 2 milliseconds."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(measured, "has_bfloat16", lambda device: device == "cpu")
    monkeypatch.setattr(measured, "_milliseconds", lambda device: (4.0, 2.0))
    return tmp_path / "bioloom"


def stored(cache: Path) -> Path:
    (path,) = cache.iterdir()
    return path


def test_it_is_measured_once_and_then_read(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = arithmetic("cpu")
    assert first is not None
    assert first.gain == 2.0
    monkeypatch.setattr(measured, "_milliseconds", lambda device: pytest.fail("measured again"))
    assert arithmetic("cpu") == first
    assert gains_from_bfloat16("cpu")
    assert json.loads(stored(cache).read_text())["bfloat16"] == 2.0


def test_hardware_that_gains_nothing_trains_in_float32(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "_milliseconds", lambda device: (4.0, 3.9))
    assert not gains_from_bfloat16("cpu")


def test_without_the_hardware_nothing_is_measured(cache: Path) -> None:
    assert arithmetic("mps") is None
    assert not gains_from_bfloat16("mps")
    assert not cache.exists()


@pytest.mark.parametrize(
    "content", ["", "{}", "[1]", '{"processor": "x", "torch": "y", "float32": 1, "bfloat16": 0}']
)
def test_a_damaged_file_is_measured_anew(cache: Path, content: str) -> None:
    arithmetic("cpu")
    stored(cache).write_text(content)
    assert arithmetic("cpu") == Arithmetic(
        measured.processor_name("cpu"), measured.torch.__version__, 4.0, 2.0
    )


def test_another_version_of_torch_or_another_processor_is_measured_by_itself(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arithmetic("cpu")
    monkeypatch.setattr(measured, "processor_name", lambda device: "another")
    arithmetic("cpu")
    monkeypatch.setattr(measured.torch, "__version__", "99")
    arithmetic("cpu")
    assert len(list(cache.iterdir())) == 3


def test_where_nothing_can_be_kept_the_word_of_the_hardware_counts(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.write_text("a file where the folder should be")
    monkeypatch.setattr(measured, "_milliseconds", lambda device: (1.0, 2.0))
    assert arithmetic("cpu") is None
    assert gains_from_bfloat16("cpu")


def test_the_measurement_itself_gives_two_durations() -> None:
    assert all(duration > 0 for duration in measured._milliseconds("cpu"))


def test_without_the_variable_the_cache_is_that_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(files.sys, "platform", "linux")
    assert cache_folder() == Path.home() / ".cache" / "bioloom"
    monkeypatch.setattr(files.sys, "platform", "darwin")
    assert cache_folder() == Path.home() / "Library" / "Caches" / "bioloom"
