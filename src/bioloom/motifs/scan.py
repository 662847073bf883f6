"""Where a motif stands: every window of a sequence on both strands whose score is improbable by chance.

The statistics are those of FIMO (Grant 2011, doi:10.1093/bioinformatics/btr064): log odds against a background,
the exact probability of the score, and q-values over all windows of a motif (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bioloom.errors import UserError
from bioloom.motifs.background import Background, both_ways, codes, uniform
from bioloom.motifs.motif import PSEUDOCOUNT, Motif
from bioloom.motifs.significance import ScoreDistribution, rounded_weights, score_distribution
from bioloom.motifs.words import Pattern, WordIndex, index, words_of
from bioloom.processors import in_order, processors

BLOCK = 1 << 19
"""Letters that are looked at together."""

CANDIDATES = 1 << 21
"""Candidates that are looked at together, where many windows may be sites."""

_UNKNOWN = 255
_GROUP = 4  # letters that are scored together


@dataclass(frozen=True)
class Wanted:
    """What counts as a site.

    p_value:      the highest probability by chance
    both_strands: look at the reverse complement too
    background:   what sites are compared with; with both strands A is taken as frequent as T, and C as G
    pseudocount:  sites added to each position of a motif, see `Motif.probabilities`
    """

    p_value: float = 1e-4
    both_strands: bool = True
    background: Background | None = None
    pseudocount: float = PSEUDOCOUNT


@dataclass(frozen=True)
class Hits:
    """Sites in a number of sequences; all arrays are (hits,).

    sequence: number of the sequence, in the order given
    start:    0-based position of the window's first letter on the forward strand
    motif:    number of the motif
    forward:  True on the strand given, False on its reverse complement
    steps:    score in steps of 1/256 bit
    """

    sequence: NDArray[np.int64]
    start: NDArray[np.int64]
    motif: NDArray[np.int32]
    forward: NDArray[np.bool_]
    steps: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True)
class Scanner:
    """Motifs made ready to be looked for.

    weights: of each motif in steps, (4, positions); distributions: of their scores by chance
    wanted:  what counts as a site
    """

    motifs: tuple[Motif, ...]
    weights: tuple[NDArray[np.int32], ...]
    distributions: tuple[ScoreDistribution, ...]
    wanted: Wanted

    @cached_property
    def patterns(self) -> list[Pattern]:
        """What windows of the forward strand are compared with: each motif, then its reverse complement."""
        found = []
        for weights, distribution in zip(self.weights, self.distributions, strict=True):
            least = distribution.threshold(self.wanted.p_value)
            found.append(Pattern(weights, least))
            if self.wanted.both_strands:
                found.append(Pattern(np.ascontiguousarray(weights[::-1, ::-1]), least))
        return found

    @cached_property
    def indices(self) -> list[WordIndex]:
        """Where sites may begin."""
        return index(self.patterns)

    @cached_property
    def tables(self) -> list[NDArray[np.int32]]:
        """For each pattern the score of every four letters in every fourth position, (groups, 256)."""
        return [_scores_of_four(pattern.weights) for pattern in self.patterns]

    @cached_property
    def widest(self) -> int:
        """Positions of the widest motif."""
        return max(len(motif) for motif in self.motifs)

    @property
    def block(self) -> int:
        """Letters to look at together, fewer where nearly every window may be a site."""
        dense = max(each.per_place for each in self.indices)
        return int(min(BLOCK, max(1 << 14, CANDIDATES / max(dense, 1e-9))))

    def scan(self, sequences: Iterable[str]) -> Iterator[Hits]:
        """Sites block by block, in the order of the sequences and of the places in them.

        A window with any sign other than A, C, G, T or U is no site. Blocks are looked at by as many threads as there are
        processors, and no more of them are held than one for each thread and one ahead.
        """
        _ = self.tables  # made before the threads ask for it
        yield from in_order(
            self._in_block, _blocks(sequences, self.block, self.widest - 1), threads=processors()
        )

    def _in_block(self, block: _Block) -> Hits:
        place, pattern, steps = self._sites(block.letters)
        held = place < block.new
        place, pattern, steps = place[held], pattern[held], steps[held]
        piece = np.searchsorted(block.starts, place, side="right") - 1
        strands = 2 if self.wanted.both_strands else 1
        return Hits(
            sequence=block.numbers[piece],
            start=place - block.starts[piece] + block.firsts[piece],
            motif=pattern // strands,
            forward=pattern % strands == 0,
            steps=steps,
        )

    def _sites(
        self, letters: NDArray[np.uint8]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
        """Where windows reach the threshold of a pattern, which one, and their score, sorted by place."""
        unknown = letters == _UNKNOWN
        fours, tens = words_of(np.where(unknown, np.uint8(0), letters))
        margin = self.widest  # a candidate may begin so far ahead of the first letter, or end so far behind
        fours = np.pad(fours, (margin, margin + _GROUP))
        found: list[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]] = []
        for each in self.indices:
            places, patterns, edges = each.candidates(tens)
            places += margin
            for number, (first, end) in zip(patterns.tolist(), pairwise(edges.tolist()), strict=True):
                held, steps = self._reaching(number, places[first:end], fours)
                found.append((held - margin, np.full(len(held), number, dtype=np.int32), steps))
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int32)
        place = np.concatenate([each for each, _, _ in found])
        pattern = np.concatenate([each for _, each, _ in found])
        steps = np.concatenate([each for _, _, each in found])
        known = np.flatnonzero(self._known(place, pattern, unknown))
        order = known[np.lexsort((pattern[known], place[known]))]
        return place[order], pattern[order], steps[order]

    def _known(
        self, place: NDArray[np.int64], pattern: NDArray[np.int32], unknown: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Which windows lie among the letters and hold no unknown one."""
        before = np.concatenate([[0], unknown.cumsum()])  # unknown letters before each place
        end = place + np.array([each.width for each in self.patterns])[pattern]
        inside = (place >= 0) & (end < len(before))
        first, last = np.where(inside, place, 0), np.where(inside, end, 0)
        return np.asarray(inside & (before[last] == before[first]))

    def _reaching(
        self, number: int, places: NDArray[np.int64], fours: NDArray[np.uint8]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Those places where a window reaches the threshold of a pattern, and their scores."""
        steps = np.zeros(len(places), dtype=np.int32)
        for group, table in enumerate(self.tables[number]):
            steps += table.take(fours[_GROUP * group :].take(places))
        held = np.flatnonzero(steps >= self.patterns[number].least)
        return places[held], steps[held]


def scanner(motifs: Sequence[Motif], wanted: Wanted | None = None) -> Scanner:
    """Make motifs ready to be looked for.

    Raises UserError without motifs, or for a p-value that is not between 0 and 1.
    """
    wanted = wanted or Wanted()
    if not motifs:
        raise UserError("There are no motifs to look for.", fix="give a motif file with at least one motif")
    if not 0 < wanted.p_value <= 1:
        raise UserError(
            f"A p-value of {wanted.p_value} is not possible.",
            fix="choose one above 0 and at most 1, such as 1e-4",
        )
    background = wanted.background or uniform()
    if wanted.both_strands and background.order == 0:
        background = both_ways(background)
    weights = tuple(rounded_weights(motif, background, wanted.pseudocount) for motif in motifs)
    distributions = tuple(in_order(lambda each: score_distribution(each, background), weights, processors()))
    return Scanner(tuple(motifs), weights, distributions, wanted)


def windows(sequence: str, *widths: int) -> tuple[int, ...]:
    """How many windows of each width hold letters of DNA only, one number for each width."""
    known = np.concatenate([[False], codes(sequence) != _UNKNOWN, [False]])
    edges = np.flatnonzero(known[1:] != known[:-1])
    stretches = edges[1::2] - edges[::2]
    return tuple(int(np.maximum(stretches - width + 1, 0).sum()) for width in widths)


def _scores_of_four(weights: NDArray[np.int32]) -> NDArray[np.int32]:
    """The score of all 256 words of four letters in each group of four positions, (groups, 256)."""
    width = weights.shape[1]
    groups = -(-width // _GROUP)
    padded = np.zeros((4, groups * _GROUP), dtype=np.int32)
    padded[:, :width] = weights
    words = np.arange(256)
    tables = np.zeros((groups, 256), dtype=np.int32)
    for place in range(_GROUP):
        letter = words >> 2 * (_GROUP - 1 - place) & 3
        tables += padded[:, place::_GROUP].T[:, letter]
    return tables


@dataclass(frozen=True)
class _Block:
    """Letters of some sequences one behind the other, an unknown letter behind each, or a part of a long one.

    starts:  where each sequence begins in the letters, (sequences,)
    numbers: which sequence it is, (sequences,); firsts: its position that stands there, (sequences,)
    new:     places to look at; those behind are looked at again in the next block
    """

    letters: NDArray[np.uint8]
    starts: NDArray[np.int64]
    numbers: NDArray[np.int64]
    firsts: NDArray[np.int64]
    new: int


def _blocks(sequences: Iterable[str], size: int, overlap: int) -> Iterator[_Block]:
    """Letters in blocks: short sequences together; long ones cut, with an overlap."""
    held: list[tuple[str, int, int]] = []
    letters = 0
    for number, sequence in enumerate(sequences):
        first = 0
        if held and len(sequence) > size:  # what came before a long sequence is looked at before it
            yield _packed(held)
            held, letters = [], 0
        while len(sequence) - first > size:
            yield replace(_packed([(sequence[first : first + size + overlap], number, first)]), new=size)
            first += size
        held.append((sequence[first:], number, first))
        letters += len(sequence) - first + 1
        if letters >= size:
            yield _packed(held)
            held, letters = [], 0
    if held:
        yield _packed(held)


def _packed(held: list[tuple[str, int, int]]) -> _Block:
    """Texts, their numbers and first positions as one block."""
    texts, numbers, firsts = zip(*held, strict=True)
    ends = np.array([len(text) + 1 for text in texts], dtype=np.int64).cumsum()
    letters = codes("\n".join([*texts, ""]))  # the end of a line is no letter
    starts = np.append(0, ends[:-1])
    return _Block(letters, starts, np.array(numbers), np.array(firsts), len(letters))
