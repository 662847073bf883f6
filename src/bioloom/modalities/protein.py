"""Protein: twenty amino acids and the stop.

Lower case is read as upper case, a stop (*) is a letter of its own, gaps (- and .) hold their position.
B (D or N), Z (E or Q), J (I or L) and X (any of the twenty) are read as equal shares. Selenocysteine (U) is
read as cysteine and pyrrolysine (O) as lysine, the residues they derive from, as HMMER's Easel library does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bioloom.modalities import Demo, modalities
from bioloom.modalities.letters import Alphabet
from bioloom.modalities.recognise import SHORTEST, look_at
from bioloom.modalities.sequence import SequenceModality, demo_records

if TYPE_CHECKING:
    import pandas as pd

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"

ALPHABET = Alphabet(
    word="protein",
    letters=AMINO_ACIDS + "*",
    mixtures={"B": "DN", "Z": "EQ", "J": "IL", "X": AMINO_ACIDS},
    unknown="X",
    replaced={"U": "C", "O": "K"},
)


@modalities.register
class Protein(SequenceModality):
    """An amino-acid sequence per record."""

    name = "protein"
    title = "protein sequence"
    alphabet = ALPHABET
    word_lengths = (1, 2)
    unit = "aa"
    keeps_neighbours = False

    @classmethod
    def detect(cls, column: pd.Series[Any]) -> float:
        """Sure where cells of six letters or more hold amino acids only, five of them no nucleic-acid letters.

        Words of a language betray themselves by lower case, white space, letters that are no amino acid
        (O, U, B, J, X, Z) or by repeating, as categories do.
        """
        cells = look_at(column)
        if cells is None or cells.length < SHORTEST or cells.fits(cls.alphabet) < 0.8:
            return 0.0
        if cells.kinds("DEFHIKLMPQRSVWY") < 5:
            return 0.0
        if cells.share("BJOUZ") > 0.02 or cells.spaced:
            return 0.0
        short = cells.length < 25
        if short and (cells.lower or cells.distinct < min(10, len(cells) / 2) or cells.repeats(0.05)):
            return 0.0
        return 0.8 if short else 0.95

    @classmethod
    def demo(cls, n: int, seed: int) -> Demo:
        """Proteins of 30 aa; lysine at 9 and glutamate at 21 each add to the stability, both add more."""
        random = np.random.default_rng(seed)
        letters = random.choice(list(AMINO_ACIDS), size=(n, 30))
        for place, letter in PAIR.items():
            letters[random.random(n) < 0.5, place] = letter
        there = np.stack([letters[:, place] == letter for place, letter in PAIR.items()], axis=1)
        parts = np.zeros(letters.shape, dtype=bool)
        parts[:, list(PAIR)] = there
        stability = there.sum(axis=1) + there.all(axis=1) + random.normal(0, 0.2, size=n)
        records = demo_records(["".join(row) for row in letters], "stability", stability)
        return Demo(records, "sequence", parts, "regression")


PAIR = {8: "K", 20: "E"}
"""The planted residues by position (0-based): a salt bridge."""
