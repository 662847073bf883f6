"""Predictions at every position as cells of a table: a text of letters, or numbers with spaces between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bioloom.data.positions import UNKNOWN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.targets import Targets


def cells(targets: Targets, value: NDArray[Any], lengths: NDArray[np.int64]) -> list[str]:
    """What is said of each record: one letter, or one number, for each of its positions.

    value:   (records, classes, positions) probabilities, or (records, 1, positions) numbers
    lengths: (records,) positions that each record has; of longer ones than the network sees, whose middle it was shown,
             the rest is unknown
    """
    if not targets.classes:
        return [" ".join(f"{number:.4g}" for number in row) for row in _spread_out(value[:, 0], lengths)]
    codes = np.where(np.isfinite(value[:, 0]), value.argmax(axis=1), len(targets.classes))
    return letters(targets, codes, lengths)


def letters(targets: Targets, codes: NDArray[Any], lengths: NDArray[np.int64]) -> list[str]:
    """Class numbers as letters, one text for each record; what is no class is unknown.

    codes: (records, positions), NaN or the number of classes where unknown
    """
    signs = np.array([*targets.classes, UNKNOWN], dtype="<U1")
    known = np.where(np.isfinite(codes.astype(np.float64)), codes, len(targets.classes)).astype(np.int64)
    found = []
    for row, length in zip(known, lengths.tolist(), strict=True):
        first, width = _window(length, len(row))
        middle = "".join(signs[row[:width]])
        found.append(UNKNOWN * first + middle + UNKNOWN * (length - first - width))
    return found


def _spread_out(values: NDArray[Any], lengths: NDArray[np.int64]) -> list[NDArray[Any]]:
    """The numbers of each record at its own positions, NaN where the network was not shown them."""
    found = []
    for row, length in zip(values, lengths.tolist(), strict=True):
        first, width = _window(length, len(row))
        whole = np.full(length, np.nan)
        whole[first : first + width] = row[:width]
        found.append(whole)
    return found


def _window(length: int, width: int) -> tuple[int, int]:
    """Where the part of a record begins that the network was shown, and how long it is."""
    return max(0, length - width) // 2, min(length, width)


def masks(targets: Targets, value: NDArray[Any]) -> list[NDArray[np.uint16]]:
    """The mask of each record, (height, width), in the numbers of the masks that were learned from.

    value: (records, classes, height, width) probabilities
    """
    numbers = np.array([int(name) for name in targets.classes])
    found = numbers[value.argmax(axis=1)]
    return [mask.astype(np.uint8 if numbers.max() < 256 else np.uint16) for mask in found]


def each_position(
    targets: Targets, ids: Sequence[str], value: NDArray[Any], lengths: NDArray[np.int64]
) -> pd.DataFrame:
    """One row for each position: id, position from 1, and the number, or the class and the probability of each.

    value, lengths: as in `cells`
    """
    (name,) = targets.names
    record = np.repeat(np.arange(len(lengths)), lengths)
    columns: dict[str, Any] = {
        "id": np.asarray(ids, dtype=object)[record],
        "position": np.concatenate(
            [np.arange(1, length + 1) for length in lengths.tolist()] or [np.zeros(0, int)]
        ),
    }
    numbers = [
        np.concatenate([*_spread_out(value[:, i], lengths), np.zeros(0)]) for i in range(value.shape[1])
    ]
    if targets.classes:
        columns[name] = list("".join(cells(targets, value, lengths)))
    columns |= dict(zip(targets.column_names(), numbers, strict=True))
    return pd.DataFrame(columns)


def sureness(value: NDArray[Any]) -> NDArray[np.float32]:
    """The mean probability of the class that is called, over the positions of each record, (records,)."""
    highest = value.max(axis=1).reshape(len(value), -1)
    known = np.isfinite(highest)
    means = np.where(known, highest, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(known.any(axis=1), means, np.nan).astype(np.float32)
