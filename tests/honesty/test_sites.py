"""On the lac promoter library, attribution lies where biology says the information is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import bioloom
from bioloom.data.datasets import path
from bioloom.explanation.summary import enrichment, importance
from bioloom.run import Run
from small_runs import FAST

SETTINGS = FAST | {"training.epochs": 12, "training.batch_size": 64, "explanation.records": 48}


@pytest.fixture(scope="module")
def lac(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A small network trained on 8,000 of the 50,518 variants."""
    folder = tmp_path_factory.mktemp("lac")
    frame = pd.read_csv(path("lac_promoter")).sample(8000, random_state=0)
    frame[["sequence", "expression", "split"]].to_csv(folder / "lac.csv", index=False)
    return bioloom.train(
        folder / "lac.csv", target="expression", settings=SETTINGS, outdir=folder / "run", quiet=True
    )


SITES = {"CRP, left half": (6, 11), "CRP, right half": (17, 22), "-35 box": (39, 45), "-10 box": (63, 69)}
"""0-based half-open: TGTGA and TCACT, TTTACA, TATGTT."""


def per_position(run: Run, method: str) -> NDArray[np.float64]:
    frame = pd.read_csv(path("lac_promoter")).query("split == 'test'").head(48)
    answer = run.explain(frame["sequence"].tolist(), method=method)[0]
    encoded = run.model.modalities["sequence"].encode(frame[["sequence"]].reset_index(drop=True)).on("cpu")
    return importance(answer.explanation.attribution, encoded.batch(run.model.index(len(frame))).x.numpy())


def test_mutagenesis_points_at_every_site_of_crp_and_polymerase(lac: Run):
    found = per_position(lac, "mutagenesis")
    for name, window in SITES.items():
        assert enrichment(found, [window]) > 1.3, name
    assert enrichment(found, list(SITES.values())) > 2


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion"])
def test_the_other_explainers_agree_on_where_it_lies(lac: Run, method: str):
    assert enrichment(per_position(lac, method), list(SITES.values())) > 1.5


def test_the_report_names_the_known_sites_of_the_bundled_library(tmp_path: Path):
    settings = SETTINGS | {
        "training.epochs": 1,
        "explanation.records": 4,
        "explanation.methods": ["occlusion"],
    }
    checked = bioloom.check("lac_promoter", target="expression", settings=settings, quiet=True)
    assert [name in checked.recipe for name in ("CRP site", "−35 box", "−10 box")] == [True] * 3
