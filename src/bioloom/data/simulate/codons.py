"""Coding sequences and their proteins, by the standard genetic code: something to learn translation from."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bioloom.data.simulate import Made, Simulator, simulators

CODE = "KNKNTTTTRSRSIIMIQHQHPPPPRRRRLLLLEDEDAAAAGGGGVVVV*Y*YSSSS*CWCLFLF"
"""Amino acids by codon, AAA, AAC, AAG, AAT, ACA to TTT; * is a stop."""

FEWEST, MOST = 5, 12
"""Amino acids of a protein, the first methionine counted."""

LETTERS = "ACGT"


def translated(gene: str) -> str:
    """The protein of a coding sequence, up to its first stop codon."""
    numbers = ["".join(LETTERS).index(letter) for letter in gene]
    found = []
    for first in range(0, len(numbers) - 2, 3):
        one, two, three = numbers[first : first + 3]
        residue = CODE[16 * one + 4 * two + three]
        if residue == "*":
            break
        found.append(residue)
    return "".join(found)


def _make(records: int, seed: int) -> Made:
    random = np.random.default_rng(seed)
    codons = [one + two + three for one in LETTERS for two in LETTERS for three in LETTERS]
    sense = [codon for codon, residue in zip(codons, CODE, strict=True) if residue != "*"]
    stops = [codon for codon, residue in zip(codons, CODE, strict=True) if residue == "*"]
    genes = [
        "ATG"
        + "".join(random.choice(sense, random.integers(FEWEST, MOST + 1) - 1))
        + str(random.choice(stops))
        for _ in range(records)
    ]
    frame = pd.DataFrame(
        {
            "id": [f"gene{number + 1}" for number in range(records)],
            "gene": genes,
            "protein": [translated(gene) for gene in genes],
        }
    )
    return Made(frame, {"code": dict(zip(codons, CODE, strict=True))})


simulators.register(
    Simulator(
        name="codons",
        title="coding sequences of 5 to 12 codons and a stop, with their proteins",
        target="protein",
        task="translation",
        make=_make,
        source="the standard genetic code (NCBI translation table 1)",
    )
)
