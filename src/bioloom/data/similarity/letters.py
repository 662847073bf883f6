"""Sequences as numbers: one long row of letter codes, and the same packed into words to compare fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioloom.data.similarity.copies import reverse_complements

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.similarity.copies import Alphabet

# Ten classes of amino acids that replace each other (Murphy, Wallqvist and Levy 2000, Protein Eng 13:149).
AMINO_ACID_CLASSES = ("LVIM", "C", "A", "G", "ST", "P", "FYW", "EDNQ", "KR", "H")
AMINO_ACIDS = frozenset("".join(AMINO_ACID_CLASSES))

GAP = 32
"""Places without a letter between two records: longer than any seed, so that no seed spans two records."""

UNKNOWN = 255
"""The code of every sign outside the alphabet, and of the gaps; it matches nothing, not even itself."""


@dataclass(frozen=True)
class Letters:
    """All records in one row, with gaps between; where strands count, their reverse complements follow.

    codes:   (places,) place of each letter in the alphabet, UNKNOWN where there is none
    classes: (places,) the same for the classes that seeds are made of; equal to codes for nucleotides
    starts:  (records,) place of the first letter; turned: the same for the reverse complement
    lengths: (records,) letters per record
    forward: places taken by the records as they were given
    """

    codes: NDArray[np.uint8]
    classes: NDArray[np.uint8]
    starts: NDArray[np.int64]
    turned: NDArray[np.int64]
    lengths: NDArray[np.int64]
    forward: int
    n_letters: int
    n_classes: int
    both_strands: bool

    def __len__(self) -> int:
        return len(self.starts)

    def record_of(self) -> NDArray[np.int32]:
        """(forward,) the record each place of the forward part belongs to (gaps: to the record before)."""
        return np.repeat(np.arange(len(self), dtype=np.int32), self.lengths + GAP)

    def chance(self, codes: NDArray[np.uint8], n: int) -> float:
        """The probability that two of the first n codes (or classes) drawn from these records are equal."""
        counts = np.bincount(codes[: self.forward], minlength=256)[:n]
        return max(float(np.sum((counts / max(counts.sum(), 1)) ** 2)), 1 / n)


def read_letters(sequences: NDArray[np.object_], alphabet: Alphabet) -> Letters:
    """Turn upper-case text into one row of codes; signs outside the alphabet become UNKNOWN."""
    space = " " * GAP
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    ends = np.cumsum(lengths + GAP)
    forward = int(ends[-1]) if len(ends) else 0
    starts = ends - lengths - GAP
    text = space.join([*sequences, ""])
    turned = starts
    if alphabet.both_strands:
        text += space.join([*reverse_complements(sequences), ""])
        turned = starts + forward
    places = np.frombuffer(text.encode("latin-1", "replace"), dtype=np.uint8)
    coded, classed = _tables(alphabet.letters)
    codes = coded[places]
    same = bool(np.array_equal(coded, classed))
    n_classes = len(np.unique(classed)) - 1
    return Letters(
        codes=codes,
        classes=codes if same else classed[places],
        starts=starts,
        turned=turned,
        lengths=lengths,
        forward=forward,
        n_letters=len(alphabet.letters),
        n_classes=n_classes,
        both_strands=alphabet.both_strands,
    )


def _tables(letters: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The code and the class of each of the 256 signs."""
    codes = np.full(256, UNKNOWN, dtype=np.uint8)
    codes[[ord(letter) for letter in letters]] = np.arange(len(letters))
    if not set(letters) >= AMINO_ACIDS:
        return codes, codes
    classes = np.full(256, UNKNOWN, dtype=np.uint8)
    for number, members in enumerate(AMINO_ACID_CLASSES):
        classes[[ord(letter) for letter in members]] = number
    return codes, classes


@dataclass(frozen=True)
class Packed:
    """Letters packed into 64-bit words, 32 nucleotides or 8 amino acids each: 32 comparisons in one step."""

    words: NDArray[np.uint64]
    bits: int

    def matches(
        self, left: NDArray[np.int64], right: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Count equal letters of pairs of stretches: (pairs,) places of their starts and their lengths.

        Signs outside the alphabet count as its first letter where words are 2 bits a letter, so the count
        can be too high and is never too low: a sieve before `stretches`, which is exact.
        """
        found = np.zeros(len(left), dtype=np.int64)
        # sorted much faster
        short = lengths.astype(np.uint16) if lengths.max(initial=0) < 1 << 16 else lengths
        order = np.argsort(short, kind="stable")  # blocks of similar lengths
        for low in range(0, len(left), 1 << 14):
            block = order[low : low + (1 << 14)]
            found[block] = self._count(left[block], right[block], lengths[block])
        return found

    def _count(
        self, left: NDArray[np.int64], right: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        per_word = 64 // self.bits
        a, b = _Reader(self, left), _Reader(self, right)
        total = np.zeros(len(left), dtype=np.int64)
        for word in range(-(-int(lengths.max(initial=0)) // per_word)):
            differing = a.next() ^ b.next()
            step = self.bits // 2
            while step:  # fold each letter's bits into its lowest one
                differing |= differing >> np.uint64(step)
                step //= 2
            inside = np.clip(lengths - word * per_word, 0, per_word)
            differing &= _LOWEST[self.bits]
            differing &= _front(inside * self.bits)
            total += inside - np.bitwise_count(differing)
        return total


class _Reader:
    """Reads one word after the other from any place on, for many places at once."""

    def __init__(self, packed: Packed, places: NDArray[np.int64]) -> None:
        per_word = 64 // packed.bits
        self.words, self.at = packed.words, places // per_word
        self.shift = ((places % per_word) * packed.bits).astype(np.uint64)
        self.high = self.words[self.at]

    def next(self) -> NDArray[np.uint64]:
        self.at = np.minimum(self.at + 1, len(self.words) - 1)
        low = self.words[self.at]
        word: NDArray[np.uint64] = (self.high << self.shift) | (
            (low >> np.uint64(1)) >> (np.uint64(63) - self.shift)
        )
        self.high = low
        return word


_LOWEST = {2: np.uint64(0x5555555555555555), 8: np.uint64(0x0101010101010101)}
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


def _front(bits: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Words whose first (highest) bits are set."""
    back = (64 - bits).astype(np.uint64)
    return np.where(bits > 0, _ALL << np.minimum(back, np.uint64(63)), np.uint64(0))


def pack(letters: Letters) -> Packed:
    """Pack the codes into words, first letter in the highest bits."""
    bits = 2 if letters.n_letters <= 4 else 8
    per_word = 64 // bits
    padded = np.zeros((len(letters.codes) // per_word + 2) * per_word, dtype=np.uint8)
    padded[: len(letters.codes)] = letters.codes
    if bits == 2:
        padded[padded == UNKNOWN] = 0
        quads = padded.reshape(-1, 4)
        quads <<= np.array([6, 4, 2, 0], dtype=np.uint8)
        padded = np.bitwise_or.reduce(quads, axis=1)
    return Packed(words=padded.reshape(-1, 8).view(">u8").astype(np.uint64).ravel(), bits=bits)
