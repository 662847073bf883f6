"""So few records that nothing can be promised about a single prediction."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bioloom
from bioloom.cli.app import main
from bioloom.run import Run
from small_runs import FAST

SETTINGS = FAST | {
    "split.method": "random",
    "split.folds": 1,
    "explanation.records": 1,
    "model.network": "mlp",
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Three validation records of one target, and hardly a known value of the other."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"ph": random.normal(7, 0.3, 24), "temperature": random.normal(30, 3, 24)})
    frame = frame.assign(mass=2 * frame["ph"] + random.normal(0, 0.1, 24), purity=frame["temperature"])
    frame.loc[8:, "purity"] = np.nan
    return bioloom.train(
        frame,
        ["mass", "purity"],
        inputs=["ph", "temperature"],
        settings=SETTINGS,
        outdir=tmp_path_factory.mktemp("tiny") / "run",
        quiet=True,
    )


NEW = "ph,temperature\n7.1,30\n6.9,28\n"


def test_an_interval_without_ends_is_empty_and_the_reason_is_said(tiny: Run, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text(NEW)
    found = bioloom.predict(tiny.folder, tmp_path / "new.csv", quiet=True)
    assert found.frame["purity"].notna().all()
    assert found.frame[["purity low", "purity high"]].isna().all(axis=None)
    assert (found.frame["mass low"] < found.frame["mass high"]).all()
    assert any("have a known purity" in note for note in found.notes)
    assert found.missing == 0


def test_such_predictions_are_written_as_json_too(
    tiny: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.csv").write_text(NEW)
    assert main(["predict", str(tiny.folder), str(tmp_path / "new.csv"), "--json", "--quiet"]) == 0
    first = json.loads(capsys.readouterr().out)["predictions"][0]
    assert first["purity low"] is None
