"""The image modality: what is recognised, refused, learned, and how pictures are brought to one form."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image as Pillow

from bioloom.data import mapped, readers
from bioloom.data.assets import of_files
from bioloom.data.places import Folder
from bioloom.errors import UserError
from bioloom.journey.roles import parse_inputs, propose
from bioloom.modalities import Signal, modalities
from bioloom.modalities.gallery import Frame
from bioloom.modalities.image import Image

RANDOM = np.random.default_rng(0)


def frame_of(tmp_path: Path, arrays: list[np.ndarray]) -> pd.DataFrame:
    names = []
    for number, each in enumerate(arrays):
        names.append(f"{number}.png")
        Pillow.fromarray(each).save(tmp_path / names[-1])
    return pd.DataFrame({"picture": of_files(Folder(tmp_path), names)})


def grey(height: int = 12, width: int = 10) -> np.ndarray:
    return RANDOM.integers(0, 255, (height, width)).astype(np.uint8)


def colour(height: int = 12, width: int = 10) -> np.ndarray:
    return RANDOM.integers(0, 255, (height, width, 3)).astype(np.uint8)


def batch(fitted: Image, values: pd.DataFrame) -> torch.Tensor:
    return fitted.encode(values).on("cpu").batch(torch.arange(len(values))).x


# ---- what is learned -------------------------------------------------------------------------------------------


def test_pictures_are_standardised_with_what_was_learned_from_training(tmp_path: Path) -> None:
    arrays = [colour() for _ in range(6)]
    values = frame_of(tmp_path, arrays)
    fitted = Image.fit(values.iloc[:4])
    pixels = np.stack(arrays[:4]).astype(float)
    np.testing.assert_allclose(fitted.mean, pixels.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(fitted.spread, pixels.std(axis=(0, 1, 2)))
    wanted = (np.stack(arrays) - fitted.mean) / fitted.spread
    np.testing.assert_allclose(batch(fitted, values), wanted.transpose(0, 3, 1, 2), rtol=1e-5, atol=1e-5)
    assert fitted.channels == ("red", "green", "blue")
    assert fitted.encode(values).pixels.dtype == np.uint8


def test_sixteen_bits_and_floating_point_pass_to_the_network_unharmed(tmp_path: Path) -> None:
    deep = [RANDOM.integers(0, 65535, (9, 9)).astype(np.uint16) for _ in range(4)]
    values = frame_of(tmp_path, deep)
    fitted = Image.fit(values)
    assert fitted.encode(values).pixels.dtype == np.uint16
    back = batch(fitted, values).numpy() * fitted.spread[0] + fitted.mean[0]
    np.testing.assert_allclose(back[:, 0], np.stack(deep), atol=0.1)


def test_grey_and_colour_go_together_and_grey_can_be_asked_for(tmp_path: Path) -> None:
    values = frame_of(tmp_path, [grey(), colour(), colour()])
    assert not Image.check(values)
    fitted = Image.fit(values)
    assert fitted.shape.sizes == (3, 12, 10)
    x = fitted.encode(values).pixels[0]
    assert (x[0] == x[1]).all()
    bare = Image.fit_as(values, Image.Settings(grey=True))
    assert bare.shape.sizes == (1, 12, 10)
    assert [note.rows.tolist() for note in bare.notes(values)] == [[1, 2]]


def test_large_pictures_are_made_smaller_in_their_shape_and_it_is_said(tmp_path: Path) -> None:
    values = frame_of(tmp_path, [grey(300, 200) for _ in range(3)])
    fitted = Image.fit(values)
    assert fitted.size == (128, 85)
    (note,) = fitted.notes(values)
    assert "128 x 85 pixels" in note.message
    assert Image.fit_as(values, Image.Settings(size=30)).size == (30, 20)


def test_mixed_sizes_are_brought_to_their_median(tmp_path: Path) -> None:
    values = frame_of(tmp_path, [grey(20, 20), grey(20, 20), grey(30, 30), grey(10, 40)])
    fitted = Image.fit(values)
    assert fitted.size == (20, 25) or fitted.size == (20, 20)
    rows = sorted(row for note in fitted.notes(values) for row in note.rows.tolist())
    assert {2, 3} <= set(rows)


def test_several_sizes_and_large_pictures_are_told_before_anything_is_trained(tmp_path: Path) -> None:
    values = frame_of(tmp_path, [grey(20, 20), grey(20, 20), grey(300, 200)])
    found = {problem.code: problem for problem in Image.check(values)}
    assert "2 sizes, from 20 x 20 to 300 x 200 pixels" in found["image.sizes"].message
    assert found["image.sizes"].rows.tolist() == found["image.large"].rows.tolist() == [2]


def test_another_shape_is_kept_and_what_is_left_is_filled() -> None:
    form = Frame((20, 20), "uint8", (7.0,))
    placed = form.fit(np.full((10, 40, 1), 200, dtype=np.uint8))
    assert placed.shape == (1, 20, 20)
    assert (placed[0, :7] == 7).all()
    assert (placed[0, 13:] == 7).all()
    assert (placed[0, 8:12] == 200).all()
    stretched = form.fit(np.full((20, 21, 1), 200, dtype=np.uint8))
    assert (stretched == 200).all()


def test_pictures_of_one_even_colour_teach_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="one even colour"):
        Image.fit(frame_of(tmp_path, [np.full((5, 5), 3, np.uint8)] * 3))


def test_many_pictures_lie_in_a_file_and_give_the_same_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = frame_of(tmp_path, [colour() for _ in range(5)])
    fitted = Image.fit(values)
    monkeypatch.setattr(mapped, "MAPPED", 100)
    found = fitted.encode_into(values, tmp_path / "picture-1")
    assert isinstance(found.pixels, np.memmap)
    assert torch.equal(found.on("cpu").batch(torch.arange(5)).x, batch(fitted, values))
    assert [path.name for path in tmp_path.glob("*.npy")] == ["picture-1.npy"]


# ---- what is wrong ------------------------------------------------------------------------------------------------


def test_broken_missing_and_strange_files_are_told_row_by_row(tmp_path: Path) -> None:
    values = frame_of(tmp_path, [grey() for _ in range(5)])
    content = (tmp_path / "1.png").read_bytes()
    (tmp_path / "1.png").write_bytes(content[:60])
    (tmp_path / "2.png").write_text("not a picture")
    (tmp_path / "3.png").unlink()
    problems = {problem.message: problem for problem in Image.check(values)}
    assert {row for problem in problems.values() for row in problem.rows.tolist()} == {1, 2, 3}
    assert all(problem.severity == "drop" and problem.fix for problem in problems.values())
    assert any('no file "3.png" beside the table' in message for message in problems)
    assert any("damaged or cut off" in message for message in problems)


def test_pictures_with_other_channels_than_most_are_dropped(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **{f"p{n}": RANDOM.random((1, 9, 9, 5 if n else 3)) for n in range(4)})
    values = pd.DataFrame({"p": of_files(Folder(tmp_path), [f"a.npz#p{n}#0" for n in range(4)])})
    (problem,) = Image.check(values)
    assert problem.rows.tolist() == [0]
    assert "grey or colours, and most have 5 channels" in problem.message
    assert Image.fit(values.iloc[1:]).channels[4] == "channel 5"


def test_pixels_of_several_types_are_noted(tmp_path: Path) -> None:
    values = frame_of(tmp_path, [grey(), grey(), grey().astype(np.uint16) * 257])
    (problem,) = Image.check(values)
    assert (problem.severity, problem.rows.tolist()) == ("note", [2])


# ---- copies ------------------------------------------------------------------------------------------------------


def test_copies_are_told_by_pixels_and_never_by_name_or_packing(tmp_path: Path) -> None:
    one, other = grey(), grey()
    values = frame_of(tmp_path, [one, other, one])
    stream = io.BytesIO()
    Pillow.fromarray(one).save(stream, "TIFF")
    (tmp_path / "3.tif").write_bytes(stream.getvalue())
    values = pd.DataFrame({"picture": of_files(Folder(tmp_path), ["0.png", "1.png", "2.png", "3.tif"])})
    assert Image.copies(values).tolist() == [0, 1, 0, 0]
    hashes = Image.fit(values).hashes(values)
    assert hashes[0] == hashes[2] == hashes[3] != hashes[1]
    assert hashes.dtype == np.uint64


# ---- columns of pixels ---------------------------------------------------------------------------------------------


def digits(records: int = 40, side: int = 9) -> pd.DataFrame:
    down, across = np.mgrid[:side, :side]
    centre = RANDOM.uniform(2, side - 2, (records, 2, 1, 1))
    pixels = 255 * np.exp(-((down - centre[:, 0]) ** 2 + (across - centre[:, 1]) ** 2) / 4)
    table = pd.DataFrame(pixels.round().astype(int).reshape(records, -1))
    return table.rename(columns=lambda name: f"pixel{name}").assign(digit=np.arange(records) % 3)


def test_columns_of_pixels_are_one_picture() -> None:
    table = readers.read(digits())
    inputs, reasons = propose(table, [name for name in table.frame.columns if name != "digit"])
    assert list(inputs) == ["image"]
    assert len(inputs["image"].columns) == 81
    assert "81 columns together" in reasons["image"]
    values = table.frame[list(inputs["image"].columns)]
    fitted = Image.fit(values)
    assert fitted.shape.sizes == (1, 9, 9)
    assert np.array_equal(fitted.encode(values).pixels.reshape(40, 81), values.to_numpy())


def test_other_columns_of_numbers_are_no_picture() -> None:
    table = digits()
    shuffled = table[RANDOM.permutation([name for name in table.columns if name != "digit"])]
    assert Image.claims(shuffled) == ()
    assert Image.claims(pd.DataFrame(RANDOM.integers(0, 2, (50, 64)))) == ()
    assert Image.claims(pd.DataFrame(RANDOM.normal(size=(50, 64)))) == ()
    assert Image.claims(table.iloc[:, :80]) == ()


def test_pixels_may_be_named_and_other_columns_stay_what_they_are() -> None:
    table = readers.read(digits().assign(age=np.arange(40.0)))
    inputs = parse_inputs(["pixel*=image", "age"], table)
    assert {name: each.modality for name, each in inputs.items()} == {"image": "image", "table": "table"}
    assert parse_inputs(["pixel*=table"], table)["table"].modality == "table"


def test_columns_that_are_no_square_are_refused_in_words() -> None:
    values = digits().iloc[:, :80]
    (problem,) = Image.check(values)
    assert "80 columns of pixels make no square" in problem.message


# ---- which columns -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "sure"),
    [
        (["a.png", "b.JPG", "c.tiff"], True),
        (["a.pdb", "b.pdb"], False),
        (["ACGT", "ACGG"], False),
        ([1.0, 2.0], False),
        ([None, None], False),
    ],
)
def test_names_of_pictures_are_recognised(cells: list[object], sure: bool) -> None:
    assert (Image.detect(pd.Series(cells)) > 0.9) is sure


def test_entries_of_arrays_are_pictures_where_they_have_their_form(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", pictures=np.zeros((3, 8, 8)), series=np.zeros((3, 8)))
    store = Folder(tmp_path)
    assert Image.detect(of_files(store, [f"a.npz#pictures#{n}" for n in range(3)])) > 0.9
    assert Image.detect(of_files(store, [f"a.npz#series#{n}" for n in range(3)])) == 0


# ---- explanation ---------------------------------------------------------------------------------------------------


def test_backgrounds_are_the_picture_out_of_focus_and_an_even_one(tmp_path: Path) -> None:
    values = frame_of(tmp_path, [grey(24, 24) for _ in range(3)])
    fitted = modalities["image"].fit(values)
    x = fitted.encode(values).on("cpu").batch(torch.arange(3)).x
    found = fitted.background(Signal(x), 0, 4)
    assert not found[:, -1].any()
    rough = (found[..., 1:] - found[..., :-1]).abs().mean(dim=(0, 2, 3, 4))
    assert rough[0] < rough[1] < rough[2] < (x[..., 1:] - x[..., :-1]).abs().mean()
    assert torch.allclose(found[:, 2].mean(dim=(1, 2, 3)), x.mean(dim=(1, 2, 3)), atol=0.1)
