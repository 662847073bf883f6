"""What a run tells beyond its score is worked out from all that it knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
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


def test_networks_of_other_sizes_are_scored_by_one_metric_on_both_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leave-one-out refuses the first metric of a regression, so the second decides: on training records too."""
    given: list[Any] = []

    def heard(trial: Any) -> Any:
        given.append(trial)
        return counted(trial)

    counted = evidence._capacity
    monkeypatch.setattr(evidence, "_capacity", heard)
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(12, 2)), columns=["a", "b"]).assign(y=lambda frame: frame["a"])
    settings = FAST | {
        "model.network": "mlp", "training.epochs": 2, "split.folds": 0, "split.method": "leave-one-out",
        "evaluation.capacity": {"hidden": [[4], [8]]}, "explanation.records": 1,
    }  # fmt: skip
    run = bioloom.train(
        table, "y", settings=settings, budget="fast", outdir=tmp_path / "run", quiet=True,
    )  # fmt: skip
    found, (trial,) = run.result["capacity"], given
    metrics = trial.trainee.job.task.metrics
    assert found["metric"] == "r2" == metrics[1]
    for number, size in enumerate(found["sizes"]):
        about = trial.once.about[f"capacity {number}"]
        assert about.shape == (12, 1 + len(metrics))
        assert size["fitted"] == pytest.approx(float(about[:, 2].mean()), rel=1e-4)
