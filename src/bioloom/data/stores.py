"""A place where files lie that cells of a table name, and what all such places share.

Nothing is unpacked to disk under a name that an archive chose, nothing outside of the folder is opened, and no file is
read that is larger than fits: an archive of a hostile or broken kind costs an error and not a machine.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from bioloom.data.wording import short
from bioloom.errors import UserError

Content: TypeAlias = bytes | NDArray[Any]
"""What a name stands for: the bytes of a file, or an entry of an array."""

MOST_BYTES = 2**28
"""A single file may be so large, unpacked: 256 MB."""

REMEMBERED = 2**28
"""Bytes of what was worked out from files that are kept for the next question: 256 MB."""

ARRAY = "data:application/x-npy;base64,"
FILE = "data:application/octet-stream;base64,"

T = TypeVar("T")


class Store(ABC):
    """Files by name.

    shown: how messages call it
    """

    shown: str

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Any] = {}
        self._room = REMEMBERED

    @abstractmethod
    def read(self, name: str) -> Content:
        """What a name stands for. Raises UserError where there is nothing, too much, or it cannot be read."""

    @abstractmethod
    def holds(self, name: str) -> bool:
        """Whether there is something of that name."""

    def remember(self, key: tuple[str, str], make: Callable[[], T], size: Callable[[T], int]) -> T:
        """What was worked out about a file, (what, name), worked out once as long as there is room for it."""
        if key in self._known:
            known: T = self._known[key]
            return known
        made = make()
        if size(made) <= self._room:
            self._room -= size(made)
            self._known[key] = made
        return made

    def sha256(self, name: str) -> str:
        """A hash of the content, whatever it is called."""
        return self.remember(("sha256", name), lambda: content_hash(self.read(name)), len)

    def __getstate__(self) -> dict[str, Any]:
        """Without open files and what was worked out: another process opens and works out its own."""
        return {key: value for key, value in vars(self).items() if not key.startswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**{key: value for key, value in state.items() if key != "shown"})  # type: ignore[misc]


def as_name(name: str, shown: str) -> str:
    """A name with / between its parts. Raises UserError for one that leads out of its folder."""
    plain = name.replace("\\", "/")
    path = PurePosixPath(plain)
    if path.is_absolute() or plain[1:2] == ":" or ".." in path.parts or "\x00" in plain or not path.parts:
        raise leads_out(name, shown)
    return str(path)


def leads_out(name: str, shown: str) -> UserError:
    """The error for a name that is not below the folder that it should be relative to."""
    return UserError(
        f'"{short(name, 80)}" is no path below the folder of the table.',
        where=shown,
        fix="write paths relative to the folder in which the table lies, and put the files there",
    )


def is_hidden(name: str) -> bool:
    """Whether a system left this file behind: .DS_Store, __MACOSX/, ._picture.png, Thumbs.db."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in parts) or (
        parts[-1:] in (("Thumbs.db",), ("desktop.ini",))
    )


def bytes_of(path: Path) -> bytes:
    """The bytes of a file. Raises UserError where it is too large or cannot be read."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise UserError(f"The file could not be read ({error.strerror}).", where=path.name) from None
    if len(content) > MOST_BYTES:
        raise UserError(
            f"The file is larger than {MOST_BYTES >> 20} MB, which is too much for one record.",
            where=path.name,
            fix="cut it into pieces, or make it smaller",
        )
    return content


def content_hash(content: Content) -> str:
    """SHA-256 of bytes, or of an array with its shape and type."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    told = f"{content.dtype.str} {content.shape}\n".encode()
    return hashlib.sha256(told + np.ascontiguousarray(content).tobytes()).hexdigest()


def as_text(content: Content) -> str:
    """Content as a text that holds it: `data:...;base64,...` (RFC 2397)."""
    if isinstance(content, bytes):
        return FILE + base64.b64encode(content).decode()
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(content), allow_pickle=False)
    return ARRAY + base64.b64encode(stream.getvalue()).decode()


def from_text(text: str) -> Content:
    """The inverse of `as_text`, for any media type. Raises UserError for what is no such text."""
    head, comma, coded = text.partition(";base64,")
    try:
        content = base64.b64decode(coded, validate=True)
        if not comma:
            raise ValueError("no base64")
        if head + comma != ARRAY:
            return content
        return np.asarray(np.load(io.BytesIO(content), allow_pickle=False))
    except (binascii.Error, ValueError, EOFError, OSError) as error:
        raise UserError(
            f"A text that should hold a file is damaged ({short(str(error), 60)}).", where=short(text)
        ) from None
