"""Tables put together: one file per class below each other, and labels beside sequences by id."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bioloom.data.wording import counted, listed, short
from bioloom.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bioloom.data.reading.sources import Files
    from bioloom.data.records import Table

ENOUGH = 0.5
"""The share of ids of one side that the other side must hold before they are taken for the same."""

FEWEST_COLUMNS = 4
"""Tables of fewer columns do not lie on their side."""


def one_per_class(tables: Sequence[Table], files: Files) -> Table:
    """Tables below each other, with the name of its file beside each record in the column "file".

    Records are numbered through all files, and a note says which numbers belong to which file.
    Raises UserError where the files have no column in common.
    """
    _check_columns(tables, files.shown)
    names = _class_names(files)
    frames = [table.frame.assign(file=_repeat(n, table)) for n, table in zip(names, tables, strict=True)]
    frame = pd.concat(frames, ignore_index=True)
    return replace(
        tables[0],
        frame=frame,
        lines=np.arange(1, len(frame) + 1, dtype=np.int64),
        source=files.shown,
        format=", ".join(dict.fromkeys(table.format for table in tables)),
        sha256=hashlib.sha256("\n".join(table.sha256 for table in tables).encode()).hexdigest(),
        unit="record",
        notes=(_numbering(names, tables), *_notes(names, tables)),
    )


def with_labels(table: Table, labels: Table) -> Table:
    """The columns of a label table beside the records with the same id; records without label stay, unlabelled.

    Labels of each position may be FASTA too; the column of its texts is called by the name of the file. A table whose
    columns are the labelled records, as matrices of genes often are, is turned round first.

    Raises UserError where ids are missing or repeated on either side, or where none agrees.
    """
    table = _with_records_by_id(table, labels)
    _check_id(table)
    key, notes = _key_of(labels, table)
    labels, unnamed = _with_ids(_called_by_file(labels, table), key)
    notes += unnamed
    right = labels.frame.set_index(labels.frame[key].astype(str).str.strip())
    _check_unique(table, table.frame["id"])
    _check_unique(labels, pd.Series(right.index, dtype=object))
    ids = table.frame["id"].astype(str)
    known = ids.isin(right.index)
    if not known.any():
        raise _no_match(table, labels, ids.iloc[0], str(right.index[0]))
    columns = [name for name in labels.frame.columns if name != key]
    names = {name: _free(str(name), table, labels) for name in columns}
    beside = right[columns].rename(columns=names).reindex(ids).set_axis(table.frame.index)
    notes += _unmatched(table, labels, ids, right.index)
    return replace(
        table,
        frame=pd.concat([table.frame, beside], axis="columns"),
        format=f"{table.format} with labels from {labels.format}",
        sha256=hashlib.sha256(f"{table.sha256}\n{labels.sha256}".encode()).hexdigest(),
        notes=(*table.notes, *labels.notes, *notes),
    )


def _called_by_file(labels: Table, table: Table) -> Table:
    """Texts of a FASTA file of labels, beside sequences: both columns cannot have the same name."""
    if not labels.format.startswith("FASTA") or "sequence" not in table.frame.columns:
        return labels
    name = labels.source.partition(".")[0] or "labels"
    return replace(labels, frame=labels.frame.rename(columns={"sequence": name}))


def _repeat(name: str, table: Table) -> pd.Series[Any]:
    return pd.Series(name, index=table.frame.index, dtype=object)


def _check_columns(tables: Sequence[Table], shown: str) -> None:
    common = set.intersection(*(set(table.frame.columns) for table in tables))
    if not common:
        first, other = tables[0], tables[1]
        raise UserError(
            f"The files have no column in common: {first.source} has {listed(list(first.frame.columns))}, "
            f"{other.source} has {listed(list(other.frame.columns))}.",
            where=shown,
            fix="give files of one kind, or one file",
        )
    if "file" in common:
        raise UserError(
            'The files have a column "file", the name that is needed for the names of the files.',
            where=shown,
            fix="rename that column",
        )


def _class_names(files: Files) -> list[str]:
    stems = [file.stem for file in files.files]
    counts = Counter(stems)
    return [
        stem if counts[stem] == 1 else f"{file.path.absolute().parent.name}/{stem}"
        for stem, file in zip(stems, files.files, strict=True)
    ]


def _numbering(names: list[str], tables: Sequence[Table]) -> str:
    ends = np.cumsum([len(table.frame) for table in tables])
    spans = [
        f"{name} {end - len(t.frame) + 1}-{end}" for name, t, end in zip(names, tables, ends, strict=True)
    ]
    return f"records are numbered through the files: {listed(spans, 6)}"


def _notes(names: list[str], tables: Sequence[Table]) -> list[str]:
    """Notes of all files; one that every file shares is said once."""
    shared = [note for note in tables[0].notes if all(note in table.notes for table in tables)]
    own = [
        f"{name}: {note}"
        for name, table in zip(names, tables, strict=True)
        for note in table.notes
        if note not in shared
    ]
    return shared + own


def _with_records_by_id(table: Table, labels: Table) -> Table:
    """The table with a record in each row and a column of ids, where the ids of the labels say which of both is not so."""
    if "id" in table.frame.columns and len(table.frame.columns) < FEWEST_COLUMNS:
        return table  # a file of sequences
    first = str(table.frame.columns[0])
    in_rows, key = _agreement(table.frame["id" if "id" in table.frame.columns else first], labels)
    in_columns, _ = _agreement(pd.Series(table.frame.columns[1:], dtype=object), labels)
    if in_rows < ENOUGH <= in_columns and table.frame[first].is_unique and table.frame[first].notna().all():
        return _turned(table, f"its columns are called as the records of {labels.source}")
    if "id" in table.frame.columns or in_rows < ENOUGH:
        return table
    note = f'the column "{first}" holds the ids of {labels.source}, column "{key}"; it is called "id"'
    return replace(table, frame=table.frame.rename(columns={first: "id"}), notes=(*table.notes, note))


def _agreement(ids: pd.Series[Any], labels: Table) -> tuple[float, str]:
    """The largest share of some ids that a column of the labels holds, and which column that is."""
    cells = ids.dropna().astype(str).str.strip()
    shares = {
        str(name): float(cells.isin(set(labels.frame[name].dropna().astype(str).str.strip())).mean())
        for name in labels.frame.columns
    }
    best = max(shares, key=lambda name: shares[name])
    return (shares[best], best) if len(cells) else (0.0, best)


def upright_for(table: Table, columns: Collection[str]) -> Table:
    """The table with a record in each row, where most columns that a model reads are named in its first column instead.

    columns: that the model reads; a table that has half of them in its header stays as it is
    """
    wanted, header = set(columns), set(map(str, table.frame.columns))
    if len(wanted) < 2 or not header or 2 * len(wanted & header) >= len(wanted):
        return table
    first = table.frame.iloc[:, 0]
    cells = first.astype(str).str.strip()
    if first.isna().any() or not cells.is_unique or 2 * cells.isin(wanted).sum() < len(wanted):
        return table
    return _turned(table, "its first column holds what the model reads")


def _turned(table: Table, why: str) -> Table:
    """Columns as rows: each column but the first becomes a record, which its name is the id of."""
    first = table.frame.columns[0]
    turned = table.frame.set_index(first).T
    frame = turned.set_axis([str(name).strip() for name in turned.columns], axis="columns")
    frame.insert(0, "id", [str(name) for name in turned.index])
    note = f"turned round: {why}, so each column is read as a record"
    return replace(
        table,
        frame=frame.reset_index(drop=True),
        lines=np.arange(2, len(frame) + 2, dtype=np.int64),
        unit="column",
        notes=(*table.notes, note),
    )


def _check_id(table: Table) -> None:
    if "id" not in table.frame.columns:
        raise UserError(
            "Labels are joined by id, but the data has no column of that name.",
            where=f'{table.source}, column "id"',
            fix="give FASTA or FASTQ, or a table with a column id",
        )


def _key_of(labels: Table, table: Table) -> tuple[str, list[str]]:
    """The column of the label table that holds the ids: named id, or else the first one if it fits."""
    columns = [str(name) for name in labels.frame.columns]
    named = [name for name in columns if name == "id"] or [name for name in columns if name.lower() == "id"]
    if named:
        return named[0], []
    first = labels.frame[columns[0]].astype(str).str.strip()
    if first.isin(set(table.frame["id"])).mean() >= ENOUGH:
        return columns[0], [f'labels joined by their first column, "{columns[0]}", which holds the ids']
    raise UserError(
        "The label table has no column of ids.",
        where=f'{labels.source}, column "id" (its columns: {listed(columns)})',
        fix=f'call the column "id" that holds names such as {short(str(table.frame["id"].iloc[0]))}',
    )


def _with_ids(labels: Table, key: str) -> tuple[Table, list[str]]:
    known = labels.frame[key].notna().to_numpy()
    if known.all():
        return labels, []
    note = f"left out: {counted(int((~known).sum()), 'label')} of {labels.source} without an id"
    return replace(labels, frame=labels.frame[known], lines=labels.lines[known]), [note]


def _check_unique(table: Table, ids: pd.Series[Any]) -> None:
    repeated = ids.duplicated(keep=False).to_numpy()
    if not repeated.any():
        return
    name = ids[repeated].iloc[0]
    places = [str(table.lines[row]) for row in np.flatnonzero((ids == name).to_numpy())]
    names = list(dict.fromkeys(str(value) for value in ids[repeated]))
    raise UserError(
        f"Labels cannot be joined, because ids stand more than once: {listed(names)}.",
        where=f'{table.source}, {table.unit} {listed(places)}, column "id"',
        fix="give each record its own id",
    )


def _no_match(table: Table, labels: Table, left: str, right: str) -> UserError:
    return UserError(
        f'No id agrees: the data has ids such as "{short(left)}", the labels such as "{short(right)}".',
        where=f'{table.source} and {labels.source}, column "id"',
        fix="write the ids the same way; of a FASTA header the id is the first word",
    )


def _free(name: str, table: Table, labels: Table) -> str:
    """A name that the data does not use yet."""
    free = name
    while free in table.frame.columns or (free != name and free in labels.frame.columns):
        free = f"{free}_label"
    return free


def _unmatched(table: Table, labels: Table, ids: pd.Series[Any], known: pd.Index[Any]) -> list[str]:
    notes = []
    bare = ids[~ids.isin(known)].tolist()
    if bare:
        notes.append(f"{counted(len(bare), 'record')} of {table.source} without a label ({listed(bare)})")
    lost = known[~known.isin(ids)].tolist()
    if lost:
        told = (
            f"{counted(len(lost), 'label')} of {labels.source} whose id is not in the data ({listed(lost)})"
        )
        notes.append(f"left out: {told}")
    return notes
