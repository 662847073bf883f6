"""Arrays that lie in a file and are mapped into memory: larger than memory, and shared by processes without a copy."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable
from math import prod
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from bioloom.files import as_user_error

MAPPED = 2**28
"""Bytes from which encoded records lie in a file: 256 MB."""


def mapped(path: Path, shape: tuple[int, ...], blocks: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """An array of bytes in a file: found where it was written before, else written from its rows, block after block.

    The file appears under its name when it is whole: a process that was killed leaves none. Raises UserError where
    it cannot be written, such as on a full disk.
    """
    if not (path.exists() and _is_whole(path, shape)):
        _write(path, shape, blocks)
    return npy.open_memmap(path, mode="r+")


def _is_whole(path: Path, shape: tuple[int, ...]) -> bool:
    """Whether a file holds an array of that shape to its end."""
    try:
        with path.open("rb") as stream:
            npy.read_magic(stream)
            found, _, _ = npy.read_array_header_1_0(stream)
            return found == shape and stream.tell() + prod(shape) == path.stat().st_size
    except (OSError, ValueError):
        return False


def _write(path: Path, shape: tuple[int, ...], blocks: Iterable[NDArray[np.uint8]]) -> None:
    part = path.with_name(f".{path.name}.part")
    header = {"descr": npy.dtype_to_descr(np.dtype(np.uint8)), "fortran_order": False, "shape": shape}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as stream:
            npy.write_array_header_1_0(stream, header)
            for block in blocks:  # written, not mapped: on a full disk a mapping would kill the process
                stream.write(np.ascontiguousarray(block).data)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        raise as_user_error(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def let_go(array: NDArray[np.uint8]) -> None:
    """Give back the memory that what was read of a mapped array takes; what is read again comes from the file again.

    The system would do so by itself when memory runs short, but not before; other arrays are left alone.
    """
    found = getattr(array, "_mmap", None)
    if found is not None and hasattr(mmap, "MADV_DONTNEED"):
        found.madvise(mmap.MADV_DONTNEED)
