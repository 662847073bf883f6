"""Near copies of records of two sequences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bioloom.data.similarity import several
from bioloom.modalities import Across, Watched
from bioloom.modalities.dna import Dna
from bioloom.modalities.protein import Protein
from bioloom.modalities.table import Table
from planted import RESIDUES, substituted, texts, turned, unrelated


def pairs() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Targets 0 to 59: six proteins, each with ten pieces of DNA; then seven queries."""
    random = np.random.default_rng(0)
    proteins = np.repeat(unrelated(random, 6, 120, RESIDUES), 10).tolist()
    dna = unrelated(random, 61, 100)
    asked = [
        (dna[13], proteins[13]),  # exact in both
        (turned(dna[24]), proteins[24]),  # the other strand
        (substituted(random, dna[35], 10), proteins[35]),  # near and exact
        (substituted(random, dna[46], 10), substituted(random, proteins[46], 20, RESIDUES)),  # near in both
        (substituted(random, dna[5], 10), proteins[15]),  # near in each, but of different records
        (dna[60], proteins[0]),  # a protein that is known, with new DNA
        (substituted(random, dna[2], 10), unrelated(random, 1, 120, RESIDUES)[0]),
    ]
    more_dna, more_proteins = zip(*asked, strict=True)
    return (
        pd.DataFrame({"dna": texts([*dna[:60], *more_dna])}),
        pd.DataFrame({"protein": texts([*proteins, *more_proteins])}),
    )


def test_near_copies_are_near_in_every_sequence_to_the_same_record() -> None:
    dna, protein = pairs()
    watched = [Watched(Dna, dna), Watched(Protein, protein)]
    found = Dna.alike_in_all(watched, Across(np.arange(60, 67), np.arange(60)))
    assert found is not None
    assert found.kind.tolist() == ["exact", "reverse", "near", "near", "", "", ""]
    assert found.partner.tolist() == [13, 24, 35, 46, -1, -1, -1]
    assert found.identity[:4] == pytest.approx([1, 1, 0.9, 100 / 120], abs=0.03)
    assert found.strands
    assert found.notion.startswith("near in every sequence")


def test_too_many_candidates_leave_exact_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(several, "MOST_PAIRS", 3)
    dna, protein = pairs()
    watched = [Watched(Dna, dna), Watched(Protein, protein)]
    found = Dna.alike_in_all(watched, Across(np.arange(60, 67), np.arange(60)))
    assert found is not None
    assert found.kind.tolist() == ["exact", "", "", "", "", "", ""]
    assert found.notion == ""


def test_near_copies_across_a_sequence_and_a_table_are_not_looked_for() -> None:
    dna, _ = pairs()
    watched, across = [Watched(Dna, dna), Watched(Table, dna)], Across(np.arange(60, 67), np.arange(60))
    assert Dna.alike_in_all(watched, across) is None
    assert Table.alike_in_all(watched[::-1], across) is None
