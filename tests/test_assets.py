"""Files that cells name: where they are found, what is refused, and that their columns behave like text."""

from __future__ import annotations

import io
import pickle
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bioloom.data import archives, readers, stores
from bioloom.data.assets import AssetDtype, assets_of, embedded, from_program, looks_like_files, of_files
from bioloom.data.places import Arrays, Folder
from bioloom.data.records import take_rows
from bioloom.errors import UserError


def folder(tmp_path: Path, names: dict[str, bytes], rows: list[str]) -> Path:
    for name, content in names.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    table = tmp_path / "table.csv"
    lines = [f"{row},{number}" for number, row in enumerate(rows)]
    table.write_text("\n".join(["file_name,label", *lines, ""]))
    return table


def test_a_column_of_names_knows_where_its_files_lie(tmp_path: Path) -> None:
    path = folder(tmp_path, {"a/x.png": b"one", "b.png": b"two"}, ["a/x.png", "b.png", "a\\x.png"])
    table = readers.read(path)
    column = table.frame["file_name"]
    assert isinstance(column.dtype, AssetDtype)
    assert column.tolist() == ["a/x.png", "b.png", "a\\x.png"]
    assets = assets_of(column)
    assert [assets.content(row) for row in range(3)] == [b"one", b"two", b"one"]
    assert assets.sha256(0) == assets.sha256(2) != assets.sha256(1)


def test_rows_that_are_taken_keep_their_files(tmp_path: Path) -> None:
    path = folder(tmp_path, {"a.png": b"one", "b.png": b"two"}, ["a.png", "b.png"])
    frame = take_rows(readers.read(path).frame, np.array([1]))
    assert assets_of(frame["file_name"]).content(0) == b"two"
    again = pickle.loads(pickle.dumps(frame))  # noqa: S301 -- as a worker process receives it
    assert assets_of(again["file_name"]).content(0) == b"two"


def test_a_changed_file_changes_the_hash_of_the_table(tmp_path: Path) -> None:
    path = folder(tmp_path, {"a.png": b"one", "b.png": b"two"}, ["a.png", "b.png"])
    before = readers.read(path).sha256
    assert readers.read(path).sha256 == before
    (tmp_path / "b.png").write_bytes(b"three")
    assert readers.read(path).sha256 != before


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hosts.png", "C:\\x.png", "a/../../secret.png"])
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "secret.png").write_bytes(b"secret")
    with pytest.raises(UserError, match="no path below the folder"):
        Folder(inner).read(name)
    assert not Folder(inner).holds(name)


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "secret.png").write_bytes(b"secret")
    (inner / "link.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(UserError, match="no path below the folder"):
        Folder(inner).read("link.png")


def test_a_file_that_is_not_there_is_said_with_the_closest_name(tmp_path: Path) -> None:
    (tmp_path / "cell_01.png").write_bytes(b"")
    with pytest.raises(UserError, match=r'no file "cell_1.png" beside the table. Did you mean "cell_01.png"'):
        Folder(tmp_path).read("cell_1.png")


def packed(tmp_path: Path, kind: str, names: dict[str, bytes]) -> Path:
    path = tmp_path / f"pack.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in names.items():
                archive.writestr(name, content)
        return path
    with tarfile.open(path, "w:gz" if kind == "tgz" else "w") as archive:
        for name, content in names.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("kind", ["zip", "tgz", "tar"])
def test_members_of_an_archive_beside_the_table_are_found(tmp_path: Path, kind: str) -> None:
    packed(tmp_path, kind, {"set/1A2K.pdb": b"one", "set/._1A2K.pdb": b"mac", "set/b/x.pdb": b"two"})
    table = readers.read(folder(tmp_path, {}, ["1A2K.pdb", "set/b/x.pdb"]))
    assets = assets_of(table.frame["file_name"])
    assert [assets.content(0), assets.content(1)] == [b"one", b"two"]
    again = pickle.loads(pickle.dumps(assets))  # noqa: S301
    assert again.content(0) == b"one"


@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_a_name_that_two_members_share_is_not_guessed(tmp_path: Path, kind: str) -> None:
    path = packed(tmp_path, kind, {"a/x.png": b"one", "b/x.png": b"two"})
    archive = archives.open_archive(path)
    assert archive.names() == ["a/x.png", "b/x.png"]
    assert not archive.holds("x.png")
    assert archive.read("b/x.png") == b"two"


@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_an_archive_whose_members_leave_it_is_refused(tmp_path: Path, kind: str) -> None:
    path = packed(tmp_path, kind, {"../evil.png": b"one"})
    with pytest.raises(UserError, match="no path below the folder"):
        archives.open_archive(path).names()


@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_a_member_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 1000)
    path = packed(tmp_path, kind, {"a.png": b"0" * 1001, "b.png": b"0" * 1000})
    archive = archives.open_archive(path)
    assert len(archive.read("b.png")) == 1000
    with pytest.raises(UserError, match="is larger than"):
        archive.read("a.png")


def test_an_archive_that_unpacks_to_too_much_or_holds_too_many_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(tmp_path, "tgz", {"a.png": b"0" * 100_000})
    monkeypatch.setattr(archives, "MOST_UNPACKED", 50_000)
    with pytest.raises(UserError, match="is larger than"):
        archives.open_archive(path).names()
    monkeypatch.setattr(archives, "MOST_MEMBERS", 1)
    path = packed(tmp_path, "zip", {"a.png": b"0", "b.png": b"0"})
    with pytest.raises(UserError, match="more than 1 files"):
        archives.open_archive(path).names()


@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_a_damaged_archive_is_said(tmp_path: Path, kind: str) -> None:
    path = packed(tmp_path, kind, {"a.png": bytes(range(256)) * 20})
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(UserError, match="damaged"):
        archives.open_archive(path).read("a.png")


def test_a_broken_archive_beside_other_files_is_told_where_one_is_missing(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"one")
    (tmp_path / "backup.tgz").write_bytes(b"no archive")
    assert Folder(tmp_path).read("a.png") == b"one"
    with pytest.raises(
        UserError, match=r'no file "b.png" beside the table.* backup.tgz could not be looked into'
    ):
        Folder(tmp_path).read("b.png")


def test_entries_of_arrays_are_named_by_number(tmp_path: Path) -> None:
    images = np.arange(12, dtype=np.uint16).reshape(3, 2, 2)
    np.savez(tmp_path / "cells.npz", images=images)
    store = Arrays(tmp_path / "cells.npz")
    assert (store.read("images#1") == images[1]).all()
    for wrong in ("images#3", "images#-1", "images", "other#0", "images#x"):
        assert not store.holds(wrong)
        with pytest.raises(UserError):
            store.read(wrong)
    table = readers.read(folder(tmp_path, {}, ["cells.npz#images#2", "cells.npz#images#0"]))
    assert np.array_equal(assets_of(table.frame["file_name"]).content(0), images[2])


def test_arrays_of_python_objects_are_never_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", images=np.array([{"a": 1}], dtype=object))
    with pytest.raises(UserError, match="cannot be read"):
        Arrays(tmp_path / "bad.npz").read("images#0")


def test_examples_of_a_model_hold_their_files(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"one")
    np.savez(tmp_path / "cells.npz", images=np.eye(2, dtype=np.float32)[None])
    frame = pd.DataFrame({"f": of_files(Folder(tmp_path), ["a.png", "cells.npz#images#0"]), "n": [1, 2]})
    held = embedded(frame)
    assert held["n"].tolist() == [1, 2]
    assert not held["f"].str.contains(str(tmp_path)).any()
    assets = assets_of(pd.DataFrame(held.to_dict("list"), dtype=object)["f"])
    assert assets.content(0) == b"one"
    assert np.array_equal(assets.content(1), np.eye(2))
    assert embedded(held) is held


def test_a_damaged_text_of_a_file_is_said() -> None:
    with pytest.raises(UserError, match="damaged"):
        stores.from_text("data:application/x-npy;base64,AAAA")
    with pytest.raises(UserError, match="damaged"):
        stores.from_text("data:image/png,hello")


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["a.png", "b/c d.tif", None], True),
        (["x.npz#images#1"], True),
        (["1A2K.pdb", "1ACB.cif"], True),
        (["AT1G01010.1", "AT1G01020.2"], False),
        (["ACGT", "ACGA"], False),
        (["0.5", "1.25"], False),
        (["someone@example.org"], False),
        (["https://example.org/a.png"], False),
        ([None, None], False),
    ],
)
def test_names_of_files_are_told_from_other_text(cells: list[str | None], found: bool) -> None:
    assert looks_like_files(pd.Series(cells, dtype=object)) is found


def test_a_column_of_files_is_grouped_counted_and_compared_as_text(tmp_path: Path) -> None:
    column = of_files(Folder(tmp_path), ["a.png", "b.png", "a.png", None])
    assert column.nunique() == 2
    assert column.isna().tolist() == [False, False, False, True]
    assert (column == "a.png").tolist() == [True, False, True, False]
    assert column.fillna("x").tolist()[3] == "x"
    assert pd.concat([column, column]).tolist()[:3] == ["a.png", "b.png", "a.png"]
    assert pd.factorize(column)[0].tolist() == [0, 1, 0, -1]
    assert column.astype(str).tolist()[0] == "a.png"
    assert column.map(len, na_action="ignore").tolist()[:3] == [5, 5, 5]


def test_cells_of_a_program_may_be_arrays_or_paths(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"one")
    assert np.array_equal(assets_of(pd.Series([np.eye(3)], dtype=object)).content(0), np.eye(3))
    cells = ["a/../gone.png", str(tmp_path / "a.png"), None, "gone.png"]
    assets = assets_of(from_program(pd.DataFrame({"f": cells}, dtype=object))["f"])
    assert assets.content(1) == b"one"
    for row, words in ((2, "No file is named"), (3, 'no file "gone.png"')):
        with pytest.raises(UserError, match=words):
            assets.content(row)


def with_a_secret(tmp_path: Path, good: int, odd: int) -> tuple[Path, Path]:
    """A table of pictures in a folder; its last row names a file outside of that folder."""
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    inner = tmp_path / "inner"
    inner.mkdir()
    names = [f"{number}.png" for number in range(good)]
    rows = [*names, *["no name at all"] * odd, str(secret)]
    return folder(inner, dict.fromkeys(names, b"one"), rows), secret


@pytest.mark.parametrize(("good", "odd"), [(17, 2), (2, 30)])
def test_a_table_of_a_file_never_opens_what_lies_outside_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: int, odd: int
) -> None:
    path, secret = with_a_secret(tmp_path, good, odd)
    monkeypatch.chdir(tmp_path)
    opened: list[Path] = []
    read = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *given: (opened.append(self), read(self, *given))[1])
    column = readers.read(path).frame["file_name"]
    assets = assets_of(column)
    words = "no path below the folder" if good > odd else "not known where"
    with pytest.raises(UserError, match=words):
        assets.content(len(assets) - 1)
    assert secret not in [each.resolve() for each in opened]
    assert secret.resolve() not in opened
    if good > odd:
        assert assets.content(0) == b"one"


def test_tables_of_one_file_per_class_open_files_of_their_own_folder_alone(tmp_path: Path) -> None:
    path, _ = with_a_secret(tmp_path, 17, 2)
    (path.parent / "healthy.csv").write_text(path.read_text())
    table = readers.read([path, path.parent / "healthy.csv"])
    assets = assets_of(table.frame["file_name"])
    assert (assets.content(0), assets.content(20)) == (b"one", b"one")
    assert table.target != "label"
    for row in (19, 39):
        with pytest.raises(UserError, match="no path below the folder"):
            assets.content(row)


def test_tables_of_several_folders_open_files_of_their_own_folder_each(tmp_path: Path) -> None:
    for name in "xy":
        (tmp_path / name).mkdir()
    paths = [
        folder(tmp_path / name, {"a.png": name.encode()}, ["a.png", "../y/a.png", str(tmp_path / "y/a.png")])
        for name in "xy"
    ]
    assets = assets_of(readers.read(paths).frame["file_name"])
    assert (assets.content(0), assets.content(3)) == (b"x", b"y")
    for row in (1, 2, 4, 5):
        with pytest.raises(UserError, match="no path below the folder"):
            assets.content(row)


def test_a_data_frame_in_memory_may_name_any_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(b"one")
    (tmp_path / "plain").write_bytes(b"two")
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"here": ["a.png"] * 2, "whole": [str(tmp_path / "plain")] * 2, "n": [1.0, 2.0]})
    table = readers.read(frame).frame
    assert assets_of(table["here"]).content(0) == b"one"
    assert assets_of(table["whole"]).content(1) == b"two"


def test_a_column_made_anew_opens_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"one")
    name = str(tmp_path / "a.png")
    for column in (pd.Series([name], dtype=object), pd.Series([name], dtype=AssetDtype())):
        with pytest.raises(UserError, match="not known where"):
            assets_of(column).content(0)


def test_columns_of_two_folders_are_joined_and_each_name_stands_for_its_own_file(tmp_path: Path) -> None:
    frames = []
    for name, content in (("one", b"first"), ("two", b"second")):
        (tmp_path / name).mkdir()
        path = folder(
            tmp_path / name, {"a.png": content, f"{name}.png": name.encode()}, ["a.png", f"{name}.png"]
        )
        frames.append(readers.read(path).frame[["file_name"]])
    both = pd.concat([frames[0], frames[1], frames[0].iloc[:1]], ignore_index=True)
    assets = pickle.loads(pickle.dumps(assets_of(both["file_name"])))  # noqa: S301
    assert [assets.content(row) for row in range(5)] == [b"first", b"one", b"second", b"two", b"first"]
    assert both["file_name"].tolist() == ["a.png", "one.png", "2/a.png", "two.png", "a.png"]
    assert assets.sha256(0) == assets.sha256(4) != assets.sha256(2)
    assert assets.store.holds("2/a.png")
    assert not assets.store.holds("none.png")


def test_cells_that_hold_pictures_stay_beside_cells_that_name_them(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"one")
    frame = pd.DataFrame({"f": pd.Series([np.eye(3), str(tmp_path / "a.png")], dtype=object, index=[5, 7])})
    column = from_program(frame)["f"]
    assert column.index.tolist() == [5, 7]
    assert np.array_equal(assets_of(column).content(0), np.eye(3))
    assert assets_of(column).content(1) == b"one"


def zipped(path: Path, names: list[str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, f"{path.name} {name}")
    return path


@pytest.mark.parametrize("name", ["a" * 1030 + ".png", "ä" * 520 + ".png", "a/" * 64 + "x.png"])
def test_paths_in_an_archive_that_are_very_long_or_deep_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="more than 1,024 bytes or 64 folders"):
        archives.open_archive(zipped(tmp_path / "a.zip", [name])).names()


def test_a_file_in_an_archive_is_found_by_any_end_of_its_path_that_no_other_has(tmp_path: Path) -> None:
    random, parts = np.random.default_rng(0), np.array(["a", "b", "ab", "ba", "a.png"])
    names = {"/".join(random.choice(parts, random.integers(1, 5))) for _ in range(60)}
    archive = archives.open_archive(zipped(tmp_path / "a.zip", sorted(names)))
    asked = (
        names | {"/".join(random.choice(parts, random.integers(1, 4))) for _ in range(300)} | {"", "/a", "g"}
    )
    for name in asked:
        ends = [each for each in names if f"/{each}".endswith(f"/{name}")] if name else []
        expected = name if name in names else ends[0] if len(ends) == 1 else None
        assert archive.holds(name) is (expected is not None)
        if expected is not None:
            assert archive.read(name) == f"a.zip {expected}".encode()


def test_what_an_archive_keeps_of_its_names_grows_as_they_do(tmp_path: Path) -> None:
    names = [f"{'a/' * 60}{number}.png" for number in range(500)]
    archive = archives.open_archive(zipped(tmp_path / "a.zip", names))
    tracemalloc.start()
    assert archive.holds("a/7.png")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 30 * sum(map(len, names))


def test_a_name_that_stands_in_two_archives_is_taken_from_neither_until_one_is_named(tmp_path: Path) -> None:
    zipped(tmp_path / "test.zip", ["1.png", "2.png"])
    zipped(tmp_path / "train.zip", ["1.png", "cells/3.png"])
    store = Folder(tmp_path)
    with pytest.raises(
        UserError, match=r'"1.png" stands in test.zip and train.zip: .* train.zip/1.png'
    ) as told:
        store.read("1.png")
    assert "write the archive before the name" in told.value.fix
    assert not store.holds("1.png")
    assert store.read("test.zip/1.png") == b"test.zip 1.png"
    assert store.read("train.zip/1.png") == b"train.zip 1.png"
    assert store.read("./train.zip/cells/3.png") == b"train.zip cells/3.png"
    assert (store.read("2.png"), store.read("3.png")) == (b"test.zip 2.png", b"train.zip cells/3.png")
    assert not store.holds("train.zip/2.png")
    table = folder(tmp_path, {}, ["1.png", "train.zip/1.png", "2.png"])
    assets = assets_of(readers.read(table).frame["file_name"])
    assert [assets.store.holds(name) for name in assets.names] == [False, True, True]


def test_a_frame_whose_files_were_found_before_still_knows_where_they_lie(tmp_path: Path) -> None:
    path = folder(tmp_path, {"a.png": b"one", "b.png": b"two"}, ["a.png", "b.png"])
    frame = readers.read(path).frame
    again = readers.read(frame)
    assets = assets_of(again.frame["file_name"])
    assert [assets.content(row) for row in range(2)] == [b"one", b"two"]
    before = again.sha256
    (tmp_path / "b.png").write_bytes(b"other")
    assert readers.read(readers.read(path).frame).sha256 != before
