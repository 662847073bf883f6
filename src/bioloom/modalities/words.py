"""The words and word pairs of documents as numbers, weighted by how rare they are: tf-idf.

A simple model on these is hard to beat where the words themselves tell the class.
Source: Salton & Buckley (1988) Information Processing & Management 24:513.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 2_000
"""Words and pairs of words at most: those that most documents hold."""

FEWEST = 2
"""Documents that a word must stand in."""

LETTERS = 3
"""Texts without spaces are described by their runs of so many characters instead of words."""

_WORD = re.compile(r"\w+")


def terms(text: str, *, spaced: bool) -> list[str]:
    """The words and pairs of neighbouring words of a text in small letters; without spaces, its runs of characters."""
    if not spaced:
        return [
            text[first : first + size]
            for size in range(1, LETTERS + 1)
            for first in range(len(text) - size + 1)
        ]
    words = _WORD.findall(text.casefold())
    return words + [f"{one} {other}" for one, other in pairwise(words)]


@dataclass(frozen=True)
class Words:
    """The words that count, and how rare each is.

    names:  words and pairs of words, or runs of characters
    rarity: log((1 + documents) / (1 + documents with it)) + 1, learned from training rows
    spaced: whether texts are made of words
    """

    names: tuple[str, ...]
    rarity: tuple[float, ...]
    spaced: bool = True

    @classmethod
    def learn(cls, texts: Sequence[str], *, spaced: bool) -> Self:
        """Choose the words that most training documents hold; of equally frequent ones the alphabetically first."""
        held: Counter[str] = Counter()
        for text in texts:
            held.update(set(terms(text, spaced=spaced)))
        common = sorted(
            ((count, name) for name, count in held.items() if count >= FEWEST),
            key=lambda each: (-each[0], each[1]),
        )[:MOST]
        rarity = [round(float(np.log((1 + len(texts)) / (1 + count)) + 1), 6) for count, _ in common]
        return cls(tuple(name for _, name in common), tuple(rarity), spaced)

    def state(self) -> dict[str, Any]:
        """As JSON."""
        return {"names": list(self.names), "rarity": list(self.rarity), "spaced": self.spaced}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(tuple(state["names"]), tuple(map(float, state["rarity"])), bool(state["spaced"]))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    def weigh(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """(1 + log count) x rarity of each word, each document scaled to length 1, (texts, words)."""
        rows = [self._row(text) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, len(self.names)), dtype=np.float32)

    def _row(self, text: str) -> NDArray[np.float32]:
        row = np.zeros(len(self.names), dtype=np.float64)
        for name, count in Counter(terms(text, spaced=self.spaced)).items():
            if (place := self._places.get(name)) is not None:
                row[place] = (1 + np.log(count)) * self.rarity[place]
        size = float(np.sqrt((row**2).sum()))
        return np.asarray(row / (size or 1.0), dtype=np.float32)
