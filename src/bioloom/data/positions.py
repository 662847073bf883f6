"""Targets with a value at every position: cells such as "CCHHHHCC", or "0.1 0.4 0.9", as long as their sequence.

A letter stands for a class and "?" for a position whose class is not known. Numbers are separated by spaces, commas or
semicolons, and what is no number, such as "?" or "nan", is not known.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

UNKNOWN = "?"
"""Stands at positions whose class is not known."""

MOST_LETTERS = 26
"""Different letters that the classes of positions are told apart by, at most."""

SHORTEST = 8
"""Cells of fewer positions than this, in the median, are read as one label each."""

_APART = re.compile(r"[\s,;]+")


LARGEST = float(np.finfo(np.float32).max)
"""Beyond it there is no number of single precision."""


def letters_of(column: pd.Series[Any]) -> list[str]:
    """Each cell as a text of one letter per position; empty where it is missing."""
    return [
        "" if missing else "".join(str(cell).split())
        for cell, missing in zip(column, column.isna(), strict=True)
    ]


def numbers_of(column: pd.Series[Any]) -> list[NDArray[np.float32]]:
    """The numbers of each cell, NaN where a position has none; empty where the cell is missing."""
    return [
        np.zeros(0, np.float32) if missing else np.array([_number(word) for word in words_of(str(cell))])
        for cell, missing in zip(column, column.isna(), strict=True)
    ]


def words_of(cell: str) -> list[str]:
    """The words of a cell, one for each position."""
    return _APART.split(cell.strip(" \t[],;"))


def _number(word: str) -> np.float32:
    try:
        found = float(word)
    except ValueError:
        return np.float32("nan")
    return np.float32(found if abs(found) <= LARGEST else "nan")


def classes_of(column: pd.Series[Any]) -> tuple[str, ...]:
    """The letters that stand for classes, in order."""
    found: set[str] = set().union(*letters_of(column)) if len(column) else set()
    return tuple(sorted(found - {UNKNOWN}))


ENOUGH = 0.95
"""The share of cells that must be as long as their record before they are taken for targets at every position."""


def told_at(column: pd.Series[Any], lengths: NDArray[np.int64], enough: float = ENOUGH) -> str:
    """What the cells of a target tell of every position: "classes", "numbers", or "" for neither.

    lengths: (records,) positions of each record. Nineteen cells of twenty must be as long as their record, and be more
    than a label that happens to be as long: records differ in length, or there are many different cells.
    enough:  another share than that
    """
    known = column.notna().to_numpy(dtype=bool)
    lengths = lengths[known]
    if not known.any() or np.median(lengths) < SHORTEST:
        return ""
    cells = column[known]
    if cells.nunique() <= MOST_LETTERS and lengths.min() == lengths.max():
        return ""
    texts = letters_of(cells)
    if _share_of_length(texts, lengths) >= enough and len(set().union(*texts) - {UNKNOWN}) <= MOST_LETTERS:
        return "classes"
    first = numbers_of(cells.iloc[:20])
    if all(np.isfinite(each).mean() < 0.5 for each in first):
        return ""
    return "numbers" if _share_of_length(numbers_of(cells), lengths) >= enough else ""


def _share_of_length(cells: list[Any], lengths: NDArray[np.int64]) -> float:
    return float(np.mean([len(cell) == length for cell, length in zip(cells, lengths.tolist(), strict=True)]))


def wrong_length(column: pd.Series[Any], lengths: NDArray[np.int64], numbers: bool) -> NDArray[np.int64]:
    """The rows whose cell is filled but not as long as their record."""
    cells: list[Any] = list(numbers_of(column) if numbers else letters_of(column))
    wrong = [len(cell) != length for cell, length in zip(cells, lengths.tolist(), strict=True)]
    return np.flatnonzero(np.array(wrong, dtype=bool) & column.notna().to_numpy(dtype=bool))


def nothing_known(column: pd.Series[Any], numbers: bool) -> NDArray[np.bool_]:
    """Whether no position of a record is known, (records,)."""
    if numbers:
        return np.array([not np.isfinite(cell).any() for cell in numbers_of(column)], dtype=bool)
    return np.array([not cell.strip(UNKNOWN) for cell in letters_of(column)], dtype=bool)


def class_grid(column: pd.Series[Any], classes: tuple[str, ...], width: int) -> NDArray[np.float16]:
    """The class number of every position, (records, 1, width); NaN where it is unknown and behind the end.

    Half precision holds whole numbers up to 2,048 exactly, in half of the memory. What is longer is cut around its
    centre, as sequences are.
    """
    table = np.full(256, np.nan, dtype=np.float16)
    for number, letter in enumerate(classes):
        table[ord(letter)] = number
    grid = np.full((len(column), 1, width), np.nan, dtype=np.float16)
    for row, cell in enumerate(letters_of(column)):
        codes = np.frombuffer(cell.encode("latin-1", "replace"), dtype=np.uint8)
        codes = codes[kept_of(len(codes), width)]
        grid[row, 0, : len(codes)] = table[codes]
    return grid


def number_grid(column: pd.Series[Any], width: int) -> NDArray[np.float32]:
    """The number of every position, (records, 1, width); NaN where it is unknown and behind the end."""
    grid = np.full((len(column), 1, width), np.nan, dtype=np.float32)
    for row, cell in enumerate(numbers_of(column)):
        kept = cell[kept_of(len(cell), width)]
        grid[row, 0, : len(kept)] = kept
    return grid


def kept_of(length: int, width: int) -> slice:
    """The window around its centre that a network of `width` places is shown of a longer record; all of a shorter one."""
    first = max(0, length - width) // 2
    return slice(first, first + width)
