"""How alike the most alike other record is, however little that may be.

The search for near copies stops at a threshold. To see how a score falls as records become less alike, each test
record needs its identity to the nearest learned record below that threshold too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioloom.data.similarity import seeds as seeding
from bioloom.data.similarity.gapped import with_gaps
from bioloom.data.similarity.letters import GAP, Letters, pack, read_letters
from bioloom.data.similarity.verify import Alignments, Codec, Overlaps, aligned, overlaps, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bioloom.data.similarity.copies import Alphabet
    from bioloom.data.similarity.notion import Notion

    Index = NDArray[np.int64]
    Texts = NDArray[np.object_]

MOST_CANDIDATES = 8e6
"""Pairs of seeds that chance may give: the seeds are as short as this allows, and so find the least alike."""

ALIGNED_CELLS = 3e9
"""Cells of the alignments with gaps; more than this (long sequences) and identity is counted without gaps."""


def closest(queries: Texts, targets: Texts, alphabet: Alphabet, notion: Notion) -> NDArray[np.float32]:
    """Identity of each query to its most alike target, (queries,); NaN where the two share no seed with any.

    Identity: equal letters as a share of the letters laid on each other, or of the share of the shorter
    sequence that a near copy must cover, whichever is more letters. Of the targets that share a seed, the one
    with the most equal letters without gaps is aligned, with gaps as well. Where records are many, seeds are
    longer, and the most alike target of a query below about 65 % may go unseen: then the identity is too low.
    """
    found = np.full(len(queries), np.nan, dtype=np.float32)
    if not len(queries) or not len(targets):
        return found
    letters = read_letters(np.concatenate([queries, targets]), alphabet)
    finder = _Finder(letters, len(queries), notion)
    best = finder.best()
    found[best.left] = finder.identity(best)
    return found


@dataclass(frozen=True)
class _Finder:
    """Queries come first among the letters, then the targets."""

    letters: Letters
    queries: int
    notion: Notion

    def best(self) -> Alignments:
        """The candidate with the most equal letters of each query that has any."""
        codec = Codec(len(self.letters), int(self.letters.lengths.max()))
        packed = pack(self.letters)
        most = np.full(self.queries, -1, dtype=np.int64)
        code = np.zeros(self.queries, dtype=np.int64)
        for proposed in self._candidates():
            codes = unique(codec.encode(proposed))
            pairs = codec.decode(codes)
            where = overlaps(self.letters, pairs)
            equal = packed.matches(where.left, where.right, where.length)
            order = np.argsort(equal, kind="stable")  # later writes win: the most equal letters stay
            top, at = np.full(self.queries, -1, dtype=np.int64), np.zeros(self.queries, dtype=np.int64)
            top[pairs.left[order]], at[pairs.left[order]] = equal[order], codes[order]
            better = top > most
            most[better], code[better] = top[better], at[better]
        return codec.decode(code[most >= 0])

    def _candidates(self) -> Iterator[Alignments]:
        record_of = self.letters.record_of()
        places = int(np.sum(self.letters.lengths[: self.queries] + GAP))
        labels = (record_of, np.arange(len(self.letters)))
        weight, number, crowd = self._seeds()
        for pattern in seeding.patterns(weight)[:number]:
            seeds = seeding.index(self.letters, pattern)
            for entries in seeding.shared(seeds, crowd=crowd, queries=places):
                yield aligned(self.letters, seeds, labels, entries)

    def _seeds(self) -> tuple[int, int, int]:
        """Weight, patterns and crowd: the lightest seeds whose chance pairs can be looked at."""
        letters = self.letters
        chance = letters.chance(letters.classes, letters.n_classes)
        asked = float(letters.lengths[: self.queries].sum())
        known = float(letters.lengths[self.queries :].sum()) * (2 if letters.both_strands else 1)
        weights = seeding.weights(both_strands=letters.both_strands)
        light = [weight for weight in weights if asked * known * chance**weight <= MOST_CANDIDATES]
        weight = min(light, default=max(weights))
        false = asked * known * chance**weight
        number = int(np.clip(MOST_CANDIDATES // max(false, 1.0), 1, 4))
        return weight, number, 8 + round(4 * false / max(asked, 1.0))

    def identity(self, pairs: Alignments) -> NDArray[np.float32]:
        """The identity of some pairs at their shift, or with short gaps where that gives more, (pairs,)."""
        shorter = np.minimum(self.letters.lengths[pairs.left], self.letters.lengths[pairs.right])
        least = self.notion.criteria[0].needed(shorter)
        where = overlaps(self.letters, pairs)
        share = self._equal(where) / np.maximum(where.length, least)
        if self.notion.gapped and self.letters.lengths[pairs.left].sum() * 25 < ALIGNED_CELLS:
            path = with_gaps(self.letters, pairs, self.notion.lenient_with_gaps)
            share = np.maximum(share, path.equal / np.maximum(path.length, least))
        return share.astype(np.float32)

    def _equal(self, where: Overlaps) -> Index:
        """Equal letters, exactly: signs outside the alphabet equal nothing."""
        codes, known = self.letters.codes, self.letters.n_letters
        counts = [
            int(((codes[a : a + n] == codes[b : b + n]) & (codes[a : a + n] < known)).sum())
            for a, b, n in zip(where.left.tolist(), where.right.tolist(), where.length.tolist(), strict=True)
        ]
        return np.array(counts, dtype=np.int64)
