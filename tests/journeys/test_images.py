"""The whole journey with pictures: from a folder to a model that needs none of the files any more."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import bioloom
from bioloom.errors import UserError
from bioloom.events import Silent
from bioloom.journey.explained import Wanted, explain
from bioloom.run import Run, load
from small_runs import FAST

SETTINGS = {
    **FAST,
    "model.network": "resnet",
    "model.settings": {"width": 8},
    "training.epochs": 8,
    "explanation.records": 4,
    "explanation.methods": ["occlusion", "grad_cam", "libra_cam"],
}


def cell(random: np.random.Generator, infected: bool) -> Image.Image:
    pixels = random.normal(90, 12, (16, 16))
    pixels[9:13, 3:7] += 90 * infected
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


class Heard(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures in one folder per class, one of them broken, and one twice."""
    root, random = tmp_path_factory.mktemp("data") / "cells", np.random.default_rng(0)
    for number in range(80):
        path = root / ("infected" if number % 2 else "healthy") / f"cell{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cell(random, bool(number % 2)).save(path)
    shutil.copy(root / "infected" / "cell01.png", root / "infected" / "again.png")
    (root / "healthy" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return root


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return bioloom.train(
        str(folder),
        budget="fast",
        settings=SETTINGS,
        outdir=tmp_path_factory.mktemp("run") / "run",
        quiet=True,
    )


def test_the_class_is_the_folder_and_the_broken_picture_is_left_out_and_said(run: Run) -> None:
    data = run.result["data"]
    assert data["target"]["names"] == ["label"]
    dropped = pd.read_csv(run.folder / "dropped.csv")
    assert dropped["id"].tolist() == ["broken.png"]
    assert "no picture" in dropped["reason"].iloc[0]
    assert run.result["scores"]["model"]["roc_auc"]["value"] > 0.9


def test_copies_stay_together(run: Run) -> None:
    split = pd.read_csv(run.folder / "split.csv").set_index("id")["part"]
    assert split["again.png"] == split["cell01.png"]


def test_the_report_shows_the_pictures_explained(run: Run) -> None:
    assert {entry["method"] for entry in run.result["explanation"]} == {"occlusion", "grad_cam", "libra_cam"}
    page = run.report.read_text(encoding="utf-8")
    assert "Where in the pictures the prediction comes from" in page
    assert "Grad-CAM" in page
    file = next(entry["file"] for entry in run.result["explanation"] if entry["method"] == "occlusion")
    attribution = np.load(run.folder / file)["attribution"]
    size = np.abs(attribution.sum(axis=1)).mean(axis=0)
    assert size[8:14, 2:8].mean() > 3 * size[:, 10:].mean()  # where the signal was planted


def test_a_moved_model_predicts_without_the_pictures_it_learned_from(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(run.folder, moved)
    example = (moved / "model" / "example.json").read_text(encoding="utf-8")
    assert str(folder.parent) not in example
    assert "cell" not in example  # the pictures themselves, no names
    new = tmp_path / "new"
    new.mkdir()
    for number, infected in enumerate((True, False, True)):
        cell(np.random.default_rng(100 + number), infected).save(new / f"{number}.png")
    (new / "3.png").write_text("no picture")
    model = load(moved).model.using("network")
    found = bioloom.predict(str(moved), str(new), quiet=True).frame
    assert found["id"].tolist() == ["0.png", "1.png", "2.png", "3.png"]
    assert found["class"].tolist()[:3] == ["infected", "healthy", "infected"]
    assert "no picture" in found["problem"].iloc[3]
    paths = [new / "0.png", new / "1.png"]
    for given in ([str(path) for path in paths], [np.asarray(Image.open(path)) for path in paths]):
        assert model.predict(given)["class"].tolist() == ["infected", "healthy"]


def test_records_of_the_run_can_be_explained_again(run: Run) -> None:
    (answer,) = run.explain(method="grad_cam", count=3)
    assert answer.explanation.attribution.shape == (3, 1, 16, 16)


def test_pictures_are_compared_with_training_pictures_of_the_other_class(run: Run) -> None:
    (answer,) = run.explain(method="libra_cam", count=6)
    (kept,) = (run.folder / "explanations").glob("references-*.safetensors")
    written = kept.stat().st_mtime_ns
    value = answer.explanation.attribution[0].sum(axis=0)  # the one that is infected most surely comes first
    assert value[8:14, 2:8].mean() > 1.5 * value[:, 10:].mean()
    (again,) = load(run.folder).explain(method="libra_cam", count=6)
    assert (again.explanation.attribution == answer.explanation.attribution).all()
    assert kept.stat().st_mtime_ns == written  # read, not chosen again


def test_a_usual_method_that_refuses_is_left_out_and_said_and_one_that_is_named_raises(run: Run) -> None:
    frames, ids = run.test_records(2)
    unknown = replace(run.model, references=None)
    listener = Heard()
    answers = explain(unknown, frames, ids, Wanted(), listener)
    assert [each.explanation.method for each in answers] == ["occlusion", "grad_cam", "integrated_gradients"]
    assert [words for words in listener.messages if "libra_cam is left out" in words]
    with pytest.raises(UserError, match="no library"):
        explain(unknown, frames, ids, Wanted(methods=("libra_cam",)), Silent())


def test_a_run_may_begin_with_the_model_and_knows_the_pictures_again_by_their_pixels(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    renamed = tmp_path / "renamed"
    for number, path in enumerate(sorted(folder.rglob("cell*.png"))):
        target = renamed / path.parent.name / f"x{number}.tif"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.open(path).save(target)
    settings = {**SETTINGS, "training.epochs": 1}
    del settings["model.network"], settings["model.settings"]
    again = bioloom.train(
        str(renamed),
        start=str(run.folder),
        budget="fast",
        settings=settings,
        outdir=tmp_path / "run",
        quiet=True,
    )
    learned = set(pd.read_csv(run.folder / "split.csv").query("part != 'test'")["id"])
    seen = sum(path.name in learned for path in folder.rglob("cell*.png"))
    split = pd.read_csv(again.folder / "split.csv")
    assert again.result["split"]["counts"]["test"] <= len(split) - seen


def test_a_changed_picture_is_noticed_when_a_recipe_is_run_again(
    folder: Path, run: Run, tmp_path: Path
) -> None:
    copy = tmp_path / "cells"
    shutil.copytree(folder, copy)
    recipe = (run.folder / "recipe.toml").read_text(encoding="utf-8")
    (tmp_path / "recipe.toml").write_text(recipe.replace(str(folder), str(copy)))
    checked = bioloom.check(str(tmp_path / "recipe.toml"), quiet=True)
    assert checked.rows == 82
    cell(np.random.default_rng(7), True).save(copy / "infected" / "cell01.png")
    with pytest.raises(UserError, match="data changed"):
        bioloom.check(str(tmp_path / "recipe.toml"), quiet=True)


def test_a_picture_twice_with_the_same_seed_gives_the_same_model(
    folder: Path, run: Run, tmp_path: Path
) -> None:
    again = bioloom.train(str(folder), budget="fast", settings=SETTINGS, outdir=tmp_path / "run", quiet=True)
    for name in ("weights.safetensors", "example.json"):
        assert (again.folder / "model" / name).read_bytes() == (run.folder / "model" / name).read_bytes()
    assert json.loads((again.folder / "result.json").read_text())["scores"] == run.result["scores"]
