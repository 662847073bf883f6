"""How often letters stand in sequences that mean nothing in particular: what a motif is compared with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioloom.errors import UserError

ORDERS = (0, 1, 2)

_COMPLEMENT = np.array([3, 2, 1, 0])
_NOTHING = 255  # the code of a sign that is no letter of DNA

CODES = np.full(256, _NOTHING, dtype=np.uint8)
"""The number of each sign: A, C, G, T (or U) are 0 to 3 in either case, all else 255."""
for _number, _signs in enumerate(("Aa", "Cc", "Gg", "TtUu")):
    CODES[[ord(_sign) for _sign in _signs]] = _number


def codes(sequence: str) -> NDArray[np.uint8]:
    """A sequence as numbers, (positions,)."""
    return CODES[np.frombuffer(sequence.encode("latin-1", "replace"), dtype=np.uint8)]


@dataclass(frozen=True)
class Background:
    """A Markov chain over letters: the probability of each letter after the letters before it.

    after: (4,) * order probabilities of the words before, by (4,) of the next letter: shape (4,) * (order + 1);
           each row sums to 1
    words: the probability of each word of `order` letters at the start, shape (4,) * order
    """

    after: NDArray[np.float64]
    words: NDArray[np.float64]

    @property
    def order(self) -> int:
        """How many letters before a letter count."""
        return self.after.ndim - 1

    @property
    def letters(self) -> tuple[float, float, float, float]:
        """The probability of A, C, G and T wherever one looks."""
        joint = self.words[..., None] * self.after if self.order else self.after
        a, c, g, t = joint.reshape(-1, 4).sum(axis=0) / joint.sum()
        return float(a), float(c), float(g), float(t)


def uniform() -> Background:
    """All letters alike."""
    return from_frequencies((0.25, 0.25, 0.25, 0.25))


def from_frequencies(frequencies: tuple[float, float, float, float]) -> Background:
    """A background of order 0 with given frequencies of A, C, G and T, made to sum to 1.

    Raises UserError for a frequency that is not above 0.
    """
    numbers = np.array(frequencies, dtype=np.float64)
    if numbers.shape != (4,) or not np.all(numbers > 0):
        raise UserError(
            "A background needs four frequencies above 0: of A, C, G and T.",
            where=", ".join(map(str, frequencies)),
            fix="give four numbers such as 0.3,0.2,0.2,0.3",
        )
    return Background(numbers / numbers.sum(), np.ones(()))


def both_ways(background: Background) -> Background:
    """A background of order 0 as both strands together have it: A as frequent as T, C as G."""
    a, c, g, t = background.letters
    return from_frequencies(((a + t) / 2, (c + g) / 2, (c + g) / 2, (a + t) / 2))


def from_sequences(sequences: Iterable[str], order: int = 0, both_strands: bool = True) -> Background:
    """Count the letters of sequences and of what stands before them.

    order:        0 for letters alone, 1 or 2 for the letter after one or two others
    both_strands: count the reverse complements too, so that both strands have one background
    Each word is counted once more than it is there, so that none is impossible. Words with N are left out.
    Raises UserError for another order.
    """
    if order not in ORDERS:
        raise UserError(f"A background of order {order} is not known.", fix="choose 0, 1 or 2")
    size = order + 1
    counts = np.ones(4**size)
    for sequence in sequences:
        counts += _count_words(codes(sequence), size)
    grid = counts.reshape((4,) * size)
    if both_strands:
        for axis in range(size):
            counts = counts.reshape((4,) * size)
            counts = np.take(counts, _COMPLEMENT, axis=axis)
        grid = grid + counts.transpose(*reversed(range(size)))
    words = grid.sum(axis=-1)
    return Background(grid / words[..., None], words / words.sum())


def _count_words(letters: NDArray[np.uint8], size: int) -> NDArray[np.float64]:
    """How often each word of some letters stands in a sequence, (4^size,)."""
    places = max(0, len(letters) - size + 1)
    word = np.zeros(places, dtype=np.int64)
    known = np.ones(places, dtype=bool)
    for offset in range(size):
        part = letters[offset : offset + places]
        known &= part != _NOTHING
        word = word * 4 + part
    return np.bincount(word[known], minlength=4**size).astype(np.float64)
