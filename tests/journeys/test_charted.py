"""Runs of maps from sequence to function tell what they add up, with intervals, in three gauges, and draw it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bioloom
from bioloom.data.simulate import simulate
from small_runs import FAST

MAP = {
    **FAST,
    "training.epochs": 15,
    "training.batch_size": 64,
    "explanation.records": 3,
    "explanation.methods": ["occlusion"],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """Two networks that add up letters, of a library around one parent, with noise that they learn."""
    made = simulate("mutants_additive", records=1500, seed=1)
    settings = {
        "model.network": "additive_map", "training.loss": "skewed_t", "training.members": 2,
        "split.method": "random", "training.learning_rate": 0.01,
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("runs") / "map"
    bioloom.train(made.frame, target="activity", outdir=folder, settings={**MAP, **settings})
    return folder, dict(made.truth)


def test_every_effect_is_written_with_its_interval_and_the_planted_ones_are_found(run) -> None:
    folder, truth = run
    table = pd.read_csv(folder / "explanations" / "effects.csv")
    assert set(table["gauge"]) == {"uniform", "consensus", "empirical"}
    letters = table[(table["gauge"] == "consensus") & table["first_letter"].notna()]
    assert len(letters) == 4 * 40
    assert table["second_position"].isna().all()
    planted = np.zeros((40, 4))
    planted[truth["first"] : truth["first"] + 30] = truth["effects"]
    place = letters["first_position"].to_numpy().astype(int) - 1
    expected = planted[place, ["ACGT".index(each) for each in letters["first_letter"]]]
    known = letters["effect"].notna().to_numpy() & (expected != 0)
    assert np.corrcoef(letters["effect"][known], expected[known])[0, 1] > 0.8
    none = letters[(place < 5) | (place >= 35)].dropna(subset=["low"])
    none = none[none["effect"] != 0]  # of the parent's letters
    assert ((none["low"] <= 0) & (none["high"] >= 0)).mean() > 0.85
    assert (letters["low"].dropna() <= letters["effect"][letters["low"].notna()]).all()


def test_the_report_shows_effects_curve_and_bits(run) -> None:
    folder, _ = run
    entry = json.loads((folder / "result.json").read_text())["explanation"][0]
    assert entry["method"] == "effects"
    assert "the commonest letter of its position" in entry["text"]
    assert "bits" in entry["text"]
    bits = entry["settings"]["information"]
    assert 0 < bits["variational"]["value"] < bits["predictive"]["value"] + 0.3
    assert [Path(each["file"]).name for each in entry["figures"]] == [
        "effects-letters.svg",
        "effects-measurement.svg",
    ]
    page = (folder / "report.html").read_text()
    assert "What the map adds up" in page
    assert "explanations/effects.csv" in page


def test_sorted_bins_with_counts_are_a_class_for_each_bin_and_share_one_phi(tmp_path: Path) -> None:
    made = simulate("mutants_additive", records=500, seed=2)
    frame = made.frame.assign(
        bin=pd.cut(made.frame["activity"], [-9, 0.1, 0.4, 0.7, 9], labels=list("abcd")).astype(str)
    )
    settings = {"model.network": "neighbour_map", "split.method": "random", "training.epochs": 4}
    bioloom.train(
        frame[["sequence", "bin"]], target="bin", outdir=tmp_path / "bins", settings={**MAP, **settings}
    )
    entry = json.loads((tmp_path / "bins" / "result.json").read_text())["explanation"][0]
    assert "an effect of each letter and of each two letters side by side, added up" in entry["text"]
    assert (tmp_path / "bins" / "figures" / "effects-pairs.svg").exists()
    table = pd.read_csv(tmp_path / "bins" / "explanations" / "effects.csv")
    pairs = table[table["second_position"].notna()]
    assert (pairs["second_position"] - pairs["first_position"] == 1).all()
    assert (pairs["records"] > 0).all()


def test_sequences_of_several_lengths_and_other_networks_have_no_such_table(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    sequences = ["".join(random.choice(list("ACGT"), size=size)) for size in random.integers(8, 15, 120)]
    frame = pd.DataFrame(
        {"sequence": sequences, "value": [text.count("A") + random.normal() for text in sequences]}
    )
    settings = {**MAP, "model.network": "additive_map", "training.epochs": 2}
    bioloom.train(frame, target="value", outdir=tmp_path / "ragged", settings=settings)
    found = json.loads((tmp_path / "ragged" / "result.json").read_text())["explanation"]
    assert [each["method"] for each in found] == ["occlusion"]
