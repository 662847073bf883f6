"""Arrays worked out from a file, kept in the user's cache folder: once is enough, for every command that follows.

What is kept is named by a hash of what it was made from: the bytes of the file, what was asked of it, the code that
made it and the versions of the libraries it used. Where any of these differs it is made anew; where nothing can be kept,
or what is there is damaged, too. The folder may be removed at any time.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bioloom.errors import UserError
from bioloom.files import cache_folder, write_bytes

MOST_BYTES = 2**23
"""Bytes kept in each of the 256 folders that hashes are spread over, of which the oldest go first: 2 GB in all."""

Arrays: TypeAlias = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Kept:
    """A kind of thing that is kept.

    name:      of its folder in the cache folder
    sources:   the files of code that make it
    libraries: whose versions matter
    """

    name: str
    sources: tuple[Path, ...]
    libraries: tuple[str, ...]

    def arrays(self, content: bytes, asked: str, make: Callable[[], Arrays]) -> Arrays:
        """What was made of a file, read if it is kept; made and kept if not.

        asked: what else decides what comes out, such as which chains are meant
        """
        path = self._path(content, asked)
        found = None if path is None else _read(path)
        if found is not None:
            return found
        made = make()
        if path is not None:
            _write(path, made)
        return made

    def _path(self, content: bytes, asked: str) -> Path | None:
        """None where the code cannot be read, or this user has no folder to keep things in."""
        try:
            key = (_code(self.sources, self.libraries), asked.encode(), content)
            name = hashlib.sha256(b"\n".join(key)).hexdigest()
            return cache_folder() / self.name / name[:2] / f"{name}.npz"
        except (OSError, RuntimeError):
            return None


@cache
def _code(sources: tuple[Path, ...], libraries: tuple[str, ...]) -> bytes:
    versions = " ".join(f"{name} {version(name)}" for name in libraries)
    parts = (versions.encode(), *(path.read_bytes() for path in sources))
    return hashlib.sha256(b"\n".join(parts)).hexdigest().encode()


def _read(path: Path) -> Arrays | None:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write(path: Path, made: Arrays) -> None:
    """Keep it, and remove the oldest of its folder where there is too much; a cache that fails costs time only."""
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **made)
    with suppress(UserError, OSError):
        write_bytes(path, stream.getvalue())
        known = sorted(path.parent.glob("*.npz"), key=lambda each: each.stat().st_mtime, reverse=True)
        room = MOST_BYTES
        for each in known:
            room -= each.stat().st_size
            if room < 0 and each != path:
                each.unlink(missing_ok=True)
