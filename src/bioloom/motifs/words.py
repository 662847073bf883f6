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
    owners:  pattern numbers
    offsets: (patterns,) how many letters before the word the site begins
    """

    starts: NDArray[np.int32]
    owners: NDArray[np.integer[Any]]
    offsets: NDArray[np.int64]

    @property
    def per_place(self) -> float:
        """Candidates at a place of a random sequence."""
        return float(len(self.owners) / WORDS)

    def candidates(self, words: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.integer[Any]]]:
        """Where sites may begin, and of which pattern, sorted by pattern; `words` are those of all places."""
        count = (self.starts[1:] - self.starts[:-1])[words]
        places = np.flatnonzero(count)
        count = count[places]
        ends = np.cumsum(count, dtype=np.int64)
        within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - count, count)
        owner = self.owners[np.repeat(self.starts[words[places]], count) + within]
        order = np.argsort(owner, kind="stable")
        owner = owner[order]
        return np.repeat(places, count)[order] - self.offsets[owner], owner


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
    words = np.concatenate([each for _, each in found]) if found else np.empty(0, dtype=np.int64)
    owners = np.repeat(np.array([number for number, _ in found]), [len(each) for _, each in found])
    starts = np.zeros(WORDS + 1, dtype=np.int32)
    starts[1:] = np.bincount(words, minlength=WORDS).cumsum()
    order = np.argsort(words, kind="stable")
    small = np.uint16 if len(offsets) <= 1 << 16 else np.int32  # 16 bits are sorted five times as fast
    return WordIndex(starts, owners[order].astype(small), offsets)


def _informative(pattern: Pattern) -> int:
    """Where the ten positions begin that tell most words apart; 0 for a short pattern."""
    if pattern.width <= SIZE:
        return 0
    spread = np.concatenate([[0.0], pattern.weights.var(axis=0).cumsum()])
    return int((spread[SIZE:] - spread[:-SIZE]).argmax())


def _words(pattern: Pattern, offset: int) -> NDArray[np.int64]:
    """All words that can stand at an offset of a window which reaches the threshold."""
    columns = pattern.weights[:, offset : offset + SIZE].astype(np.int64)
    best = columns.max(axis=0)
    elsewhere = int(pattern.weights.max(axis=0).sum()) - int(best.sum())
    rest = np.concatenate([best[::-1].cumsum()[::-1], [0]]) + elsewhere
    words, scores = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    for place in range(SIZE):
        column = columns[:, place] if place < columns.shape[1] else np.zeros(4, dtype=np.int64)
        scores = (scores[:, None] + column).ravel()
        words = (words[:, None] * 4 + np.arange(4)).ravel()
        reach = scores + rest[min(place + 1, columns.shape[1])] >= pattern.least
        words, scores = words[reach], scores[reach]
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
