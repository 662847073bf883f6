"""Files that cells of a table name: pictures, structures, recordings, one per record.

A cell names a file by its path relative to the folder of the table, a member of an archive beside the table, or an
entry of an array (`cells.npz#images#17`). Such a column stays a column of text everywhere - rows of it are chosen, shown
and compared as text - and carries where its files lie, so that whoever needs a content can ask for it at any time.
A stored model keeps the content of its examples in the cells themselves, and needs no other file.

>>> column = assets_of(frame["picture"])     # (records,)
>>> column[0], column.content(0)             # ("cells/a.png", b"...")
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.extensions import ExtensionArray, ExtensionDtype

from bioloom.data.joint import joined
from bioloom.data.places import Anywhere, Folder, Unplaced
from bioloom.data.stores import Content, Store, as_text
from bioloom.errors import UserError

if TYPE_CHECKING:
    from bioloom.data.records import Table

ENOUGH = 0.5
"""The share of filled cells that must look like names of files before a column counts as one of files: low, because a
cell that is none is told where its file is asked for, and a column that is not placed can be read by no one."""

LOOKED_UP = 20
"""Cells of a program's column that are looked up on the machine, where their form alone tells of no file."""

LABEL = "label"
"""The column of a table of files that is usually predicted."""

SAMPLE = 500
"""Cells that are looked at before all are."""

_FILE_NAME = re.compile(r"[^\n\t:*?\"<>|@]{0,400}[^\s/\\]\.[A-Za-z][A-Za-z0-9]{1,5}(?:#[\w#]+)?")


class AssetDtype(ExtensionDtype):
    """The type of a column of names of files."""

    name: ClassVar[str] = "names of files"
    type = str
    na_value: ClassVar[float] = np.nan

    @classmethod
    def construct_array_type(cls) -> Any:
        """The arrays of this type."""
        return AssetArray


class AssetArray(ExtensionArray):
    """Names of files, with where they lie.

    store: where the files are
    names: (cells,) text, NaN where missing
    """

    def __init__(self, store: Store, names: NDArray[np.object_]) -> None:
        self.store, self.names = store, names

    def content(self, row: int) -> Content:
        """The bytes of the file that a cell names, or its array. Raises UserError where it cannot be had."""
        return self.store.read(self._name(row))

    def sha256(self, row: int) -> str:
        """A hash of the content: files of equal content have equal ones, whatever they are called."""
        return self.store.sha256(self._name(row))

    def _name(self, row: int) -> str:
        name = self.names[row]
        if not isinstance(name, str):
            raise UserError("No file is named.", where=self.store.shown)
        return name

    @classmethod
    def _from_sequence(cls, scalars: Iterable[object], *, dtype: Any = None, copy: bool = False) -> Self:
        return cls(Unplaced(), _as_names(scalars))

    def _cast_pointwise_result(self, values: Any) -> Any:
        """What a function made of each cell is no name of a file any more."""
        return pd.Series(list(values), dtype=object).infer_objects().to_numpy()

    @classmethod
    def _from_factorized(cls, values: Sequence[object], original: AssetArray) -> Self:
        return cls(original.store, _as_names(values))

    @classmethod
    def _concat_same_type(cls, to_concat: Sequence[AssetArray]) -> Self:
        stores = {id(each.store): each.store for each in to_concat if len(each)}
        if len(stores) > 1:
            joint, names = joined([(each.store, each.names) for each in to_concat])
            return cls(joint, names)
        store = next((each.store for each in to_concat if len(each)), to_concat[0].store)
        return cls(store, np.concatenate([each.names for each in to_concat]))

    @property
    def dtype(self) -> AssetDtype:
        """Names of files."""
        return AssetDtype()

    @property
    def nbytes(self) -> int:
        """Bytes in memory, of the references alone."""
        return int(self.names.nbytes)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, item: Any) -> Any:
        item = pd.api.indexers.check_array_indexer(self, item)
        found = self.names[item]
        return AssetArray(self.store, found) if isinstance(found, np.ndarray) else found

    def __setitem__(self, key: Any, value: Any) -> None:
        self.names[key] = value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self.names.copy() if dtype is None else self.names.astype(dtype)

    def __eq__(self, other: object) -> Any:
        if isinstance(other, pd.Series | pd.Index | pd.DataFrame):
            return NotImplemented
        return self.names == (np.asarray(other, dtype=object) if isinstance(other, ExtensionArray) else other)

    def __hash__(self) -> int:
        raise TypeError("a column has no hash")

    def __reduce__(self) -> tuple[Any, ...]:
        return AssetArray, (self.store, self.names)

    def isna(self) -> NDArray[np.bool_]:
        """Which cells are missing, (cells,)."""
        return np.asarray(pd.isna(self.names))

    def take(self, indices: Any, *, allow_fill: bool = False, fill_value: Any = None) -> Self:
        """The cells at some places; with allow_fill those at -1 are missing."""
        places = np.asarray(indices, dtype=np.int64)
        if not allow_fill:
            return type(self)(self.store, self.names[places])
        if (places < -1).any():
            raise ValueError("places below -1")
        return type(self)(self.store, np.append(self.names, np.array([np.nan], dtype=object))[places])

    def copy(self) -> Self:
        """The same names anew; the files are where they are."""
        return type(self)(self.store, self.names.copy())


def assets_of(column: pd.Series[Any]) -> AssetArray:
    """The files that a column names. In one that its reader did not place, a cell is the content itself: a `data:` text
    or an array. A name in it is never looked for: who writes a table must not choose what is opened on this machine."""
    found = column.array
    if isinstance(found, AssetArray):
        return found
    texts = (as_text(cell) if isinstance(cell, np.ndarray) else cell for cell in column)
    return AssetArray(Unplaced(), _as_names(texts))


def of_files(store: Store, names: Iterable[object]) -> pd.Series[Any]:
    """A column of names of files that lie in a store."""
    return pd.Series(AssetArray(store, _as_names(names)))


def from_program(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of a data frame in memory that name files, knowing that they lie wherever the program says.

    Never for what was read from a file, whose author is not the one who runs this program.
    """
    anywhere = Anywhere()
    named = {}
    for name in frame.columns:
        if frame[name].dtype == object or isinstance(frame[name].dtype, pd.StringDtype):
            held = [as_text(cell) if isinstance(cell, np.ndarray) else cell for cell in frame[name]]
            texts = pd.Series(held, index=frame.index, dtype=object)
            if looks_like_files(texts) or _are_there(texts, anywhere):
                named[name] = of_files(anywhere, texts).set_axis(frame.index)
    return frame.assign(**named) if named else frame


def with_assets(table: Table, folder: Folder) -> Table:
    """The same table with every column that names files knowing where they lie; the files are part of its hash.

    folder: paths are relative to it
    """
    placed = with_assets_of(table, folder)
    named = [name for name in placed.frame.columns if isinstance(placed.frame[name].dtype, AssetDtype)]
    if not named:
        return table
    told = "\n".join(fingerprint(placed.frame[name].array) for name in named)
    digest = hashlib.sha256(f"{table.sha256}\n{told}".encode()).hexdigest()
    return replace(placed, sha256=digest)


def with_assets_of(table: Table, store: Store) -> Table:
    """The same table with every column that names files knowing that they lie in a store; its hash stays.

    A column called "label" beside files is what is predicted, unless the user names another one.
    """
    named = {
        name: of_files(store, table.frame[name])
        for name in table.frame.columns
        if looks_like_files(table.frame[name])
    }
    if not named:
        return table
    label = LABEL if LABEL in table.frame.columns else ""
    return replace(table, frame=table.frame.assign(**named), target=table.target or label)


def fingerprint(assets: AssetArray) -> str:
    """A hash of all contents in their order; a file that is not there counts as such."""
    digest = hashlib.sha256()
    for row in range(len(assets)):
        name = assets.names[row]
        there = isinstance(name, str) and assets.store.holds(name)
        digest.update((assets.sha256(row) if there else "none").encode() + b"\n")
    return digest.hexdigest()


def looks_like_files(column: pd.Series[Any]) -> bool:
    """Whether most cells look like names of files: something, a dot, and an ending that begins with a letter."""
    if column.dtype != object:
        return False
    filled = column[column.notna()]
    sample = filled.iloc[:: max(1, len(filled) // SAMPLE)]
    return len(filled) > 0 and _share(sample) >= ENOUGH and _share(filled) >= ENOUGH


def embedded(frame: pd.DataFrame) -> pd.DataFrame:
    """The same with the content of files in the cells, as texts: what a stored model keeps of its examples."""
    held = {}
    for name in frame.columns:
        if isinstance(frame[name].dtype, AssetDtype):
            assets = assets_of(frame[name])
            cells = [as_text(assets.content(row)) for row in range(len(assets))]
            held[name] = pd.Series(cells, index=frame.index, dtype=object)
    return frame.assign(**held) if held else frame


def _are_there(texts: pd.Series[Any], store: Store) -> bool:
    """Whether the first cells name files that exist, or hold a content."""
    cells = texts[texts.notna()].head(LOOKED_UP)
    return len(cells) > 0 and all(isinstance(cell, str) and store.holds(cell) for cell in cells)


def _share(cells: pd.Series[Any]) -> float:
    return sum(isinstance(cell, str) and _FILE_NAME.fullmatch(cell) is not None for cell in cells) / len(
        cells
    )


def _as_names(cells: Iterable[object]) -> NDArray[np.object_]:
    texts = [cell if isinstance(cell, str) else np.nan for cell in cells]
    names = np.empty(len(texts), dtype=object)
    names[:] = texts
    return names
