"""Where sites of many motifs may begin, found by looking up words of ten letters.

Only few words of ten letters can be part of a site that scores high enough. They are listed once for all motifs,
by trying letter after letter and giving up where even the best rest would not do; then each place of a sequence
is looked up once, however many motifs there are. Nothing is missed: a word is left out only where no site holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZE = 10
WORDS = 4**SIZE

MOST_OWNERS = 30_000_000
"""Pairs of a word and a motif in one index; more motifs are looked up in several rounds."""


@dataclass(frozen=True)
class Pattern:
    """The weights that a window must reach a threshold with.

    weights: (4, positions) in steps; least: the lowest score that counts
    """

    weights: NDArray[np.int32]
    least: int

    @property
    def width(self) -> int:
        """Positions."""
        return int(self.weights.shape[1])


@dataclass(frozen=True)
class WordIndex:
    """Which patterns may have a site where a word stands.

    starts:  (4^10 + 1,) where the patterns of each word begin in `owners`
    counts:  (4^10,) how many they are, in a byte each where that is enough: looked up at every place
    owners:  pattern numbers
    offsets: (patterns,) how many letters before the word the site begins
    """

    starts: NDArray[np.int32]
    counts: NDArray[np.integer[Any]]
    owners: NDArray[np.integer[Any]]
    offsets: NDArray[np.int64]

    @property
    def per_place(self) -> float:
        """Candidates at a place of a random sequence."""
        return float(len(self.owners) / WORDS)

    def candidates(
        self, words: NDArray[np.uint32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Where sites may begin, sorted by pattern; `words` are those of all places.

        Returns places, the patterns that have any, and where the places of each begin, with the end behind the last.
        """
        count = self.counts.take(words)
        places = np.flatnonzero(count)
        count = count[places].astype(np.int64)
        ends = np.cumsum(count)
        first = self.starts.take(words[places]) - (ends - count)
        owner = self.owners[np.repeat(first, count) + np.arange(ends[-1] if len(ends) else 0)]
        order = np.argsort(owner, kind="stable")
        held = np.bincount(owner, minlength=len(self.offsets))
        patterns = np.flatnonzero(held)
        begun = np.repeat(places, count)[order] - np.repeat(self.offsets[patterns], held[patterns])
        return begun, patterns, np.append(0, held[patterns].cumsum())


def index(patterns: list[Pattern]) -> list[WordIndex]:
    """Word indices that together hold all patterns, each of bounded size.

    Pattern numbers are those of the list in each of them.
    """
    offsets = np.array([_informative(pattern) for pattern in patterns], dtype=np.int64)
    rounds: list[list[tuple[int, NDArray[np.int64]]]] = [[]]
    held = 0
    for number, pattern in enumerate(patterns):
        found = _words(pattern, int(offsets[number]))
        if held and held + len(found) > MOST_OWNERS:
            rounds.append([])
            held = 0
        rounds[-1].append((number, found))
        held += len(found)
    return [_joined(each, offsets) for each in rounds]


def _joined(found: list[tuple[int, NDArray[np.int64]]], offsets: NDArray[np.int64]) -> WordIndex:
    """The patterns of each word one after the other, in the order of their numbers."""
    starts = np.zeros(WORDS + 1, dtype=np.int32)
    if found:
        words = np.concatenate([each for _, each in found])
        starts[1:] = np.bincount(words, minlength=WORDS).cumsum()
    short: np.dtype[np.integer[Any]] = np.dtype(np.uint16 if len(offsets) <= 1 << 16 else np.int32)
    owners = np.empty(int(starts[-1]), dtype=short)  # 16 bits are sorted five times as fast
    free = starts[:-1].copy()
    for number, mine in found:
        places = free[mine]
        owners[places] = number
        free[mine] = places + 1
    many = starts[1:] - starts[:-1]
    narrow: np.dtype[np.integer[Any]] = np.dtype(np.uint8 if many.max() < 1 << 8 else np.int32)
    return WordIndex(starts, many.astype(narrow), owners, offsets)


def _informative(pattern: Pattern) -> int:
    """Where the ten positions begin that tell most words apart; 0 for a short pattern."""
    if pattern.width <= SIZE:
        return 0
    spread = np.concatenate([[0.0], pattern.weights.var(axis=0).cumsum()])
    return int((spread[SIZE:] - spread[:-SIZE]).argmax())


def _words(pattern: Pattern, offset: int) -> NDArray[np.int64]:
    """All words that can stand at an offset of a window which reaches the threshold, two letters at a time."""
    columns = np.zeros((4, SIZE), dtype=np.int64)
    held = pattern.weights[:, offset : offset + SIZE]
    columns[:, : held.shape[1]] = held
    best = columns.max(axis=0)
    rest = int(pattern.weights.max(axis=0).sum())  # what the letters that are not yet chosen can give at most
    words, scores = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    for place in range(0, SIZE, 2):
        rest -= int(best[place] + best[place + 1])
        scores = (scores[:, None] + (columns[:, place, None] + columns[:, place + 1]).ravel()).ravel()
        reach = np.flatnonzero(scores >= pattern.least - rest)
        words, scores = words[reach >> 4] << 4 | reach & 15, scores[reach]
    return words


def words_of(letters: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    """The words of four and of ten letters that begin at each place, (places,) each.

    letters: 0 to 3; behind the end stands A
    """
    n = len(letters)
    ones = np.concatenate([letters, np.zeros(SIZE, dtype=np.uint8)])
    twos = ones[:-1] << 2 | ones[1:]
    fours = twos[:-2] << 4 | twos[2:]
    eights = fours[:-4].astype(np.uint32) << 8 | fours[4:]
    return fours[:n], (eights[:n] << 4) | twos[8 : 8 + n]
