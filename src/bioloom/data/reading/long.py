"""Long tables, with one row for each point in time, as one row for each record whose cells hold series of numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bioloom.data.columns import as_numbers
from bioloom.data.wording import listed
from bioloom.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.records import Table

EVEN = 0.01
"""Steps in time that differ by less than this share are taken as equal."""


def as_series(table: Table, record: str, time: str) -> Table:
    """One row for each record: what is the same in all its rows stays, numbers that differ become a series in one cell.

    record: the column that says which record a row is of; empty: the table is left as it is
    time:   the column by which its rows are ordered; empty: as they stand. Where its steps differ, numbers are read off
            straight lines at the middle step, and a note says so.
    Raises UserError for a column that is not there, and for times that are no numbers.
    """
    if not record:
        return table
    for name in filter(None, (record, time)):
        if name not in table.frame.columns:
            there = list(map(str, table.frame.columns))
            raise UserError(
                f'There is no column "{name}" in {table.source}.{did_you_mean(name, there)}',
                where="data.record, data.time",
                fix=f"the columns are: {', '.join(there[:20])}",
            )
    frame = table.frame[table.frame[record].notna()]
    codes, names = pd.factorize(frame[record].astype(str))
    times = _times(frame, time)
    rows = [order[np.argsort(times[order], kind="stable")] for order in _rows_of(codes, len(names))]
    step = _step([times[each] for each in rows])
    columns: dict[str, Any] = {"id": np.asarray(names, dtype=object)}
    left: list[str] = []
    for name in (str(each) for each in frame.columns if each not in (record, time, "id")):
        cells = _cells(frame[name], rows, times, step)
        if cells is None:
            left.append(name)
        else:
            columns[name] = cells
    notes = [f'one record for each value of "{record}", {len(names):,} in all, from {len(frame):,} rows']
    if step:
        notes.append(f'the steps of "{time}" differ; numbers are read off straight lines every {step:g}')
    if left:
        notes.append(f"left out, because it differs within records and is no number: {listed(left)}")
    lines = table.lines[table.frame[record].notna().to_numpy()]
    return replace(
        table,
        frame=pd.DataFrame(columns),
        lines=np.array([lines[each[0]] for each in rows], dtype=np.int64),
        notes=(*table.notes, *notes),
    )


def _rows_of(codes: NDArray[np.int64], records: int) -> list[NDArray[np.int64]]:
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes, minlength=records))[:-1])


def _times(frame: pd.DataFrame, time: str) -> NDArray[np.float64]:
    if not time:
        return np.arange(len(frame), dtype=np.float64)
    times, _ = as_numbers(frame[time])
    if not np.isfinite(times).all():
        raise UserError(
            f'The column "{time}" holds cells that are no numbers.',
            where="data.time",
            fix="give times as numbers, such as hours since the start",
        )
    return times


def _step(times: list[NDArray[np.float64]]) -> float:
    """The middle step in time where steps differ; 0 where they are alike."""
    steps = np.concatenate([np.diff(each) for each in times if len(each) > 1] or [np.zeros(0)])
    if not len(steps):
        return 0.0
    middle = float(np.median(steps))
    return 0.0 if middle <= 0 or np.abs(steps - middle).max() <= EVEN * middle else middle


def _cells(
    column: pd.Series[Any], rows: list[NDArray[np.int64]], times: NDArray[np.float64], step: float
) -> list[Any] | None:
    """A cell for each record: what all its rows say, or its numbers in order; None where it is neither."""
    values = column.to_numpy(dtype=object)
    if all(pd.Series(values[each]).nunique(dropna=False) <= 1 for each in rows):
        return [values[each[0]] for each in rows]
    numbers, wrong = as_numbers(column)
    if wrong.any():
        return None
    return [" ".join(_written(number) for number in _even(times[each], numbers[each], step)) for each in rows]


def _written(number: float) -> str:
    """A number with every digit that it has."""
    return repr(float(number)).removesuffix(".0")


def _even(times: NDArray[np.float64], numbers: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """The numbers at equal steps in time, NaN where nothing is known around."""
    known = np.isfinite(numbers)
    if not step or known.sum() < 2:
        return numbers
    wanted = np.arange(times[0], times[-1] + 0.5 * step, step)
    return np.interp(wanted, times[known], numbers[known], left=np.nan, right=np.nan)
