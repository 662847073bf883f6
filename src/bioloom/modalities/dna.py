"""DNA: four letters, two strands.

U is read as T, lower case as upper case. R, Y, S, W, K, M, B, D, H, V and N stand for several bases and are
read as equal shares of them (NC-IUB 1985, doi:10.1093/nar/13.9.3021); gaps (- and .) hold their position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bioloom.data.simulate.motif import LENGTH, PERCENT, PLACE, plant_motif
from bioloom.modalities import Demo, modalities
from bioloom.modalities.letters import Alphabet
from bioloom.modalities.recognise import look_at, nucleic_acid
from bioloom.modalities.sequence import SequenceModality, demo_records

if TYPE_CHECKING:
    import pandas as pd

ALPHABET = Alphabet(
    word="DNA",
    letters="ACGT",
    mixtures={
        "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
        "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
    },
    unknown="N",
    both_strands=True,
    spelling={"U": "T"},
)  # fmt: skip


@modalities.register
class Dna(SequenceModality):
    """A DNA sequence per record."""

    name = "dna"
    title = "DNA sequence"
    alphabet = ALPHABET
    word_lengths = (1, 2, 3, 4)
    shares = (("GC", "GC"),)
    unit = "nt"
    keeps_neighbours = True
    augmentations = ("reverse_complement", *SequenceModality.augmentations)

    @classmethod
    def detect(cls, column: pd.Series[Any]) -> float:
        """Sure where nearly all letters are A, C, G and T in cells of six letters or more."""
        cells = look_at(column)
        if cells is None or cells.share("U") > cells.share("T"):
            return 0.0
        return nucleic_acid(cells, cls.alphabet)

    @classmethod
    def demo(cls, n: int, seed: int) -> Demo:
        """Half the sequences hold the motif at one place; which half is to be told."""
        sequences, bound = plant_motif(n - n // 2, n // 2, seed)
        order = np.random.default_rng(seed).permutation(n)
        parts = np.zeros((n, LENGTH), dtype=bool)
        parts[bound, PLACE : PLACE + PERCENT.shape[1]] = True
        labels = np.where(bound, "yes", "no")[order]
        records = demo_records(sequences[order], "motif", labels)
        return Demo(records, "sequence", parts[order], "binary")
