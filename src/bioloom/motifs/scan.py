"""Where a motif stands: every window of a sequence on both strands whose score is improbable by chance.

The statistics are those of FIMO (Grant 2011, doi:10.1093/bioinformatics/btr064): log odds against a background,
the exact probability of the score, and q-values over all windows of a motif (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bioloom.errors import UserError
from bioloom.motifs.background import Background, both_ways, codes, uniform
from bioloom.motifs.motif import PSEUDOCOUNT, Motif
from bioloom.motifs.significance import ScoreDistribution, rounded_weights, score_distribution
from bioloom.motifs.words import Pattern, WordIndex, index, words_of

BLOCK = 1 << 20
"""Letters that are looked at together."""

CANDIDATES = 1 << 22
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

        A window with any sign other than A, C, G, T or U is no site.
        """
        for letters, sequence, first, new in _blocks(sequences, self.block, self.widest - 1):
            place, pattern, steps = self._sites(letters)
            held = place < new
            place, pattern, steps = place[held], pattern[held], steps[held]
            strands = 2 if self.wanted.both_strands else 1
            yield Hits(
                sequence=sequence[place],
                start=place + first[place],
                motif=pattern // strands,
                forward=pattern % strands == 0,
                steps=steps,
            )

    def _sites(
        self, letters: NDArray[np.uint8]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
        """Where windows reach the threshold of a pattern, which one, and their score, sorted by place."""
        unknown = letters == _UNKNOWN
        before = np.concatenate([[0], unknown.cumsum()])  # unknown letters before each place
        fours, tens = words_of(np.where(unknown, np.uint8(0), letters))
        fours = np.concatenate([fours, np.zeros(self.widest + _GROUP, dtype=np.uint8)])
        found: list[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]] = []
        for each in self.indices:
            place, owner = each.candidates(tens)
            numbers, firsts = np.unique(owner, return_index=True)
            ends = np.append(firsts[1:], len(place))
            for number, first, end in zip(numbers.tolist(), firsts, ends, strict=len(numbers) > 0):
                held, steps = self._reaching(number, place[first:end], fours, before)
                found.append((held, np.full(len(held), number, dtype=np.int32), steps))
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int32)
        place, steps = (
            np.concatenate([each[0] for each in found]),
            np.concatenate([each[2] for each in found]),
        )
        pattern = np.concatenate([each[1] for each in found])
        order = np.lexsort((pattern, place))
        return place[order], pattern[order], steps[order]

    def _reaching(
        self, number: int, places: NDArray[np.int64], fours: NDArray[np.uint8], before: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Those places where a window of known letters reaches the threshold of a pattern, and their scores."""
        pattern = self.patterns[number]
        places = places[(places >= 0) & (places + pattern.width < len(before))]
        steps = np.zeros(len(places), dtype=np.int32)
        for group, table in enumerate(self.tables[number]):
            steps += table[fours[places + _GROUP * group]]
        held = np.flatnonzero(steps >= pattern.least)
        places, steps = places[held], steps[held]
        whole = before[places + pattern.width] == before[places]
        return places[whole], steps[whole]


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
    distributions = tuple(score_distribution(each, background) for each in weights)
    return Scanner(tuple(motifs), weights, distributions, wanted)


def windows(sequence: str, width: int) -> int:
    """How many windows of a sequence hold letters of DNA only."""
    known = np.concatenate([[False], codes(sequence) != _UNKNOWN, [False]])
    edges = np.flatnonzero(known[1:] != known[:-1])
    stretches = edges[1::2] - edges[::2]
    return int(np.maximum(stretches - width + 1, 0).sum())


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


def _blocks(
    sequences: Iterable[str], size: int, overlap: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], int]]:
    """Letters in blocks: short sequences together, a gap between them; long ones cut, with an overlap.

    Yields letters; for each place the number of its sequence, and what to add to get the position in it;
    and how many places are new (those behind are looked at again in the next block).
    """
    gap = np.array([_UNKNOWN], dtype=np.uint8)
    parts: list[NDArray[np.uint8]] = []
    numbers: list[int] = []
    firsts: list[int] = []
    held = 0
    for number, sequence in enumerate(sequences):
        letters = codes(sequence)
        first = 0
        if parts and len(letters) > size:  # what came before a long sequence is looked at before it
            yield _packed(parts, numbers, firsts)
            parts, numbers, firsts, held = [], [], [], 0
        while len(letters) - first > size:
            piece = letters[first : first + size + overlap]
            yield piece, np.full(len(piece), number), np.full(len(piece), first), size
            first += size
        parts += [letters[first:], gap]
        numbers.append(number)
        firsts.append(first)
        held += len(letters) - first + 1
        if held >= size:
            yield _packed(parts, numbers, firsts)
            parts, numbers, firsts, held = [], [], [], 0
    if parts:
        yield _packed(parts, numbers, firsts)


def _packed(
    parts: list[NDArray[np.uint8]], numbers: list[int], firsts: list[int]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], int]:
    lengths = np.array([len(part) for part in parts[::2]]) + 1
    starts = np.concatenate([[0], lengths.cumsum()[:-1]])
    letters = np.concatenate(parts)
    return letters, np.repeat(numbers, lengths), np.repeat(np.array(firsts) - starts, lengths), len(letters)
