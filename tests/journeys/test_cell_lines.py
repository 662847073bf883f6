"""DeepDEP on simulated cell lines, scaled down: files joined, encoders learned alone, whole cell lines held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bioloom
from bioloom import workflow
from bioloom.data.simulate import simulate
from bioloom.run import Run

LAYERS = ("mutation", "expression")
"""Of the four, to be quick."""

SETTINGS = {
    "model.network": "deepdep",
    "model.settings": {"code": 8, "joint": 32},
    "model.pretraining": {"training": {"epochs": 8}, "evaluation": {"draws": 100, "shares": []}},
    "data.group": "cell_line",
    "split.method": "group",
    "split.folds": 1,
    "split.test": 0.3,
    "training.epochs": 12,
    "training.members": 1,
    "evaluation.draws": 100,
    "evaluation.shuffles": 1,
    "evaluation.shares": [],
    "evaluation.seeds": 1,
    "explanation.records": 3,
    "budget": "fast",
    "threads": 1,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve cell lines with small layers, and tumours of which the first two are copies of cell lines."""
    place = tmp_path_factory.mktemp("deepdep")
    made = simulate("deepdep", records=360, seed=0)
    made.frame.to_csv(place / "pairs.csv", index=False)
    kept = {}
    for name in LAYERS:
        kept[name] = made.beside[name].iloc[:, :25]
        kept[name].to_csv(place / f"{name}.csv", index=False)
    made.beside["fingerprint"].to_csv(place / "fingerprint.csv", index=False)
    tumours = made.beside["tumours"].iloc[:150]
    for name, layer in kept.items():
        columns = [f"{name}:{column}" for column in layer.columns[1:]]
        tumours.loc[:1, columns] = layer.iloc[:2, 1:].to_numpy()
        tumours = tumours.drop(columns=[c for c in tumours if c.startswith(f"{name}:") and c not in columns])
    tumours.to_csv(place / "tumours.csv", index=False)
    return place


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    words = [f"{folder}/{name}.csv=cell_line" for name in LAYERS] + [f"{folder}/fingerprint.csv=gene"]
    return bioloom.train(
        folder / "pairs.csv",
        "dependency",
        join=words,
        pretrain=folder / "tumours.csv",
        settings=SETTINGS,
        outdir=folder / "run",
        quiet=True,
    )


def test_each_layer_is_learned_from_alone_and_copies_of_held_out_cell_lines_are_left_out(
    run: Run, folder: Path
) -> None:
    told = {each["input"]: each for each in run.result["pretraining"]}
    assert set(told) == set(LAYERS), "the fingerprint belongs to genes, of which tumours say nothing"
    split = pd.read_csv(run.folder / "split.csv")["part"]
    lines = pd.read_csv(folder / "pairs.csv")["cell_line"]
    held = {line for line in ("line1", "line2") if (split[lines == line] != "train").any()}
    assert told["expression"]["copies"] == len(held)
    assert told["mutation"]["copies"] >= len(held), "few genes mutated: tumours may be copies by chance too"
    assert (run.folder / "pretraining" / "expression" / "report.html").is_file()


def test_cell_lines_are_held_out_whole_and_the_run_says_what_ridge_does(run: Run, folder: Path) -> None:
    split = pd.read_csv(run.folder / "split.csv")["part"]
    lines = pd.read_csv(folder / "pairs.csv")["cell_line"]
    assert pd.concat([lines, split], axis=1).drop_duplicates()["cell_line"].is_unique
    assert run.result["scores"]["baselines"]["simple"]["title"] == "ridge regression"
    assert run.result["pretrained"]["difference"]["against"] == "scratch"
    assert set(run.model.inputs) == {*LAYERS, "fingerprint"}


def test_new_pairs_are_predicted_from_the_files_beside(run: Run, folder: Path) -> None:
    pairs = pd.read_csv(folder / "pairs.csv").drop(columns="dependency").iloc[:7]
    found = workflow.predict(run.folder, pairs)
    assert len(found.frame) == 7
    assert found.frame["dependency"].notna().all()


def test_the_simulated_dependency_follows_from_states_pathways_and_genes() -> None:
    made = simulate("deepdep", records=900, seed=3)
    again = simulate("deepdep", records=900, seed=3)
    pd.testing.assert_frame_equal(made.frame, again.frame)
    table = made.frame.pivot(index="cell_line", columns="gene", values="dependency")
    table -= table.mean()
    pathway = made.truth["pathway"]
    alike, other = [], []
    for first in table.columns[:12]:
        for second in table.columns[12:]:
            correlation = np.corrcoef(table[first], table[second])[0, 1]
            (alike if pathway[first] == pathway[second] else other).append(correlation)
    assert np.mean(alike) > 0.8
    assert np.mean(np.abs(other)) < 0.6
