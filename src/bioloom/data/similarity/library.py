"""Libraries of variants of one parent: aligned records, their mutations, and how far apart they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

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
        return (self.codes != _bytes_of(self.parent)) & self.aligned[:, None]

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
            found, away = self._nearest(queries[asked], kept)
            index[asked], distance[asked] = kept[found], away
        return index, distance

    def _nearest(self, queries: Index, targets: Index) -> tuple[Index, NDArray[np.int32]]:
        several = np.nanmean(self.n_mutations) if len(self) else 0.0
        if several**2 < 0.02 * len(self.parent):  # two records seldom share a mutated position
            return _nearest_by_mutations(self, queries, targets)
        return hamming_nearest(self.codes[queries], self.codes[targets])

    def spacing(self, rng: np.random.Generator, n: int = 500) -> float:
        """The median distance from a record to its nearest different record, from a sample of n records."""
        distinct = np.unique(self.codes[self.aligned], axis=0, return_index=True)[1]
        kept = np.flatnonzero(self.aligned)[distinct]
        asked = rng.permutation(kept)[:n]
        if len(kept) < 2:
            return float("nan")
        away = hamming_nearest(self.codes[asked], self.codes[kept], skip_identical=True)[1]
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


def hamming_nearest(
    queries: Codes, targets: Codes, *, skip_identical: bool = False
) -> tuple[Index, NDArray[np.int32]]:
    """The target that differs least from each query, by one matrix product of one-hot letters.

    queries, targets: (records, positions) letters as bytes
    skip_identical: look for the nearest target that is not the same
    Returns (queries,) positions in targets (the first of equally near ones) and numbers of differing places.
    """
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
    return (codes[:, :, None] == letters).reshape(len(codes), -1).astype(np.float32)


def _nearest_by_mutations(library: Library, queries: Index, targets: Index) -> tuple[Index, NDArray[np.int32]]:
    """The same for records with few mutations each, by a sparse product.

    Two records with a and b mutations that share s mutated positions, and e of those with the same letter,
    differ in a + b - s - e positions.
    """
    of_query, of_target = _mutations(library, queries), _mutations(library, targets)
    count = library.mutated.sum(axis=1)
    least = int(count[targets].argmin())
    index = np.full(len(queries), least, dtype=np.int64)
    distance = (count[queries] + count[targets[least]]).astype(np.int32)
    step = max((BLOCK >> 3) // max(len(targets), 1), 256)
    for low in range(0, len(queries), step):
        shared = (of_query[low : low + step] @ of_target.T).tocoo()
        away = count[queries[low + shared.row]] + count[targets[shared.col]] - shared.data
        order = np.lexsort((shared.col, away, shared.row))
        row, first = np.unique(shared.row[order], return_index=True)
        best = order[first]
        nearer = away[best] < distance[low + row]
        index[low + row[nearer]] = shared.col[best[nearer]]
        distance[low + row[nearer]] = away[best[nearer]]
    return index, distance


def _mutations(library: Library, rows: Index) -> csr_array:
    """(records, positions + positions * letters) ones: the mutated positions, and each with its letter."""
    row, position = np.nonzero(library.mutated[rows])
    letter = library.codes[rows[row], position].astype(np.int64)
    positions = len(library.parent)
    columns = np.concatenate([position, positions + position * 256 + letter])
    shape = (len(rows), positions * 257)
    return csr_array((np.ones(len(columns), dtype=np.int32), (np.concatenate([row, row]), columns)), shape=shape)
