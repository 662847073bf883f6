from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from bioloom.errors import UserError
from bioloom.training import checkpoint
from bioloom.training.checkpoint import Checkpoint

STATE = Checkpoint(
    "abc",
    {"history": [{"loss": 0.1 + 0.2, "validation_loss": None}], "steps": 7},
    {"weights": torch.tensor([1.0, float("inf"), 1e-45]), "best.a": torch.arange(6.0).view(2, 3).t()},
)


def test_what_is_saved_is_loaded_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "new" / "checkpoint.safetensors"
    checkpoint.save(path, STATE)
    loaded, note = checkpoint.load(path, "abc")
    assert loaded is not None
    assert note == ""
    assert loaded.facts == STATE.facts
    assert loaded.tensors.keys() == STATE.tensors.keys()
    assert all(torch.equal(loaded.tensors[name], STATE.tensors[name]) for name in STATE.tensors)


def test_no_file_is_no_news(tmp_path: Path) -> None:
    assert checkpoint.load(tmp_path / "checkpoint.safetensors", "abc") == (None, "")


def test_a_checkpoint_of_another_job_is_refused_with_a_note(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "c", STATE)
    loaded, note = checkpoint.load(tmp_path / "c", "other")
    assert loaded is None
    assert "other data or settings" in note


def test_a_checkpoint_of_another_version_is_refused_with_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint.save(tmp_path / "c", STATE)
    monkeypatch.setattr(checkpoint, "FORMAT", 2)
    loaded, note = checkpoint.load(tmp_path / "c", "abc")
    assert loaded is None
    assert "another version" in note


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "foreign", "folder"])
def test_a_damaged_file_is_refused_with_a_note(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "c"
    if damage == "folder":
        path.mkdir()
    elif damage == "foreign":
        save_file({"x": torch.ones(2)}, path)
    else:
        checkpoint.save(path, STATE)
        content = path.read_bytes()
        path.write_bytes({"cut": content[: len(content) // 2], "text": b"hello", "empty": b""}[damage])
    loaded, note = checkpoint.load(path, "abc")
    assert loaded is None
    assert "cannot be read" in note


def test_leftovers_of_killed_writes_are_removed(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "c", STATE)
    (tmp_path / ".c.x1y2").write_bytes(b"half")
    (tmp_path / ".other").write_bytes(b"mine")
    checkpoint.load(tmp_path / "c", "abc")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other", "c"]


def test_a_place_that_cannot_be_written_to_is_the_users_to_fix(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError):
        checkpoint.save(tmp_path / "file" / "c", STATE)
