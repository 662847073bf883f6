"""A run on so many records that samples take the place of all: the limits are lowered so that it takes seconds."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import bioloom
from bioloom.data import large
from bioloom.data import mapped as stores
from bioloom.data.reading import blocks
from bioloom.modalities import letters, sequence
from bioloom.run import Run
from small_runs import FAST, motif_table

SETTINGS = {**FAST, "training.epochs": 6}
WRITE = stores._write


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run on 240 records, of which 100 are many, and one is a copy of another on the other strand."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("LARGE", 100), ("HELD_OUT", 24), ("SEARCHED", 50), ("ASKED", 10)):
            patch.setattr(large, name, value)
        folder = tmp_path_factory.mktemp("many") / "run"
        return bioloom.train(motif_table(), target="bound", settings=SETTINGS, outdir=folder, quiet=True)


def test_fewer_are_held_out_and_the_reason_says_how_many_were_compared(many: Run):
    split = many.result["split"]
    assert split["method"] == "copies"
    assert split["counts"] == {"train": 192, "validation": 24, "test": 24}
    assert "240 records are too many to compare each with each" in split["reason"]
    leakage = many.result["leakage"]
    assert leakage["near_asked"] == 10
    assert leakage["notion"].endswith("looked for among 50 of 216 records, for 10 of 24")


def test_the_shares_in_the_recipe_that_is_written_back_are_those_that_were_used(many: Run):
    assert many.result["recipe"]["split"]["test"] == pytest.approx(0.1)


def test_every_row_has_a_prediction_and_what_the_test_says_of_copies_names_the_sample(many: Run):
    table = pd.read_csv(Path(many.folder) / "predictions.csv")
    assert len(table) == 240
    assert table["p(yes)"].notna().all()
    finding = next(each for each in many.result["findings"] if each["code"] == "leak.near_copies")
    assert "in the sample that was looked at" in finding["answer"]


def test_a_run_on_files_gives_the_bytes_of_a_run_in_memory(
    motif_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def trained(name: str) -> Path:
        run = bioloom.train(motif_file, target="bound", settings=SETTINGS, outdir=tmp_path / name, quiet=True)
        return Path(run.folder)

    memory = trained("memory")
    for module, name, value in (
        (blocks, "LARGE", 10),
        (blocks, "BLOCK", 500),
        (blocks, "LONG", 10),
        (letters, "CELLS", 64),
        (sequence, "CELLS", 64),
        (stores, "MAPPED", 100),
    ):
        monkeypatch.setattr(module, name, value)
    written = []
    monkeypatch.setattr(stores, "_write", lambda *told: written.append(told[0]) or WRITE(*told))
    files = trained("files")
    assert written  # encoded records did lie in a file
    assert not (files / "checkpoint").exists()
    for name in ("split.csv", "predictions.csv", "model/weights.safetensors"):
        assert (files / name).read_bytes() == (memory / name).read_bytes(), name


def test_a_run_that_breaks_down_leaves_no_file_of_encoded_records(
    motif_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(stores, "MAPPED", 100)
    settings = {**SETTINGS, "training.learning_rate": 1e30, "training.optimiser": "sgd"}
    with pytest.raises(bioloom.UserError):
        bioloom.train(motif_file, target="bound", settings=settings, outdir=tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


def test_memory_is_given_back_only_where_records_are_many():
    large.give_back(10)
    large.give_back(large.LARGE + 1)
