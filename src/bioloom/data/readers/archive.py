"""ZIP and tar archives: a table with the files that it names beside it, or files in one folder per class."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bioloom.data import readers as all_readers
from bioloom.data.archives import Archive, Tar, Zip
from bioloom.data.assets import with_assets_of
from bioloom.data.readers import Reader, readers
from bioloom.data.reading.folders import TABLES, is_record, table_of_files
from bioloom.data.wording import listed
from bioloom.errors import UserError
from bioloom.files import sha256

if TYPE_CHECKING:
    from bioloom.data.reading.raw import RawFile
    from bioloom.data.records import Table

_OTHERS = (b".npy", b"opendocument", b"word/", b"xl/", b"data.pkl", b"ppt/")
"""What is in the first bytes of files that are ZIP archives by their form only."""


def read_zip(file: RawFile) -> Table:
    """Read a ZIP archive. Raises UserError where it is damaged, has a password, or holds no data."""
    return _read(file, Zip(file.path), "ZIP archive")


def read_tar(file: RawFile) -> Table:
    """Read a tar archive, packed or not. Raises UserError where it is damaged or holds no data."""
    return _read(file, Tar(file.path), "tar archive")


def _read(file: RawFile, archive: Archive, kind: str) -> Table:
    names = archive.names()
    tables = [name for name in names if name.lower().endswith(TABLES)]
    highest = min((name.count("/") for name in tables), default=0)
    tables = [name for name in tables if name.count("/") == highest]
    if len(tables) == 1:
        return _table_in(file, archive, tables[0], kind)
    if len(tables) > 1:
        raise UserError(
            f"The archive holds {len(tables)} tables: {listed(tables)}.",
            where=file.shown,
            fix="unpack it and name one of them",
        )
    records = sorted(filter(is_record, names))
    if not records:
        raise UserError(
            f"This is a {kind}, and neither a table nor pictures or structures are in it.",
            where=f"{file.shown}: {listed(names) or 'nothing'}",
            fix="unpack it and name the file inside",
        )
    return replace(table_of_files(archive, records, file.name, kind), sha256=sha256(file.path))


def _table_in(file: RawFile, archive: Archive, name: str, kind: str) -> Table:
    """A table in an archive, read like one beside it; its paths are those in the archive."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name.rsplit("/", 1)[-1]
        path.write_bytes(archive.read(name))
        raw = all_readers.open_file(path)
        try:
            table = all_readers.reader_of(raw).read(raw)
        except UserError as error:
            inside = error.where.replace(str(path), name)
            raise UserError(error.what, where=f"{file.shown}, {inside}", fix=error.fix) from None
    table = with_assets_of(table, archive)
    digest = hashlib.sha256(f"{sha256(file.path)}\n{name}".encode()).hexdigest()
    notes = (f"the table in the archive is {name}", *table.notes)
    return replace(table, source=file.name, format=f"{table.format} in a {kind}", sha256=digest, notes=notes)


def _is_zip(file: RawFile) -> bool:
    office = any(mark in file.head for mark in _OTHERS) or file.suffix in (".xlsx", ".xlsm", ".docx", ".npz")
    return file.head.startswith(b"PK\x03\x04") and not office


def _is_tar(file: RawFile) -> bool:
    return file.head[257:262] == b"ustar"


zip_reader = readers.register(Reader(name="ZIP archive", suffixes=(".zip",), sniff=_is_zip, read=read_zip))
tar_reader = readers.register(
    Reader(name="tar archive", suffixes=(".tar", ".tgz"), sniff=_is_tar, read=read_tar)
)
