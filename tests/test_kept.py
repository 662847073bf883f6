"""What is worked out from a file is kept, and made anew wherever that could be wrong."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from bioloom.modalities import kept
from bioloom.modalities import survey as surveys
from bioloom.modalities.kept import Arrays, Kept
from bioloom.modalities.residues import UnreadableError
from bioloom.modalities.structure_demo import salt_bridges
from bioloom.modalities.survey import Cells, survey


class Maker:
    """Makes the square of the length of a file, and counts how often."""

    def __init__(self, content: bytes) -> None:
        self.content, self.made = content, 0

    def __call__(self) -> Arrays:
        self.made += 1
        return {"square": np.array([len(self.content) ** 2]), "word": np.array(["abc", "d"])}


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "bioloom"


@pytest.fixture
def squares(tmp_path: Path) -> Kept:
    (tmp_path / "code.py").write_text("len(x) ** 2")
    return Kept("squares", (tmp_path / "code.py",), ("numpy",))


def files(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*.npz"))


def test_it_is_made_once_and_then_read(cache: Path, squares: Kept) -> None:
    make = Maker(b"four")
    first, second = (squares.arrays(b"four", "", make) for _ in range(2))
    assert make.made == 1
    assert first["square"].tolist() == second["square"].tolist() == [16]
    assert second["word"].dtype == first["word"].dtype
    assert len(files(cache)) == 1


def test_another_file_or_another_question_is_made_anew(cache: Path, squares: Kept) -> None:
    make = Maker(b"four")
    for content, asked in ((b"four", ""), (b"five", ""), (b"four", "A:B")):
        squares.arrays(content, asked, make)
    assert make.made == 3


def test_what_other_code_kept_is_not_read(cache: Path, squares: Kept, tmp_path: Path) -> None:
    make = Maker(b"four")
    squares.arrays(b"four", "", make)
    (tmp_path / "other.py").write_text("len(x) ** 3")
    replace(squares, sources=(tmp_path / "other.py",)).arrays(b"four", "", make)
    replace(squares, libraries=("scipy",)).arrays(b"four", "", make)
    assert make.made == 3


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no archive", b"text"])
def test_a_damaged_file_is_made_anew(cache: Path, squares: Kept, damage: bytes) -> None:
    make = Maker(b"four")
    squares.arrays(b"four", "", make)
    files(cache)[0].write_bytes(damage)
    assert squares.arrays(b"four", "", make)["square"].tolist() == [16]
    assert make.made == 2


def test_where_nothing_can_be_kept_it_is_made_each_time(
    monkeypatch: pytest.MonkeyPatch, squares: Kept, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    make = Maker(b"four")
    assert [squares.arrays(b"four", "", make)["square"].tolist() for _ in range(2)] == [[16], [16]]
    assert make.made == 2


def test_the_oldest_go_where_there_is_too_much(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 3000)
    folder = cache / "squares" / "ab"
    for number in range(6):
        kept._write(folder / f"{number}.npz", {"x": np.zeros(100)})  # 800 bytes and what names them
        os.utime(folder / f"{number}.npz", (number, number))
    kept._write(folder / "new.npz", {"x": np.zeros(100)})
    assert [path.stem for path in files(cache)] == ["5", "new"]


def test_a_kept_survey_is_the_survey(cache: Path) -> None:
    cells = Cells.of(salt_bridges(3, 0)[0].inputs["structure"])
    content = cells.content(0)
    made, read = survey(content), survey(content)
    assert len(files(cache)) == 1
    for part in ("residues", "contacts"):
        one, other = getattr(made, part), getattr(read, part)
        for each in fields(one):
            np.testing.assert_array_equal(getattr(one, each.name), getattr(other, each.name))
            assert type(getattr(one, each.name)) is type(getattr(other, each.name))
            assert getattr(getattr(one, each.name), "dtype", 0) == getattr(
                getattr(other, each.name), "dtype", 0
            )
    np.testing.assert_array_equal(made.exposure, read.exposure)
    assert read.residues.sequences == made.residues.sequences


def test_notes_of_a_structure_are_kept_with_it(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = Cells.of(salt_bridges(3, 0)[0].inputs["structure"]).content(0)
    plain = surveys._worked_out(content, "")
    noted = replace(plain, residues=replace(plain.residues, notes=("of 2 models the first is read", "b")))
    monkeypatch.setattr(surveys, "_worked_out", lambda content, chains: noted)
    assert survey(content).residues.notes == noted.residues.notes
    assert survey(content).residues.notes == noted.residues.notes


def test_a_file_that_holds_no_structure_is_told_each_time(cache: Path) -> None:
    for _ in range(2):
        with pytest.raises(UnreadableError, match="no coordinates"):
            survey(b"HEADER nothing\n")
    assert not files(cache)
