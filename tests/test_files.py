"""Files are written whole or not at all, and what goes wrong is told in words."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bioloom.errors import UserError
from bioloom.events import Journal, Silent
from bioloom.files import as_user_error, word, write_bytes, write_json

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no disk that is always full")
def test_a_full_disk_under_the_journal_is_told_without_a_traceback():
    with pytest.raises(UserError, match="The disk is full"):
        Journal(FULL, Silent()).message("hello")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    write_bytes(tmp_path / "kept", b"before")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="The disk is full"):
        write_bytes(tmp_path / "kept", b"after")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_bytes() == b"before"


def test_a_number_that_json_does_not_know_is_never_written(tmp_path: Path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "result.json", {"score": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path: Path):
    (tmp_path / "runs").write_text("notes")
    with pytest.raises(UserError, match="A file stands where a folder is needed"):
        write_bytes(tmp_path / "runs" / "table.csv", b"")


def test_a_name_becomes_a_part_of_a_file_name():
    assert word("Zelle α/β (T+).csv") == "Zelle_α_β__T___csv"
    assert word("a-b_c.d", also="") == "a_b_c_d"
    assert word("a-b_c.d", "-_.", 5) == "a-b_c"


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.EDQUOT, "quota"), (errno.ENAMETOOLONG, "too long"), (errno.EROFS, "read-only")],
)
def test_why_a_file_cannot_be_written_is_said_in_words(number: int, said: str):
    told = as_user_error(Path("run"), OSError(number, os.strerror(number)))
    assert said in told.what
    assert told.fix
