"""Files of every format, data frames and arrays, read into a Table.

A format is one file here: a Reader row that tells how to recognise the format by the content and how to read it.
Content decides; the ending of the file name helps only where the content could be several things.

>>> table = read("measurements.csv")                      # any format, packed or not
>>> table = read("peaks/*.fa")                            # one file per class: their names in a column "file"
>>> table = read("sequences.fa", labels="labels.csv")     # labels joined by id
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bioloom.data.assets import with_assets
from bioloom.data.places import Folder
from bioloom.data.reading import folders, foreign, frames, sources
from bioloom.data.reading.joining import one_per_class, with_labels
from bioloom.data.reading.official import with_split
from bioloom.data.reading.raw import RawFile, open_file
from bioloom.data.records import Table
from bioloom.errors import UserError
from bioloom.registry import Registry


@dataclass(frozen=True)
class Reader:
    """A file format.

    name:     as messages call it
    suffixes: the usual endings of file names, in small letters
    sniff:    whether the first bytes of a file are of this format
    read:     the file as a Table; raises UserError with the place of what is wrong
    last:     asked only when no other reader knows the content (text could be anything)
    folders:  whether a folder of such files is one data set, each file a class
    """

    name: str
    suffixes: tuple[str, ...]
    sniff: Callable[[RawFile], bool]
    read: Callable[[RawFile], Table]
    last: bool = False
    folders: bool = False


readers: Registry[Reader] = Registry("file format", "bioloom.data.readers", "bioloom.readers")
"""All formats by name."""

__all__ = ["Reader", "open_file", "read", "reader_of", "readers"]


def read(source: object, *, labels: object = None) -> Table:
    """Read labelled data: a file of any format, several files, a data frame, or arrays.

    source: a path; a pattern, folder or list of paths (one file per class, named in the column "file"); the name
            of a data set that comes with bioloom; a pandas, polars or Arrow data frame; a mapping of names to
            arrays; a tuple (inputs, target) of arrays
    labels: a table (path or data frame) whose column "id" is joined to the ids of source, or several of them

    Raises UserError where something cannot be read, with file, line, column and what to do.
    """
    table = _read(source)
    several = labels if isinstance(labels, list | tuple) else [] if labels is None else [labels]
    for each in several:
        table = with_labels(table, _read(each))
    return with_split(table)


def reader_of(file: RawFile) -> Reader:
    """The reader that knows the content of a file. Raises UserError for content that is no data table."""
    for reader in sorted(readers.values(), key=lambda reader: reader.last):
        if reader.last:
            foreign.refuse_known(file, _supported())
        if reader.sniff(file):
            return reader
    raise foreign.unknown(file, _supported())


def _read(source: object) -> Table:
    if sources.is_paths(source):
        suffixes = [suffix for reader in readers.values() if reader.folders for suffix in reader.suffixes]
        folder = sources.folder_of_records(source, suffixes)
        return _read_folder(folder) if folder else _read_files(sources.find(source, suffixes))
    if frames.is_data(source):
        return frames.read_data(source)
    raise UserError(
        f"Data of the type {type(source).__name__} is not read.",
        fix="give a path, a data frame, or a mapping of column names to arrays",
    )


def _read_files(files: sources.Files) -> Table:
    if all(folders.is_record(file.name) for file in files.files):
        return _read_records(files)
    tables = [_read_file(file) for file in files.files]
    places = {file.path.parent: Folder(file.path.parent) for file in files.files}
    tables = [
        _placed(table, places[file.path.parent], files)
        for table, file in zip(tables, files.files, strict=True)
    ]
    if not files.by_class:
        target = tables[0].target or files.target
        return replace(tables[0], notes=(*files.notes, *tables[0].notes), target=target)
    table = one_per_class(tables, files)
    return replace(table, notes=(*files.notes, *table.notes))


def _placed(table: Table, place: Folder, files: sources.Files) -> Table:
    """The table with its columns of files placed; of one file per class the class stays what is predicted."""
    placed = with_assets(table, place)
    return replace(placed, target=table.target) if files.by_class else placed


def _read_records(files: sources.Files) -> Table:
    """Files that are records each, such as pictures, named one by one or by a pattern."""
    paths = [file.path.absolute() for file in files.files]
    root = Path(os.path.commonpath([path.parent for path in paths]))
    names = [path.relative_to(root).as_posix() for path in paths]
    return folders.table_of_files(Folder(root), names, files.shown, "list")


def _read_folder(folder: Path) -> Table:
    """Files that are records each: with a table that names them, or in one folder per class."""
    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    tables = [path for path in files if RawFile(path).suffix in folders.TABLES]
    if len(tables) == 1:
        table = _read_files(sources.find(tables[0]))
        return replace(table, notes=(f"the table of the folder is {tables[0].name}", *table.notes))
    names = folders.files_below(folder)
    table = folders.table_of_files(Folder(folder), names, f"{folder.name}/", "folder")
    return replace(table, notes=(*table.notes, *folders.not_read(folder)))


def _read_file(file: RawFile) -> Table:
    reader = reader_of(file)
    table = reader.read(file)
    notes = (*file.notes, *_misnamed(file, reader), *table.notes)
    form = f"{table.format}, {file.packed}" if file.packed else table.format
    return replace(table, notes=notes, format=form)


def _misnamed(file: RawFile, reader: Reader) -> tuple[str, ...]:
    others = [other.name for other in readers.values() if file.suffix in other.suffixes]
    if not others or file.suffix in reader.suffixes:
        return ()
    return (f"{file.name} is named as {others[0]}, but its content is {reader.name}; read as that",)


def _supported() -> str:
    return ", ".join(reader.name for reader in readers.values())
