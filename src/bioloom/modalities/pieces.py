"""Tokens of text: characters, and frequent runs of characters (byte-pair encoding) learned from training rows.

Byte-pair encoding begins with single characters and joins, again and again, the two neighbouring tokens that are
most often side by side; what is joined often, such as " the" or " kinase", becomes one token. Text is first cut
into words, each with the space before it, and tokens never reach across a cut, so joining all tokens gives the text
back, character by character. Sources: Gage (1994) C Users Journal 12(2):23; for language, Sennrich et al. (2016)
ACL, arXiv:1508.07909.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PADDING, UNKNOWN = 0, 1
"""The numbers of an empty position, and of a character that no training row holds."""

SPECIAL = ("", "\N{REPLACEMENT CHARACTER}")
"""How the tokens that stand for no character are written."""

FEWEST = 10
"""Two tokens are joined only where they stand side by side at least so often."""

LONGEST = 24
"""Characters of a token at most."""

Pair = tuple[int, int]

_CUT = re.compile(r" ?\w+| ?[^\w\s]+|\s")  # a word or signs with the space before it, or white space


@dataclass(frozen=True)
class Pieces:
    """The tokens of a text: two special ones, then characters by frequency, then joined ones in order.

    characters: each a token
    merges:     pairs of tokens that are joined, as numbers, the most frequent pair first
    """

    characters: tuple[str, ...]
    merges: tuple[Pair, ...] = ()

    @classmethod
    def learn(cls, texts: Iterable[str], most_merges: int = 0) -> Self:
        """Learn characters, and at most so many joined tokens, from training texts."""
        words = Counter(chain.from_iterable(map(_CUT.findall, texts)))
        counts: Counter[str] = Counter()
        for word, times in words.items():
            for character in word:
                counts[character] += times
        characters = tuple(sorted(counts, key=lambda character: (-counts[character], character)))
        start = cls(characters)
        return cls(characters, tuple(_learned(start, words, most_merges)))

    def state(self) -> dict[str, Any]:
        """As JSON."""
        return {"characters": "".join(self.characters), "merges": [list(pair) for pair in self.merges]}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""
        merges = tuple((int(left), int(right)) for left, right in state["merges"])
        return cls(tuple(state["characters"]), merges)

    def __len__(self) -> int:
        return len(SPECIAL) + len(self.characters) + len(self.merges)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Each token as text, (tokens,)."""
        names = [*SPECIAL, *self.characters]
        for left, right in self.merges:
            names.append(names[left] + names[right])
        return tuple(names)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {character: number for number, character in enumerate(self.characters, start=len(SPECIAL))}

    @cached_property
    def _ranks(self) -> dict[Pair, int]:
        return {pair: rank for rank, pair in enumerate(self.merges)}

    @cached_property
    def _known(self) -> dict[str, tuple[int, ...]]:
        """Words that were met before, so that each is looked up once."""
        return {}

    def encode(self, text: str) -> NDArray[np.int16]:
        """The numbers of the tokens of a text, (tokens,)."""
        if not self.merges:
            numbers = self._numbers
            return np.array([numbers.get(character, UNKNOWN) for character in text], dtype=np.int16)
        found: list[int] = []
        for word in _CUT.findall(text):
            tokens = self._known.get(word)
            if tokens is None:
                tokens = self._known[word] = self._joined(word)
            found += tokens
        return np.array(found, dtype=np.int16)

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of tokens; the inverse of `encode` but for characters that are unknown."""
        names = self.names
        return "".join([names[token] for token in tokens])

    def _joined(self, word: str) -> tuple[int, ...]:
        """The tokens of a word: the pair that was learned first is joined first, until none is left."""
        tokens, ranks = [self._numbers.get(character, UNKNOWN) for character in word], self._ranks
        first = len(SPECIAL) + len(self.characters)
        while len(tokens) > 1:
            rank = min(ranks.get(pair, len(ranks)) for pair in pairwise(tokens))
            if rank == len(ranks):
                break
            tokens = _merged(tokens, self.merges[rank], first + rank)
        return tuple(tokens)


def _merged(tokens: list[int], pair: Pair, new: int) -> list[int]:
    """The tokens with each occurrence of a pair, from the left, replaced by a new token."""
    merged, place = [], 0
    while place < len(tokens):
        if place + 1 < len(tokens) and (tokens[place], tokens[place + 1]) == pair:
            merged.append(new)
            place += 2
        else:
            merged.append(tokens[place])
            place += 1
    return merged


class _Corpus:
    """Words as tokens, how often each pair of neighbouring tokens occurs, and in which words."""

    def __init__(self, start: Pieces, words: Mapping[str, int]) -> None:
        self.spelt = [[start._numbers[character] for character in word] for word in words]
        self.times = list(words.values())
        self.counts: Counter[Pair] = Counter()
        self.holders: defaultdict[Pair, set[int]] = defaultdict(set)
        for word in range(len(self.spelt)):
            self._count(word, 1)

    def _count(self, word: int, sign: int) -> set[Pair]:
        pairs = list(pairwise(self.spelt[word]))
        for pair in pairs:
            self.counts[pair] += sign * self.times[word]
            if sign > 0:
                self.holders[pair].add(word)
        return set(pairs)

    def join(self, pair: Pair, new: int) -> set[Pair]:
        """Make a pair one token wherever it stands; the pairs whose counts changed."""
        changed: set[Pair] = set()
        for word in self.holders.pop(pair):
            changed |= self._count(word, -1)
            self.spelt[word] = _merged(self.spelt[word], pair, new)
            changed |= self._count(word, 1)
        return changed


def _learned(start: Pieces, words: Mapping[str, int], most: int) -> Iterator[Pair]:
    """The pairs to join, the most frequent one first; of equally frequent ones that with the lower numbers."""
    corpus, lengths = _Corpus(start, words), [len(name) for name in start.names]
    heap = [(-count, pair) for pair, count in corpus.counts.items()]
    heapq.heapify(heap)
    end = len(lengths) + most
    while heap and len(lengths) < end:
        count, pair = heapq.heappop(heap)
        if -count < FEWEST:
            return
        length = lengths[pair[0]] + lengths[pair[1]]
        # outdated: the true count has an entry of its own
        if length > LONGEST or corpus.counts[pair] != -count:
            continue
        yield pair
        lengths.append(length)
        for other in corpus.join(pair, len(lengths) - 1):
            if corpus.counts[other] > 0:
                heapq.heappush(heap, (-corpus.counts[other], other))
