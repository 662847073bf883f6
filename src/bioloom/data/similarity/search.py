"""One search for near copies: seeds propose alignments, a sieve drops most, the rest is verified.

Seeds may miss a pair; what is found is verified letter by letter, so that nothing is reported by an
accident of the search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioloom.data.similarity import seeds as seeding
from bioloom.data.similarity.gapped import with_gaps
from bioloom.data.similarity.letters import GAP, Letters, pack
from bioloom.data.similarity.notion import NEVER, Criterion, Notion
from bioloom.data.similarity.pairs import Pairs, best_of_each, joined, linked
from bioloom.data.similarity.verify import (
    Alignments,
    Codec,
    Stretches,
    aligned,
    first_of_each,
    merged,
    overlaps,
    stretches,
    unique,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Index = NDArray[np.int64]

SURPLUS = 3.0  # equal letters on one shift above chance, in standard deviations: worth aligning with gaps
AT_ONCE = 20_000  # pairs aligned with gaps at a time, before looking which are linked by now


class Search:
    """A search among records, or of the first `queries` of them among the others.

    linking: do not compare records that are linked already; `family` then says which are
    family:  (records,) labels of linked records, below the record count
    """

    def __init__(
        self, letters: Letters, notion: Notion, *, queries: int | None = None, linking: bool = False
    ) -> None:
        self.letters, self.notion, self.queries, self.linking = letters, notion, queries, linking
        self.codec = Codec(len(letters), int(letters.lengths.max(initial=0)))
        self.packed = pack(letters)
        self.tried = np.zeros(0, dtype=np.int64)  # codes of the alignments that passed the sieve
        self.family = np.arange(len(letters))

    def run(self) -> Pairs:
        """Find the near copies; with linking, enough of them to link every family."""
        identity = self._typical_identity()
        if identity > 1:
            return joined()
        plan = seeding.plan(self.letters, identity)
        found = [self._ungapped(pairs) for pairs in self._proposed(plan)]
        if self.notion.gapped:
            found += list(self._gapped(joined(*found), plan.weight))
        return best_of_each(joined(*found))

    def _typical_identity(self) -> float:
        """The share of equal letters (as classes) that seeds must cope with; above 1: nothing to find."""
        if len(self.letters) < 2:
            return NEVER / 1000
        lowest = np.median(self.notion.lowest(self.letters.lengths)) / 1000
        if lowest > 1 or self.letters.n_classes == self.letters.n_letters:
            return float(lowest)
        chance = self.letters.chance(self.letters.classes, self.letters.n_classes)
        return float(lowest + (1 - lowest) * chance)  # different letters of one class agree too

    def _proposed(self, plan: seeding.Plan) -> Iterator[Alignments]:
        """Alignments on which seeds lie, in blocks."""
        record_of = self.letters.record_of()
        places = None if self.queries is None else int(np.sum(self.letters.lengths[: self.queries] + GAP))
        for pattern in plan.patterns:
            seeds = seeding.index(self.letters, pattern)
            for entries in seeding.shared(seeds, crowd=plan.crowd, queries=places):
                yield aligned(self.letters, seeds, (record_of, self.family), entries)

    def _ungapped(self, pairs: Alignments) -> Pairs:
        """Sieve and verify alignments without gaps."""
        pairs = self._sieved(pairs)
        found = stretches(self.letters, overlaps(self.letters, pairs), self.notion.lenient)
        return self._alike(pairs, found, self.notion.criteria)

    def _sieved(self, pairs: Alignments) -> Alignments:
        """The alignments not tried before that have enough equal letters for some stretch to be alike."""
        long = overlaps(self.letters, pairs).length >= self.notion.criteria[0].needed(self._shorter(pairs))
        pairs = self.codec.decode(unique(self.codec.encode(pairs.take(long))))
        shorter = self._shorter(pairs)
        least = np.min([criterion.least(shorter) for criterion in self.notion.criteria], axis=0)
        pairs = pairs.take(1000 * self._equal(pairs) >= least)
        self.tried, new = merged(self.tried, self.codec.encode(pairs))
        return self.codec.decode(new)

    def _gapped(self, found: Pairs, seed: int) -> Iterator[Pairs]:
        """Align with gaps the pairs that passed the sieve and were not found, at their best shift.

        seed: equal letters that every candidate has
        """
        pairs, n = self.codec.decode(self.tried), len(self.letters)
        pairs = self._unlinked(
            pairs.take(~np.isin(pairs.left * n + pairs.right, found.left * n + found.right))
        )
        equal, length = self._equal(pairs), overlaps(self.letters, pairs).length
        chance = self.notion.chance
        surplus = (equal - seed * (1 - chance) - chance * length) / np.sqrt(chance * (1 - chance) * length)
        likely = np.flatnonzero(surplus >= SURPLUS)
        pairs = first_of_each(pairs.take(likely[np.argsort(-equal[likely], kind="stable")]))
        for low in range(0, len(pairs), AT_ONCE):
            block = self._unlinked(pairs.take(slice(low, low + AT_ONCE)))
            found_now = with_gaps(self.letters, block, self.notion.lenient_with_gaps)
            yield self._alike(block, found_now, self.notion.gapped)

    def _unlinked(self, pairs: Alignments) -> Alignments:
        return pairs.take(self.family[pairs.left] != self.family[pairs.right])

    def _alike(self, pairs: Alignments, found: Stretches, criteria: tuple[Criterion, ...]) -> Pairs:
        """The pairs that meet one of the criteria, noted as links."""
        shorter = self._shorter(pairs)
        met = np.any([criterion.met(shorter, found.length, found.equal) for criterion in criteria], axis=0)
        pairs = pairs.take(met)
        identity = (found.equal[met] / found.length[met]).astype(np.float32)
        alike = Pairs(pairs.left, pairs.right, identity, pairs.turned)
        if self.linking and len(alike):
            self.family = linked(self.family, alike)
        return alike

    def _equal(self, pairs: Alignments) -> Index:
        where = overlaps(self.letters, pairs)
        return self.packed.matches(where.left, where.right, where.length)

    def _shorter(self, pairs: Alignments) -> Index:
        return np.minimum(self.letters.lengths[pairs.left], self.letters.lengths[pairs.right])
