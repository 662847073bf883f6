"""Folders and archives whose files are records each: one folder per class, parts of a split on top, or just files."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bioloom.data.assets import fingerprint, of_files
from bioloom.data.pictures import SUFFIXES as PICTURES
from bioloom.data.reading import masked
from bioloom.data.records import Table
from bioloom.data.wording import counted, listed
from bioloom.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from bioloom.data.stores import Store

STRUCTURES = (".pdb", ".ent", ".cif", ".mmcif", ".bcif", ".pdb.gz", ".ent.gz", ".cif.gz")

RECORDS = (*PICTURES, *STRUCTURES)
"""Endings of files that are a record each, in small letters."""

TABLES = (".csv", ".tsv", ".tab", ".xlsx", ".parquet")
"""Endings of tables that may name the files beside them; not .txt, which is more often a word to the reader."""

PARTS = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation",
    "dev": "validation", "test": "test", "testing": "test",
}  # fmt: skip
"""What folders on top may be called that are parts of a split."""

COLUMN, CLASS, INNER, MASK = "file", "label", "folder", "mask"
"""The columns: the file of a record, its class, the folder below that of the class in which it lies, and its mask."""


@dataclass(frozen=True)
class Place:
    """Where a file lies: parts of its path that mean something; empty where there is no such folder."""

    part: str
    label: str
    inner: str


def is_record(name: str) -> bool:
    """Whether a file of this name is a record by itself."""
    return name.lower().endswith(RECORDS)


def files_below(folder: Path) -> list[str]:
    """All files below a folder that are a record each, as paths relative to it, hidden ones left out."""
    return [name for name in _below(folder) if is_record(name)]


def not_read(folder: Path) -> tuple[str, ...]:
    """A note on the files below a folder that are no records."""
    others = [name for name in _below(folder) if not is_record(name)]
    return (f"not read: {counted(len(others), 'other file')} ({listed(others)})",) if others else ()


def _below(folder: Path) -> list[str]:
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    names = [path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts)]
    return sorted(names)


def table_of_files(store: Store, names: Sequence[str], source: str, kind: str) -> Table:
    """One record for each file: its class is the folder it lies in, its part of the split the folder above that.

    names: paths in the store, parts divided by /
    kind:  what the files lie in, such as "folder", for messages
    Raises UserError where only some files lie in folders of parts.
    """
    places = _places(names, source)
    paired = masked.pairs(names, [place.label for place in places], source)
    if paired is not None:
        place_of = dict(zip(names, places, strict=True))
        beside = [place_of[picture] for picture, _ in paired]
        return _table_of_masks(store, paired, beside, (source, kind))
    columns: dict[str, object] = {"id": _ids(names), COLUMN: of_files(store, names)}
    for column, cells in (
        (CLASS, [place.label for place in places]),
        ("split", [place.part for place in places]),
        (INNER, [place.inner for place in places]),
    ):
        if any(cells):
            columns[column] = pd.Series([cell or np.nan for cell in cells], dtype=object)
    told = Said(source, f"{kind} of files", _notes(places), CLASS if CLASS in columns else "")
    return _table(columns, (COLUMN,), names, told)


def _table_of_masks(
    store: Store, paired: Sequence[masked.Pair], places: Sequence[Place], where: tuple[str, str]
) -> Table:
    """One record for each picture with its mask, which is what is predicted."""
    pictures, masks = ([pair[side] for pair in paired] for side in (0, 1))
    columns: dict[str, object] = {
        "id": _ids(pictures),
        COLUMN: of_files(store, pictures),
        MASK: of_files(store, masks),
    }
    if any(place.part for place in places):
        columns["split"] = pd.Series([place.part or np.nan for place in places], dtype=object)
    note = f"{counted(len(paired), 'picture')} with the masks of the same names in the folder beside"
    return _table(
        columns, (COLUMN, MASK), [*pictures, *masks], Said(where[0], f"{where[1]} of files", (note,), MASK)
    )


@dataclass(frozen=True)
class Said:
    """What a table says of itself: as messages call it, its form, notes, and the column that is predicted."""

    source: str
    form: str
    notes: tuple[str, ...]
    target: str


def _table(columns: dict[str, object], files: Sequence[str], names: Sequence[str], said: Said) -> Table:
    """files: columns of files, whose content counts for the fingerprint of the table."""
    frame = pd.DataFrame(columns)
    told = "\n".join([*names, *(fingerprint(frame[column].array) for column in files)])
    return Table(
        frame=frame,
        lines=np.arange(1, len(frame) + 1, dtype=np.int64),
        source=said.source,
        format=said.form,
        sha256=hashlib.sha256(told.encode()).hexdigest(),
        unit="file",
        notes=said.notes,
        target=said.target,
    )


def _places(names: Sequence[str], source: str) -> list[Place]:
    folders = [name.split("/")[:-1] for name in names]
    while (
        folders and all(folders) and len({parts[0] for parts in folders}) == 1 and min(map(len, folders)) > 1
    ):
        folders = [parts[1:] for parts in folders]  # a folder that holds everything says nothing
    parted = [bool(parts) and parts[0].lower() in PARTS for parts in folders]
    if (
        any(parted)
        and not all(parted)
        and {parts[0].lower() for parts in folders if parts} >= {"train", "test"}
    ):
        outside = [name for name, inside in zip(names, parted, strict=True) if not inside]
        raise UserError(
            f"Some files lie in folders of parts (train, test), and {counted(len(outside), 'file')} do not.",
            where=f"{source}: {listed(outside)}",
            fix="move these files into one of the parts, or out of the folder",
        )
    places = []
    for parts in folders:
        part = PARTS[parts[0].lower()] if all(parted) and parts else ""
        inside = parts[1:] if part else parts
        places.append(Place(part, inside[0] if inside else "", "/".join(inside[1:])))
    return places


def _ids(names: Sequence[str]) -> list[str]:
    """The name of each file; with its folders where two files share a name."""
    short = [name.rsplit("/", 1)[-1] for name in names]
    return short if len(set(short)) == len(short) else list(names)


def _notes(places: Sequence[Place]) -> tuple[str, ...]:
    notes = []
    labels = Counter(place.label for place in places if place.label)
    if labels:
        told = [f"{label} ({count:,})" for label, count in sorted(labels.items())]
        notes.append(f'the class of each file is the folder it lies in, column "{CLASS}": {listed(told, 12)}')
    parts = Counter(place.part for place in places if place.part)
    if parts:
        told = [f"{part} {count:,}" for part, count in parts.items()]
        notes.append(f"the folders on top say which files are for what: {listed(told)}")
    return tuple(notes)
