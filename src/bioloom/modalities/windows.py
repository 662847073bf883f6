"""What stands around each position of a record, as features of simple models for targets at every position."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.modalities import Encoded

REACH = 7
"""Positions to either side that simple models see; 15 in all, as in Qian, Sejnowski (1988)
doi:10.1016/0022-2836(88)90564-5 and since then in most windowed predictions of secondary structure."""

PIXELS = 2
"""Pixels to each side of a pixel that simple models see: 25 in all."""

AT_ONCE = 2**25
"""Numbers of features that are made at once: 128 MB of float32."""


@dataclass(frozen=True)
class Windows:
    """The surroundings of some positions.

    values: (positions, channels x window) float32, zeros beyond the ends of a record
    record: (positions,) which of the asked records each is of
    place:  (positions,) where it stands
    """

    values: NDArray[np.float32]
    record: NDArray[np.int64]
    place: NDArray[np.int64]


def windows(encoded: Encoded, index: NDArray[np.int64], reach: int = REACH) -> Windows:
    """The surroundings of all filled positions of some records of a sequence."""
    import torch

    x, mask = encoded.on("cpu").batch(torch.from_numpy(index))
    if x.ndim == 4:
        return _of_pictures(x)
    if mask is not None:
        x = x * mask[:, None]
    # (records, channels, positions, window)
    around = torch.nn.functional.pad(x, (reach, reach)).unfold(2, 2 * reach + 1, 1)
    filled = torch.ones(x.shape[0], x.shape[2], dtype=torch.bool) if mask is None else mask
    record, place = filled.nonzero(as_tuple=True)
    values = around.permute(0, 2, 1, 3)[record, place].flatten(1)
    return Windows(values.numpy(), record.numpy(), place.numpy())


def _of_pictures(x: Tensor) -> Windows:
    """The surroundings of all pixels, x (records, channels, height, width); places are counted line by line."""
    import torch

    side, records = 2 * PIXELS + 1, len(x)
    around = torch.nn.functional.unfold(x, side, padding=PIXELS)  # (records, channels x side x side, pixels)
    pixels = around.shape[2]
    values = around.permute(0, 2, 1).reshape(records * pixels, -1)
    return Windows(values.numpy(), np.repeat(np.arange(records), pixels), np.tile(np.arange(pixels), records))


def some_windows(
    encoded: Encoded, known: NDArray[np.bool_], index: NDArray[np.int64], most: int, seed: int
) -> Windows:
    """The surroundings of at most so many positions of some records whose target is known, chosen at random.

    known: (records, positions) of all records; `record` of what is returned are positions in `index`
    """
    record, place = np.nonzero(known[index])
    if len(record) > most:
        chosen = np.sort(np.random.default_rng(seed).choice(len(record), most, replace=False))
        record, place = record[chosen], place[chosen]
    parts = []
    for rows in blocks(encoded, np.unique(record)):
        found = windows(encoded, index[rows])
        wanted = np.isin(record, rows)
        keys = np.searchsorted(rows, record[wanted]), place[wanted]
        parts.append(found.values[_where(found, keys)])
    return Windows(np.concatenate(parts), record, place)


def _where(found: Windows, keys: tuple[NDArray[Any], NDArray[Any]]) -> NDArray[np.int64]:
    """Rows of windows by record and place; both are in order of record, then place."""
    width = int(found.place.max()) + 1
    rows = np.searchsorted(found.record * width + found.place, keys[0] * width + keys[1])
    return np.asarray(rows, dtype=np.int64)


def blocks(encoded: Encoded, rows: NDArray[np.int64], reach: int = REACH) -> Iterator[NDArray[np.int64]]:
    """Records some at a time, so that features of all their positions fit in memory."""
    window = 2 * reach + 1 if len(encoded.shape.places) == 1 else (2 * PIXELS + 1) ** 2
    size = max(1, AT_ONCE // (prod(encoded.shape.sizes) * window))
    for first in range(0, len(rows), size):
        yield rows[first : first + size]
