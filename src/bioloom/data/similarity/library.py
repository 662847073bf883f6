"""Libraries of variants of one parent: aligned records, their mutations, and how far apart they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Index = NDArray[np.int64]
    Codes = NDArray[np.uint8]

USUAL = 0.95  # share of records that must have the usual length
CLOSE = 0.25  # share of positions in which the median record may differ from the parent
BLOCK = 1 << 24  # distances computed at a time
MISSING = np.uint8(0)


@dataclass(frozen=True)
class Library:
    """Records that are variants of one parent.

    parent:  the most frequent letter at each position
    codes:   (records, positions) letters as bytes; a record of another length has MISSING at every position
    aligned: (records,) True for records of the parent's length
    """

    parent: str
    codes: Codes
    aligned: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def mutated(self) -> NDArray[np.bool_]:
        """(records, positions) True where a record differs from the parent; False where not aligned."""
        differs: NDArray[np.bool_] = self.codes != _bytes_of(self.parent)
        return differs & self.aligned[:, None]

    @cached_property
    def n_mutations(self) -> NDArray[np.float64]:
        """(records,) positions that differ from the parent; NaN for records of another length."""
        return np.where(self.aligned, self.mutated.sum(axis=1), np.nan)

    @property
    def median_mutations(self) -> float:
        """How many positions of the median record differ from the parent."""
        return float(np.median(self.n_mutations[self.aligned]))

    def take(self, index: Index) -> Library:
        """The library of the chosen records, with the same parent."""
        return Library(self.parent, self.codes[index], self.aligned[index])

    def nearest(self, queries: Index, targets: Index) -> tuple[Index, NDArray[np.float32]]:
        """The nearest of some records to each of others, and in how many positions they differ.

        queries, targets: positions of records
        Returns (queries,) positions of records, -1 where there is none; distances, NaN where there is none.
        """
        index = np.full(len(queries), -1, dtype=np.int64)
        distance = np.full(len(queries), np.nan, dtype=np.float32)
        asked = np.flatnonzero(self.aligned[queries])
        kept = targets[self.aligned[targets]]
        if len(asked) and len(kept):
            found, away = hamming_nearest(self.codes[queries[asked]], self.codes[kept])
            index[asked], distance[asked] = kept[found], away
        return index, distance

    def spacing(self, rng: np.random.Generator, n: int = 500) -> float:
        """The median distance from a record to its nearest different record, from a sample of n records."""
        distinct = np.unique(self.codes[self.aligned], axis=0, return_index=True)[1]
        kept = np.flatnonzero(self.aligned)[distinct]
        asked = rng.permutation(kept)[:n]
        if len(kept) < 2:
            return float("nan")
        away = _by_product(self.codes[asked], self.codes[kept], skip_identical=True)[1]
        return float(np.median(away))


def one_parent(sequences: NDArray[np.object_]) -> Library | None:
    """Recognise a library of variants of one parent; None where the records are none.

    A library: at least 95 % of the records have one length, and the median record differs from the
    consensus in at most a quarter of the positions, and in less than half of what records of the same
    letters in random order would.
    """
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    usual = int(np.bincount(lengths).argmax()) if len(lengths) else 0
    aligned = lengths == usual
    if usual < 2 or len(lengths) < 3 or aligned.mean() < USUAL:
        return None
    codes = np.full((len(sequences), usual), MISSING)
    codes[aligned] = _bytes_of("".join(sequences[aligned])).reshape(-1, usual)
    parent, most = _consensus(codes[aligned])
    library = Library(parent, codes, aligned)
    differing = library.median_mutations / usual
    if not library.mutated.any() or differing > CLOSE or differing > 0.5 * (1 - most):
        return None
    return library


def _consensus(codes: Codes) -> tuple[str, float]:
    """The most frequent letter at each position, and the share of the most frequent letter over all."""
    seen = np.unique(codes)
    counts = np.stack([(codes == letter).sum(axis=0) for letter in seen])  # (letters, positions)
    parent = seen[counts.argmax(axis=0)].tobytes().decode("latin-1")
    return parent, float(counts.sum(axis=1).max() / counts.sum())


def _bytes_of(text: str) -> Codes:
    return np.frombuffer(text.encode("latin-1", "replace"), dtype=np.uint8)


def hamming_nearest(queries: Codes, targets: Codes) -> tuple[Index, NDArray[np.int32]]:
    """The target that differs least from each query, and in how many positions.

    queries, targets: (records, positions) letters as bytes
    Returns (queries,) positions in targets and distances. Targets that differ in one position or none are
    found by hashing, which settles most records of a mutational scan; the others by a matrix product.
    """
    index, distance = _within_one(queries, targets)
    rest = np.flatnonzero(index < 0)
    index[rest], distance[rest] = _by_product(queries[rest], targets)
    return index, distance


def _within_one(queries: Codes, targets: Codes) -> tuple[Index, NDArray[np.int32]]:
    """Targets that equal a query, or do where one position is left out; -1 where there is none."""
    index, distance = np.full(len(queries), -1, dtype=np.int64), np.zeros(len(queries), dtype=np.int32)
    positions = queries.shape[1]
    values = np.random.default_rng(0).integers(0, 1 << 64, (positions, 256), dtype=np.uint64)
    of_query, of_target = (values[np.arange(positions), codes].sum(axis=1) for codes in (queries, targets))
    for left_out in range(-1, positions):  # first with no position left out
        rest = np.flatnonzero(index < 0)
        keys, wanted = of_target, of_query[rest]
        if left_out >= 0:
            keys = keys - values[left_out, targets[:, left_out]]
            wanted = wanted - values[left_out, queries[rest, left_out]]
        order = np.argsort(keys, kind="stable")
        place = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
        candidate = order[place]
        away = (queries[rest] != targets[candidate]).sum(axis=1)
        found = (keys[candidate] == wanted) & (away <= (left_out >= 0))
        index[rest[found]], distance[rest[found]] = candidate[found], away[found]
    return index, distance


def _by_product(
    queries: Codes, targets: Codes, *, skip_identical: bool = False
) -> tuple[Index, NDArray[np.int32]]:
    """The nearest target of each query by one product of one-hot letters, the first of equally near ones."""
    seen = np.unique(np.concatenate([np.unique(queries), np.unique(targets)]))
    hot = _one_hot(targets, seen).T
    positions = queries.shape[1]
    index, distance = np.zeros(len(queries), dtype=np.int64), np.zeros(len(queries), dtype=np.int32)
    step = max(BLOCK // max(len(targets), 1), 1)
    for low in range(0, len(queries), step):
        equal = _one_hot(queries[low : low + step], seen) @ hot  # (block, targets) equal letters
        if skip_identical:
            equal[equal > positions - 0.5] = -1.0
        best = equal.argmax(axis=1)
        index[low : low + step] = best
        distance[low : low + step] = positions - np.rint(equal[np.arange(len(best)), best])
    return index, distance


def _one_hot(codes: Codes, letters: Codes) -> NDArray[np.float32]:
    """(records, positions * letters) ones and zeros."""
    hot: NDArray[np.bool_] = codes[:, :, None] == letters
    return hot.reshape(len(codes), -1).astype(np.float32)
