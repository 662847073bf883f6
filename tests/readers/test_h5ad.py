""".h5ad files, written here with h5py by the documented layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from bioloom.data.profiles import PROFILE
from bioloom.data.readers import read
from bioloom.data.reading import matrices
from bioloom.errors import UserError

h5py = pytest.importorskip("h5py")


def frame(group, index: list[str], **columns) -> None:
    group.attrs.update(
        {"encoding-type": "dataframe", "_index": "_index", "column-order": list(columns) or np.zeros(0)}
    )
    group["_index"] = index
    for name, (kind, values) in columns.items():
        if kind == "categorical":
            names, codes = values
            part = group.create_group(name)
            part.attrs["encoding-type"] = kind
            part["categories"], part["codes"] = names, np.array(codes, dtype=np.int8)
        else:
            group[name] = values
            group[name].attrs["encoding-type"] = kind


def put(group, name: str, values) -> None:
    if sparse.issparse(values):
        part = group.create_group(name)
        part.attrs.update({"encoding-type": f"{values.format}_matrix", "shape": values.shape})
        part["data"], part["indices"], part["indptr"] = values.data, values.indices, values.indptr
    else:
        group[name] = values
        group[name].attrs["encoding-type"] = "array"


def save(folder: Path, x, genes=("TP53", "MYC", "ACTB"), layers=None, raw=None) -> Path:
    path = folder / "cells.h5ad"
    with h5py.File(path, "w") as file:
        put(file, "X", x)
        kind = ("categorical", (["B", "T"], [0, 1, -1, 0]))
        frame(file.create_group("obs"), list("wxyz"), kind=kind, depth=("array", np.arange(4.0)))
        frame(file.create_group("var"), list(genes))
        group = file.create_group("layers")
        for name, values in (layers or {}).items():
            put(group, name, values)
        if raw is not None:
            part = file.create_group("raw")
            put(part, "X", raw)
            frame(part.create_group("var"), list(genes))
    return path


COUNTS = np.array([[1, 0, 2], [0, 0, 5], [3, 1, 0], [0, 2, 2]], dtype=np.float32)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, sparse.csc_array])
def test_genes_follow_what_is_known_about_the_cells(tmp_path: Path, form) -> None:
    table = read(save(tmp_path, form(COUNTS)))
    assert table.frame.columns.tolist() == ["id", "kind", "depth", "TP53", "MYC", "ACTB"]
    np.testing.assert_array_equal(table.frame[["TP53", "MYC", "ACTB"]].to_numpy(), COUNTS)
    assert table.frame["kind"].fillna("?").tolist() == ["B", "T", "?", "B"]
    assert table.frame["id"].tolist() == list("wxyz")
    assert table.frame.attrs[PROFILE] == ("TP53", "MYC", "ACTB")


def test_a_layer_of_counts_is_taken_before_x(tmp_path: Path) -> None:
    table = read(save(tmp_path, np.log1p(COUNTS), layers={"counts": sparse.csr_array(COUNTS)}))
    np.testing.assert_array_equal(table.frame[["TP53", "MYC", "ACTB"]].to_numpy(), COUNTS)
    assert 'the layer "counts"' in table.notes[0]


def test_a_matrix_that_is_scaled_over_all_cells_is_not_taken_where_another_is_there(tmp_path: Path) -> None:
    scaled = (COUNTS - COUNTS.mean(axis=0)) / COUNTS.std(axis=0)
    table = read(save(tmp_path, scaled, raw=sparse.csr_array(COUNTS)))
    np.testing.assert_array_equal(table.frame[["TP53", "MYC", "ACTB"]].to_numpy(), COUNTS)
    assert "scaled over all cells" in table.notes[0]


def test_a_scaled_matrix_without_another_is_taken_and_said_to_be_scaled(tmp_path: Path) -> None:
    centred = COUNTS - COUNTS.mean(axis=0)
    assert any("scaled over all cells" in note for note in read(save(tmp_path, centred)).notes)
    for given in (save(tmp_path, centred, layers={"counts": COUNTS}), save(tmp_path, COUNTS)):
        assert not any("scaled over all cells, the tested" in note for note in read(given).notes)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_of_too_many_genes_those_seen_in_most_cells_are_read_however_they_vary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form
) -> None:
    counts = np.array([[900, 1, 1], [0, 1, 1], [0, 1, 1], [0, 1, 0]], dtype=np.float32)
    monkeypatch.setattr(matrices, "LARGEST", 4 * 4 * 2)
    table = read(save(tmp_path, form(counts)))
    assert table.frame.columns[3:].tolist() == ["MYC", "ACTB"]
    assert any("2 of 3 genes" in note and "the tested ones too" in note for note in table.notes)


def test_counts_of_genes_of_one_name_are_added_up(tmp_path: Path) -> None:
    table = read(save(tmp_path, sparse.csr_array(COUNTS), genes=("TP53", "MYC", "TP53")))
    assert table.frame["TP53"].tolist() == [3, 5, 3, 2]
    assert any("added up" in note for note in table.notes)


def test_repeated_genes_over_other_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="TP53"):
        read(save(tmp_path, COUNTS / 3, genes=("TP53", "MYC", "TP53")))


def test_another_hdf5_file_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["values"] = np.zeros(3)
    with pytest.raises(UserError, match="no annotated matrix"):
        read(tmp_path / "t.h5")


def test_a_real_file_is_read(shared_data: Path) -> None:
    table = read(shared_data / "omics" / "pbmc68k_reduced.h5ad")
    assert len(table.frame) == 700
    assert len(table.frame.attrs[PROFILE]) == 765
    assert table.frame["bulk_labels"].nunique() == 10


def secret(folder: Path) -> Path:
    path = folder / "secret.h5"
    with h5py.File(path, "w") as file:
        file["data"] = COUNTS
    (folder / "secret.raw").write_bytes(COUNTS.tobytes())
    return path


def linked(file, path: Path) -> None:
    file["X"] = h5py.ExternalLink(str(path), "/data")


def linked_deep(file, path: Path) -> None:
    file["X"] = COUNTS
    file["obs"]["note"] = h5py.ExternalLink(str(path), "/data")


def outside(file, path: Path) -> None:
    raw = [(str(path.with_suffix(".raw")), 0, COUNTS.nbytes)]
    file.create_dataset("X", COUNTS.shape, COUNTS.dtype, external=raw)


def virtual(file, path: Path) -> None:
    layout = h5py.VirtualLayout(COUNTS.shape, COUNTS.dtype)
    layout[:] = h5py.VirtualSource(str(path), "data", COUNTS.shape)
    file.create_virtual_dataset("X", layout)


@pytest.mark.parametrize("put_elsewhere", [linked, linked_deep, outside, virtual])
def test_what_stands_in_another_file_is_not_opened(tmp_path: Path, put_elsewhere) -> None:
    other, path = secret(tmp_path), save(tmp_path, COUNTS)
    with h5py.File(path, "a") as file:
        del file["X"]
        put_elsewhere(file, other)
    with pytest.raises(UserError, match="stands in another file, which is not opened"):
        read(path)


def test_links_within_a_file_are_followed_and_a_group_may_hold_itself(tmp_path: Path) -> None:
    path = save(tmp_path, COUNTS)
    with h5py.File(path, "a") as file:
        file.move("X", "uns/kept")
        file["X"] = h5py.SoftLink("/uns/kept")
        file["uns/again"] = file["uns"]
        file["uns/nowhere"] = h5py.SoftLink("/not/there")
    np.testing.assert_array_equal(read(path).frame[["TP53", "MYC", "ACTB"]].to_numpy(), COUNTS)


def test_an_array_that_claims_more_than_memory_holds_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = save(tmp_path, COUNTS)
    with h5py.File(path, "a") as file:
        del file["obs/depth"]
        file["obs"].create_dataset("depth", (2**40,), "f8", chunks=(2**10,))
    assert path.stat().st_size < 100_000
    with pytest.raises(UserError, match=r"1,099,511,627,776 is larger than 8 GB"):
        read(path)


def test_a_matrix_of_another_shape_than_its_cells_and_genes_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, sparse.csc_array(COUNTS))
    with h5py.File(path, "a") as file:
        file["X"].attrs["shape"] = (2**50, 3)
    with pytest.raises(UserError, match="obs and var name"):
        read(path)
