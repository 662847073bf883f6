"""A class at every pixel, from pictures and masks to predicted masks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bioloom import workflow
from bioloom.run import Run
from bioloom.workflow import Request

SIDE = 16

SETTINGS = {
    "model.settings": {"width": 4, "levels": 2},
    "training.epochs": 12,
    "training.batch_size": 8,
    "training.learning_rate": 0.02,
    "evaluation.draws": 100,
    "explanation.records": 1,
    "explanation.methods": ["integrated_gradients"],
    "split.folds": 1,
    "threads": 1,
}


def cells(folder: Path, records: int = 60, seed: int = 0) -> Path:
    """Bright round cells on a noisy ground, beside their masks; a table names both."""
    random = np.random.default_rng(seed)
    down, across = np.mgrid[:SIDE, :SIDE]
    rows = ["id,picture,mask"]
    for number in range(records):
        centre, radius = random.uniform(4, 12, 2), random.uniform(2, 5)
        there = np.hypot(down - centre[0], across - centre[1]) < radius
        picture = random.normal(80, 25, (SIDE, SIDE)) + 90 * there
        for name, pixels in (("pictures", picture.clip(0, 255)), ("masks", 255 * there)):
            (folder / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"c{number}.png")
        rows.append(f"c{number},pictures/c{number}.png,masks/c{number}.png")
    table = folder / "cells.csv"
    table.write_text("\n".join(rows) + "\n")
    return table


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    folder = tmp_path_factory.mktemp("cells")
    table = cells(folder)
    request = Request(
        str(table), target=("mask",), inputs=("picture",), settings=SETTINGS, split="random", budget="fast"
    )
    return workflow.train(request, folder / "run"), table


def test_areas_are_found_and_scored_by_dice_with_intervals_of_pictures(run: tuple[Run, Path]) -> None:
    result = json.loads((run[0].folder / "result.json").read_text())
    target = result["data"]["target"]
    assert (target["task"], target["classes"], target["place"]) == ("segmentation", ["0", "255"], "pixel")
    assert result["model"]["network"] == "unet"
    dice = result["scores"]["model"]["dice"]
    assert dice["n"] == result["split"]["counts"]["test"]
    assert dice["value"] > 0.6
    assert dice["low"] < dice["value"] < dice["high"]
    assert set(result["scores"]["baselines"]) == {"trivial", "simple"}
    table = pd.read_csv(run[0].folder / "predictions.csv")
    assert table["correct"].between(0, 1).all()
    assert "Dice of 255" in table
    assert (run[0].folder / "figures" / "areas-worst.svg").is_file()
    assert "The worst of the test pictures" in (run[0].folder / "report.html").read_text()


def test_predicted_masks_are_pictures_beside_the_table(run: tuple[Run, Path], tmp_path: Path) -> None:
    found, table = run
    out = tmp_path / "found.csv"
    workflow.predict(found.folder, table, out, which="network")
    frame = pd.read_csv(out)
    assert len(frame) == 60
    mask = np.asarray(Image.open(tmp_path / frame["mask"][0]))
    assert mask.shape == (SIDE, SIDE)
    assert set(np.unique(mask)) <= {0, 255}
    truth = np.asarray(Image.open(table.parent / "masks" / "c0.png"))
    assert (mask == truth).mean() > 0.8
