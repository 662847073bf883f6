"""Test records that the model to begin with had learned from go to the training records, where the test is ours to draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bioloom.data.split import Split, splitters
from bioloom.data.wording import counted
from bioloom.journey.prepare import Prepared

FEWEST = 20
"""A test, or validation records, of fewer than this are not made by moving: then a check says how many were learned."""


def fresh_test(prepared: Prepared, split: Split, copies: NDArray[np.int64]) -> Split:
    """The split without test records that the start had learned from, and without validation records it was fitted to.

    They become training records, with all that the split keeps together with them. The same object comes back where
    there is nothing to move, where the test is not drawn by lot, and where too few would be left.
    copies: (records,) numbers that exact copies share
    """
    start = prepared.start
    seen = None if start is None else start.seen(prepared.records.inputs)
    if start is None or seen is None or not splitters[split.method].by_lot:
        return split
    units = copies if split.units is None else split.units
    part, notes = split.part.copy(), []
    for name, known in (("test", seen.either), ("validation", seen.train)):
        moved = (split.part == name) & np.isin(units, units[(split.part == name) & known])
        left = int((split.part == name).sum() - moved.sum())
        if moved.any() and left >= FEWEST:
            part[moved] = "train"
            notes.append(
                f"{counted(int(moved.sum()), f'{name} record')} that {start.folder} had learned from, or that stay "
                f"together with such, became training records; {left:,} are left."
            )
    return replace(split, part=part, notes=(*split.notes, *notes)) if notes else split
