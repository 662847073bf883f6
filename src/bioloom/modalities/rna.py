"""RNA: four letters, one strand.

T is read as U, lower case as upper case. R, Y, S, W, K, M, B, D, H, V and N stand for several bases and are
read as equal shares of them (NC-IUB 1985, doi:10.1093/nar/13.9.3021); gaps (- and .) hold their position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bioloom.modalities import Demo, modalities
from bioloom.modalities.letters import Alphabet
from bioloom.modalities.recognise import look_at, nucleic_acid
from bioloom.modalities.sequence import SequenceModality, demo_records

if TYPE_CHECKING:
    import pandas as pd

ALPHABET = Alphabet(
    word="RNA",
    letters="ACGU",
    mixtures={
        "R": "AG", "Y": "CU", "S": "CG", "W": "AU", "K": "GU", "M": "AC",
        "B": "CGU", "D": "AGU", "H": "ACU", "V": "ACG", "N": "ACGU",
    },
    unknown="N",
    spelling={"T": "U"},
)  # fmt: skip

MOTIF = "UGUAAAUA"
"""The element that Pumilio proteins bind to shorten the life of a messenger (Gerber 2004, PLoS Biol 2:e79)."""


@modalities.register
class Rna(SequenceModality):
    """An RNA sequence per record."""

    name = "rna"
    title = "RNA sequence"
    alphabet = ALPHABET
    word_lengths = (1, 2, 3, 4)
    shares = (("GC", "GC"),)
    unit = "nt"
    keeps_neighbours = True

    @classmethod
    def detect(cls, column: pd.Series[Any]) -> float:
        """Sure where nearly all letters are A, C, G and U in cells of six letters or more."""
        cells = look_at(column)
        if cells is None or cells.share("U") <= cells.share("T"):
            return 0.0
        return nucleic_acid(cells, cls.alphabet)

    @classmethod
    def demo(cls, n: int, seed: int) -> Demo:
        """Sequences of 20 to 40 nt; a Pumilio site anywhere in half of them lowers the half-life."""
        random = np.random.default_rng(seed)
        lengths = random.integers(20, 41, size=n)
        planted = np.arange(n) < n // 2
        random.shuffle(planted)
        parts = np.zeros((n, int(lengths.max(initial=0))), dtype=bool)
        sequences = []
        for row, length in enumerate(lengths):
            letters = random.choice(list("ACGU"), size=length)
            if planted[row]:
                place = int(random.integers(0, length - len(MOTIF) + 1))
                letters[place : place + len(MOTIF)] = list(MOTIF)
                parts[row, place : place + len(MOTIF)] = True
            sequences.append("".join(letters))
        half_life = 6.0 - 3.0 * planted + random.normal(0, 0.5, size=n)
        records = demo_records(sequences, "half_life_h", half_life)
        return Demo(records, "sequence", parts, "regression")
