"""Table: a file as read. Records: rows with their roles. Problem: what is wrong with which rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESERVED = {
    "id": "id",
    "split": "split",
    "group": "group",
    "sample_weight": "weight",
    "replicate": "replicate",
}
"""Column names with a fixed role; they are never inputs unless asked for with --input. A column that is merely
called "weight" is not one of them: it holds the weight of a patient or a plant more often than that of a record."""


@dataclass(frozen=True)
class Table:
    """A file as read: text cells where the format has no types, and for every row its line in the file.

    frame:  one row per record; missing cells are NA; text formats give text columns, nothing is converted
    lines:  (rows,) 1-based line (or record number, see unit) in the file, for messages
    source: how messages call it, usually the file name
    format: the name of the reader that read it, such as "CSV (semicolon, decimal comma)"
    sha256: hash of the bytes read, or of the frame's content where there was no file
    notes:  what was decided on reading, such as "decoded as latin-1", for the user to see
    target: the column that is predicted unless the user names another one, where the form of the data says so, such as
            one folder per class; else empty
    task:   what predicting it is, where the form of the data says so
    order:  the column that says what came first, where rows follow each other; then the last ones are the test
    """

    frame: pd.DataFrame
    lines: NDArray[np.int64]
    source: str
    format: str
    sha256: str
    unit: str = "line"
    notes: tuple[str, ...] = ()
    target: str = ""
    order: str = ""
    task: str = ""

    def where(self, row: int, column: str = "") -> str:
        """The place of a cell in words: file, line, column."""
        place = f"{self.source}, {self.unit} {self.lines[row]}"
        return f'{place}, column "{column}"' if column else place


@dataclass(frozen=True)
class Problem:
    """Something wrong with some rows, in words a user can act on.

    code:     short stable name, such as "sequence.letters"
    severity: "fatal" stops the run, "drop" leaves the rows out, "note" keeps them
    rows:     positions (0-based) in the table or records that were checked
    """

    code: str
    severity: Literal["fatal", "drop", "note"]
    message: str
    fix: str = ""
    column: str = ""
    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


@dataclass(frozen=True)
class Records:
    """Rows with their roles, all of the same length: the unit of everything that follows.

    ids:       (records,) unique text
    inputs:    by input name, the columns that make it up (one column for a sequence, many for a table)
    targets:   one column per target; numbers for regression, text for classes; missing allowed
    lines:     (records,) where each record stands in its file
    columns:   all other columns of the file, kept for leakage checks; never seen by a network
    """

    ids: NDArray[np.object_]
    inputs: dict[str, pd.DataFrame]
    targets: pd.DataFrame
    lines: NDArray[np.int64]
    group: NDArray[np.object_] | None = None
    split: NDArray[np.object_] | None = None
    weight: NDArray[np.float32] | None = None
    replicate: NDArray[np.object_] | None = None
    columns: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Records:
        """The chosen records, in the order of the index."""

        def pick(values: NDArray[np.object_] | None) -> NDArray[np.object_] | None:
            return None if values is None else values[index]

        return replace(
            self,
            ids=self.ids[index],
            inputs={name: take_rows(frame, index) for name, frame in self.inputs.items()},
            targets=take_rows(self.targets, index),
            lines=self.lines[index],
            group=pick(self.group),
            split=pick(self.split),
            weight=None if self.weight is None else self.weight[index],
            replicate=pick(self.replicate),
            columns=take_rows(self.columns, index) if len(self.columns.columns) else self.columns,
        )


def take_rows(frame: pd.DataFrame, index: NDArray[np.int64] | NDArray[np.bool_]) -> pd.DataFrame:
    """Rows of a frame by position or mask, numbered anew from 0."""
    return frame.iloc[index].reset_index(drop=True)
