"""Libraries: many variants of one parent sequence, as mutagenesis makes them.

In a library every record is a near copy of every other, so families say nothing; what can be held out is
mutations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST = 50
"""Fewer records than this are not called a library."""

ONE_LENGTH = 0.95
"""This share of the records must have the parent's length; substitutions keep it."""

MOST_MUTATED = 0.25
"""The median record may differ from the parent at this share of its positions."""

BLOCK = 2_000
"""Queries compared at once: with 40,000 targets, 320 MB of distances."""


@dataclass(frozen=True)
class Library:
    """Variants of one parent.

    parent:  the most frequent letter at each position
    mutated: (records, positions) where a record differs from the parent; all True for another length
    """

    parent: str
    mutated: NDArray[np.bool_]

    @property
    def mutations(self) -> NDArray[np.int64]:
        """Positions at which each record differs from the parent, (records,)."""
        return self.mutated.sum(axis=1)

    @property
    def words(self) -> str:
        """The library in words."""
        median = float(np.median(self.mutations))
        return (
            f"variants of one parent of {len(self.parent)} letters, which differ from it "
            f"at {median:.0f} position{'' if median == 1 else 's'} in the median"
        )


def one_parent(sequences: NDArray[np.object_]) -> Library | None:
    """The library that some sequences are, or None where they are not variants of one parent.

    sequences: (records,) upper-case text
    """
    if len(sequences) < FEWEST:
        return None
    lengths = np.array([len(text) for text in sequences])
    length = int(np.bincount(lengths).argmax())
    usual = lengths == length
    if length == 0 or usual.mean() < ONE_LENGTH:
        return None
    letters = as_letters(sequences[usual], length)
    parent = np.array([np.bincount(column).argmax() for column in letters.T], dtype=np.uint8)
    differs = letters != parent
    if np.median(differs.mean(axis=1)) > MOST_MUTATED:
        return None
    mutated = np.ones((len(sequences), length), dtype=bool)
    mutated[usual] = differs
    return Library(parent.tobytes().decode("latin-1"), mutated)


def as_letters(sequences: NDArray[np.object_], length: int) -> NDArray[np.uint8]:
    """Sequences of one length as bytes, (records, length)."""
    joined = "".join(sequences).encode("latin-1", "replace")
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, length)


def nearest(
    queries: NDArray[np.object_], targets: NDArray[np.object_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The target that differs from each query at the fewest positions, and at how many; all of one length.

    Counted as a product of one-hot matrices, because that runs at the speed of the processor.
    """
    length = len(targets[0])
    letters, codes = np.unique(as_letters(np.concatenate([queries, targets]), length), return_inverse=True)
    codes = codes.reshape(-1, length)
    varying = (codes != codes[0]).any(axis=0)
    onehot = (codes[:, varying, None] == np.arange(len(letters))).reshape(len(codes), -1).astype(np.float32)
    asked, known = onehot[: len(queries)], onehot[len(queries) :]
    found = np.zeros(len(queries), dtype=np.int64)
    equal = np.zeros(len(queries), dtype=np.float32)
    for start in range(0, len(queries), BLOCK):
        same = asked[start : start + BLOCK] @ known.T  # (block, targets) equal letters at varying positions
        found[start : start + BLOCK] = same.argmax(axis=1)
        equal[start : start + BLOCK] = same.max(axis=1)
    return found, int(varying.sum()) - equal.round().astype(np.int64)
