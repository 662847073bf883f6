"""Matrices of records and named features, mostly zeros, as tables: repeated names, size, notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from bioloom.data.profiles import PROFILE
from bioloom.data.reading import frames
from bioloom.data.records import Table
from bioloom.data.wording import counted, listed
from bioloom.errors import UserError
from bioloom.files import sha256

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.reading.raw import RawFile

LARGEST = 2_000_000_000
"""Bytes of a matrix with every zero written out; of a larger one the genes seen in most cells are read, as many as fit."""


def table(
    described: pd.DataFrame,
    matrix: tuple[NDArray[np.float32], tuple[str, ...]],
    file: RawFile,
    form: str,
    notes: list[str],
) -> Table:
    """What is said of the cells first, then one column for each gene.

    described: (records, columns)
    matrix:    (records, features) and the names of the features
    """
    values, names = matrix
    taken = set(names)
    profile = pd.DataFrame(values, columns=list(names), copy=False)
    beside = described.rename(columns={name: f"{name} (obs)" for name in described.columns if name in taken})
    frame = pd.concat([beside.reset_index(drop=True), profile], axis=1)
    frame.attrs[PROFILE] = tuple(names)
    return Table(
        frame=frame,
        lines=frames.numbered(frame),
        source=file.name,
        format=form,
        sha256=sha256(file.path),
        unit="cell",
        notes=tuple(notes),
    )


def numbers(values: Any) -> NDArray[np.float32]:
    """The numbers that are written down: of a sparse matrix those that are not 0."""
    return np.asarray(values.data if hasattr(values, "tocsr") else values)


def merged(values: Any, names: tuple[str, ...], where: str, notes: list[str]) -> tuple[Any, tuple[str, ...]]:
    """Counts of genes of one name added up; of other numbers repeated names are refused."""
    distinct, place = np.unique(np.array(names, dtype=str), return_inverse=True)
    if len(distinct) == len(names):
        return values, names
    repeated = [str(name) for name, count in zip(distinct, np.bincount(place), strict=True) if count > 1]
    known = numbers(values)
    if not bool((known == np.floor(known)).all()):
        raise UserError(
            f"{counted(len(repeated), 'gene name')} stand more than once ({listed(repeated)}), over numbers that are no counts.",
            where=where,
            fix="make the names unique (var_names_make_unique in scanpy), or give the counts, which can be added up",
        )
    join = sparse.csr_array((np.ones(len(names), dtype=np.float32), (np.arange(len(names)), place)))
    notes.append(
        f"{counted(len(repeated), 'gene name')} stand more than once ({listed(repeated, 3)}); their counts are added up"
    )
    return values @ join, tuple(map(str, distinct))


def fitting(
    values: Any, names: tuple[str, ...], notes: list[str]
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """The matrix with every zero written out, or as many of the genes seen in most cells as memory should hold.

    How much a gene varies over all cells is not looked at: it would tell of the tested ones what groups they make.
    """
    records, features = values.shape
    most = max(1, LARGEST // (4 * max(1, records)))
    if features > most:
        seen = _seen_in(values)
        kept = np.sort(np.argsort(-seen, kind="stable")[:most])
        notes.append(
            f"{most:,} of {features:,} genes are read, those seen in most of all cells, the tested ones too: more would "
            "fill the memory"
        )
        values, names = values[:, kept], tuple(names[place] for place in kept)
    dense: Any = values.toarray() if hasattr(values, "toarray") else values
    return np.ascontiguousarray(dense, dtype=np.float32), names


def _seen_in(values: Any) -> NDArray[np.int64]:
    """In how many records each feature is not 0, (features,)."""
    if hasattr(values, "tocsr"):
        return np.bincount(values.indices[values.data != 0], minlength=values.shape[1])
    return np.asarray(np.count_nonzero(values, axis=0), dtype=np.int64)
