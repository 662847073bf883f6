"""From a file to a finished run: what is in its folder, and that library and command line agree."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bioloom
from bioloom.errors import UserError
from bioloom.run import Run
from small_runs import FAST, motif_table

OUTSIDE = ("timing", "environment")
"""What may differ between two runs of the same request."""


def without_time(path: Path) -> str:
    content = json.loads((path / "result.json").read_text())
    return json.dumps({key: value for key, value in content.items() if key not in OUTSIDE})


def as_options(settings: dict[str, object]) -> list[str]:
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]


def test_a_run_folder_holds_what_the_reference_says(finished: Run):
    names = {path.name for path in finished.folder.iterdir()}
    assert names == {
        "recipe.toml", "events.jsonl", "result.json", "predictions.csv", "split.csv", "dropped.csv", "model",
        "explanations", "figures", "report.html", "environment.json",
    }  # fmt: skip
    assert {path.name for path in (finished.folder / "model").iterdir()} == {
        "weights.safetensors", "beside.safetensors", "model.json", "recipe.toml", "example.json", "card.md",
    }  # fmt: skip


def test_the_result_answers_every_question(finished: Run):
    result = finished.result
    assert set(result["leakage"]) >= {
        "exact_copies",
        "reverse_complements",
        "near_copies",
        "conflicting_labels",
    }
    rivals = {"trivial", "nearest", "simple", "boosting"}
    assert set(result["scores"]["baselines"]) == rivals
    for score in result["scores"]["model"].values():
        assert set(score) >= {"value", "low", "high", "n"}
    assert {difference["against"] for difference in result["comparison"]} == rivals
    assert {control["name"] for control in result["controls"]["others"]} == {"untrained", "properties"}
    assert set(result) >= {"learning_curve", "calibration", "uncertainty", "bounds", "identity"}
    assert result["controls"]["label_shuffle"]["reads_as_guessing"] is True
    assert set(result["verdict"]) >= {"code", "text"}
    assert sum(result["split"]["counts"].values()) == result["data"]["used"] == 240


def test_the_planted_motif_is_learned(finished: Run):
    assert finished.scores["roc_auc"]["value"] > 0.9


def test_the_report_is_one_small_page_without_scripts(finished: Run):
    page = finished.report.read_text()
    assert len(page) < 3_000_000
    assert "<script" not in page
    assert finished.verdict.replace("-0", "−0") in page  # a minus sign instead of a hyphen


def test_predictions_hold_every_record_once_with_its_part(finished: Run):
    table = pd.read_csv(finished.folder / "predictions.csv")
    split = pd.read_csv(finished.folder / "split.csv")
    assert table["id"].tolist() == split["id"].tolist() == list(range(1, 241))
    assert table["part"].tolist() == split["part"].tolist()


def test_the_model_predicts_as_it_did_in_the_run(finished: Run):
    table = pd.read_csv(finished.folder / "predictions.csv")
    found = finished.model.using("network").predict(motif_table()["sequence"].tolist())
    np.testing.assert_allclose(found["p(yes)"], table["p(yes)"], atol=1e-5)


def test_library_and_command_line_give_the_same_result(finished: Run, motif_file: Path, tmp_path: Path):
    command = [sys.executable, "-m", "bioloom", "train", str(motif_file), "--target", "bound", "--quiet"]
    subprocess.run(
        [*command, "--outdir", str(tmp_path / "run"), *as_options(FAST)], check=True, capture_output=True
    )
    assert without_time(tmp_path / "run") == without_time(finished.folder)
    for name in ("predictions.csv", "split.csv", "model/weights.safetensors", "recipe.toml"):
        assert (tmp_path / "run" / name).read_bytes() == (finished.folder / name).read_bytes(), name


def test_the_resolved_recipe_repeats_the_run(finished: Run, tmp_path: Path):
    again = bioloom.train(finished.folder / "recipe.toml", outdir=tmp_path / "again", quiet=True)
    for name in ("predictions.csv", "split.csv", "model/weights.safetensors"):
        assert (again.folder / name).read_bytes() == (finished.folder / name).read_bytes(), name


def test_a_data_frame_gives_the_same_model_as_its_file(finished: Run, tmp_path: Path):
    run = bioloom.train(motif_table(), target="bound", settings=FAST, outdir=tmp_path / "frame", quiet=True)
    assert (run.folder / "model/weights.safetensors").read_bytes() == (
        finished.folder / "model/weights.safetensors"
    ).read_bytes()


def test_a_polars_frame_and_arrays_are_taken_too(tmp_path: Path):
    polars = pytest.importorskip("polars")
    frame = motif_table()
    checked = bioloom.check(polars.from_pandas(frame), target="bound", quiet=True)
    assert checked.rows == 240
    arrays = {"sequence": frame["sequence"].to_numpy(), "bound": frame["bound"].to_numpy()}
    assert bioloom.check(arrays, target="bound", quiet=True).rows == 240


def test_the_same_request_again_shows_the_finished_run(finished: Run, motif_file: Path):
    before = (finished.folder / "result.json").read_bytes()
    again = bioloom.train(motif_file, target="bound", settings=FAST, outdir=finished.folder, quiet=True)
    assert again.folder == finished.folder
    assert (finished.folder / "result.json").read_bytes() == before


def test_another_request_does_not_touch_a_finished_run(finished: Run, motif_file: Path):
    with pytest.raises(UserError, match="other data or other settings") as caught:
        bioloom.train(
            motif_file, target="bound", settings=FAST | {"seed": 1}, outdir=finished.folder, quiet=True
        )
    assert "--force" in caught.value.fix


def test_force_moves_the_earlier_run_aside(motif_file: Path, tmp_path: Path):
    first = bioloom.train(motif_file, target="bound", settings=FAST, outdir=tmp_path / "run", quiet=True)
    kept = (first.folder / "result.json").read_bytes()
    bioloom.train(
        motif_file,
        target="bound",
        settings=FAST | {"seed": 1},
        outdir=tmp_path / "run",
        force=True,
        quiet=True,
    )
    assert (tmp_path / "run~1" / "result.json").read_bytes() == kept


def test_a_folder_with_other_files_is_left_alone(motif_file: Path, tmp_path: Path):
    (tmp_path / "thesis.doc").write_text("years of work")
    with pytest.raises(UserError, match="holds other files"):
        bioloom.train(motif_file, target="bound", outdir=tmp_path, force=True, quiet=True)
    assert (tmp_path / "thesis.doc").read_text() == "years of work"


def test_changed_data_are_noticed_by_a_stored_recipe(motif_file: Path, finished: Run, tmp_path: Path):
    recipe = (finished.folder / "recipe.toml").read_text()
    changed = tmp_path / "motif.csv"
    motif_table(seed=5).to_csv(changed, index=False)
    (tmp_path / "recipe.toml").write_text(recipe.replace(str(motif_file), "motif.csv"))
    with pytest.raises(UserError, match="data changed since"):
        bioloom.train(tmp_path / "recipe.toml", outdir=tmp_path / "run", quiet=True)


def test_the_poisoned_test_rows_change_no_byte_of_the_model(tmp_path: Path):
    frame = motif_table().assign(split=["train"] * 160 + ["validation"] * 40 + ["test"] * 40)
    poisoned = frame.copy()
    poisoned.loc[200:, "bound"] = ["yes" if cell == "no" else "no" for cell in frame.loc[200:, "bound"]]
    poisoned.loc[200:, "sequence"] = [cell[::-1] for cell in frame.loc[200:, "sequence"]]
    settings = FAST | {"data.positive": "yes"}
    runs = [
        bioloom.train(each, target="bound", settings=settings, outdir=tmp_path / name, quiet=True)
        for name, each in (("clean", frame), ("poisoned", poisoned))
    ]
    one, other = ((run.folder / "model/weights.safetensors").read_bytes() for run in runs)
    assert one == other
    assert runs[0].scores["roc_auc"]["value"] != runs[1].scores["roc_auc"]["value"]


def test_every_row_is_used_or_listed(tmp_path: Path):
    frame = motif_table()
    frame.loc[3, "sequence"] = "ACGTXACGT"
    frame.loc[7, "sequence"] = None
    frame.loc[9, "bound"] = None
    frame.to_csv(tmp_path / "messy.csv", index=False)
    run = bioloom.train(
        tmp_path / "messy.csv", target="bound", settings=FAST, outdir=tmp_path / "run", quiet=True
    )
    dropped = pd.read_csv(run.folder / "dropped.csv")
    assert dropped["line"].tolist() == [5, 9, 11]
    assert run.result["data"]["used"] + len(dropped) == run.result["data"]["rows"] == 240
    assert len(pd.read_csv(run.folder / "predictions.csv")) == 237


def test_several_inputs_join_in_one_network(shared_data: Path, tmp_path: Path):
    settings = FAST | {"model.network": "auto", "training.epochs": 1, "explanation.records": 2}
    run = bioloom.train(
        shared_data / "dna" / "utr5_fluorescence.csv",
        target="fluorescence",
        inputs=["utr5", "species", "reporter"],
        settings=settings,
        outdir=tmp_path / "run",
        quiet=True,
    )
    assert run.result["model"]["network"] == "fusion"
    assert {each["name"]: each["modality"] for each in run.result["data"]["inputs"]} == {
        "utr5": "dna",
        "table": "table",
    }
    rows = {"utr5": ["ACGTTTAGGAGGT"], "species": ["Escherichia coli DH10B"], "reporter": ["mRFP1"]}
    assert np.isfinite(run.model.predict(rows)["fluorescence"]).all()


def test_which_class_is_positive_does_not_move_a_record(finished: Run, motif_file: Path, tmp_path: Path):
    run = bioloom.train(
        motif_file, target="bound", positive="no", settings=FAST, outdir=tmp_path / "run", quiet=True
    )
    assert (run.folder / "split.csv").read_bytes() == (finished.folder / "split.csv").read_bytes()
