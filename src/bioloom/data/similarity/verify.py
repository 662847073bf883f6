"""Alignments without gaps: from pairs of seeds to stretches that two records have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioloom.data.similarity.letters import UNKNOWN
from bioloom.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.similarity.letters import Letters
    from bioloom.data.similarity.seeds import Seeds

    Index = NDArray[np.int64]

CELLS = 1 << 20  # letters compared at a time


@dataclass(frozen=True)
class Alignments:
    """Pairs of records laid on each other at one shift: letter i of left is opposite letter i - shift of right.

    turned: (pairs,) True where right is read as its reverse complement
    """

    left: Index
    right: Index
    turned: NDArray[np.bool_]
    shift: Index

    def __len__(self) -> int:
        return len(self.left)

    def take(self, chosen: Index | NDArray[np.bool_] | slice) -> Alignments:
        """The chosen ones."""
        return Alignments(self.left[chosen], self.right[chosen], self.turned[chosen], self.shift[chosen])


@dataclass(frozen=True)
class Overlaps:
    """Where two records lie opposite each other: places in the row of letters, and how many."""

    left: Index
    right: Index
    length: Index

    def take(self, chosen: Index) -> Overlaps:
        """The chosen ones."""
        return Overlaps(self.left[chosen], self.right[chosen], self.length[chosen])


@dataclass(frozen=True)
class Stretches:
    """What two records have in common: letters (or columns with gaps) of the stretch, and the equal ones."""

    length: Index
    equal: Index


def overlaps(letters: Letters, pairs: Alignments) -> Overlaps:
    """The letters that lie opposite each other in each alignment."""
    low = np.maximum(pairs.shift, 0)
    high = np.minimum(letters.lengths[pairs.left], letters.lengths[pairs.right] + pairs.shift)
    start = np.where(pairs.turned, letters.turned[pairs.right], letters.starts[pairs.right])
    return Overlaps(letters.starts[pairs.left] + low, start + low - pairs.shift, np.maximum(high - low, 0))


@dataclass(frozen=True)
class Codec:
    """Alignments as single numbers, to sort out repeated ones fast."""

    records: int
    longest: int

    def __post_init__(self) -> None:
        if (self.records**2) * 2 * (2 * self.longest + 1) >= 1 << 63:
            raise UserError(
                f"{self.records:,} sequences of up to {self.longest:,} letters are too many for one search.",
                fix='cut the sequences into windows, or split by a column with --split COLUMN or "random"',
            )

    def encode(self, pairs: Alignments) -> Index:
        """One number per alignment."""
        codes: Index = (pairs.left * self.records + pairs.right) * 2 + pairs.turned
        return codes * (2 * self.longest + 1) + (pairs.shift + self.longest)

    def decode(self, codes: Index) -> Alignments:
        """The alignments of some numbers."""
        rest, shift = np.divmod(codes, 2 * self.longest + 1)
        rest, turned = np.divmod(rest, 2)
        left, right = np.divmod(rest, self.records)
        return Alignments(left, right, turned.astype(bool), shift - self.longest)


def unique(codes: Index) -> Index:
    """Each code once, in order."""
    codes = np.sort(codes)
    fresh = np.ones(len(codes), dtype=bool)
    fresh[1:] = codes[1:] != codes[:-1]
    return codes[fresh]


def merged(known: Index, new: Index) -> tuple[Index, Index]:
    """Two sorted lists of codes as one, each code once; and those of the second that are not in the first."""
    if not len(known):
        return new, new
    place = np.minimum(np.searchsorted(known, new), len(known) - 1)
    new = new[known[place] != new]
    return np.sort(np.concatenate([known, new]), kind="stable"), new


def first_of_each(pairs: Alignments) -> Alignments:
    """The first alignment of each two records on each strand."""
    order = np.lexsort((pairs.turned, pairs.right, pairs.left))
    keys = np.stack([pairs.left, pairs.right, pairs.turned])[:, order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    return pairs.take(np.sort(order[fresh]))


def aligned(
    letters: Letters,
    seeds: Seeds,
    labels: tuple[NDArray[np.int32], Index],
    entries: tuple[Index, Index],
) -> Alignments:
    """The alignments on which pairs of seeds lie; pairs within one family are left out.

    labels: (places,) the record of each place; (records,) the family of each record
    """
    record_of, family = labels
    place_a, place_b = seeds.place(entries[0]), seeds.place(entries[1])
    left, right = record_of[place_a], record_of[place_b]
    two = np.flatnonzero(family[left] != family[right])
    a, b = left[two].astype(np.int64), right[two].astype(np.int64)
    turned = seeds.strand(entries[0][two]) != seeds.strand(entries[1][two])
    at_a = place_a[two] - letters.starts[a]
    at_b = place_b[two] - letters.starts[b]
    at_b = np.where(turned, letters.lengths[b] - seeds.span - at_b, at_b)
    return Alignments(a, b, turned, at_a - at_b)


def stretches(letters: Letters, where: Overlaps, lenient: float) -> Stretches:
    """The best common stretch of each alignment: that with the highest score.

    lenient: an equal letter scores 1 - lenient, another one -lenient, so that a stretch is worth extending as
             long as more letters than this are equal
    """
    length, equal = np.zeros(len(where.length), dtype=np.int64), np.zeros(len(where.length), dtype=np.int64)
    order = np.argsort(where.length, kind="stable")
    high = len(order)
    while high:  # from the longest on, as many at a time as fit
        low = max(high - max(CELLS // max(int(where.length[order[high - 1]]), 1), 1), 0)
        block = order[low:high]
        length[block], equal[block] = _best(letters, where.take(block), round(1000 * lenient))
        high = low
    return Stretches(length, equal)


def _best(letters: Letters, where: Overlaps, loss: int) -> tuple[Index, Index]:
    """Lengths and equal letters of the best stretches; loss in thousandths, so that sums are exact."""
    column = np.arange(int(where.length.max()))
    last = len(letters.codes) - 1
    a = letters.codes[np.minimum(where.left[:, None] + column, last)]  # (pairs, width)
    b = letters.codes[np.minimum(where.right[:, None] + column, last)]
    step = np.where((a == b) & (a != UNKNOWN), np.int32(1000 - loss), np.int32(-loss))
    step[column >= where.length[:, None]] = -loss
    total = np.zeros((len(a), len(column) + 1), dtype=np.int32)  # score of the letters before each place
    np.cumsum(step, axis=1, out=total[:, 1:])
    lowest = np.minimum.accumulate(total, axis=1)
    row = np.arange(len(a))
    end = (total - lowest).argmax(axis=1)
    score = total[row, end] - lowest[row, end]
    length = end - (total == lowest[row, end][:, None]).argmax(axis=1)
    return length, (score + loss * length) // 1000  # score = (1000 - loss) * equal - loss * (length - equal)
