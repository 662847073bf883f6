"""Pictures of the test with their true and predicted areas, for the report of a segmentation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from bioloom.figures import style
from bioloom.figures.areas import areas

if TYPE_CHECKING:
    from bioloom.journey.judge import Trial

FILES = ("areas-best.svg", "areas-middle.svg", "areas-worst.svg")
"""Figures of the test pictures with the largest, the middle and the smallest share of right pixels."""


def draw_areas(trial: Trial, folder: Path) -> None:
    """Write figures of three test pictures to a folder; nothing where the target is not one of pixels."""
    targets, values = trial.trainee.learnable.targets, trial.once.values["model"]
    if len(targets.places) != 2 or not len(values):
        return
    called, truth = values.argmax(axis=1), trial.truth[:, 0].astype(np.float32)
    known = np.isfinite(truth)
    right = ((called == truth) & known).sum(axis=(1, 2)) / np.maximum(known.sum(axis=(1, 2)), 1)
    order = np.argsort(-right, kind="stable")
    (encoded,) = trial.trainee.learnable.encoded.values()
    for name, place in zip(FILES, (0, len(order) // 2, len(order) - 1), strict=True):
        row = int(order[place])
        x = encoded.on("cpu").batch(torch.tensor([int(trial.once.rows[row])])).x[0]
        style.save(areas(x.mean(dim=0).numpy(), truth[row], called[row], targets.classes), folder / name)
