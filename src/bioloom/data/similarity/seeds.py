"""Spaced seeds: the places where two records share a pattern of letters, found by sorting.

A near copy at 80 % identity seldom keeps 12 letters in a row, but it keeps many sets of letters at fixed
distances: a pattern such as 1101011 looks at five letters of seven (Ma, Tromp and Li 2002, Bioinformatics
18:440). Hits of a spaced pattern at neighbouring places are nearly independent, so that one pattern finds
more near copies than one run of the same weight and gives no more false candidates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bioloom.data.similarity.letters import Letters

# Four patterns per weight that together find most pairs at 75 % identity (chosen by simulation among
# symmetric patterns, best first). Symmetric: the pattern of the other strand is the same pattern. Odd: a
# seed is never its own reverse complement, so that its strand is always known.
_ODD = {
    5: ("1101011", "110010011", "11111", "101010101"),
    7: ("11100100111", "1011001001101", "101111101", "1100011100011"),
    9: ("111010010010111", "10110001110001101", "11011000100011011", "11000101110100011"),
    11: ("111001001010100100111", "1101100011100011011", "1111010001000101111", "11011010101011011"),
    13: (
        "11110010010101001001111",
        "1101000110011100110001011",
        "1101001000111110001001011",
        "1011001100101010011001101",
    ),
    15: (
        "111011010001010100010110111",
        "11100010101001110010101000111",
        "10110010011100100111001001101",
        "11100101101110110100111",
    ),
}
BLOCK = 1 << 16  # places keyed at a time: temporary arrays stay in the processor's cache
PAIRS = 1 << 18  # seed pairs made at a time


def patterns(weight: int) -> tuple[str, ...]:
    """The seed patterns of a weight, best first; an even weight is an odd one without its centre."""
    if weight in _ODD:
        return _ODD[weight]
    return tuple(p[: len(p) // 2] + "0" + p[len(p) // 2 + 1 :] for p in _ODD[weight + 1])


def weights(*, both_strands: bool) -> tuple[int, ...]:
    """The seed weights to choose from."""
    return tuple(_ODD) if both_strands else tuple(sorted([*_ODD, *(weight - 1 for weight in _ODD)]))


@dataclass(frozen=True)
class Plan:
    """Which seeds to use.

    hits:  seeds that a typical pair at the threshold shares
    crowd: a key that stands in more places than this is no evidence by itself: repeats, low complexity, or
           a large family, whose members are linked through a few others instead of all with all
    """

    weight: int
    n_patterns: int
    hits: float
    crowd: int

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns used."""
        return patterns(self.weight)[: self.n_patterns]


ENOUGH_HITS = 16.0  # expected hits per pair; they come in clumps: with 12, 1 pair in 1,000 has none
MAX_WORK = 4e7  # candidate pairs looked at by one search


def plan(letters: Letters, identity: float) -> Plan:
    """Choose seeds for a set of records: the cheapest that find nearly all pairs at the threshold identity.

    identity: the share of letters (as classes) that a pair to be found has in common
    Cost is the work of keying and sorting all places plus that of verifying chance candidates, of which
    there are places**2 / 2 * chance**weight, twice as many with two strands.
    """
    length = float(np.median(letters.lengths)) if len(letters) else 0.0
    places = float(letters.lengths.sum())
    chance = letters.chance(letters.classes, letters.n_classes)
    best: tuple[tuple[float, float], Plan] | None = None
    for weight in weights(both_strands=letters.both_strands):
        false = places**2 / 2 * chance**weight * (2 if letters.both_strands else 1)
        for number in range(1, 5):
            hits = sum(max(length - len(p) + 1, 0) for p in patterns(weight)[:number]) * identity**weight
            cost = number * (false + 0.1 * places)
            shortfall = max(ENOUGH_HITS - hits, 0.0) + (1e9 if cost > MAX_WORK + 0.4 * places else 0.0)
            rank = (shortfall, cost)
            if best is None or rank < best[0]:
                crowd = 8 + round(8 * false / max(places, 1.0))  # 4 times the size that chance gives
                best = (rank, Plan(weight, number, hits, crowd))
    assert best is not None
    return best[1]


@dataclass(frozen=True)
class Seeds:
    """All seeds of one pattern, sorted by key and then by place.

    entries: (seeds,) key << shift | place << 1 | strand, where strand 1 means that the key was read on the
             reverse complement
    """

    entries: NDArray[np.uint64]
    shift: int
    span: int

    def place(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where seeds start on the given strand."""
        mask = np.uint64((1 << (self.shift - 1)) - 1)
        return ((self.entries[chosen] >> np.uint64(1)) & mask).astype(np.int64)

    def strand(self, chosen: NDArray[np.int64]) -> NDArray[np.uint8]:
        """0 for the given strand, 1 for the other."""
        return (self.entries[chosen] & np.uint64(1)).astype(np.uint8)


def index(letters: Letters, pattern: str) -> Seeds:
    """Key every place of every record by the letters under the pattern, and sort."""
    offsets = np.flatnonzero(np.frombuffer(pattern.encode(), dtype=np.uint8) == ord("1")).tolist()
    shift = max(letters.forward - 1, 1).bit_length() + 1
    last = letters.forward - len(pattern) + 1
    parts = [_keyed(letters, offsets, low, min(low + BLOCK, last), shift) for low in range(0, last, BLOCK)]
    entries = np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64)
    entries.sort()
    return Seeds(entries=entries, shift=shift, span=len(pattern))


def _keyed(letters: Letters, offsets: list[int], low: int, high: int, shift: int) -> NDArray[np.uint64]:
    base, known = np.uint64(letters.n_classes), letters.n_classes
    classes = letters.classes
    key = np.zeros(high - low, dtype=np.uint64)
    other = np.zeros(high - low, dtype=np.uint64)
    complete = np.ones(high - low, dtype=bool)
    for offset in offsets:
        here = classes[low + offset : high + offset]
        complete &= here < known
        key *= base
        key += here
    strand = np.zeros(high - low, dtype=np.uint64)
    if letters.both_strands:
        for offset in reversed(offsets):
            other *= base
            other += np.uint8(3) - classes[low + offset : high + offset]
        strand = (other < key).astype(np.uint64)
        key = np.minimum(key, other)
    place = np.arange(low, high, dtype=np.uint64)
    return ((key << np.uint64(shift)) | (place << np.uint64(1)) | strand)[complete]


def shared(
    seeds: Seeds, *, crowd: int, queries: int | None = None
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of seeds with the same key, in blocks: positions in `seeds.entries`, the earlier one first.

    queries: None to pair all with all; or the number of places that are queries (they come first), to pair
             each query with targets only
    crowd:   a key in more places than this links each to the first, and to three that follow it; each query
             to as many targets as this. So the work grows with the places, not with their square.
    """
    links = _links_within(seeds, crowd) if queries is None else _links_across(seeds, crowd, queries)
    for link in links:
        ends = np.cumsum(link.count)
        low, block = 0, PAIRS >> 5  # small at first: what is linked early need not be looked at again
        while low < len(ends):
            done = int(ends[low - 1]) if low else 0
            high = max(int(np.searchsorted(ends, done + block, side="right")), low + 1)
            part, block = slice(low, high), min(2 * block, PAIRS)
            yield np.repeat(link.entry[part], link.count[part]), _runs(link.first[part], link.count[part])
            low = high


@dataclass(frozen=True)
class _Links:
    """Each entry with `count` others: `first` and those that follow it."""

    entry: NDArray[np.int64]
    first: NDArray[np.int64]
    count: NDArray[np.int64]

    def take(self, chosen: NDArray[np.bool_]) -> _Links:
        return _Links(self.entry[chosen], self.first[chosen], self.count[chosen])


def _links_within(seeds: Seeds, crowd: int) -> Iterator[_Links]:
    starts, sizes = _same_keys(seeds)
    entry, start, size = _runs(starts, sizes), np.repeat(starts, sizes), np.repeat(sizes, sizes)
    following = start + size - entry - 1
    count = np.where(size > crowd, np.minimum(following, 3), following)
    yield _Links(entry, entry + 1, count).take(count > 0)
    far = (size > crowd) & (entry > start + 3)
    yield _Links(start, entry, np.ones_like(start)).take(far)


def _links_across(seeds: Seeds, crowd: int, queries: int) -> Iterator[_Links]:
    starts, sizes = _same_keys(seeds)
    entry = _runs(starts, sizes)
    is_query = seeds.place(entry) < queries
    asked = np.add.reduceat(is_query, np.cumsum(sizes) - sizes) if len(sizes) else sizes
    first, n_targets = np.repeat(starts + asked, sizes), np.repeat(sizes - asked, sizes)
    entry, first, n_targets = entry[is_query], first[is_query], n_targets[is_query]
    spare = np.maximum(n_targets - crowd, 0) + 1
    count = np.minimum(n_targets, crowd)
    # in a crowd another window of targets for each query and each key
    yield _Links(entry, first + (entry * crowd) % spare, count).take(count > 0)


def _same_keys(seeds: Seeds) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the runs of two and more seeds with one key start, and how long they are."""
    entries = seeds.entries
    fresh = np.ones(len(entries) + 1, dtype=bool)
    fresh[1:-1] = (entries[1:] ^ entries[:-1]) >> np.uint64(seeds.shift) != 0
    bounds = np.flatnonzero(fresh)
    sizes = np.diff(bounds)
    several = sizes > 1
    return bounds[:-1][several], sizes[several]


def _runs(starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers start, start + 1, ... of each run, one run after the other."""
    return np.arange(int(sizes.sum())) + np.repeat(starts - np.cumsum(sizes) + sizes, sizes)
