"""Tables that lie on their side: a record in each column, a measurement in each row, as matrices of genes usually are.

Two signs are taken, and both have to be plain, because a table that is turned by mistake is worse than one that is not:

* every column mixes numbers and words, while every row holds one of both: a block of rows that describe the records
  stands above or below the measurements
* the first column holds names of genes or taxa, the header does not, and the columns rise and fall together
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bioloom.data.feature_names import names_of_features
from bioloom.data.reading.missing import AMONG_NUMBERS, EVERYWHERE
from bioloom.data.wording import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.reading.grid import Grid

LOOKED_AT = 30
"""Columns that are looked at, evenly over the table."""

FEWEST_COLUMNS, FEWEST_ROWS = 4, 12
"""Smaller tables are left as they stand."""

ALIKE = 0.5
"""Median rank correlation of columns that measure the same genes in several records."""

_BLANK = [*EVERYWHERE, *AMONG_NUMBERS, "", "nd", "ND", "-", "."]
_ID = re.compile(r"#?(sample|record|run|subject|patient|cell|library)?[ _.-]?(id|name)", re.IGNORECASE)


@dataclass(frozen=True)
class _Look:
    """What some columns of a grid hold, the first column aside: (rows, columns looked at) each."""

    number: NDArray[np.bool_]
    word: NDArray[np.bool_]
    values: NDArray[np.float64]


def upright(grid: Grid) -> Grid:
    """The grid with a record in each row: turned where it lies on its side, which a note says; else as it is."""
    if len(grid.names) < FEWEST_COLUMNS or len(grid.lines) < FEWEST_ROWS or not _named_rows(grid):
        return grid
    why = _why(grid)
    return _turned(grid, why) if why else grid


def _named_rows(grid: Grid) -> bool:
    """Whether the first column can be names: filled, nearly all different, and no numbers."""
    cells = grid.columns[0].tolist()
    some = cells[:: max(1, len(cells) // 500)]
    numbers = pd.to_numeric(pd.Series(some, dtype=object), errors="coerce").notna().mean()
    return bool(numbers < 0.5 and all(cells) and len(set(cells)) >= 0.95 * len(cells))


def _why(grid: Grid) -> str:
    """The sign that a grid lies on its side, in words; empty where there is none."""
    look = _look(grid)
    if look.word.any(axis=0).mean() > 0.9 and look.number.any(axis=0).all():
        return _mixed(grid, look)
    return _matrix(grid, look)


def _look(grid: Grid) -> _Look:
    chosen = np.unique(np.linspace(1, len(grid.columns) - 1, LOOKED_AT).astype(np.int64))
    cells = [pd.Series(grid.columns[place], dtype=object) for place in chosen]
    values = np.column_stack(
        [pd.to_numeric(each, errors="coerce").to_numpy(dtype=np.float64) for each in cells]
    )
    blank = np.column_stack([each.isin(_BLANK).to_numpy() for each in cells])
    number = np.isfinite(values) & ~blank
    return _Look(number, ~number & ~blank, values)


def _mixed(grid: Grid, look: _Look) -> str:
    numbers, words = look.number.sum(axis=1), look.word.sum(axis=1)
    filled = numbers + words
    pure = np.maximum(numbers, words) >= 0.9 * filled  # also rows without a filled cell, which are neither
    measured, described = pure & (numbers > words), pure & (words > numbers)
    if pure.mean() < 0.95 or measured.sum() < FEWEST_ROWS - 2 or not described.any():
        return ""
    names = [str(name) for name, chosen in zip(grid.columns[0], measured, strict=True) if chosen]
    # a line of units below the header
    unlikely = described.sum() == 1 and len(set(grid.names)) == len(grid.names)
    if unlikely and names_of_features(names).mean() < 0.3:
        return ""
    return f"each row holds either numbers or words ({counted(int(described.sum()), 'row')} of words), each column both"


def _matrix(grid: Grid, look: _Look) -> str:
    if look.number.mean() < 0.95 or len(grid.lines) < 100 or look.values.shape[1] < 6:
        return ""
    if names_of_features(list(map(str, grid.columns[0]))).mean() < 0.8:
        return ""
    if names_of_features(grid.names[1:]).mean() > 0.2:
        return ""
    ranks = pd.DataFrame(np.nan_to_num(look.values)).rank().to_numpy()
    if (ranks.std(axis=0) == 0).any():
        return ""
    likeness = np.corrcoef(ranks, rowvar=False)
    middle = np.median(likeness[np.triu_indices(len(likeness), 1)])
    return (
        "the first column names genes or taxa, and the columns rise and fall together"
        if middle > ALIKE
        else ""
    )


def _turned(grid: Grid, why: str) -> Grid:
    """Rows as columns; the header becomes the first column, called id where it names the records."""
    rows = list(np.stack(grid.columns[1:]).T)  # one (records,) array per row of the file
    header = np.empty(len(grid.names) - 1, dtype=object)
    header[:] = grid.names[1:]
    names = [grid.names[0].strip() or "header", *map(str, grid.columns[0])]
    columns = [header, *rows]
    note = f"turned round: {why}, so each column of the file is read as a record"
    place = _place_of_ids(names, columns)
    if place is not None and "id" not in names:
        note += f'; "{names[place]}" names the records and is called "id"'
        names[place] = "id"
    lines = np.arange(2, len(header) + 2, dtype=np.int64)
    turned = replace(grid, names=tuple(names), columns=tuple(columns), lines=lines, unit="column", header=1)
    return turned.noted(note)


def _place_of_ids(names: list[str], columns: list[NDArray[np.object_]]) -> int | None:
    """Which of the columns names the records: the former header if its words differ, else one called sampleID."""
    candidates = [0, *(place for place, name in enumerate(names) if _ID.fullmatch(name))]
    return next(
        (place for place in candidates if len(set(columns[place].tolist())) == len(columns[place])), None
    )
