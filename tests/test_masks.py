"""Masks are read as they are, and lie on their pictures or are dropped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from bioloom.data import readers
from bioloom.data.masks import other_form
from bioloom.data.records import Records
from bioloom.journey.everywhere import problems
from bioloom.recipe import InputRecipe

SIZES = {"same": (20, 30), "half": (10, 15), "rounded": (7, 10), "turned": (30, 20), "wider": (20, 32)}


def table(folder: Path) -> pd.DataFrame:
    random = np.random.default_rng(0)
    for name, size in SIZES.items():
        Image.fromarray(random.integers(0, 255, (20, 30)).astype(np.uint8)).save(folder / f"{name}.png")
        Image.fromarray(random.integers(0, 2, size).astype(np.uint8)).save(folder / f"{name}_mask.png")
    rows = [f"{name}.png,{name}_mask.png" for name in SIZES]
    (folder / "table.csv").write_text("\n".join(["picture,mask", *rows]) + "\n")
    return readers.read(folder / "table.csv").frame


def test_a_mask_of_another_form_than_its_picture_is_found(tmp_path: Path) -> None:
    frame = table(tmp_path)
    assert other_form(frame["mask"], frame["picture"]).tolist() == [3, 4]


def test_a_mask_of_another_form_is_a_dropped_row_with_a_reason(tmp_path: Path) -> None:
    frame = table(tmp_path)
    records = Records(
        ids=np.array(list(SIZES), dtype=object),
        inputs={"picture": frame[["picture"]]},
        targets=frame[["mask"]],
        lines=np.arange(len(frame), dtype=np.int64) + 2,
    )
    inputs = {"picture": InputRecipe(modality="image", columns=("picture",))}
    (problem,) = problems(records, inputs, "segmentation")
    assert (problem.severity, problem.code, problem.rows.tolist()) == ("drop", "target.form", [3, 4])
    assert "ratio of height to width" in problem.message
