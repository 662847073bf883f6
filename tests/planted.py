"""Sequences with known relatives, for the tests of similarity, splits and leakage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LETTERS = "ACGT"
RESIDUES = "ACDEFGHIKLMNPQRSTVWY"


@dataclass(frozen=True)
class Alphabet:
    letters: str = LETTERS
    both_strands: bool = True


DNA = Alphabet()
ONE_STRAND = Alphabet(both_strands=False)
PROTEIN = Alphabet(RESIDUES, both_strands=False)


def texts(sequences: list[str]) -> np.ndarray:
    array = np.empty(len(sequences), dtype=object)
    array[:] = sequences
    return array


def unrelated(random: np.random.Generator, count: int, length: int, letters: str = LETTERS) -> list[str]:
    codes = random.integers(0, len(letters), (count, length))
    return ["".join(letters[code] for code in row) for row in codes.tolist()]


def substituted(random: np.random.Generator, sequence: str, count: int, letters: str = LETTERS) -> str:
    """The sequence with exactly `count` letters changed to others."""
    copy = list(sequence)
    for place in random.choice(len(copy), count, replace=False).tolist():
        copy[place] = random.choice([letter for letter in letters if letter != copy[place]])
    return "".join(copy)


def turned(sequence: str) -> str:
    """The reverse complement, by hand."""
    pairs = {"A": "T", "C": "G", "G": "C", "T": "A"}
    return "".join(pairs[letter] for letter in reversed(sequence))
