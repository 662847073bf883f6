"""Archives whose members are records: ZIP and tar, read member by member and never unpacked into a folder."""

from __future__ import annotations

import os
import tarfile
import tempfile
import weakref
import zipfile
import zlib
from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from bioloom.data.stores import MOST_BYTES, Store, as_name, is_hidden
from bioloom.data.wording import short
from bioloom.errors import UserError, did_you_mean

MOST_UNPACKED = 2**35
"""A packed tar archive may be so large, unpacked: 32 GB."""

MOST_MEMBERS = 2_000_000
"""An archive may hold so many files."""

LONGEST_NAME = 1024
"""Bytes of the path of a file in an archive, at most."""

DEEPEST = 64
"""Folders within each other in an archive, at most."""

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
"""The endings of archives."""


def open_archive(path: Path) -> Archive:
    """The archive at a path, by the ending of its name."""
    return Zip(path) if path.name.lower().endswith(".zip") else Tar(path)


class Archive(Store):
    """The files in an archive, by their path in it or by any end of that path that only one of them has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.shown = path.name
        self._index: dict[str, Any] | None = None
        self._backwards: list[str] | None = None

    def names(self) -> list[str]:
        """The paths of all files in it, in their order there."""
        return list(self.index())

    def holds(self, name: str) -> bool:
        """Whether there is one file of that name."""
        return self._found(name) is not None

    def read(self, name: str) -> bytes:
        """The bytes of a file in the archive."""
        found = self._found(name)
        if found is None:
            raise UserError(
                f'There is no file "{short(name, 80)}" in the archive.{did_you_mean(name, self.index())}',
                where=self.shown,
                fix="name files by their path in the archive",
            )
        return self._member(self.index()[found], found)

    def index(self) -> dict[str, Any]:
        """By path: how a file is found in the archive. Raises UserError for a damaged archive."""
        if self._index is None:
            self._index = dict(self._listed())
        return self._index

    def _found(self, name: str) -> str | None:
        index, plain = self.index(), name.replace("\\", "/").removeprefix("./")
        return plain if plain in index else self._ending_in(plain)

    def _ending_in(self, plain: str) -> str | None:
        """The one path that ends in these parts; backwards, in the order of the alphabet, such paths stand together."""
        if self._backwards is None:
            self._backwards = sorted(f"/{name}"[::-1] for name in self.index())
        end = f"/{plain}"[::-1]
        first = bisect_left(self._backwards, end)
        found = [each for each in self._backwards[first : first + 2] if each.startswith(end)]
        return found[0][::-1].removeprefix("/") if len(found) == 1 else None

    def _listed(self) -> Iterator[tuple[str, Any]]:
        for number, (name, entry) in enumerate(self._entries()):
            if number >= MOST_MEMBERS:
                raise UserError(
                    f"The archive holds more than {MOST_MEMBERS:,} files.",
                    where=self.shown,
                    fix="split it into several",
                )
            if len(name.encode("utf-8", "replace")) > LONGEST_NAME or name.count("/") >= DEEPEST:
                raise UserError(
                    f'"{short(name)}" in the archive has more than {LONGEST_NAME:,} bytes or {DEEPEST} folders.',
                    where=self.shown,
                    fix="check that the archive is what it should be; such paths are not read",
                )
            if not is_hidden(name):
                yield as_name(name, self.shown), entry

    def _too_large(self, name: str, most: int = MOST_BYTES) -> UserError:
        return UserError(
            f'"{short(name, 80)}" is larger than {most >> 20:,} MB when it is unpacked.',
            where=self.shown,
            fix="check that the archive is what it should be; a record of that size is not read",
        )

    def _damaged(self, error: Exception) -> UserError:
        return UserError(
            f"The archive is damaged ({error}).", where=self.shown, fix="download or copy it again"
        )

    @abstractmethod
    def _entries(self) -> Iterator[tuple[str, Any]]:
        """The name of each file in it and what `_member` needs to read it."""

    @abstractmethod
    def _member(self, entry: Any, name: str) -> bytes: ...


class Zip(Archive):
    """A ZIP archive."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._open: tuple[int, zipfile.ZipFile] | None = None

    def _file(self) -> zipfile.ZipFile:
        """The open archive; a process that was forked opens its own, because two share one place in a file."""
        if self._open is None or self._open[0] != os.getpid():
            try:
                self._open = (os.getpid(), zipfile.ZipFile(self.path))
            except (zipfile.BadZipFile, OSError) as error:
                raise self._damaged(error) from None
        return self._open[1]

    def _entries(self) -> Iterator[tuple[str, zipfile.ZipInfo]]:
        return ((each.filename, each) for each in self._file().infolist() if not each.is_dir())

    def _member(self, entry: zipfile.ZipInfo, name: str) -> bytes:
        try:
            with self._file().open(entry) as stream:
                content = stream.read(MOST_BYTES + 1)
        except RuntimeError:  # so zipfile says that a password is needed
            raise UserError(
                "The archive has a password.", where=f"{self.shown}, {name}", fix="pack it without one"
            ) from None
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise self._damaged(error) from None
        if len(content) > MOST_BYTES:
            raise self._too_large(name)
        return content


class Tar(Archive):
    """A tar archive, packed or not; a packed one is unpacked once into a nameless file, for quick access."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._handle: int | None = None

    def _plain(self) -> int:
        """The handle of the unpacked archive."""
        if self._handle is None:
            from xopen import xopen

            handle, name = tempfile.mkstemp()
            Path(name).unlink()  # the system keeps it until it is closed
            weakref.finalize(self, os.close, handle)
            try:
                with xopen(self.path, "rb", threads=0) as packed:
                    self._unpack(packed, handle)
            except (OSError, EOFError, zlib.error, ValueError) as error:
                raise self._damaged(error) from None
            self._handle = handle
        return self._handle

    def _unpack(self, packed: IO[bytes], handle: int) -> None:
        room = MOST_UNPACKED
        with os.fdopen(handle, "wb", closefd=False) as plain:
            while block := packed.read(2**22):
                room -= len(block)
                if room < 0:
                    raise self._too_large(self.path.name, MOST_UNPACKED)
                plain.write(block)

    def _entries(self) -> Iterator[tuple[str, tuple[int, int]]]:
        os.lseek(self._plain(), 0, os.SEEK_SET)
        try:
            with (
                os.fdopen(self._plain(), "rb", closefd=False) as stream,
                tarfile.open(fileobj=stream, mode="r:") as archive,
            ):
                for each in archive:
                    if each.isreg():  # no links, no devices
                        yield each.name, (each.offset_data, each.size)
        except tarfile.TarError as error:
            raise self._damaged(error) from None

    def _member(self, entry: tuple[int, int], name: str) -> bytes:
        start, size = entry
        if size > MOST_BYTES:
            raise self._too_large(name)
        content = os.pread(self._plain(), size, start)
        if len(content) < size:
            raise self._damaged(EOFError("cut off"))
        return content
