"""A trained model and new records: one row for each row, and what moves each prediction."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bioloom
from bioloom.errors import UserError
from bioloom.events import Silent
from bioloom.explanation.maps.references import ReferenceLibrary
from bioloom.journey.explained import Wanted, explain
from bioloom.journey.predicted import read_records
from bioloom.run import Run, load
from bioloom.trained import Asked
from small_runs import motif_table


def test_rows_in_are_rows_out_whatever_is_in_them(finished: Run, tmp_path: Path):
    file = tmp_path / "new.csv"
    file.write_text(
        "id,sequence\na,ACGTACGTACGTACGTACGT\nb,\nc,ACGT!\nd,ACGTACGTACGTACGTACGTACGTACGT\ne,acgu\n"
    )
    found = bioloom.predict(finished.folder, file, quiet=True)
    assert found.frame["id"].tolist() == ["a", "b", "c", "d", "e"]
    assert np.isfinite(found.frame["p(yes)"]).tolist() == [True, False, False, True, True]
    assert (found.frame["problem"] != "").tolist() == [False, True, True, False, False]
    assert any("middle 20" in note for note in found.notes)


def test_a_fasta_file_is_predicted_by_a_model_of_a_table(finished: Run, tmp_path: Path):
    file = tmp_path / "new.fasta"
    file.write_text(">one\nACGTACGTACGTACGTACGT\n>two\nTTTTTTTTTTTTTTTTTTTT\n")
    found = bioloom.predict(finished.folder, file, quiet=True)
    assert found.frame["id"].tolist() == ["one", "two"]


def test_a_column_of_another_name_is_taken_and_said(finished: Run, tmp_path: Path):
    motif_table(20).rename(columns={"sequence": "promoter"}).to_csv(tmp_path / "other.csv", index=False)
    found = bioloom.predict(finished.folder, tmp_path / "other.csv", quiet=True)
    assert 'the column "promoter" was taken as the input "sequence"' in found.notes


def test_a_file_without_the_input_is_refused(finished: Run, tmp_path: Path):
    (tmp_path / "table.csv").write_text("length,weight\n1,2\n3,4\n")
    with pytest.raises(UserError, match='needs a column "sequence"'):
        bioloom.predict(finished.folder, tmp_path / "table.csv", quiet=True)


def test_the_command_writes_csv_to_standard_output(finished: Run, motif_file: Path):
    command = [sys.executable, "-m", "bioloom", "predict", str(finished.folder), str(motif_file), "--quiet"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    lines = done.stdout.strip().splitlines()
    assert lines[0] == "id,p(yes),class,possible,unlike,why"
    assert len(lines) == 241


def test_a_damaged_model_is_refused(finished: Run, tmp_path: Path):
    import shutil

    copy = tmp_path / "run"
    shutil.copytree(finished.folder, copy)
    weights = copy / "model" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-8:] = b"\x00\x00\x80\x41" * 2  # the last two numbers become 16
    weights.write_bytes(bytes(content))
    with pytest.raises(UserError, match="does not reproduce"):
        bioloom.predict(copy, motif_table(20), quiet=True)


def test_explanations_point_at_the_planted_motif(finished: Run):
    sequences = motif_table().query("bound == 'yes'")["sequence"].tolist()[:20]
    answers = finished.explain(sequences, method="mutagenesis")
    size = np.abs(answers[0].explanation.attribution).max(axis=1).mean(axis=0)  # (positions,)
    assert size[7:13].mean() > 3 * np.delete(size, range(7, 13)).mean()


def test_without_records_the_test_records_of_the_run_are_explained(finished: Run):
    answers = finished.explain(method="occlusion", count=4)
    split = pd.read_csv(finished.folder / "split.csv", dtype=str)
    tested = set(split.loc[split["part"] == "test", "id"])
    assert set(answers[0].explanation.ids) <= tested
    assert len(answers[0].explanation.ids) == 4


def test_a_short_explanation_takes_the_first_method_of_those_that_suit(finished: Run, motif_file: Path):
    frames, ids = read_records(finished.model, motif_file, Silent())
    few = {name: frame.head(3) for name, frame in frames.items()}
    found = {
        usual: [
            each.explanation.method
            for each in explain(finished.model, few, ids[:3], Wanted(usual=usual), Silent())
        ]
        for usual in (1, None)
    }
    assert found == {1: ["mutagenesis"], None: ["mutagenesis", "occlusion", "integrated_gradients"]}


def test_a_method_that_does_not_fit_is_refused_with_those_that_exist(finished: Run):
    with pytest.raises(UserError, match=r'no explainer called "occlusoin".*Did you mean "occlusion"'):
        finished.explain(["ACGTACGTACGTACGTACGT"], method="occlusoin")


def test_explaining_other_records_leaves_what_the_report_shows(finished: Run, tmp_path: Path):
    shown = [
        finished.folder / place
        for entry in finished.result["explanation"]
        for place in (entry["file"], *(figure["file"] for figure in entry["figures"]))
    ]
    before = {path: path.read_bytes() for path in shown}
    motif_table(6).to_csv(tmp_path / "others.csv", index=False)
    entries = bioloom.explain(finished.folder, tmp_path / "others.csv", method="occlusion", quiet=True)
    assert [entry["file"] for entry in entries] == ["explanations/others-sequence-occlusion.npz"]
    assert {path: path.read_bytes() for path in shown} == before


def test_a_note_names_its_number_of_rows_in_english(finished: Run, tmp_path: Path):
    (tmp_path / "long.csv").write_text("sequence\n" + "ACGT" * 10 + "\n" + "ACGT" * 5 + "\n")
    assert bioloom.predict(finished.folder, tmp_path / "long.csv", quiet=True).notes[0].startswith("1 row: ")


def test_head_is_no_failure(finished: Run, tmp_path: Path):
    motif_table(4000).to_csv(tmp_path / "many.csv", index=False)
    command = [
        sys.executable,
        "-m",
        "bioloom",
        "predict",
        str(finished.folder),
        str(tmp_path / "many.csv"),
        "-q",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0


def test_a_record_of_another_length_is_unlike_and_says_so(finished: Run):
    found = finished.model.predict(["ACGTACGACCGGAAGTACGT", "ACGTACGACCGGAAGTACGT" * 4])
    assert found["unlike"].iloc[1] == "yes"
    assert "longer than the 20 nt" in found["why"].iloc[1]


def test_the_network_and_the_simpler_model_can_both_be_asked(finished: Run):
    sequences = motif_table(30)["sequence"].tolist()
    network, simple = (finished.model.using(which).predict(sequences) for which in ("network", "simple"))
    assert (network["p(yes)"] != simple["p(yes)"]).any()
    with pytest.raises(UserError, match='Did you mean "network"'):
        finished.model.using("netwrok")


def test_sequences_are_compared_with_training_sequences_of_the_other_class(finished: Run) -> None:
    (answer,) = finished.explain(method="libra_cam", count=4)
    assert answer.explanation.attribution.shape == (4, 4, 20)
    assert answer.explanation.settings["asked_about_parts_of_letters"]
    assert answer.effect == "Evidence for the log odds of yes (0 to 1)"
    kept = ReferenceLibrary.load(finished.folder / "explanations" / "references-sequence.safetensors")
    assert set(kept.chosen) == {0, 1}
    assert max(float(each.max()) for each in kept.probability.values()) < 0.5


def test_references_of_another_model_are_chosen_anew(finished: Run, tmp_path: Path) -> None:
    moved = tmp_path / "run"
    shutil.copytree(finished.folder, moved)
    (moved / "explanations").mkdir(exist_ok=True)
    path = moved / "explanations" / "references-sequence.safetensors"
    run = load(moved)
    other = replace(run.model.references("sequence", "cpu").of(run.model.network), model="another")
    other.save(path)
    assert run.explain(method="libra_cam", count=2)
    assert ReferenceLibrary.load(path).model != "another"


def test_references_of_a_named_layer_are_kept_beside_the_others(finished: Run, tmp_path: Path) -> None:
    moved = tmp_path / "run"
    shutil.copytree(finished.folder, moved)
    run = load(moved)
    frames, _ = run.test_records(2)
    found = run.model.explain(frames, Asked("libra_cam", "sequence", layer="convolution"))
    assert found.settings["layer"] == "convolution"
    assert (moved / "explanations" / "references-sequence-convolution.safetensors").is_file()


def test_records_without_a_run_have_no_references(finished: Run) -> None:
    model = replace(finished.model, references=None)
    frames, ids = finished.test_records(2)
    with pytest.raises(UserError, match="no library"):
        explain(model, frames, ids, Wanted(methods=("libra_cam",)), Silent())
