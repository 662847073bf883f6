"""Folders, archives and arrays whose entries are records: classes, parts of a split, tables beside files."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bioloom.data import readers
from bioloom.data.assets import assets_of
from bioloom.errors import UserError


def pictures(root: Path, names: list[str]) -> Path:
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 4), number, dtype=np.uint8)).save(path)
    return root


def packed(folder: Path, path: Path) -> Path:
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for each in files:
                archive.write(each, each.relative_to(folder.parent))
        return path
    with tarfile.open(path, "w:gz") as archive:
        for each in files:
            archive.add(each, each.relative_to(folder.parent))
    return path


CLASSES = ["cat/a.png", "cat/b.png", "dog/c.png", "dog/deep/d.png", "dog/.hidden.png"]


@pytest.mark.parametrize("kind", ["folder", "zip", "tgz"])
def test_the_folder_of_a_file_is_its_class(tmp_path: Path, kind: str) -> None:
    source = pictures(tmp_path / "animals", CLASSES)
    (source / "README.txt").write_text("x")
    if kind != "folder":
        source = packed(source, tmp_path / f"animals.{kind}")
    table = readers.read(source)
    assert table.frame["label"].tolist() == ["cat", "cat", "dog", "dog"]
    assert table.frame["id"].tolist() == ["a.png", "b.png", "c.png", "d.png"]
    assert table.frame["folder"].tolist()[-1] == "deep"
    assert table.target == "label"
    assert "split" not in table.frame
    assert any("cat (2), dog (2)" in note for note in table.notes)
    assert assets_of(table.frame["file"]).content(2).startswith(b"\x89PNG")


def test_folders_on_top_may_be_parts_of_a_split(tmp_path: Path) -> None:
    names = ["train/cat/a.png", "Train/dog/b.png", "val/cat/c.png", "test/dog/d.png"]
    table = readers.read(pictures(tmp_path / "animals", names))
    found = dict(
        zip(table.frame["id"], zip(table.frame["split"], table.frame["label"], strict=True), strict=True)
    )
    assert found == {
        "a.png": ("train", "cat"),
        "b.png": ("train", "dog"),
        "c.png": ("validation", "cat"),
        "d.png": ("test", "dog"),
    }


def test_files_outside_of_the_parts_are_refused(tmp_path: Path) -> None:
    names = ["train/cat/a.png", "test/cat/b.png", "other/cat/c.png"]
    with pytest.raises(UserError, match="and 1 file do not"):
        readers.read(pictures(tmp_path / "animals", names))


def test_a_flat_folder_has_no_classes(tmp_path: Path) -> None:
    table = readers.read(pictures(tmp_path / "new", ["a.png", "b.png"]))
    assert list(table.frame.columns) == ["id", "file"]
    assert table.target == ""


def test_files_that_are_no_records_are_named(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "new", ["a.png", "b.png"])
    assert not any("not read" in note for note in readers.read(folder).notes)
    (folder / "notes.txt").write_text("x")
    (folder / ".DS_Store").write_text("x")
    assert "not read: 1 other file (notes.txt)" in readers.read(folder).notes


def test_files_of_one_name_in_several_folders_have_different_ids(tmp_path: Path) -> None:
    table = readers.read(pictures(tmp_path / "animals", ["cat/1.png", "dog/1.png"]))
    assert table.frame["id"].tolist() == ["cat/1.png", "dog/1.png"]


@pytest.mark.parametrize("kind", ["folder", "zip", "tgz"])
def test_a_table_beside_files_names_them(tmp_path: Path, kind: str) -> None:
    source = pictures(tmp_path / "cells", ["img/1.png", "img/2.png"])
    (source / "labels.csv").write_text("image_path,label\nimg/2.png,yes\nimg/1.png,no\n")
    if kind != "folder":
        source = packed(source, tmp_path / f"cells.{kind}")
    table = readers.read(source)
    assert table.frame["label"].tolist() == ["yes", "no"]
    assert table.target == "label"
    assert assets_of(table.frame["image_path"]).content(0) == (tmp_path / "cells/img/2.png").read_bytes()
    assert any("labels.csv" in note for note in table.notes)


def test_an_archive_with_several_tables_is_refused(tmp_path: Path) -> None:
    source = pictures(tmp_path / "cells", ["1.png"])
    for name in ("a.csv", "b.csv"):
        (source / name).write_text("image_path\n1.png\n")
    with pytest.raises(UserError, match="2 tables"):
        readers.read(packed(source, tmp_path / "cells.zip"))


def test_what_is_wrong_with_a_table_in_an_archive_names_both(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("t.csv", "\n\n")
    with pytest.raises(UserError, match="white space") as caught:
        readers.read(tmp_path / "t.zip")
    assert "t.zip, t.csv" in caught.value.where
    assert "/tmp/tmp" not in caught.value.where


def test_a_renamed_archive_of_the_same_pictures_is_other_data_only_by_its_bytes(tmp_path: Path) -> None:
    source = pictures(tmp_path / "animals", CLASSES)
    first = packed(source, tmp_path / "one.zip")
    second = tmp_path / "two.zip"
    second.write_bytes(first.read_bytes())
    assert readers.read(first).sha256 == readers.read(second).sha256


def test_arrays_as_medmnist_has_them(tmp_path: Path) -> None:
    path = tmp_path / "cells.npz"
    np.savez(
        path,
        **{f"{part}_images": np.full((n, 3, 3), n, dtype=np.uint8) for part, n in (("train", 4), ("val", 2), ("test", 3))},
        **{f"{part}_labels": np.arange(n)[:, None] % 2 for part, n in (("train", 4), ("val", 2), ("test", 3))},
    )  # fmt: skip
    table = readers.read(path)
    assert list(table.frame.columns) == ["image", "label", "split"]
    assert table.frame["split"].tolist() == ["train"] * 4 + ["validation"] * 2 + ["test"] * 3
    assert table.frame["label"].tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 0]
    assert (table.target, table.task) == ("label", "binary")
    assert np.array_equal(assets_of(table.frame["image"]).content(5), np.full((3, 3), 2))


def test_plain_arrays_and_those_of_keras(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.zeros((6, 3, 3)), labels=np.arange(6) % 3, ages=np.arange(6) / 7)
    table = readers.read(tmp_path / "a.npz")
    assert list(table.frame.columns) == ["image", "label", "age"]
    assert table.task == "multiclass"
    np.savez(
        tmp_path / "b.npz",
        x_train=np.zeros((2, 3, 3)),
        y_train=[0.5, 1],
        x_test=np.zeros((1, 3, 3)),
        y_test=[2.5],
    )
    table = readers.read(tmp_path / "b.npz")
    assert list(table.frame.columns) == ["x", "y", "split"]
    assert (table.target, table.task) == ("y", "")


def test_parts_that_hold_different_arrays_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", train_images=np.zeros((2, 3, 3)), test_pictures=np.zeros((2, 3, 3)))
    with pytest.raises(UserError, match="do not hold the same arrays"):
        readers.read(tmp_path / "a.npz")


def test_pictures_may_be_named_one_by_one_or_by_a_pattern(tmp_path: Path) -> None:
    root = pictures(tmp_path / "new", ["a.png", "b.png", "c.png"])
    assert readers.read(root / "b.png").frame["id"].tolist() == ["b.png"]
    assert readers.read(str(root / "*.png")).frame["id"].tolist() == ["a.png", "b.png", "c.png"]
    table = readers.read([root / "c.png", root / "a.png"])
    assert table.frame["id"].tolist() == ["c.png", "a.png"]
    assert assets_of(table.frame["file"]).content(0) == (root / "c.png").read_bytes()


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_folder_of_masks_beside_one_of_pictures_makes_pairs_and_no_classes(
    tmp_path: Path, kind: str
) -> None:
    names = ["images/a.png", "images/b.png", "masks/a_mask.png", "masks/b.png"]
    source = pictures(tmp_path / "cells", names)
    if kind == "zip":
        source = packed(source, tmp_path / "cells.zip")
    table = readers.read(source)
    assert table.frame["id"].tolist() == ["a.png", "b.png"]
    assert [
        str(cell).endswith(end)
        for cell, end in zip(table.frame["mask"], ["a_mask.png", "b.png"], strict=True)
    ]
    assert table.target == "mask"
    assert any("2 pictures with the masks" in note for note in table.notes)


def test_parts_of_a_split_hold_their_own_pictures_and_masks(tmp_path: Path) -> None:
    names = [f"{part}/{kind}/a.png" for part in ("train", "test") for kind in ("Images", "Labels")]
    table = readers.read(pictures(tmp_path / "cells", names))
    assert sorted(table.frame["split"]) == ["test", "train"]
    assert table.target == "mask"


def test_a_picture_without_its_mask_is_named(tmp_path: Path) -> None:
    names = ["images/a.png", "images/b.png", "masks/a.png"]
    with pytest.raises(UserError, match="without partner: 1 file") as caught:
        readers.read(pictures(tmp_path / "cells", names))
    assert "images/b.png" in str(caught.value.where)
