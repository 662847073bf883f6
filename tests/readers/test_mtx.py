"""Matrix Market files with their lists of names, written here as Cell Ranger writes them."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from scipy import io, sparse

from bioloom.data.profiles import PROFILE
from bioloom.data.readers import read
from bioloom.errors import UserError

COUNTS = np.array([[0, 3, 1], [2, 0, 0], [0, 0, 5], [7, 0, 1]])
"""(features, cells)"""

FEATURES = ["ENSG1\tTP53\tGene Expression", "ENSG2\tMYC\tGene Expression", "ENSG3\tTP53\tGene Expression"]
ANTIBODY = "CD3\tCD3\tAntibody Capture"


def save(
    folder: Path, beginning: str = "", features: list[str] | None = None, *, packed: bool = True
) -> Path:
    def write(name: str, text: bytes) -> Path:
        path = folder / f"{beginning}{name}{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(text) if packed else text)
        return path

    plain = folder / "plain.mtx"
    io.mmwrite(plain, sparse.coo_array(COUNTS))
    write("features.tsv", "\n".join(features or [*FEATURES, ANTIBODY]).encode())
    write("barcodes.tsv", b"AAAC-1\nAAAG-1\nAAAT-1\n")
    path = write("matrix.mtx", plain.read_bytes())
    plain.unlink()
    return path


@pytest.mark.parametrize(("beginning", "packed"), [("", True), ("GSM1_s1_", True), ("", False)])
def test_cells_are_rows_and_genes_columns_and_counts_of_one_gene_are_added_up(
    tmp_path: Path, beginning: str, packed: bool
) -> None:
    table = read(save(tmp_path, beginning, packed=packed))
    assert list(table.frame["id"]) == ["AAAC-1", "AAAG-1", "AAAT-1"]
    assert set(table.frame.attrs[PROFILE]) == {"TP53", "MYC"}
    assert table.frame["TP53"].tolist() == [0, 3, 6]
    assert table.frame["MYC"].tolist() == [2, 0, 0]
    assert any("1 features that are not genes are left out: Antibody Capture" in note for note in table.notes)
    assert table.unit == "cell"


def test_a_folder_with_the_three_files_is_one_data_set_and_takes_labels_by_barcode(tmp_path: Path) -> None:
    folder = tmp_path / "filtered_feature_bc_matrix"
    folder.mkdir()
    save(folder)
    labels = tmp_path / "labels.csv"
    labels.write_text("id,kind\nAAAC-1,B\nAAAG-1,T\nAAAT-1,T\n", encoding="utf-8")
    table = read(folder, labels=labels)
    assert table.frame["kind"].tolist() == ["B", "T", "T"]


def test_names_from_another_folder_are_refused_with_both_sizes(tmp_path: Path) -> None:
    path = save(tmp_path, features=FEATURES)
    with pytest.raises(UserError, match="4 rows and 3 columns, but there are 3 features and 3 barcodes"):
        read(path)


def test_a_matrix_without_names_says_what_is_missing(tmp_path: Path) -> None:
    path = save(tmp_path)
    (tmp_path / "barcodes.tsv.gz").unlink()
    with pytest.raises(UserError, match=r"no barcodes\.tsv beside"):
        read(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("%%MatrixMarket matrix coordinate integer general\n4 3 2\n1 1 5\n", "no complete"),
        ("%%MatrixMarket matrix coordinate integer general\n4 3 1\n9 9 5\n", "no complete"),
        ("%%MatrixMarket matrix array integer general\n1 1\n5\n", "not a sparse one"),
    ],
)
def test_a_damaged_matrix_gets_an_error_that_names_the_file(tmp_path: Path, text: str, told: str) -> None:
    path = save(tmp_path, packed=False)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=told) as caught:
        read(path)
    assert "matrix.mtx" in str(caught.value.where)
