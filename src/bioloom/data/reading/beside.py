"""Columns of other files laid beside records by what a column of theirs says: the omics layers of a cell line.

Each file becomes an input of its own, called after it: "mutation.csv=cell_line" gives every record the row of
mutation.csv whose id stands in the column cell_line, in columns called "mutation:TP53".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from bioloom.data.large import memory
from bioloom.data.reading.raw import stem_of
from bioloom.data.wording import counted, listed
from bioloom.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from bioloom.data.records import Table

Read = Callable[[str], "Table"]

BYTES = 30
"""Of memory that a joined number takes in a whole run, about: as read, as a number, and encoded; all for every record."""

GIGABYTE = 1e9


@dataclass(frozen=True)
class Beside:
    """A file whose columns stand beside records.

    path:   of the file
    column: of the records, that holds the ids of its rows
    name:   of the input that its columns become
    """

    path: str
    column: str
    name: str

    @property
    def prefix(self) -> str:
        """How the names of its columns begin."""
        return f"{self.name}:"


def parse(words: Sequence[str]) -> tuple[Beside, ...]:
    """Words such as "mutation.csv=cell_line". Raises UserError for others, and for two files of one name."""
    found = []
    for word in words:
        path, equals, column = word.rpartition("=")
        if not equals or not path or not column:
            raise UserError(
                f'"{word}" is not FILE=COLUMN.', where="--join", fix="write it like mutation.csv=cell_line"
            )
        name = stem_of(Path(path)).rpartition(".")[2]  # a point in it would end a key of the recipe
        found.append(Beside(path, column, name))
    names = [each.name for each in found]
    if len(set(names)) < len(names):
        raise UserError(
            f"Two files give inputs of one name: {listed(names)}.", where="--join", fix="rename one"
        )
    return tuple(found)


def joined(table: Table, words: Sequence[str], read: Read) -> Table:
    """The table with the columns of other files beside each record; cells of ids that a file lacks are empty.

    Raises UserError where a column is missing, ids of a file are repeated, or none of the ids agrees.
    """
    others, notes, digest, columns = [], [], [table.sha256], 0
    for each in parse(words):
        other = read(each.path)
        frame = _by_id(each, other)
        columns += frame.shape[1]
        _refuse_too_many(len(table.frame), columns)
        ids = _ids(each, table)
        known = ids.isin(frame.index)
        if not known.any():
            raise UserError(
                f'None of the ids in "{each.column}" stands in {each.path}, such as "{ids.iloc[0]}".',
                where="--join",
                fix=f'the first column of {each.path} must hold them; its first is "{frame.index[0]}"',
            )
        if not known.all():
            lacking = ids[~known].unique()
            notes.append(
                f"{each.path} has no row for {counted(len(lacking), 'id')}: {listed(list(map(str, lacking)))}"
            )
        others.append(frame.reindex(ids).set_axis(table.frame.index).add_prefix(each.prefix))
        digest.append(other.sha256)
    return replace(
        table,
        frame=pd.concat([table.frame, *others], axis="columns"),
        sha256=hashlib.sha256("\n".join(digest).encode()).hexdigest(),
        notes=(*table.notes, *notes),
    )


def _refuse_too_many(records: int, columns: int) -> None:
    """Before the machine runs out of memory and stops without a word."""
    needed, there = records * columns * BYTES, memory()
    if there is not None and needed > there:
        raise UserError(
            f"{records:,} records with {columns:,} joined numbers each need about {needed / GIGABYTE:,.1f} GB of memory, and "
            f"this machine has {there / GIGABYTE:,.1f} GB.",
            where="--join",
            fix="keep fewer records, or of the joined files the columns that vary most: every record carries its own copy",
        )


def _ids(each: Beside, table: Table) -> pd.Series[str]:
    columns = list(map(str, table.frame.columns))
    if each.column not in columns:
        raise UserError(
            f'There is no column "{each.column}" in {table.source}.{did_you_mean(each.column, columns)}',
            where="--join",
            fix=f"the columns are: {', '.join(columns[:20])}",
        )
    return table.frame[each.column].astype(str).str.strip()


def _by_id(each: Beside, other: Table) -> pd.DataFrame:
    """The rows of a file by their id: the column of that name, or "id", or the first."""
    columns = list(map(str, other.frame.columns))
    key = next(name for name in (each.column, "id", columns[0]) if name in columns)
    ids = other.frame[key].astype(str).str.strip()
    if ids.duplicated().any():
        raise UserError(
            f'The id "{ids[ids.duplicated()].iloc[0]}" stands in {each.path} more than once.',
            where=f'{each.path}, column "{key}"',
            fix="keep one row for each id",
        )
    return other.frame.drop(columns=key).set_axis(ids)
