"""Matrix Market files with their two lists of names (.mtx), as 10x Genomics' Cell Ranger and STARsolo write counts of cells.

The three files lie side by side: matrix.mtx with the numbers, features.tsv (or genes.tsv) with the name of each row and
barcodes.tsv with that of each column, each packed or not; a common beginning of the names, such as of GEO, is known.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bioloom.data.readers import Reader, readers
from bioloom.data.reading import matrices
from bioloom.data.reading.raw import open_file
from bioloom.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from bioloom.data.reading.raw import RawFile
    from bioloom.data.records import Table

SYMBOL, KIND = 1, 2
"""Columns of features.tsv: what a gene is called, and what is counted; the first is its identifier."""

GENES = "Gene Expression"
"""The kind of feature that is read where there are several, such as antibodies beside genes."""


def read(file: RawFile) -> Table:
    """Read a matrix of counts: a row for each cell, named by its barcode, and a column for each gene."""
    features, barcodes = _beside(file, ("features.tsv", "genes.tsv")), _beside(file, ("barcodes.tsv",))
    described, cells = _lines(features), _lines(barcodes)
    values = _matrix(file)
    if values.shape != (len(described), len(cells)):
        genes, columns = values.shape
        raise UserError(
            f"The matrix has {genes:,} rows and {columns:,} columns, but there are {len(described):,} features and "
            f"{len(cells):,} barcodes.",
            where=f"{file.shown}, {features.name}, {barcodes.name}",
            fix="take the three files from one folder, as they were written",
        )
    notes = [f"{features.name} and {barcodes.name} beside it name genes and cells"]
    chosen = _genes(described, notes)
    names = tuple(
        row[min(SYMBOL, len(row) - 1)] for row, wanted in zip(described, chosen, strict=True) if wanted
    )
    counts, names = matrices.merged(
        values.tocsr()[chosen].T.tocsr().astype(np.float32), names, file.shown, notes
    )
    obs = pd.DataFrame({"id": np.array([row[0] for row in cells], dtype=object)})
    return matrices.table(obs, matrices.fitting(counts, names, notes), file, "Matrix Market", notes)


def _beside(file: RawFile, wanted: tuple[str, ...]) -> RawFile:
    """The list of names beside the matrix. Raises UserError where it is not there."""
    name = file.path.name
    beginning = name[: name.lower().rindex("matrix")] if "matrix" in name.lower() else ""
    candidates = [
        file.path.with_name(f"{start}{each}{packed}")
        for start in dict.fromkeys((beginning, ""))
        for each in wanted
        for packed in (".gz", "")
    ]
    found: Path | None = next((path for path in candidates if path.is_file()), None)
    if found is None:
        raise UserError(
            f"There is no {' or '.join(wanted)} beside this matrix, so that its rows and columns have no names.",
            where=file.shown,
            fix=f"put {beginning}{wanted[0]}.gz into the same folder: the three files belong together",
        )
    return open_file(found)


def _lines(file: RawFile) -> list[list[str]]:
    text = file.content().decode("utf-8", errors="replace")
    return [line.rstrip("\r").split("\t") for line in text.split("\n") if line.strip()]


def _matrix(file: RawFile) -> Any:
    """(features, cells), sparse; what it says of its size is not believed yet."""
    from scipy.io import mmread

    try:
        values = mmread(io.BytesIO(file.content()))
    except (ValueError, OverflowError, MemoryError) as error:
        raise UserError(
            f"This is no complete Matrix Market file ({error}).",
            where=file.shown,
            fix="export or download it again",
        ) from error
    if not hasattr(values, "tocsr") or np.iscomplexobj(values):
        raise UserError(
            "This matrix is not a sparse one of numbers, as counts of cells are.",
            where=file.shown,
            fix='export it with "coordinate" in its first line, or save it as CSV',
        )
    return values


def _genes(described: list[list[str]], notes: list[str]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which features are genes; all of them where their kinds are not told."""
    kinds = np.array([row[KIND] if len(row) > KIND else "" for row in described], dtype=object)
    chosen = kinds == GENES
    if not chosen.any() or chosen.all():
        return np.ones(len(kinds), dtype=bool)
    others = sorted(set(map(str, kinds[~chosen])))
    notes.append(
        f"{np.count_nonzero(~chosen):,} features that are not genes are left out: {', '.join(others)}"
    )
    return np.asarray(chosen, dtype=bool)


reader = readers.register(
    Reader(
        name="Matrix Market",
        suffixes=(".mtx",),
        sniff=lambda file: file.head[:14].lower() == b"%%matrixmarket",
        read=read,
        folders=True,
    )
)
