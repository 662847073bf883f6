"""Simple models for targets at every position: each position is a row, described by what stands around it."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from bioloom.modalities.windows import PIXELS, REACH, blocks, windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.modalities import Encoded
    from bioloom.models import SimpleModel


def told(encoded: Encoded) -> str:
    """What these models see, in words."""
    if len(encoded.shape.places) == 2:
        return f"each pixel and {PIXELS} to every side"
    return f"letters or numbers at each position and {REACH} to either side"


def answers(
    model: SimpleModel, encoded: Encoded, rows: NDArray[np.int64], outputs: int
) -> NDArray[np.float32]:
    """Predictions of a simple model at every position of some records, (rows, targets or classes, *places).

    outputs: targets or classes; positions behind the end of a record are NaN
    """
    places = encoded.shape.places
    found = np.full((len(rows), outputs, prod(places)), np.nan, dtype=np.float32)
    first = 0
    for some in blocks(encoded, rows):
        seen = windows(encoded, some)
        found[first + seen.record, :, seen.place] = each_class(model.predict(seen.values), outputs)
        first += len(some)
    return found.reshape(len(rows), outputs, *places)


def each_class(value: NDArray[np.float32], outputs: int) -> NDArray[np.float32]:
    """Probabilities of both classes where only that of the second is given, (rows, outputs)."""
    if value.shape[1] == outputs:
        return value
    return np.column_stack([1 - value, value]).astype(np.float32)
