"""What a column holds: numbers, classes, dates or free text. Nothing is changed here, only recognised.

A column is numbers or dates when at least 95 % of its filled cells are; it is a category when every value
comes at least twice on average and there are at most 100 different ones.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["number", "category", "text", "date", "empty"]

ENOUGH = 0.95
"""The share of filled cells that must parse before a column counts as numbers or dates."""

MOST_CATEGORIES = 100
_SAMPLE = 1000  # cells looked at before a whole column is

_DATE = re.compile(
    r"(\d{4}([-/])\d{1,2}\2\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?"  # ISO
    r"|\d{1,2}([./-])\d{1,2}\7(\d{4}|\d{2}))"  # day, month, year in either order
)


def as_numbers(column: pd.Series[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The numbers of a column, and which filled cells are none.

    Returns values (rows,), NaN where a cell is missing or no number, and a mask (rows,) that is true where a
    cell is filled but holds no finite number ("<0.1", "12 %", "inf"). A typographic minus is read as minus.
    """
    missing = column.isna().to_numpy(dtype=bool)
    if _is_date(column):
        return np.full(len(column), np.nan), ~missing
    values = _parsed(column)
    odd = ~missing & np.isnan(values)
    if odd.any() and not pd.api.types.is_numeric_dtype(column):
        cells = column.to_numpy(dtype=object)[odd]
        repaired = pd.Series([str(cell).replace("\N{MINUS SIGN}", "-") for cell in cells], dtype=object)
        values[odd] = _parsed(repaired)
    bad = ~missing & ~np.isfinite(values)
    values[bad] = np.nan
    return values, bad


def kind_of(column: pd.Series[Any]) -> Kind:
    """What a column holds, told from its cells: "number", "category", "text", "date" or "empty"."""
    filled = column[column.notna()]
    if filled.empty:
        return "empty"
    if pd.api.types.is_bool_dtype(filled):
        return "category"
    if pd.api.types.is_numeric_dtype(filled):
        return "number"
    if _is_date(filled):
        return "date"
    return _kind_of_text(filled)


def _kind_of_text(filled: pd.Series[Any]) -> Kind:
    sample = _spread(filled)
    if _share_of_numbers(sample) >= 0.5 and _share_of_numbers(filled) >= ENOUGH:
        return "number"
    if _share_of_dates(sample) >= 0.5 and _share_of_dates(filled) >= ENOUGH:
        return "date"
    most = min(MOST_CATEGORIES, len(filled) // 2)
    if sample.nunique() <= most and filled.nunique() <= most:
        return "category"
    return "text"


def _is_date(column: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(column))


def _parsed(column: pd.Series[Any]) -> NDArray[np.float64]:
    numbers = pd.to_numeric(column, errors="coerce")
    return np.array(numbers.to_numpy(dtype=np.float64, na_value=np.nan))


def _share_of_numbers(filled: pd.Series[Any]) -> float:
    return float(1.0 - as_numbers(filled)[1].mean())


def _share_of_dates(filled: pd.Series[Any]) -> float:
    return sum(_DATE.fullmatch(str(cell)) is not None for cell in filled) / len(filled)


def _spread(filled: pd.Series[Any]) -> pd.Series[Any]:
    """At most 1,000 cells, evenly spread over the column."""
    if len(filled) <= _SAMPLE:
        return filled
    return filled.iloc[np.linspace(0, len(filled) - 1, _SAMPLE).astype(int)]
