"""Excel workbooks (.xlsx): the only sheet with data, or the first one; every cell as the text it stands for.

Numbers keep all their digits, dates become ISO text. A formula counts as the value that Excel stored with it.
"""

from __future__ import annotations

import datetime
import warnings
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bioloom.data.readers import Reader, readers
from bioloom.data.reading.grid import Grid, as_frame, column_of, tidied
from bioloom.data.records import Table
from bioloom.data.wording import counted, listed, short
from bioloom.errors import UserError
from bioloom.files import sha256

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bioloom.data.reading.raw import RawFile

_FORMULA = "="


@dataclass(frozen=True)
class _Sheet:
    """The filled part of a sheet: rows of text, and for each its number in Excel."""

    name: str
    rows: list[list[str]]
    numbers: list[int]
    dates: frozenset[int] = frozenset()  # columns with date cells


def read(file: RawFile) -> Table:
    """Read a workbook. Raises UserError where it is damaged, empty, or its formulas were never calculated."""
    sheet, others = _first_filled(file)
    notes = [f'read the sheet "{sheet.name}"; not read: {listed(others)}'] if others else []
    _check_formulas(file, sheet)
    grid = tidied(_grid(sheet, f'{file.shown}, sheet "{sheet.name}"', notes))
    return Table(
        frame=as_frame(grid),
        lines=grid.lines,
        source=file.name,
        format="Excel",
        sha256=sha256(file.path),
        unit=grid.unit,
        notes=(*grid.notes, *_maybe_genes(sheet, grid)),
    )


def _is_workbook(file: RawFile) -> bool:
    zipped = file.head.startswith(b"PK\x03\x04") and not file.packed
    return zipped and (file.suffix in (".xlsx", ".xlsm") or b"xl/" in file.head)


reader = readers.register(
    Reader(name="Excel (.xlsx)", suffixes=(".xlsx", ".xlsm"), sniff=_is_workbook, read=read)
)


@contextmanager
def _damage(file: RawFile) -> Iterator[None]:
    """Whatever a damaged workbook makes openpyxl stumble over, as one error."""
    from openpyxl.utils.exceptions import InvalidFileException

    stumbles = (
        InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, IndexError,
        OSError, EOFError, SyntaxError, zlib.error,
    )  # fmt: skip
    try:
        yield
    except stumbles as error:
        raise UserError(
            "The Excel workbook is damaged, or it is none.",
            where=file.shown,
            fix="open it in Excel and save it again as .xlsx, or export the sheet as CSV",
        ) from error


@contextmanager
def _book(file: RawFile, *, values: bool) -> Iterator[Any]:
    """The workbook; of formulas the stored values, or (values=False) the formulas themselves."""
    import openpyxl

    with _damage(file), warnings.catch_warnings(), file.path.open("rb") as stream:
        warnings.simplefilter("ignore")  # about styles and validations that play no part here
        book = openpyxl.load_workbook(stream, read_only=True, data_only=values)
        try:
            yield book
        finally:
            book.close()


def _first_filled(file: RawFile) -> tuple[_Sheet, list[str]]:
    """The first sheet with a filled cell, and the names of all others."""
    with _book(file, values=True) as book:
        for sheet in map(_sheet, book.worksheets):
            if sheet.rows:
                return sheet, [name for name in book.sheetnames if name != sheet.name]
    raise UserError("No cell of this workbook is filled.", where=file.shown, fix="save the sheet with data")


def _sheet(sheet: Any) -> _Sheet:
    sheet.reset_dimensions()  # some programs write a wrong size into the file
    rows, numbers = [], []
    dates: set[int] = set()
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        row = [_text(cell) for cell in cells]
        if any(row):
            rows.append(row)
            numbers.append(number)
            dates.update(i for i, cell in enumerate(cells) if isinstance(cell, datetime.date))
    width = max((_length(row) for row in rows), default=0)
    rows = [[*row, *[""] * (width - len(row))][:width] for row in rows]
    return _Sheet(sheet.title, rows, numbers, frozenset(dates))


def _length(row: list[str]) -> int:
    """The number of cells up to the last filled one."""
    return max((index + 1 for index, cell in enumerate(row) if cell), default=0)


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat(" ")
    return str(cell).strip()


def _check_formulas(file: RawFile, sheet: _Sheet) -> None:
    """Refuse a sheet none of whose formulas has a stored value: its author was a program that cannot calculate."""
    if all(all(row) for row in sheet.rows):
        return
    with _book(file, values=False) as book:
        written = _sheet(book[sheet.name])
    stored = dict(zip(sheet.numbers, sheet.rows, strict=True))
    formulas = [
        (number, column)
        for number, row in zip(written.numbers, written.rows, strict=True)
        for column, cell in enumerate(row)
        if cell.startswith(_FORMULA)
    ]
    if not formulas or any(_at(stored.get(number, []), column) for number, column in formulas):
        return
    cells = [f"{_letters(column)}{number}" for number, column in formulas]
    raise UserError(
        f"The results of the formulas were never stored: {counted(len(cells), 'cell')} ({listed(cells)}).",
        where=f'{file.shown}, sheet "{sheet.name}", cell {cells[0]}',
        fix="open the file in Excel, let it calculate, and save it; or paste the values",
    )


def _at(row: list[str], column: int) -> str:
    return row[column] if column < len(row) else ""


def _letters(column: int) -> str:
    """0 -> A, 26 -> AA, as Excel names columns."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _grid(sheet: _Sheet, shown: str, notes: list[str]) -> Grid:
    """The header is the first row with more than one filled cell (a title may stand above it)."""
    rows, numbers = sheet.rows, sheet.numbers
    start = next((i for i, row in enumerate(rows) if sum(map(bool, row)) > 1), 0) if len(rows[0]) > 1 else 0
    if start:
        notes.append(
            f"left out: {counted(start, 'row')} above the header ({short(next(filter(None, rows[0])))})"
        )
    _refuse_two_headers(rows[start : start + 4], f"{shown}, row {numbers[start]}")
    body = rows[start + 1 :]
    columns = tuple(column_of([row[index] for row in body]) for index in range(len(rows[start])))
    lines = np.array(numbers[start + 1 :], dtype=np.int64)
    return Grid(tuple(rows[start]), columns, lines, shown, "row", numbers[start], tuple(notes))


def _refuse_two_headers(rows: list[list[str]], where: str) -> None:
    """Refuse a header of two rows: gaps in the first (merged cells), only words in the second, then numbers."""
    if len(rows) < 3 or all(rows[0]) or not all(rows[1]):
        return
    gaps = [i for i, name in enumerate(rows[0]) if not name and i > 0]
    words = not any(_is_number(cell) for cell in rows[1])
    if gaps and words and any(_is_number(rows[2][index]) for index in gaps):
        raise UserError(
            f"The header takes two rows with merged cells ({listed([name for name in rows[0] if name])} above "
            f"{listed(rows[1])}).",
            where=where,
            fix="write one header row with one name per column, and unmerge its cells",
        )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _maybe_genes(sheet: _Sheet, grid: Grid) -> list[str]:
    """Dates among text: Excel turns gene names such as SEPT2, MARCH1 and OCT4 into dates."""
    if len(grid.names) != len(sheet.rows[0]):
        return []
    return [
        f'column "{grid.names[index]}" mixes dates and text; Excel turns gene names such as SEPT2 or OCT4 into '
        "dates"
        for index in sorted(sheet.dates)
        if any(cell.isalnum() and cell[0].isalpha() for cell in grid.columns[index] if isinstance(cell, str))
    ]
