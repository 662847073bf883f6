"""As a column of the file says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bioloom.data.split import Split, SplitRequest, Splitter, splitters, validation_from
from bioloom.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORDS = {
    "train": "train", "training": "train", "learn": "train", "fit": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "development": "validation", "tune": "validation",
    "test": "test", "testing": "test", "holdout": "test", "hold-out": "test", "heldout": "test", "eval": "test",
}  # fmt: skip
"""What a split column may say."""


def by_column(request: SplitRequest) -> Split:
    """As a column of the file says; where it names no validation records, some of the training records are taken."""
    if request.column is None:
        raise UserError(
            "There is no column to split by.", where="--split column", fix="name a column with --split COLUMN"
        )
    part = _read_words(request.column)
    for needed in ("train", "test"):
        if not (part == needed).any():
            raise UserError(
                f"The split column names no {needed} records.",
                where="--split",
                fix='write "train", "validation" and "test" into the column, or leave out --split',
            )
    if (part == "validation").any():
        return Split(part, "column", "The file says which record is for what.")
    train = np.flatnonzero(part == "train")
    share = request.validation / (1 - request.test)
    taken = validation_from(request, train, _alike(request, train))
    part[train[taken == "validation"]] = "validation"
    reason = f"The file says which records are for the test; {share:.0%} of its training records were taken for validation."
    return Split(part, "column", reason)


def _alike(request: SplitRequest, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """What stays together among some rows: given groups, else copies (in a library, or of many records), else families."""
    if request.group is not None:
        groups = pd.Series(request.group[rows], dtype=object)
        return pd.factorize(groups, use_na_sentinel=False)[0].astype(np.int64)
    if request.many or request.library() is not None:
        return request.copies()[rows]
    return request.together().labels[rows]


def _read_words(column: NDArray[np.object_]) -> NDArray[np.object_]:
    cells = ["" if pd.isna(cell) else str(cell).strip() for cell in column]
    part = np.array([WORDS.get(cell.lower(), "") for cell in cells], dtype=object)
    unknown = sorted({cell for cell, word in zip(cells, part, strict=True) if not word})
    if unknown:
        shown = ", ".join(f'"{word}"' if word else "an empty cell" for word in unknown[:5])
        raise UserError(
            f"The split column holds words that name no part: {shown}.{did_you_mean(unknown[0].lower(), WORDS)}",
            where="--split",
            fix='use "train", "validation" and "test"',
        )
    return part


splitters.register(Splitter("column", "as a column of the file says", by_column))
