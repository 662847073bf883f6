"""Columns of other files beside records, by the id in a column."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from bioloom.data import readers
from bioloom.data.reading import beside
from bioloom.data.reading.beside import joined, parse
from bioloom.data.records import Table
from bioloom.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pairs.csv").write_text("line,gene,y\na,g1,1\nb,g1,2\na,g2,3\nc,g2,4\n")
    (tmp_path / "expression.csv").write_text("line,TP53,MYC\na,1.5,2\nb,3,4\n")
    (tmp_path / "finger.print.csv").write_text("id,set1\ng1,0\ng2,1\n")
    return tmp_path


def laid(folder: Path, *words: str) -> Table:
    return joined(readers.read(folder / "pairs.csv"), [f"{folder}/{word}" for word in words], readers.read)


def test_every_record_gets_the_row_that_its_column_names(folder: Path) -> None:
    table = laid(folder, "expression.csv=line", "finger.print.csv=gene")
    expected = pd.read_csv(folder / "pairs.csv").merge(
        pd.read_csv(folder / "expression.csv"), how="left", on="line"
    )
    assert list(table.frame["expression:TP53"].astype(float).fillna(-1)) == list(expected["TP53"].fillna(-1))
    assert list(table.frame["print:set1"].astype(int)) == [0, 0, 1, 1]
    assert list(table.frame["y"].astype(int)) == [1, 2, 3, 4]
    assert any("no row for 1 id: c" in note for note in table.notes)
    assert table.sha256 != readers.read(folder / "pairs.csv").sha256


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("expression.csv", "expression"),
        ("../a.b/expression.csv.gz", "expression"),
        ("./1.x.tsv", "x"),
        ("lac", "lac"),
    ],
)
def test_an_input_is_called_after_its_file_packed_or_not(path: str, name: str) -> None:
    assert [each.name for each in parse([f"{path}=line"])] == [name]


def test_mistakes_are_told_with_advice(folder: Path) -> None:
    with pytest.raises(UserError, match="is not FILE=COLUMN"):
        parse(["expression.csv"])
    with pytest.raises(UserError, match="inputs of one name"):
        parse(["a/x.csv=line", "b/x.csv=line"])
    with pytest.raises(UserError, match='no column "lane"'):
        laid(folder, "expression.csv=lane")
    with pytest.raises(UserError, match='None of the ids in "gene"'):
        laid(folder, "expression.csv=gene")
    (folder / "twice.csv").write_text("line,x\na,1\na,2\n")
    with pytest.raises(UserError, match="more than once"):
        laid(folder, "twice.csv=line")


def test_more_than_the_memory_holds_is_refused_before_it_is_tried(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "memory", lambda: 200)
    with pytest.raises(UserError, match="4 records with 2 joined numbers each need about 0") as refused:
        laid(folder, "expression.csv=line")
    assert "columns that vary most" in str(refused.value.fix)
    monkeypatch.setattr(beside, "memory", lambda: None)
    assert len(laid(folder, "expression.csv=line").frame) == 4
