"""NumPy archives (.npz): pictures in one array, labels in another, in parts of a split or not.

`train_images`, `train_labels`, `val_images`, ... as MedMNIST has them; `x_train`, `y_train`, ... as Keras does; or
plain `images` and `labels`. What has three dimensions or more is one picture (or other array) per record; vectors
and matrices are columns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bioloom.data.assets import of_files
from bioloom.data.places import Arrays
from bioloom.data.readers import Reader, readers
from bioloom.data.reading.folders import PARTS
from bioloom.data.records import Table
from bioloom.data.wording import listed
from bioloom.errors import UserError
from bioloom.files import sha256

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.reading.raw import RawFile

TARGETS = ("label", "y", "target", "class")
"""What the array to predict is usually called."""

MOST_CLASSES = 100
"""Whole numbers of more values than this are not classes."""

_PART = re.compile(
    rf"(?P<before>{'|'.join(PARTS)})_(?P<name>.+)|(?P<other>.+)_(?P<after>{'|'.join(PARTS)})", re.IGNORECASE
)


def read(file: RawFile) -> Table:
    """Read an .npz. Raises UserError where arrays differ in length, are missing in a part, or hold Python objects."""
    store = Arrays(file.path)
    found = {name: store.array(name) for name in store.names()}
    arrays = {name: array for name, array in found.items() if array.ndim > 0}
    if not arrays:
        raise UserError(
            "The archive holds no array of records.", where=file.shown, fix="save pictures and labels"
        )
    parts = _parts(list(arrays), file)
    frames = [_frame(store, {plain: (name, arrays[name]) for plain, name in names.items()}, part, file)
              for part, names in parts.items()]  # fmt: skip
    frame = pd.concat(frames, ignore_index=True)
    target = next((name for name in TARGETS if name in frame.columns), "")
    return Table(
        frame=frame,
        lines=np.arange(1, len(frame) + 1, dtype=np.int64),
        source=file.name,
        format="NumPy arrays (.npz)",
        sha256=sha256(file.path),
        unit="entry",
        notes=_notes(parts, frame, target),
        target=target,
        task=_task(frame[target]) if target else "",
    )


def _parts(names: list[str], file: RawFile) -> dict[str, dict[str, str]]:
    """By part of the split, "" where there is none: the name of each array by what it is called in every part."""
    matches = {name: _PART.fullmatch(name) for name in names}
    if not all(matches.values()):
        return {"": {_singular(name): name for name in names}}
    parts: dict[str, dict[str, str]] = {}
    for name, match in matches.items():
        assert match is not None
        part = PARTS[(match["before"] or match["after"]).lower()]
        parts.setdefault(part, {})[_singular(match["name"] or match["other"])] = name
    first, *others = parts.values()
    if any(set(other) != set(first) for other in others):
        raise UserError(
            f"The parts of the split do not hold the same arrays: {listed(names, 12)}.",
            where=file.shown,
            fix="save the same arrays for each part, such as train_images, train_labels, test_images, test_labels",
        )
    return parts


def _singular(name: str) -> str:
    """images -> image: a column is called after one record."""
    return name[:-1] if len(name) > 3 and name.endswith("s") and not name.endswith("ss") else name


def _frame(
    store: Arrays, arrays: dict[str, tuple[str, NDArray[Any]]], part: str, file: RawFile
) -> pd.DataFrame:
    lengths = {name: len(array) for name, array in arrays.values()}
    if len(set(lengths.values())) > 1:
        told = [f"{name} {length:,}" for name, length in lengths.items()]
        raise UserError(
            f"The arrays differ in length: {listed(told, 12)}.",
            where=file.shown,
            fix="save one entry per record in each",
        )
    columns: dict[str, Any] = {}
    for plain, (name, array) in arrays.items():
        if array.ndim > 2:
            columns[plain] = of_files(store, [f"{name}#{number}" for number in range(len(array))])
        elif array.ndim == 2 and array.shape[1] > 1:
            columns |= {f"{plain}_{place + 1}": array[:, place] for place in range(array.shape[1])}
        else:
            columns[plain] = _cells(array.reshape(len(array)))
    if part:
        columns["split"] = pd.Series([part] * next(iter(lengths.values())), dtype=object)
    return pd.DataFrame(columns)


def _cells(array: NDArray[Any]) -> pd.Series[Any]:
    if array.dtype.kind in "iuf":
        return pd.Series(array)
    texts = [
        cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell) for cell in array.tolist()
    ]
    return pd.Series(texts, dtype=object)


def _task(cells: pd.Series[Any]) -> str:
    """Whole numbers that repeat are numbers of classes: nobody stores a measurement of pictures so."""
    if cells.dtype.kind not in "iu":
        return ""
    distinct = int(cells.nunique())
    if not 2 <= distinct <= min(MOST_CLASSES, len(cells) // 2):
        return ""
    return "binary" if distinct == 2 else "multiclass"


def _notes(parts: dict[str, dict[str, str]], frame: pd.DataFrame, target: str) -> tuple[str, ...]:
    notes = []
    if "" not in parts:
        counts = frame["split"].value_counts(sort=False)
        told = [f"{part} {count:,}" for part, count in counts.items()]
        notes.append(f"the names of the arrays say which records are for what: {listed(told)}")
    if target:
        notes.append(f'"{target}" is predicted unless another column is named with --target')
    return tuple(notes)


reader = readers.register(
    Reader(
        name="NumPy arrays (.npz)",
        suffixes=(".npz",),
        sniff=lambda file: file.head.startswith(b"PK\x03\x04") and b".npy" in file.head[:512],
        read=read,
    )
)
