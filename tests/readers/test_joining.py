"""Labels joined by id, and one file per class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bioloom.data.readers import read
from bioloom.data.reading.joining import upright_for
from bioloom.data.records import Table
from bioloom.errors import UserError


def fasta(folder: Path, name: str, ids: list[str]) -> Path:
    path = folder / name
    path.write_text("".join(f">{one}\nACGT\n" for one in ids))
    return path


def test_labels_are_joined_as_pandas_merges_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ids = [f"s{number}" for number in rng.permutation(200)]
    labels = pd.DataFrame(
        {"id": [f"s{n}" for n in rng.permutation(250)[:180]], "y": np.arange(180).astype(str)}
    )
    labels.to_csv(tmp_path / "labels.csv", index=False)
    table = read(fasta(tmp_path, "t.fa", ids), labels=tmp_path / "labels.csv")
    expected = pd.DataFrame({"id": ids}).merge(labels, on="id", how="left")
    assert table.frame["y"].fillna("").tolist() == expected["y"].fillna("").tolist()
    assert table.frame["id"].tolist() == ids
    assert table.lines.tolist() == list(range(1, 201))
    missing = int(expected["y"].isna().sum())
    assert any(f"{missing} records of t.fa without a label" in note for note in table.notes)
    assert any(f"{180 - (200 - missing)} labels of labels.csv" in note for note in table.notes)


def test_labels_may_be_a_frame_and_ids_numbers(tmp_path: Path) -> None:
    path = fasta(tmp_path, "t.fa", ["1", "2"])
    assert read(path, labels=pd.DataFrame({"id": [2, 1], "y": [5.0, 6.0]})).frame["y"].tolist() == [6.0, 5.0]


def test_labels_without_an_id_are_told_and_left_out(tmp_path: Path) -> None:
    labels = tmp_path / "l.csv"
    labels.write_text("ID,y\na,1\n,2\n,3\n")
    table = read(fasta(tmp_path, "t.fa", ["a", "b"]), labels=labels)
    assert table.frame["y"].fillna("").tolist() == ["1", ""]
    assert "left out: 2 labels of l.csv without an id" in table.notes


def test_a_label_column_does_not_replace_the_sequence(tmp_path: Path) -> None:
    labels = tmp_path / "l.csv"
    labels.write_text("id,sequence\na,x\nb,y\n")
    frame = read(fasta(tmp_path, "t.fa", ["a", "b"]), labels=labels).frame
    assert list(frame) == ["id", "sequence", "sequence_label"]
    assert frame["sequence"].tolist() == ["ACGT", "ACGT"]


def expression(folder: Path, corner: str) -> Path:
    """Genes in rows, samples in columns."""
    rows = [",".join([corner, *(f"s{number}" for number in range(6))])]
    rows += [
        ",".join([f"GENE{gene}", *(str(10 * gene + number) for number in range(6))]) for gene in range(3)
    ]
    path = folder / "expression.csv"
    path.write_text("\n".join(rows))
    return path


@pytest.mark.parametrize("corner", ["", "gene", "id"])
def test_a_matrix_whose_columns_are_the_labelled_samples_is_turned_round(tmp_path: Path, corner: str) -> None:
    labels = tmp_path / "samples.csv"
    labels.write_text(
        "sample,outcome\n" + "".join(f"s{n},{'case' if n % 2 else 'control'}\n" for n in range(6))
    )
    table = read(expression(tmp_path, corner), labels=labels)
    assert list(table.frame) == ["id", "GENE0", "GENE1", "GENE2", "outcome"]
    assert table.frame["id"].tolist() == [f"s{number}" for number in range(6)]
    assert table.frame["GENE2"].astype(int).tolist() == list(range(20, 26))
    assert table.frame["outcome"].tolist() == ["control", "case"] * 3
    assert any("each column is read as a record" in note for note in table.notes)
    assert table.where(0) == "expression.csv, column 2"


def test_a_first_column_that_holds_the_ids_of_the_labels_is_called_id(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("patient,x\np1,1\np2,2\np3,3\n")
    (tmp_path / "l.csv").write_text("patient,y\np3,30\np1,10\np2,20\n")
    table = read(tmp_path / "t.csv", labels=tmp_path / "l.csv")
    assert table.frame[["id", "x", "y"]].to_numpy().tolist() == [
        ["p1", "1", "10"],
        ["p2", "2", "20"],
        ["p3", "3", "30"],
    ]
    assert any('the column "patient" holds the ids of l.csv' in note for note in table.notes)


def test_a_table_without_ids_that_agree_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("patient,x\np1,1\np2,2\n")
    (tmp_path / "l.csv").write_text("id,y\nq1,30\nq2,10\n")
    with pytest.raises(UserError, match="no column of that name"):
        read(tmp_path / "t.csv", labels=tmp_path / "l.csv")


def test_the_hash_depends_on_the_labels(tmp_path: Path) -> None:
    path = fasta(tmp_path, "t.fa", ["a"])
    hashes = {read(path, labels=pd.DataFrame({"id": ["a"], "y": [y]})).sha256 for y in (1, 2)}
    assert len(hashes | {read(path).sha256}) == 3


@pytest.mark.parametrize("form", ["pattern", "folder", "list"])
def test_files_are_classes(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "peaks"
    folder.mkdir()
    paths = [fasta(folder, "mafk.fa", ["a", "b"]), fasta(folder, "oct4.fa", ["c"])]
    source = {"pattern": str(folder / "*.fa"), "folder": folder, "list": paths}[form]
    table = read(source)
    assert table.frame["file"].tolist() == ["mafk", "mafk", "oct4"]
    assert table.lines.tolist() == [1, 2, 3]
    assert "mafk 1-2, oct4 3-3" in table.notes[0]


def test_files_of_one_name_are_told_apart_by_their_folder(tmp_path: Path) -> None:
    paths = []
    for name in ("bound", "free"):
        (tmp_path / name).mkdir()
        paths.append(fasta(tmp_path / name, "seqs.fa.gz", ["a"]))
    assert read(paths).frame["file"].tolist() == ["bound/seqs", "free/seqs"]


def test_columns_that_a_file_lacks_are_missing_there(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,x\n1,2\n")
    (tmp_path / "b.csv").write_text("id,y\n1,3\n")
    frame = read(tmp_path / "*.csv").frame
    assert frame.fillna("").to_numpy().tolist() == [["1", "2", "a", ""], ["1", "", "b", "3"]]


def test_a_column_called_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,file\n1,2\n")
    with pytest.raises(UserError, match='a column "file"') as caught:
        read(tmp_path / "*.csv")
    assert "rename" in caught.value.fix


def test_real_peaks_are_read_as_classes(shared_data: Path) -> None:
    table = read(shared_data / "dna" / "chip_oct4_mafk" / "*[4k].fa")
    assert table.frame["file"].value_counts().to_dict() == {"mafk": 3900, "oct4": 3897}


# ---- what a model reads named in the first column ---------------------------------------------------------------


def matrix(genes: list[str]) -> Table:
    frame = pd.DataFrame({"gene": genes, "s1": range(len(genes)), "s2": range(len(genes))})
    return Table(frame, np.arange(len(genes)) + 2, "new.csv", "CSV", "")


def test_a_table_is_turned_where_its_first_column_holds_what_a_model_reads() -> None:
    found = upright_for(matrix(["b", "a", "other"]), ["a", "b", "c"])
    assert list(found.frame.columns) == ["id", "b", "a", "other"]
    assert found.frame["id"].tolist() == ["s1", "s2"]
    assert found.frame["a"].tolist() == [1, 1]
    assert found.unit == "column"


@pytest.mark.parametrize(
    ("genes", "wanted"),
    [
        (["x", "y", "z"], ["a", "b"]),  # names of others
        (["a", "b", "a"], ["a", "b"]),  # not one row for each
        (["a", "b", "c"], ["s1", "s2", "a"]),  # the header holds them too
        (["a", "b", "c"], ["a"]),  # a single column says too little
    ],
)
def test_a_table_stays_as_it_is_where_that_is_not_plain(genes: list[str], wanted: list[str]) -> None:
    table = matrix(genes)
    assert upright_for(table, wanted) is table
