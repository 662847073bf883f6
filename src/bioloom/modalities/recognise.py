"""Which columns of a file hold sequences: judged by letters, lengths and how often cells repeat."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bioloom.data.stored import StoredTextDtype
from bioloom.modalities.letters import GAPS, WHITE_SPACE, Alphabet, Flag, Text, read_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOOKED_AT = 2_000
"""So many cells, evenly over the column, are enough to judge it."""

SHORTEST = 6
"""Median length from which letters are taken for a sequence; CAT and DOG are words."""


@dataclass(frozen=True)
class Cells:
    """What the cells of a text column are made of.

    text:     their characters
    distinct: how many different cells there are
    letters:  (256,) how often each character occurs, in upper case, without gaps and white space
    """

    text: Text
    distinct: int
    letters: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.text.lengths)

    @property
    def length(self) -> float:
        """The median number of characters."""
        return float(np.median(self.text.lengths))

    def fits(self, alphabet: Alphabet) -> float:
        """The share of cells with nothing but characters of the alphabet."""
        return float(np.mean(self.text.joined(alphabet.flags) & Flag.INVALID == 0))

    def share(self, letters: str) -> float:
        """The share of all letters that are among these."""
        return float(self.letters[[ord(letter) for letter in letters]].sum() / max(1, self.letters.sum()))

    def kinds(self, letters: str) -> int:
        """How many of these letters occur."""
        return int(np.count_nonzero(self.letters[[ord(letter) for letter in letters]]))

    @property
    def lower(self) -> bool:
        """True where more than a tenth of the characters are lower-case letters, as in words."""
        characters = self.text.characters
        return len(characters.translate(None, ascii_lowercase.encode())) < 0.9 * len(characters)

    @property
    def spaced(self) -> bool:
        """True where more than an eighth of the characters are white space, as in phrases (blocks of ten
        letters have less)."""
        return self.text.characters.count(b" ") > 0.125 * len(self.text.characters)

    def repeats(self, share: float) -> bool:
        """True where fewer than this share of the cells are different, as in a column of categories."""
        return self.distinct < share * len(self)


def look_at(column: pd.Series[Any]) -> Cells | None:
    """Look at a sample of a column; None where its cells are no text."""
    types = pd.api.types
    texts = isinstance(column.dtype, StoredTextDtype) or types.is_string_dtype(column.dtype)
    if not (texts or types.is_object_dtype(column.dtype)):
        return None
    chosen = np.unique(np.linspace(0, max(0, len(column) - 1), min(len(column), LOOKED_AT)).astype(np.int64))
    cells = column.iloc[chosen].dropna()
    if cells.empty or not all(isinstance(cell, str) for cell in cells):
        return None
    text = read_text(cells)
    counts = np.bincount(np.frombuffer(text.characters, dtype=np.uint8), minlength=256)
    upper, lower = slice(ord("A"), ord("Z") + 1), slice(ord("a"), ord("z") + 1)
    counts[upper] += counts[lower]
    counts[lower] = 0
    counts[[ord(character) for character in GAPS + WHITE_SPACE]] = 0
    return Cells(text, int(cells.nunique()), counts.astype(np.int64))


def nucleic_acid(cells: Cells, alphabet: Alphabet) -> float:
    """How surely cells are DNA or RNA (which of both is for the caller): nearly all letters A, C, G, T or U."""
    if cells.length < SHORTEST or cells.fits(alphabet) < 0.8 or cells.share("ACGTU") < 0.85:
        return 0.0
    return 0.5 if cells.length < 20 and cells.repeats(0.02) else 0.95
