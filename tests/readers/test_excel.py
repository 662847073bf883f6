"""Excel workbooks, as openpyxl writes them."""

from __future__ import annotations

import datetime
import zipfile
from pathlib import Path

import openpyxl
import pytest
from pandas.api.types import is_object_dtype

from bioloom.data.readers import excel, read


def save(folder: Path, *rows: tuple[object, ...], **sheets: list[tuple[object, ...]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name, content in sheets.items():
        sheet = book.create_sheet(name)
        for row in content:
            sheet.append(row)
    book.save(folder / "t.xlsx")
    return folder / "t.xlsx"


def test_every_cell_becomes_the_text_it_stands_for(tmp_path: Path) -> None:
    when = datetime.datetime(2024, 3, 1, 12, 30)
    day = datetime.datetime(2024, 3, 1)
    path = save(
        tmp_path,
        ("a", "b", "c", "d", "e", "f"),
        (1, 0.123456789012345, True, when, day, " x "),
        (2.0, 1e-7, "", 3, 4, "y"),
    )
    table = read(path)
    assert table.frame.iloc[0].tolist() == [
        "1",
        "0.123456789012345",
        "True",
        "2024-03-01 12:30:00",
        "2024-03-01",
        "x",
    ]
    assert table.frame.iloc[1].fillna("").tolist() == ["2", "1e-07", "", "3", "4", "y"]
    assert table.format == "Excel"
    assert all(is_object_dtype(table.frame[name]) for name in table.frame)


def test_rows_are_those_of_excel(tmp_path: Path) -> None:
    path = save(tmp_path, (), ("Results",), ("id", "y"), ("a", 1), (), ("b", 2))
    table = read(path)
    assert table.frame["id"].tolist() == ["a", "b"]
    assert table.where(1, "y") == 't.xlsx, row 6, column "y"'


def test_the_only_sheet_with_data_is_read(tmp_path: Path) -> None:
    path = save(tmp_path, notes=[], data=[("id", "y"), ("a", 1)])
    table = read(path)
    assert table.frame["id"].tolist() == ["a"]
    assert table.notes == ('read the sheet "data"; not read: Sheet, notes',)


def test_the_first_of_several_sheets_is_read(tmp_path: Path) -> None:
    path = save(tmp_path, ("id", "y"), ("a", 1), more=[("id", "y"), ("b", 1)])
    table = read(path)
    assert table.frame["id"].tolist() == ["a"]
    assert "more" in table.notes[0]


def test_a_table_may_begin_away_from_the_corner(tmp_path: Path) -> None:
    path = save(tmp_path, (), (None, "id", "y"), (None, "a", 1), (None, "b", 2))
    assert list(read(path).frame) == ["id", "y"]


def test_formulas_count_as_their_stored_values(tmp_path: Path) -> None:
    path = save(tmp_path, ("a", "b", "c"), (2, "=A2*2", 1), (3, "=A3*2", None))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].replace(b"<f>A2*2</f><v />", b"<f>A2*2</f><v>4</v>")
    assert sheet != parts["xl/worksheets/sheet1.xml"]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, sheet if name.endswith("sheet1.xml") else content)
    table = read(path)
    assert table.frame["b"].fillna("").tolist() == ["4", ""]


@pytest.mark.parametrize(("column", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_columns_are_lettered_as_in_excel(column: int, letters: str) -> None:
    assert excel._letters(column) == letters == openpyxl.utils.get_column_letter(column + 1)


def test_a_workbook_is_known_by_its_content(tmp_path: Path) -> None:
    path = save(tmp_path, ("id", "y"), ("a", 1)).rename(tmp_path / "t.csv")
    table = read(path)
    assert table.frame["id"].tolist() == ["a"]
    assert "content is Excel" in table.notes[0]


def test_dates_alone_are_no_gene_names(tmp_path: Path) -> None:
    path = save(tmp_path, ("day", "y"), (datetime.date(2024, 3, 1), 1), (datetime.date(2024, 3, 2), 1))
    assert read(path).notes == ()
