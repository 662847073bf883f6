"""A model folder of every format ever written is still read, and a hostile or damaged one is refused in words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from bioloom import trained
from bioloom.errors import UserError
from bioloom.models.ensemble import members_of

FOLDERS = sorted(Path(__file__).parent.glob("model-*"))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDERS[-1], tmp_path / "model"))


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    description = json.loads((folder / "model.json").read_text())
    edit(description)
    (folder / "model.json").write_text(json.dumps(description))


def test_there_is_a_folder_for_every_format():
    assert [path.name for path in FOLDERS] == [f"model-{number}" for number in range(1, trained.FORMAT + 1)]


def test_format_1_predicts_as_when_it_was_written():
    model = trained.load(Path(__file__).parent / "model-1")
    found = model.predict(["ACGTACGACCGGAAGTACGT", "TTTTTTTTTTTTTTTTTTTT"])
    np.testing.assert_allclose(found["p(yes)"], [0.590016, 0.002586], atol=2e-5)
    assert found["class"].tolist() == ["yes", "no"]


def test_format_2_predicts_as_when_it_was_written():
    model = trained.load(Path(__file__).parent / "model-2")
    found = model.predict(["ACGTACGACCGGAAGTACGT", "TTTTTTTTTTTTTTTTTTTT"])
    np.testing.assert_allclose(found["p(yes)"], [0.297203, 0.022493], atol=2e-5)
    assert found["possible"].tolist() == ["no", "no"]
    assert found["unlike"].tolist() == ["", "yes"]
    np.testing.assert_allclose(
        model.using("network").predict(["ACGTACGACCGGAAGTACGT"])["p(yes)"], [0.300997], atol=2e-5
    )


def test_format_3_predicts_as_when_it_was_written():
    model = trained.load(Path(__file__).parent / "model-3").using("network")
    found = model.predict(["ACGTACGACCGGAAGTACGT", "TTTTTTTTTTTTTTTTTTTT"])
    np.testing.assert_allclose(found["p(yes)"], [0.536685, 0.023443], atol=2e-5)
    assert len(members_of(model.network)) == 3


def test_a_newer_format_is_refused(copy: Path):
    change(copy, lambda description: description.update(format=trained.FORMAT + 1))
    with pytest.raises(UserError, match="was written in format") as caught:
        trained.load(copy)
    assert "update bioloom" in caught.value.fix


def test_nothing_in_a_folder_can_name_code(copy: Path):
    change(copy, lambda description: description.update(network="os.system"))
    with pytest.raises(UserError, match=r'no network called "os\.system"'):
        trained.load(copy)


def test_settings_that_the_network_does_not_know_are_refused(copy: Path):
    change(copy, lambda description: description["settings"].update(filtres=3))
    with pytest.raises(UserError, match="filtres"):
        trained.load(copy)


@pytest.mark.parametrize(
    "name", ["weights.safetensors", "beside.safetensors", "model.json", "recipe.toml", "example.json"]
)
def test_a_missing_file_is_named(copy: Path, name: str):
    (copy / name).unlink()
    with pytest.raises(UserError) as caught:
        trained.load(copy)
    assert name.split(".", maxsplit=1)[0] in str(caught.value) or "recipe" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["weights.safetensors", "beside.safetensors", "model.json", "recipe.toml", "example.json"]
)
@pytest.mark.parametrize("content", [b"", b"\x80\x04\x95 pickle", b"{}"])
def test_a_damaged_file_is_refused_without_a_traceback(copy: Path, name: str, content: bytes):
    (copy / name).write_bytes(content)
    if (name, content) == ("recipe.toml", b""):  # that is a recipe of defaults, and the model needs no more
        assert trained.load(copy).targets.positive == "yes"
        return
    with pytest.raises(UserError):
        trained.load(copy)


def test_the_folder_of_something_else_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="not a model folder"):
        trained.load(tmp_path)


def test_weights_that_are_not_numbers_are_refused(copy: Path):
    tensors = load_file(copy / "weights.safetensors")
    save_file({name: tensor * float("nan") for name, tensor in tensors.items()}, copy / "weights.safetensors")
    with pytest.raises(UserError, match="does not reproduce"):
        trained.load(copy)


@pytest.mark.parametrize("damage", [{"inputs": []}, {"targets": None}, {"settings": 3}])
def test_a_description_of_another_shape_is_refused(copy: Path, damage: dict[str, Any]):
    change(copy, lambda description: description.update(damage))
    with pytest.raises(UserError, match="damaged"):
        trained.load(copy)


def test_a_kind_of_input_that_does_not_exist_is_refused(copy: Path):
    change(copy, lambda description: next(iter(description["inputs"].values())).update(kind="smell"))
    with pytest.raises(UserError, match="damaged"):
        trained.load(copy)
