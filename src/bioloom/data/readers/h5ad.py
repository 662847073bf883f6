"""Annotated matrices (.h5ad, AnnData): cells or samples with their genes, as scanpy and most public atlases keep them.

Read with h5py (an extra) by the layout that anndata documents, https://anndata.readthedocs.io/en/stable/fileformat-prose.html:
anndata itself would hold back pandas. Of the matrices in a file that are not scaled the one nearest to counts is taken.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from bioloom.data.readers import Reader, readers
from bioloom.data.reading import matrices
from bioloom.data.wording import short
from bioloom.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.reading.raw import RawFile
    from bioloom.data.records import Table

MOST_READ = 2**33
"""Bytes of one array of a file, unpacked: 8 GB. A file of a few kilobytes may claim any size."""

SCALED = (
    "the numbers seem scaled over all cells, the tested ones too, which a model should not know: give counts, as a layer "
    '"counts" or as raw'
)


@dataclass(frozen=True)
class _Matrix:
    """A matrix of a file: (records, features), its feature names, where it lies and why it was taken."""

    values: Any
    names: tuple[str, ...]
    where: str
    why: str = ""


def read(file: RawFile) -> Table:
    """Read an .h5ad file; columns of obs come first, then one column per gene."""
    h5py = _h5py(file)
    try:
        source = io.BytesIO(file.content()) if file.packed else str(file.path)
        with h5py.File(source, "r") as content:
            _refuse_elsewhere(content, file)
            return _read(file, content)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise UserError(
            f"This HDF5 file is damaged, or not laid out as AnnData is since 2020 ({error}).",
            where=file.shown,
            fix="write it anew with anndata 0.8 or later, or save the matrix as CSV",
        ) from error


def _h5py(file: RawFile) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise UserError(
            ".h5ad files need h5py, which is not installed.",
            where=file.shown,
            fix='pip install "bioloom[omics]", or save the matrix as CSV',
        ) from error
    return h5py


def _refuse_elsewhere(content: Any, file: RawFile) -> None:
    """UserError where something of the file stands in another one, which who wrote it would choose on this machine.

    Nothing is followed: soft links lead to another place of the same file, which is looked at there.
    """
    import h5py

    groups, seen = [content], set()
    while groups:
        group = groups.pop()
        for name in group:
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise _elsewhere(f"{group.name.rstrip('/')}/{name}", file)
            if isinstance(link, h5py.SoftLink):
                continue
            item = group[name]
            if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
                raise _elsewhere(item.name, file)
            address = h5py.h5o.get_info(item.id).addr
            if isinstance(item, h5py.Group) and address not in seen:  # a group may hold itself
                seen.add(address)
                groups.append(item)


def _elsewhere(name: str, file: RawFile) -> UserError:
    return UserError(
        f'"{short(name, 80)}" of this HDF5 file stands in another file, which is not opened.',
        where=file.shown,
        fix="write one file that holds everything, such as with write_h5ad of anndata",
    )


def _whole(item: Any) -> Any:
    """All of an array of a file. Raises UserError where it is larger than memory should hold."""
    if prod(item.shape) * item.dtype.itemsize > MOST_READ:
        raise UserError(
            f"An array of {' x '.join(f'{size:,}' for size in item.shape)} is larger than {MOST_READ >> 30} GB.",
            where=f"{item.name} of the .h5ad file",
            fix="take fewer cells or genes, or save the matrix as a sparse one",
        )
    return item[()]


def _read(file: RawFile, content: Any) -> Table:
    if "obs" not in content or "X" not in content:
        raise UserError(
            "This HDF5 file holds no annotated matrix (AnnData).",
            where=file.shown,
            fix="give an .h5ad file, or save the values as CSV",
        )
    obs = _frame(content["obs"])
    chosen = _choose(content)
    notes = [f"the numbers are those of {chosen.where}{chosen.why}"]
    values, names = matrices.merged(chosen.values, chosen.names, file.shown, notes)
    if _lowest(values) < 0:
        notes.append(SCALED)
    return matrices.table(obs, matrices.fitting(values, names, notes), file, "AnnData", notes)


# ---- which matrix -----------------------------------------------------------------------------------------------


def _choose(content: Any) -> _Matrix:
    """Counts in a layer; else X, unless it is scaled and what it was made from is there too."""
    names = _index(content["var"])
    shape = (_count(content["obs"]), len(names))
    layers = content.get("layers", {})
    for layer in ("counts", "raw_counts", "umi", "spliced"):
        if layer in layers:
            return _Matrix(_values(layers[layer], shape), names, f'the layer "{layer}"')
    x = _values(content["X"], shape)
    if _lowest(x) < 0 and "raw" in content and "X" in content["raw"]:
        raw = content["raw"]
        why = ", because X is scaled over all cells, those of the test too"
        names = _index(raw["var"])
        return _Matrix(_values(raw["X"], (shape[0], len(names))), names, "raw.X", why)
    return _Matrix(x, names, "X")


def _lowest(values: Any) -> float:
    numbers = matrices.numbers(values)
    return float(numbers.min()) if numbers.size else 0.0


def _values(item: Any, shape: tuple[int, int]) -> Any:
    """A dense array, or a matrix in compressed sparse rows, in float32.

    shape: (records, features) as obs and var name them; what a matrix says of itself might be of any size
    """
    kind = str(item.attrs.get("encoding-type", "array"))
    told = tuple(map(int, item.shape if kind == "array" else item.attrs["shape"]))
    if told != shape:
        raise ValueError(f"{item.name} has the shape {told}, and obs and var name {shape}")
    if kind == "array":
        return np.asarray(_whole(item), dtype=np.float32)
    if kind not in ("csr_matrix", "csc_matrix"):
        raise ValueError(f"a matrix of the type {kind}")
    parts = _whole(item["data"]).astype(np.float32), _whole(item["indices"]), _whole(item["indptr"])
    make = sparse.csr_array if kind == "csr_matrix" else sparse.csc_array
    return make(parts, shape=shape).tocsr()


# ---- what is said about the records -----------------------------------------------------------------------------


def _index(group: Any) -> tuple[str, ...]:
    """The names of rows of a data frame."""
    return tuple(_text(cell) for cell in _whole(group[str(group.attrs["_index"])]))


def _count(group: Any) -> int:
    """How many rows a data frame has."""
    return int(group[str(group.attrs["_index"])].shape[0])


def _frame(group: Any) -> pd.DataFrame:
    """A data frame of a file: names in the column id, categories and words as text, numbers as they are."""
    found: dict[str, NDArray[Any]] = {"id": np.array(_index(group), dtype=object)}
    for name in map(str, group.attrs["column-order"]):
        column = _column(group[name])
        if column is not None:
            found["id (obs)" if name == "id" else name] = column
    return pd.DataFrame(found)


def _column(item: Any) -> NDArray[Any] | None:
    """One column; None for kinds that say nothing here, such as nested ones."""
    kind = str(item.attrs.get("encoding-type", "array"))
    if kind == "categorical":
        names = np.array([*map(_text, _whole(item["categories"])), np.nan], dtype=object)
        return np.asarray(names[_whole(item["codes"])])  # code -1 is a missing cell, the last name
    if kind in ("nullable-integer", "nullable-boolean", "nullable-string-array"):
        values = _whole(item["values"]).astype(object)
        values[_whole(item["mask"])] = np.nan
        return np.asarray(
            [_text(cell) if isinstance(cell, bytes | bool | np.bool_) else cell for cell in values],
            dtype=object,
        )
    if not hasattr(item, "dtype") or len(item.shape) != 1:
        return None
    values = _whole(item)
    if values.dtype.kind in "OSUb":
        return np.array([_text(cell) for cell in values], dtype=object)
    return np.asarray(values, dtype=np.float64 if values.dtype.kind == "f" else values.dtype)


def _text(cell: Any) -> str:
    return cell.decode() if isinstance(cell, bytes) else str(cell)


reader = readers.register(
    Reader(
        name="AnnData",
        suffixes=(".h5ad",),
        sniff=lambda file: file.head.startswith(b"\x89HDF\r\n\x1a\n"),
        read=read,
    )
)
