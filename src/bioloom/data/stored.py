"""A column of text that lies in a file and not in memory, for millions of long sequences.

It is an ordinary column of a data frame: rows of it are chosen and taken without the text being read, and cells
become Python texts only where they are asked for. The file is a working copy that nobody else sees: it has no name,
and the system removes it when the run ends, however it ends.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.extensions import ExtensionArray, ExtensionDtype

from bioloom.errors import UserError

AT_ONCE = 20_000
"""Cells read at a time where all are gone through."""

MOST = 2**27
"""Bytes read in one piece."""

SPARSE = 8
"""Neighbouring cells are read in one piece where that is at most so many times what is wanted of it."""


class StoredTextDtype(ExtensionDtype):
    """The type of a column of text in a file."""

    name: ClassVar[str] = "stored text"
    type = str
    na_value: ClassVar[float] = np.nan

    @classmethod
    def construct_array_type(cls) -> Any:
        """The arrays of this type."""
        return StoredText


class TextFile:
    """Texts end to end in a nameless file.

    starts: (texts + 2,) where each text begins, and the last one ends; the text behind the last is empty, and stands
            for missing cells
    """

    def __init__(self, handle: int, lengths: NDArray[np.int64]) -> None:
        self.handle = handle
        weakref.finalize(self, os.close, handle)
        ends = np.cumsum(lengths, dtype=np.int64)
        total = ends[-1:] if len(ends) else np.zeros(1, dtype=np.int64)
        self.starts = np.concatenate([np.zeros(1, dtype=np.int64), ends, total])

    def __len__(self) -> int:
        return len(self.starts) - 2

    def read(self, rows: NDArray[np.uint32]) -> list[str]:
        """The texts at some rows, in their order."""
        found: list[str] = []
        for first in range(0, len(rows), AT_ONCE):
            found += self._some(rows[first : first + AT_ONCE])
        return found

    def _some(self, rows: NDArray[np.uint32]) -> list[str]:
        starts, ends = self.starts[rows], self.starts[rows + 1]
        begin, end = int(starts.min()), int(ends.max())
        if end - begin > MOST and len(rows) > 1:
            middle = len(rows) // 2
            return self._some(rows[:middle]) + self._some(rows[middle:])
        if end - begin > SPARSE * int((ends - starts).sum()):
            return [
                self._bytes(one, other).decode()
                for one, other in zip(starts.tolist(), ends.tolist(), strict=True)
            ]
        places = zip((starts - begin).tolist(), (ends - begin).tolist(), strict=True)
        content = self._bytes(begin, end)
        if content.isascii():
            text = content.decode()
            return [text[one:other] for one, other in places]
        return [content[one:other].decode() for one, other in places]

    def _bytes(self, begin: int, end: int) -> bytes:
        content = os.pread(self.handle, end - begin, begin)
        while len(content) < end - begin:  # of more than 2 GiB the system gives a part
            content += os.pread(self.handle, end - begin - len(content), begin + len(content))
        return content


class TextWriter:
    """Takes texts part after part and gives them back as a column."""

    def __init__(self) -> None:
        self._handle, name = tempfile.mkstemp(dir=_place())
        Path(name).unlink()  # the system keeps it until it is closed
        self._file: IO[bytes] = os.fdopen(self._handle, "wb", closefd=False)
        self._lengths: list[NDArray[np.int64]] = []

    def add(self, texts: Iterable[str]) -> None:
        """Write some texts behind the others. Raises UserError where the disk is full."""
        cells = [text.encode() for text in texts]
        try:
            self._file.write(b"".join(cells))
        except OSError as error:
            raise _no_space(error) from error
        self._lengths.append(np.fromiter(map(len, cells), dtype=np.int64, count=len(cells)))

    def column(self) -> StoredText:
        """All that was added; empty texts are missing cells."""
        try:
            self._file.close()
        except OSError as error:
            raise _no_space(error) from error
        lengths = np.concatenate([np.zeros(0, dtype=np.int64), *self._lengths])
        return StoredText(TextFile(self._handle, lengths), np.arange(len(lengths), dtype=np.uint32))


class StoredText(ExtensionArray):
    """Rows of a file of texts; empty texts are missing. Nothing is ever written into it.

    rows: (cells,) which text of the file each cell is
    """

    def __init__(self, store: TextFile, rows: NDArray[np.uint32]) -> None:
        self.store, self.rows = store, rows

    @classmethod
    def of(cls, cells: Iterable[object]) -> StoredText:
        """Texts in memory, written to a file; what is no text is missing."""
        writer = TextWriter()
        writer.add(cell if isinstance(cell, str) else "" for cell in cells)
        return writer.column()

    @classmethod
    def _from_sequence(cls, scalars: Sequence[object], *, dtype: Any = None, copy: bool = False) -> Self:
        found = cls.of(scalars)
        return cls(found.store, found.rows)

    @classmethod
    def _from_factorized(cls, values: Sequence[object], original: StoredText) -> Self:
        return cls._from_sequence(values)

    @classmethod
    def _concat_same_type(cls, to_concat: Sequence[StoredText]) -> Self:
        stores = {id(each.store) for each in to_concat}
        if len(stores) == 1:
            return cls(to_concat[0].store, np.concatenate([each.rows for each in to_concat]))
        return cls._from_sequence([cell for each in to_concat for cell in each])

    @property
    def dtype(self) -> StoredTextDtype:
        """Text in a file."""
        return StoredTextDtype()

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return int(self.rows.nbytes)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Bytes of each cell, (cells,)."""
        found: NDArray[np.int64] = self.store.starts[self.rows + 1] - self.store.starts[self.rows]
        return found

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, item: Any) -> Any:
        item = pd.api.indexers.check_array_indexer(self, item)
        rows = self.rows[item]
        if isinstance(rows, np.uint32):
            (text,) = self.store.read(np.array([rows]))
            return text or np.nan
        return StoredText(self.store, rows)

    def __iter__(self) -> Iterator[Any]:
        for first in range(0, len(self), AT_ONCE):
            for text in self.store.read(self.rows[first : first + AT_ONCE]):
                yield text or np.nan

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        cells = np.empty(len(self), dtype=object)
        cells[:] = self.tolist()
        return cells if dtype is None else cells.astype(dtype)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, pd.Series | pd.Index | pd.DataFrame):
            return NotImplemented
        return np.asarray(self) == (
            np.asarray(other, dtype=object) if isinstance(other, ExtensionArray) else other
        )

    def __hash__(self) -> int:
        raise TypeError("a column has no hash")

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredText.of, (self.tolist(),)

    def tolist(self) -> list[Any]:
        """All cells as Python texts, NaN where missing."""
        return list(self)

    def isna(self) -> NDArray[np.bool_]:
        """Which cells are missing, (cells,)."""
        return np.asarray(self.lengths == 0)

    def take(self, indices: Any, *, allow_fill: bool = False, fill_value: Any = None) -> Self:
        """The cells at some places; with allow_fill those at -1 are missing."""
        places = np.asarray(indices, dtype=np.int64)
        if not allow_fill:
            return type(self)(self.store, self.rows[places])
        if (places < -1).any():
            raise ValueError("places below -1")
        rows = np.append(self.rows, np.uint32(len(self.store)))
        return type(self)(self.store, rows[places])

    def without(self, missing: NDArray[np.bool_]) -> StoredText:
        """The same with some more cells missing, (cells,)."""
        return StoredText(self.store, np.where(missing, np.uint32(len(self.store)), self.rows))

    def copy(self) -> Self:
        """The same: it never changes."""
        return type(self)(self.store, self.rows)


def _place() -> Path | None:
    """A folder for large working files: what is named in TMPDIR, else /var/tmp, because /tmp may lie in memory."""
    usual = Path("/var/tmp")
    return None if os.environ.get("TMPDIR") or not os.access(usual, os.W_OK) else usual


def _no_space(error: OSError) -> UserError:
    place = _place() or Path(tempfile.gettempdir())
    return UserError(
        f"There is no space for a working copy of the sequences ({error.strerror}).",
        where=str(place),
        fix="free some space, or name a folder on another disk: TMPDIR=/path/to/folder bioloom ...",
    )
