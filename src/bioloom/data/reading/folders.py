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

COLUMN, CLASS, INNER = "file", "label", "folder"
"""The columns: the file of a record, its class, and the folder below that of the class in which it lies."""


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
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    names = [path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts)]
    return sorted(name for name in names if is_record(name))


def table_of_files(store: Store, names: Sequence[str], source: str, kind: str) -> Table:
    """One record for each file: its class is the folder it lies in, its part of the split the folder above that.

    names: paths in the store, parts divided by /
    kind:  what the files lie in, such as "folder", for messages
    Raises UserError where only some files lie in folders of parts.
    """
    places = _places(names, source)
    columns: dict[str, object] = {"id": _ids(names), COLUMN: of_files(store, names)}
    for column, cells in (
        (CLASS, [place.label for place in places]),
        ("split", [place.part for place in places]),
        (INNER, [place.inner for place in places]),
    ):
        if any(cells):
            columns[column] = pd.Series([cell or np.nan for cell in cells], dtype=object)
    frame = pd.DataFrame(columns)
    told = "\n".join([*names, fingerprint(frame[COLUMN].array)])
    return Table(
        frame=frame,
        lines=np.arange(1, len(frame) + 1, dtype=np.int64),
        source=source,
        format=f"{kind} of files",
        sha256=hashlib.sha256(told.encode()).hexdigest(),
        unit="file",
        notes=_notes(places),
        target=CLASS if CLASS in columns else "",
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
