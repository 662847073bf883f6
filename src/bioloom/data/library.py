"""Libraries: many variants of one parent sequence, as mutagenesis makes them.

In a library every record is a near copy of every other, so families say nothing; what can be held out is
mutations.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Index = NDArray[np.int64]
    Letters = NDArray[np.uint8]

FEWEST = 50
"""Fewer records than this are not called a library."""

ONE_LENGTH = 0.95
"""This share of the records must have the parent's length; substitutions keep it."""

MOST_MUTATED = 0.25
"""The median record may differ from the parent at this share of its positions."""

PAIRS = 1 << 25
"""Pairs of records compared at once: 128 MB of counts."""


@dataclass(frozen=True)
class Library:
    """Variants of one parent.

    parent:  the most frequent letter at each position
    letters: (records, positions) bytes; a record of another length has 0 at every position
    aligned: (records,) True for records of the parent's length
    """

    parent: str
    letters: Letters
    aligned: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.letters)

    @cached_property
    def mutated(self) -> NDArray[np.bool_]:
        """(records, positions) where a record differs from the parent; False for another length."""
        differs: NDArray[np.bool_] = self.letters != np.frombuffer(self.parent.encode("latin-1"), np.uint8)
        return differs & self.aligned[:, None]

    @property
    def mutations(self) -> Index:
        """Positions at which each record of the parent's length differs from it, (aligned records,)."""
        count: Index = self.mutated[self.aligned].sum(axis=1)
        return count

    @property
    def words(self) -> str:
        """The library in words."""
        median = float(np.median(self.mutations))
        return (
            f"variants of one parent of {len(self.parent)} letters, which differ from it "
            f"at {median:.0f} position{'' if median == 1 else 's'} in the median"
        )

    def typical_distance(self, pairs: int = 2_000) -> float:
        """Positions at which two variants drawn at random differ: the median over some pairs, always the same."""
        aligned = self.letters[self.aligned]
        one, other = np.random.default_rng(0).integers(0, len(aligned), size=(2, pairs))
        return float(np.median((aligned[one] != aligned[other]).sum(axis=1)))

    def spacing(self, seed: int, sample: int = 300) -> float:
        """Positions at which a typical record differs from the record nearest to it; copies do not count.

        The median over a sample of records; NaN where all records are copies of one.
        """
        distinct = np.unique(self.letters[self.aligned], axis=0)
        if len(distinct) < 2:
            return float("nan")
        chosen = np.random.default_rng(seed).permutation(len(distinct))[:sample]
        away = [
            _differing(distinct[[row]], np.delete(distinct, row, axis=0)).min() for row in chosen.tolist()
        ]
        return float(np.median(away))


def one_parent(sequences: NDArray[np.object_]) -> Library | None:
    """The library that some sequences are, or None where they are not variants of one parent.

    sequences: (records,) upper-case text
    The median record must differ from the consensus at a quarter of the positions at most, and at less than
    half as many as letters of the same composition in random order would.
    """
    if len(sequences) < FEWEST:
        return None
    lengths = np.array([len(text) for text in sequences])
    length = int(np.bincount(lengths).argmax())
    usual = lengths == length
    if length == 0 or usual.mean() < ONE_LENGTH:
        return None
    letters = np.zeros((len(sequences), length), dtype=np.uint8)
    letters[usual] = as_letters(sequences[usual], length)
    parent, by_chance = _consensus(letters[usual])
    library = Library(parent, letters, usual)
    differing = float(np.median(library.mutations)) / length
    if differing > min(MOST_MUTATED, by_chance / 2) or not library.mutated.any():
        return None
    return library


def _consensus(letters: Letters) -> tuple[str, float]:
    """The most frequent letter at each position; how often a letter at random is not the most frequent one."""
    seen = np.unique(letters)
    counts = np.stack([(letters == letter).sum(axis=0) for letter in seen])  # (letters, positions)
    parent = seen[counts.argmax(axis=0)].tobytes().decode("latin-1")
    return parent, 1 - float(counts.sum(axis=1).max() / counts.sum())


def as_letters(sequences: NDArray[np.object_], length: int) -> Letters:
    """Sequences of one length as bytes, (records, length)."""
    joined = "".join(sequences).encode("latin-1", "replace")
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, length)


def nearest(queries: NDArray[np.object_], targets: NDArray[np.object_]) -> tuple[Index, Index]:
    """The target that differs from each query at the fewest positions, and at how many; all of one length.

    Targets that differ in one position at most are found by hashing, which settles most of a mutational
    scan; the others by a product of one-hot matrices, which runs at the speed of the processor.
    """
    length = len(targets[0])
    asked, known = as_letters(queries, length), as_letters(targets, length)
    found, distance = _within_one(asked, known)
    rest = np.flatnonzero(found < 0)
    found[rest], distance[rest] = _by_product(asked[rest], known)
    return found, distance


def _within_one(queries: Letters, targets: Letters) -> tuple[Index, Index]:
    """Targets that equal a query, or do so where one position is left out; -1 where there is none."""
    found, distance = np.full(len(queries), -1), np.zeros(len(queries), dtype=np.int64)
    length = queries.shape[1]
    values = np.random.default_rng(0).integers(0, 1 << 64, (length, 256), dtype=np.uint64)
    of_query, of_target = (values[np.arange(length), letters].sum(axis=1) for letters in (queries, targets))
    for left_out in range(-1, length):  # first with no position left out
        rest = np.flatnonzero(found < 0)
        if not len(rest):
            break
        keys, wanted = of_target, of_query[rest]
        if left_out >= 0:
            keys = keys - values[left_out, targets[:, left_out]]
            wanted = wanted - values[left_out, queries[rest, left_out]]
        order = np.argsort(keys, kind="stable")
        candidate = order[np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)]
        away = _differing(queries[rest], targets[candidate])
        same = (keys[candidate] == wanted) & (away <= (left_out >= 0))
        found[rest[same]], distance[rest[same]] = candidate[same], away[same]
    return found, distance


def _by_product(queries: Letters, targets: Letters) -> tuple[Index, Index]:
    varying = (targets != targets[0]).any(axis=0) | (queries != targets[0]).any(axis=0)
    seen = np.unique(np.concatenate([np.unique(queries), np.unique(targets)]))
    known = _one_hot(targets[:, varying], seen).T
    found, equal = np.zeros(len(queries), dtype=np.int64), np.zeros(len(queries))
    step = max(PAIRS // len(targets), 1)
    for start in range(0, len(queries), step):
        # (block, targets) equal letters
        same = _one_hot(queries[start : start + step][:, varying], seen) @ known
        found[start : start + step] = same.argmax(axis=1)
        equal[start : start + step] = same[np.arange(len(same)), found[start : start + step]]
    return found, int(varying.sum()) - equal.round().astype(np.int64)


def _one_hot(letters: Letters, seen: Letters) -> NDArray[np.float32]:
    hot: NDArray[np.bool_] = letters[:, :, None] == seen
    return hot.reshape(len(letters), letters.shape[1] * len(seen)).astype(np.float32)


def _differing(one: Letters, other: Letters) -> Index:
    """At how many positions rows differ, (rows,)."""
    count: Index = (one != other).sum(axis=1)
    return count
