"""The bytes of a file: checked, decompressed where they are packed, with errors a person can act on."""

from __future__ import annotations

import errno
import lzma
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, cast

from bioloom.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD = 1 << 16
"""How many bytes are looked at to tell what a file is."""

PACKED = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zst"}
"""The first bytes of a packed file, and how it is packed."""

_SUFFIXES = {".gz": "gz", ".bgz": "gz", ".gzip": "gz", ".bz2": "bz2", ".xz": "xz", ".zst": "zst"}


@dataclass(frozen=True)
class RawFile:
    """A file that can be opened, with its first bytes.

    path:   where it is, as the user wrote it
    packed: how it is compressed, by its content: "gz", "bz2", "xz", "zst", or "" where it is not
    head:   the first bytes (up to 64 KiB), decompressed
    notes:  what was noticed on opening
    """

    path: Path
    packed: str = ""
    head: bytes = b""
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The file name without its folders."""
        return self.path.name

    @property
    def shown(self) -> str:
        """The path as messages name it."""
        return str(self.path)

    @property
    def stem(self) -> str:
        """The file name without its endings: "oct4" of "oct4.fa.gz"."""
        return stem_of(self.path)

    @property
    def suffix(self) -> str:
        """The ending that tells the format, in small letters: ".csv" of "lac.CSV.gz"."""
        name = _unpacked_name(self.path)
        return f".{name.rsplit('.', 1)[1].lower()}" if "." in name else ""

    @contextmanager
    def stream(self) -> Iterator[IO[bytes]]:
        """The decompressed bytes, as a stream; damage found while reading becomes a UserError."""
        from xopen import xopen

        try:
            if self.packed:
                with xopen(self.path, "rb", threads=0, format=self.packed) as stream:
                    yield stream
            else:
                with self.path.open("rb") as stream:
                    yield stream
        except _damage() as error:
            raise _damaged(self, error) from error

    def content(self) -> bytes:
        """All bytes, decompressed."""
        with self.stream() as stream:
            return stream.read()


def open_file(path: Path) -> RawFile:
    """Look at a file before it is read: is it there, readable, a file at all, packed, empty?"""
    try:
        if not path.exists():
            raise _absent(path)
        if not path.is_file():
            raise _no_file(path)
        with path.open("rb") as stream:
            first = stream.read(HEAD)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not first:
        raise UserError(
            "The file is empty.", where=str(path), fix="export or download it again: it holds 0 bytes"
        )
    return _unpack(RawFile(path, _packed(first), first))


def _unpack(file: RawFile) -> RawFile:
    promised = _SUFFIXES.get(file.path.suffix.lower(), "")
    if not file.packed:
        return replace(file, notes=(_not_packed(file),)) if promised else file
    with file.stream() as stream:
        head = stream.read(HEAD)
    if not head:
        raise UserError(
            "The file is empty: it unpacks to nothing.", where=file.shown, fix="export or download it again"
        )
    return replace(file, head=head)


def _packed(first: bytes) -> str:
    return next((kind for magic, kind in PACKED.items() if first.startswith(magic)), "")


def _not_packed(file: RawFile) -> str:
    return f"{file.name} is not compressed, whatever its name says; read as it is"


def stem_of(path: Path) -> str:
    """The name of a file without its endings: "oct4" of "oct4.fa.gz"."""
    return _unpacked_name(path).rsplit(".", 1)[0] or path.name


def _unpacked_name(path: Path) -> str:
    return path.name[: -len(path.suffix)] if path.suffix.lower() in _SUFFIXES else path.name


def _absent(path: Path) -> UserError:
    if path.is_symlink():
        return UserError(
            "This link points to a file that is not there.",
            where=f"{path} -> {path.readlink()}",
            fix="repair the link or name the file itself",
        )
    return UserError(f"There is no such file.{_neighbour(path)}", where=str(path), fix=_look(path))


def _neighbour(path: Path) -> str:
    if not path.parent.is_dir():
        return ""
    return did_you_mean(path.name, (other.name for other in path.parent.iterdir()))


def _look(path: Path) -> str:
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    if folder != path.parent:
        return f"check the path: the folder {path.parent} does not exist"
    return f"check the name and the folder ({folder.absolute()})"


def _no_file(path: Path) -> UserError:
    if path.is_dir():
        return UserError("This is a folder.", where=str(path), fix="name the file in it that is to be read")
    return UserError(
        "This is a pipe or a device, which cannot be read twice.",
        where=str(path),
        fix="save its content to a file first and give the path of that file",
    )


def _unreadable(path: Path, error: OSError | ValueError) -> UserError:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EACCES:
        what, fix = "You have no permission to read this file.", f"allow it, for instance: chmod u+r {path}"
    elif number == errno.ENAMETOOLONG:
        what, fix = "This is too long to be a file name.", "give the path of a file, not its content"
    elif number == errno.ELOOP:
        what, fix = "This link points to itself.", "repair the link or name the file itself"
    elif isinstance(error, ValueError):
        what, fix = "This cannot be a file name.", "give the path of a file"
    else:
        what, fix = f"The file could not be read ({error}).", "check the disk or copy the file elsewhere"
    shown = str(path)
    return UserError(what, where=shown if len(shown) <= 200 else f"{shown[:200]}...", fix=fix)


def _damage() -> tuple[type[Exception], ...]:
    """Errors by which the decompressors say that a file is damaged; two of them may not be installed."""
    errors: list[type[Exception]] = [EOFError, OSError, zlib.error, lzma.LZMAError]
    try:
        from isal import isal_zlib

        errors.append(cast("type[Exception]", isal_zlib.error))
    except ImportError:
        pass
    try:
        from backports import zstd

        errors.append(zstd.ZstdError)
    except ImportError:
        pass
    return tuple(errors)


def _damaged(file: RawFile, error: Exception) -> UserError:
    if not file.packed:
        return _unreadable(file.path, error if isinstance(error, OSError) else OSError(str(error)))
    if isinstance(error, EOFError):
        what = f"The compressed file (.{file.packed}) is cut off before its end."
    else:
        what = f"The compressed file (.{file.packed}) is damaged."
    return UserError(what, where=file.shown, fix="download or copy the file again")
