"""Tables with a record in each column are turned round; all others are left as they stand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bioloom.data.readers import read
from bioloom.errors import UserError


def matrix(genes: int, samples: int, seed: int = 0) -> pd.DataFrame:
    """Counts with genes in rows and samples in columns."""
    random = np.random.default_rng(seed)
    mean = random.lognormal(3, 1.5, size=(genes, 1))
    counts = random.poisson(mean * random.lognormal(0, 0.3, size=(genes, samples)))
    names = [f"ENSG{number:011d}" for number in range(genes)]
    return pd.DataFrame(counts, index=names, columns=[f"S{number}" for number in range(samples)])


def save(frame: pd.DataFrame, folder: Path, name: str = "gene") -> Path:
    frame.to_csv(folder / "t.tsv", sep="\t", index_label=name)
    return folder / "t.tsv"


def test_a_matrix_with_rows_of_words_above_is_turned_round(tmp_path: Path) -> None:
    counts = matrix(30, 8)
    words = pd.DataFrame([["ill", "well"] * 4, ["f", "f", "m", "m"] * 2], ["disease", "sex"], counts.columns)
    table = read(save(pd.concat([words, counts.astype(object)]), tmp_path))
    assert table.frame["id"].tolist() == counts.columns.tolist()
    assert table.frame["disease"].tolist() == ["ill", "well"] * 4
    assert table.frame["ENSG00000000007"].astype(int).tolist() == counts.loc["ENSG00000000007"].tolist()
    assert table.where(0, "disease") == 't.tsv, column 2, column "disease"'
    assert "turned round" in table.notes[0]


def test_a_repeated_header_is_a_description_and_another_row_names_the_records(tmp_path: Path) -> None:
    counts = matrix(30, 8).astype(object)
    words = pd.DataFrame(
        [[f"HD-{n}" for n in range(8)], ["ill", "well"] * 4], ["sampleID", "disease"], counts.columns
    )
    frame = pd.concat([words, counts])
    frame.columns = ["study A"] * 8
    table = read(save(frame, tmp_path, "dataset"))
    assert table.frame["id"].tolist() == words.loc["sampleID"].tolist()
    assert set(table.frame["dataset"]) == {"study A"}


def test_a_matrix_of_numbers_alone_is_turned_by_its_names_and_by_columns_that_rise_together(
    tmp_path: Path,
) -> None:
    table = read(save(matrix(150, 8), tmp_path))
    assert table.frame.shape == (8, 151)
    assert "rise and fall together" in table.notes[0]


def test_properties_of_genes_are_a_table_as_it_stands(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    names = [f"ENSG{number:011d}" for number in range(150)]
    frame = pd.DataFrame(random.normal(size=(150, 7)), names, ["length", "gc", "exons", "a", "b", "c", "y"])
    assert read(save(frame, tmp_path)).frame.shape == (150, 8)


def test_a_line_of_units_below_the_header_turns_nothing(tmp_path: Path) -> None:
    frame = pd.DataFrame(np.arange(60.0).reshape(15, 4), [f"culture {n}" for n in range(15)], list("abcd"))
    units = pd.DataFrame([["g/l", "C", "h", "g"]], ["unit"], frame.columns)
    assert read(save(pd.concat([units, frame.astype(object)]), tmp_path)).frame.shape == (16, 5)


def test_a_table_with_records_in_rows_stays(tmp_path: Path) -> None:
    frame = matrix(60, 20).T.assign(disease=["ill", "well"] * 10)
    table = read(save(frame, tmp_path, "sample"))
    assert table.frame.shape == (20, 62)
    assert not any("turned" in note for note in table.notes)


def test_a_gene_that_stands_twice_in_a_turned_table_is_refused(tmp_path: Path) -> None:
    counts = matrix(150, 8).rename(index={"ENSG00000000003": "ENSG00000000004"})
    with pytest.raises(UserError, match="ENSG00000000004"):
        read(save(counts, tmp_path))
