"""Which columns of real files are taken for sequences."""

from __future__ import annotations

import pandas as pd
import pytest

from bioloom.modalities import modalities

COLUMNS = {
    "dna/lac_promoter.csv.gz": {"sequence": "dna"},
    "dna/ecoli_promoters_106.csv": {"sequence": "dna"},
    "dna/splice_junctions.csv": {"sequence": "dna"},
    "dna/utr5_fluorescence.csv": {"utr5": "dna", "cds": "dna"},
    "dna/yeast_native_utr5.csv.gz": {"utr5": "dna"},
    "rna/splice_site_mpsa.csv.gz": {"sequence": "rna"},
    "rna/start_context.csv.gz": {"sequence": "rna"},
    "protein/amyloid.csv.gz": {"sequence": "protein"},
    "protein/tdp43.csv.gz": {"sequence": "protein"},
    "protein/gb1_flip.csv.gz": {"sequence": "protein"},
    "structure/protein_complexes.csv": {"structure": "structure"},
    "table/esol.csv": {"smiles": "molecule"},
    "table/manufacturing_yield.csv": {},
    "table/cell_free_protein_yield.csv": {},
}
"""The sequence columns of the real data sets; all other columns go into a table."""


@pytest.mark.parametrize("file", sorted(COLUMNS))
def test_every_column_of_the_real_data_is_recognised(shared_data, file):
    data = pd.read_csv(shared_data / file, dtype=str)
    sure = {
        str(name): max(modalities, key=lambda each: modalities[each].detect(data[name]))
        for name in data.columns
    }
    assert {name: modality for name, modality in sure.items() if modality != "table"} == COLUMNS[file]
