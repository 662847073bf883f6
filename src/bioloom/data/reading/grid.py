"""A grid of text cells as it stands in a file, made into a table step by step; every repair leaves a note.

Delimited files and Excel sheets pass through the same steps: cells are stripped of surrounding white space,
names are completed, empty rows and columns are left out, missing values and decimal commas are recognised.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bioloom.data.reading.missing import with_missing
from bioloom.data.reading.orientation import upright
from bioloom.data.wording import counted, listed, short
from bioloom.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[np.object_]


@dataclass(frozen=True)
class Grid:
    """Text cells with the names above them.

    names:   one per column; may still be empty or repeated
    columns: one array of text per column, (rows,)
    lines:   (rows,) where each row stands in the file
    shown:   the file, as messages call it
    unit:    what lines counts: "line" or "row"; "column" where the file lay on its side
    header:  the line of the names
    """

    names: tuple[str, ...]
    columns: tuple[Column, ...]
    lines: NDArray[np.int64]
    shown: str
    unit: str = "line"
    header: int = 1
    notes: tuple[str, ...] = ()

    def noted(self, note: str) -> Grid:
        """The same grid with one more note."""
        return replace(self, notes=(*self.notes, note))

    def where(self, line: int | None = None) -> str:
        """The place of a line in words."""
        return f"{self.shown}, {self.unit} {self.header if line is None else line}"


def tidied(grid: Grid) -> Grid:
    """All steps in their order, on cells without white space round them.

    Raises UserError for repeated names and where no row is left.
    """
    _require_rows(grid)
    for step in (upright, _headless, _without_empty_columns, _named, _without_empty_rows, _unique):
        grid = step(grid)
    _require_rows(grid)
    return _with_decimal_points(_with_missing(grid))


def _require_rows(grid: Grid) -> None:
    if len(grid.lines):
        return
    advice = "; if they are there, check the line ends" if grid.unit == "line" else ""
    raise UserError(
        f"There is a header ({short(listed(grid.names, 10), 60)}) but no row below it.",
        where=grid.where(),
        fix=f"add the rows, one per record{advice}",
    )


def as_frame(grid: Grid) -> pd.DataFrame:
    """The cells as a DataFrame of text columns (object dtype, missing cells are NaN)."""
    cells = {
        name: pd.Series(column, dtype=object) for name, column in zip(grid.names, grid.columns, strict=True)
    }
    return pd.DataFrame(cells)


def column_of(cells: list[Any]) -> Column:
    """A list of cells as an array of objects, whatever the cells are."""
    column: Column = np.empty(len(cells), dtype=object)
    column[:] = cells
    return column


def stripped(grid: Grid) -> Grid:
    """The same grid with no white space round its cells."""
    columns = tuple(column_of([cell.strip() for cell in column.tolist()]) for column in grid.columns)
    return replace(grid, columns=columns)


_SEQUENCE = re.compile(r"[ACGTUNacgtun]{8,}|[A-Z]{25,}\*?")


def _headless(grid: Grid) -> Grid:
    """Name the columns where the first line is a record: a sequence, or numbers that no header would have."""
    if not (_starts_with_sequence(grid) or _all_numbers(grid.names)):
        return grid
    names = tuple(f"column_{number}" for number in range(1, len(grid.names) + 1))
    columns = tuple(
        column_of([name, *column.tolist()]) for name, column in zip(grid.names, grid.columns, strict=True)
    )
    lines = np.concatenate([[grid.header], grid.lines]).astype(np.int64)
    note = f"no header: the first line is data, so the columns are called {listed(names)}"
    return replace(grid, names=names, columns=columns, lines=lines).noted(note)


def _starts_with_sequence(grid: Grid) -> bool:
    for name, column in zip(grid.names, grid.columns, strict=True):
        if _SEQUENCE.fullmatch(name):
            below = [bool(_SEQUENCE.fullmatch(cell)) for cell in column[:100]]
            if sum(below) >= 0.9 * len(below):
                return True
    return False


def _all_numbers(names: tuple[str, ...]) -> bool:
    """Whether all names are numbers, some with decimals or repeated (a header of 0, 1, 2, ... is one)."""
    numbers = pd.to_numeric(pd.Series(names, dtype=object), errors="coerce")
    odd = len(set(names)) < len(names) or any("." in name for name in names)
    return bool(numbers.notna().all() and odd)


def _without_empty_columns(grid: Grid) -> Grid:
    """Leave out columns without a name and without a cell, as trailing delimiters make them."""
    keep = [
        bool(name.strip()) or any(column.tolist())
        for name, column in zip(grid.names, grid.columns, strict=True)
    ]
    if all(keep):
        return grid
    names = tuple(name for name, kept in zip(grid.names, keep, strict=True) if kept)
    columns = tuple(column for column, kept in zip(grid.columns, keep, strict=True) if kept)
    left = len(keep) - len(names)
    return replace(grid, names=names, columns=columns).noted(
        f"left out: {counted(left, 'column')} without name or cell"
    )


def _named(grid: Grid) -> Grid:
    """Name unnamed columns: the first is an id if its values are unique (row names of R and pandas)."""
    names = [" ".join(name.split()) for name in grid.names]
    notes: list[str] = []
    for index, name in enumerate(names):
        if name:
            continue
        names[index] = f"column_{index + 1}"
        if index == 0 and "id" not in names and _is_key(grid.columns[0]):
            names[index] = "id"
        notes.append(f'column {index + 1} has no name; it is called "{names[index]}"')
    return replace(grid, names=tuple(names), notes=(*grid.notes, *notes[:5]))


def _is_key(column: Column) -> bool:
    cells = [cell for cell in column.tolist() if cell]
    return len(set(cells)) == len(cells)


def _without_empty_rows(grid: Grid) -> Grid:
    filled = np.zeros(len(grid.lines), dtype=bool)
    for column in grid.columns:
        if filled.all():
            return grid
        filled |= column != ""
    if filled.all():
        return grid
    empty = grid.lines[~filled]
    note = (
        f"left out: {counted(len(empty), 'empty row')} ({grid.unit} {listed([str(line) for line in empty])})"
    )
    columns = tuple(column[filled] for column in grid.columns)
    return replace(grid, columns=columns, lines=grid.lines[filled]).noted(note)


def _unique(grid: Grid) -> Grid:
    """Leave out a repeated column with the same cells; refuse one with other cells."""
    repeated = [name for name, count in Counter(grid.names).items() if count > 1]
    drop: set[int] = set()
    for name in repeated:
        places = [index for index, other in enumerate(grid.names) if other == name]
        first = grid.columns[places[0]]
        if not all(np.array_equal(first, grid.columns[place]) for place in places[1:]):
            raise _repeated(grid, name, places)
        drop.update(places[1:])
    if not drop:
        return grid
    kept = [index for index in range(len(grid.names)) if index not in drop]
    names, columns = tuple(grid.names[index] for index in kept), tuple(grid.columns[index] for index in kept)
    note = f"left out: second copies of the same column ({listed(repeated)})"
    return replace(grid, names=names, columns=columns).noted(note)


def _repeated(grid: Grid, name: str, places: list[int]) -> UserError:
    columns = listed([str(place + 1) for place in places])
    sideways = len(places) > max(2, len(grid.names) // 2)
    return UserError(
        f'The column name "{short(name)}" stands {len(places)} times in the header, over different cells.',
        where=f'{grid.where()}, column "{short(name)}" (columns {columns})',
        fix="turn the table round: one row per record, one column per measurement"
        if sideways
        else "give each column its own name",
    )


def _with_missing(grid: Grid) -> Grid:
    columns, notes = with_missing(dict(zip(grid.names, grid.columns, strict=True)))
    return replace(grid, columns=tuple(columns.values()), notes=(*grid.notes, *notes))


_COMMA_NUMBER = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+([eE][+-]?\d+)?")
_WHOLE_NUMBER = re.compile(r"[+-]?\d+([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")


def _with_decimal_points(grid: Grid) -> Grid:
    """Read 1,5 as 1.5 in columns of such numbers; 1,234 alone may be a thousand and is left as it stands."""
    numbers = [index for index, column in enumerate(grid.columns) if _has_comma_numbers(column)]
    if not numbers:
        return grid
    clear = any(
        not _THOUSANDS.fullmatch(cell) for i in numbers for cell in _filled(grid.columns[i]) if "," in cell
    )
    names = [grid.names[index] for index in numbers]
    if not clear:
        return grid.noted(f"numbers such as 1,234 were left as text in {listed(names)}: write 1234 or 1.234")
    columns = list(grid.columns)
    for index in numbers:
        columns[index] = _pointed(columns[index])
    note = f"decimal commas read as decimal points in {listed(names)}"
    return replace(grid, columns=tuple(columns)).noted(note)


def _filled(column: Column) -> list[str]:
    return [cell for cell in column.tolist() if isinstance(cell, str)]


def _has_comma_numbers(column: Column) -> bool:
    sample = _filled(column[:200])
    if not sample or sum(_is_comma_number(cell) for cell in sample) < 0.95 * len(sample):
        return False
    cells = _filled(column)
    if "," not in "\n".join(cells):
        return False
    fitting = [cell for cell in cells if _is_comma_number(cell)]
    return len(fitting) >= 0.95 * len(cells) and any("," in cell for cell in fitting)


def _is_comma_number(cell: str) -> bool:
    return bool(_COMMA_NUMBER.fullmatch(cell) or _WHOLE_NUMBER.fullmatch(cell))


def _pointed(column: Column) -> Column:
    """1.234,5 -> 1234.5; cells that are no such number stay as they are."""
    return column_of(
        [
            cell.replace(".", "").replace(",", ".")
            if isinstance(cell, str) and _COMMA_NUMBER.fullmatch(cell)
            else cell
            for cell in column.tolist()
        ]
    )
