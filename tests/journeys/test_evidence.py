"""What a run tells beyond its score is worked out from all that it knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import bioloom
from bioloom.evaluation.curve import Curve, learning_curve
from bioloom.journey import evidence
from small_runs import FAST, motif_table


def test_the_learning_curve_knows_how_far_trainings_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def heard(metric: str, trained: Any, seed: int) -> Curve:
        given.extend(trained)
        return learning_curve(metric, trained, seed)

    monkeypatch.setattr(evidence, "learning_curve", heard)
    settings = FAST | {"training.epochs": 4, "evaluation.shares": [0.25, 0.5], "evaluation.seeds": 3}
    run = bioloom.train(
        motif_table(), "bound", inputs="sequence", settings=settings, budget="fast",
        outdir=tmp_path / "run", quiet=True,
    )  # fmt: skip
    seeds = run.result["variance"]["seeds"]
    assert seeds > 0
    own = [each.seed_sd for each in given if each.role == "model"]
    assert own == pytest.approx([seeds] * 3, rel=1e-5)
    assert {each.seed_sd for each in given if each.role != "model"} == {0.0}
