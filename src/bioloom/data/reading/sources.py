"""From what a user writes, such as peaks/*.fa, to the files that are meant."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeGuard

from bioloom.data import datasets
from bioloom.data.reading.folders import is_record
from bioloom.data.reading.raw import RawFile, open_file
from bioloom.errors import UserError, did_you_mean

Paths: TypeAlias = str | os.PathLike[str] | list[str | os.PathLike[str]] | tuple[str | os.PathLike[str], ...]


@dataclass(frozen=True)
class Files:
    """The files of one data set.

    files:    opened, in the order in which their records follow
    shown:    how messages and reports call them together
    by_class: whether several files were asked for, so that the file name is a label
    notes:    what was decided
    target:   the column that is usually predicted, of a data set that comes with bioloom
    """

    files: tuple[RawFile, ...]
    shown: str
    by_class: bool = False
    notes: tuple[str, ...] = ()
    target: str = ""


def is_paths(source: object) -> TypeGuard[Paths]:
    """Whether this is a path or a sequence of paths (and no data)."""
    if isinstance(source, (str, os.PathLike)):
        return True
    if not isinstance(source, (list, tuple)) or not source:
        return False
    return all(isinstance(one, (str, os.PathLike)) for one in source)


def find(source: Paths, in_folders: Sequence[str] = ()) -> Files:
    """The files behind a path, a pattern, a folder, a list of paths, or the name of a bundled data set.

    in_folders: endings of the files that make a folder a data set, with or without .gz, .bz2, .xz or .zst
    """
    if isinstance(source, (list, tuple)):
        return _several([_path(one) for one in source], shown=f"{len(source)} files")
    _refuse_address(str(source))
    path = _path(source)
    if not _exists(path):
        if str(source) in datasets.datasets:
            return _bundled(str(source))
        if any(mark in path.name for mark in "*?["):
            return _several(_matches(path), shown=path.name)
        _suggest_data_set(str(source))
    elif path.is_dir():
        return _folder(path, in_folders)
    file = open_file(path)
    return Files((file,), file.name)


def folder_of_records(source: Paths, in_folders: Sequence[str] = ()) -> Path | None:
    """The folder that is meant, where its files are pictures or structures, each a record; else None.

    in_folders: endings of files that make a folder a data set of another kind, see `find`
    """
    if isinstance(source, (list, tuple)):
        return None
    path = _path(source)
    if not _exists(path) or not path.is_dir():
        return None
    if any(RawFile(each).suffix in in_folders for each in path.iterdir() if each.is_file()):
        return None
    return path if any(is_record(each.name) for each in path.rglob("*")) else None


def _refuse_address(name: str) -> None:
    if "://" in name:
        raise UserError(
            "A web address is not read directly.",
            where=name,
            fix="download the file and give its path, so that a run can be repeated on the same bytes",
        )


def _path(source: str | os.PathLike[str]) -> Path:
    if not os.fspath(source) or "\x00" in os.fspath(source):
        raise UserError("The file name is empty or holds a zero byte.", fix="give the path of a file")
    return Path(source).expanduser()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, or one with a zero byte: open_file says so
        return False


def _suggest_data_set(name: str) -> None:
    guess = did_you_mean(name, datasets.datasets)
    if guess and not Path(name).suffix:
        raise UserError(
            f"There is no such file, and no data set of that name.{guess}",
            where=name,
            fix="give the path of a file, or the name of a data set that comes with bioloom",
        )


def _bundled(name: str) -> Files:
    data = datasets.datasets[name]
    note = f'"{name}" is no file here; read the data set of that name that comes with bioloom: {data.title}'
    return Files((open_file(datasets.path(name)),), data.file, notes=(note,), target=data.target)


def _matches(pattern: Path) -> list[Path]:
    found = sorted(path for path in pattern.parent.glob(pattern.name) if path.is_file())
    if found:
        return found
    raise UserError(
        "No file matches this pattern.",
        where=str(pattern),
        fix=f"the folder holds: {_listing(pattern.parent)}"
        if pattern.parent.is_dir()
        else "check the folder",
    )


def _folder(folder: Path, suffixes: Sequence[str]) -> Files:
    """A folder of sequence files, one per class, or with one file of data; anything else in it is named in a note."""
    content = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    chosen = [path for path in content if path.is_file() and RawFile(path).suffix in suffixes]
    if not content:
        raise UserError("This folder is empty.", where=str(folder), fix="give the path of a file with data")
    if not chosen:
        raise UserError(
            "This is a folder, and none of its files is FASTA, FASTQ or a Matrix Market file.",
            where=str(folder),
            fix=f"name one file of it ({_listing(folder)})",
        )
    if len(chosen) == 1:
        return Files(
            (open_file(chosen[0]),), chosen[0].name, notes=(f"read of {folder.name}: {chosen[0].name}",)
        )
    left = [path.name for path in content if path not in chosen]
    notes = (f"not read in {folder.name}: {_some(left)}",) if left else ()
    return _several(chosen, shown=f"{folder.name}/", notes=notes)


def _several(paths: list[Path], shown: str, notes: tuple[str, ...] = ()) -> Files:
    seen: set[Path] = set()
    for path in paths:
        if path.is_dir():
            raise UserError("This is a folder among files.", where=str(path), fix="name files only")
        if path.resolve() in seen:
            raise UserError("A file is named twice.", where=str(path), fix="name each file once")
        seen.add(path.resolve())
    return Files(tuple(open_file(path) for path in paths), shown, by_class=True, notes=notes)


def _listing(folder: Path) -> str:
    return _some(sorted(path.name for path in folder.iterdir())) or "nothing"


def _some(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
