"""Contained copies: sequences that lie, letter by letter, inside a longer one.

Every window is hashed from sums over prefixes (Karp and Rabin 1987, IBM J Res Dev 31:249), so that the hash of a
window of any length costs one subtraction; what has the same hash is compared letter by letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioloom.data.similarity.letters import UNKNOWN, Letters, read_letters
from bioloom.data.similarity.notion import BY_CHANCE
from bioloom.data.similarity.pairs import Pairs, joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.similarity.copies import Alphabet

    Index = NDArray[np.int64]
    Hashes = NDArray[np.uint64]
    Texts = NDArray[np.object_]

SHORTEST = 8
"""Shorter sequences are words (a site, an epitope) that many records hold for a reason of their own."""

BLOCK = 1 << 20  # places hashed at a time
_BASE = 0x9E3779B97F4A7C15 | 1  # odd, so that it has an inverse modulo 2**64
_INVERSE = pow(_BASE, -1, 1 << 64)
_FILTER = 22  # bits of the table that drops most places before they are looked up


def shortest(letters: Letters) -> int:
    """The fewest letters of a contained copy among these records.

    A word of m letters stands in T places by chance T * c**m times, where c is the chance of one letter. It must
    do so for fewer than 1 in 100 unrelated records, as near copies must: 13 letters in 1,000 x 200 nt.
    """
    places = max(int(letters.lengths.sum()), 1) * (2 if letters.both_strands else 1)
    chance = min(letters.chance(letters.codes, letters.n_letters), 0.95)
    return max(SHORTEST, int(np.ceil(np.log(places / BY_CHANCE) / -np.log(chance))))


def contained(sequences: Texts, alphabet: Alphabet) -> Pairs:
    """Sequences inside longer ones: left is the shorter, right the longer; on either strand where strands count.

    sequences: (records,) upper-case text
    A record that lies in another one several times is named once.
    """
    lengths = {len(sequence) for sequence in sequences}
    if len(lengths) < 2:
        return joined()
    letters = read_letters(sequences, alphabet)
    search = _Search(letters, _prefix_sums(letters.codes), shortest(letters))
    left, right, place, turned = (np.concatenate(each) for each in zip(*search.hits(), strict=True))
    order = np.lexsort((place, turned, right, left))
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (np.diff(left[order]) != 0) | (np.diff(right[order]) != 0)
    kept = order[fresh]
    same = _equal(letters, left[kept], place[kept], turned[kept])
    kept = kept[same]
    return Pairs(left[kept], right[kept], np.ones(len(kept), dtype=np.float32), turned[kept])


@dataclass(frozen=True)
class _Search:
    """The hashes of all windows.

    sums:  (places + 1,) see `_prefix_sums`
    least: letters of the shortest record looked for
    """

    letters: Letters
    sums: Hashes
    least: int

    def hits(self) -> Iterator[tuple[Index, Index, Index, NDArray[np.bool_]]]:
        """Shorter record, longer record, place in the longer one, strand: for records of 1 to 2 anchors' length.

        One pass over all places per doubling of the length: an anchor, the first letters of a record, says
        where the whole record may lie.
        """
        none = np.zeros(0, dtype=np.int64)
        yield none, none, none, none.astype(bool)
        longest, anchor = int(self.letters.lengths.max()), self.least
        while anchor < longest:
            lengths = self.letters.lengths
            members = np.flatnonzero((lengths >= anchor) & (lengths < min(2 * anchor, longest)))
            members = members[self._known(members) >= self.least]
            if len(members):
                yield from self._of_class(members, anchor)
            anchor *= 2

    def _of_class(
        self, members: Index, anchor: int
    ) -> Iterator[tuple[Index, Index, Index, NDArray[np.bool_]]]:
        turned = np.zeros(len(members), dtype=bool)
        start = self.letters.starts[members]
        if self.letters.both_strands:
            members, turned = np.tile(members, 2), np.repeat([False, True], len(members))
            start = np.concatenate([start, self.letters.turned[members[: len(start)]]])
        place, record = self._anchored(np.unique(self._hash(start, anchor)), anchor)
        room = self.letters.starts[record] + self.letters.lengths[record] - place
        for length in np.unique(self.letters.lengths[members]).tolist():
            chosen = np.flatnonzero(self.letters.lengths[members] == length)
            keys = self._hash(start[chosen], length)
            order = np.argsort(keys, kind="stable")
            fits = np.flatnonzero((room >= length) & (self.letters.lengths[record] > length))
            found = self._hash(place[fits], length)
            low = np.searchsorted(keys[order], found)
            high = np.searchsorted(keys[order], found, side="right")
            window = np.repeat(np.arange(len(fits)), high - low)
            within = np.arange(len(window)) - np.repeat(np.cumsum(high - low) - (high - low), high - low)
            short = chosen[order[low[window] + within]]
            yield members[short], record[fits[window]], place[fits[window]], turned[short]

    def _anchored(self, keys: Hashes, anchor: int) -> tuple[Index, Index]:
        """Places of the given strand where a window hashes to one of the keys, and their records."""
        table = np.zeros(1 << _FILTER, dtype=bool)
        shift = np.uint64(64 - _FILTER)
        table[(keys >> shift).astype(np.int64)] = True
        found = []
        for low in range(0, self.letters.forward - anchor + 1, BLOCK):
            place = np.arange(low, min(low + BLOCK, self.letters.forward - anchor + 1))
            hashes = self._hash(place, anchor)
            likely = np.flatnonzero(table[(hashes >> shift).astype(np.int64)])
            at = np.minimum(np.searchsorted(keys, hashes[likely]), len(keys) - 1)
            found.append(place[likely[keys[at] == hashes[likely]]])
        place = np.concatenate([np.zeros(0, dtype=np.int64), *found])
        record = np.searchsorted(self.letters.starts, place, side="right") - 1
        inside = place + anchor <= self.letters.starts[record] + self.letters.lengths[record]
        return place[inside], record[inside]

    def _hash(self, place: Index, length: int) -> Hashes:
        """The hashes of windows that start at some places."""
        found: Hashes = (self.sums[place + length] - self.sums[place]) * _powers(_INVERSE, place)
        return found

    def _known(self, members: Index) -> Index:
        """Letters of the alphabet in some records: a record of unknown letters lies in nothing."""
        known = np.concatenate([[0], np.cumsum(self.letters.codes[: self.letters.forward] != UNKNOWN)])
        start = self.letters.starts[members]
        count: Index = known[start + self.letters.lengths[members]] - known[start]
        return count


def _prefix_sums(codes: NDArray[np.uint8]) -> Hashes:
    """Sums of code * base**place before each place, modulo 2**64, (places + 1,)."""
    sums = np.zeros(len(codes) + 1, dtype=np.uint64)
    for low in range(0, len(codes), BLOCK):
        block = codes[low : low + BLOCK].astype(np.uint64) + np.uint64(1)
        block *= _powers(_BASE, np.arange(low, low + len(block)))
        np.cumsum(block, out=block)
        sums[low + 1 : low + 1 + len(block)] = block + sums[low]
    return sums


def _powers(base: int, exponents: Index) -> Hashes:
    """base**exponent modulo 2**64, from two tables of 65,536 powers."""
    low = np.full(1 << 16, base, dtype=np.uint64)
    low[0] = 1
    high = np.full((int(exponents.max(initial=0)) >> 16) + 1, pow(base, 1 << 16, 1 << 64), dtype=np.uint64)
    high[0] = 1
    found: Hashes = np.cumprod(low)[exponents & 0xFFFF] * np.cumprod(high)[exponents >> 16]
    return found


def _equal(letters: Letters, left: Index, place: Index, turned: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the shorter records stand at those places, letter by letter, (pairs,)."""
    start = np.where(turned, letters.turned[left], letters.starts[left])
    codes = letters.codes.tobytes()
    sizes = letters.lengths[left].tolist()
    ours = zip(start.tolist(), place.tolist(), sizes, strict=True)
    return np.array([codes[a : a + size] == codes[b : b + size] for a, b, size in ours], dtype=bool)
