"""Requests that cannot be done as they were made: what is said, and what they leave behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bioloom
from bioloom.errors import UserError
from bioloom.explanation import Explanation
from bioloom.journey.explained import Answer, stems
from bioloom.journey.folder import abandon, finish, open_folder
from bioloom.journey.prepare import Request, prepare
from bioloom.journey.recorded import LEFT_OUT
from bioloom.journey.roles import columns_for
from bioloom.recipe import InputRecipe, Recipe
from small_runs import FAST, motif_table


def test_a_request_that_fails_before_training_leaves_its_folder_free(motif_file: Path, tmp_path: Path):
    for _ in range(2):
        with pytest.raises(UserError, match="no groups to split by"):
            bioloom.train(motif_file, target="bound", split="group", outdir=tmp_path / "run", quiet=True)
        assert not (tmp_path / "run").exists()


def test_a_folder_with_something_in_it_that_took_time_is_never_abandoned(tmp_path: Path):
    opened = open_folder(tmp_path / "run", Recipe(), force=False)
    (opened.checkpoint / "training.safetensors").write_bytes(b"an hour of training")
    abandon(opened)
    assert (opened.checkpoint / "training.safetensors").exists()
    assert open_folder(tmp_path / "run", Recipe(), force=False).state == "resumed"


def test_files_of_others_are_left_when_a_folder_is_abandoned(tmp_path: Path):
    opened = open_folder(tmp_path / "run", Recipe(), force=False)
    (tmp_path / "run" / "notes.txt").write_text("mine")
    abandon(opened)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["notes.txt"]


def test_a_run_killed_between_result_and_report_is_not_finished(tmp_path: Path):
    opened = open_folder(tmp_path / "run", Recipe(), force=False)
    (tmp_path / "run" / "result.json").write_text(f'{{"request": "{opened.request}"}}')
    assert open_folder(tmp_path / "run", Recipe(), force=False).state == "resumed"
    finish(opened)
    assert open_folder(tmp_path / "run", Recipe(), force=False).state == "finished"


def test_every_column_that_stops_a_run_is_shown_by_check():
    days = [f"2024-01-{1 + number % 28:02}" for number in range(40)]
    frame = pd.DataFrame({"day": days, "who": [f"Ms {n}" for n in range(40)], "y": np.arange(40.0)})
    checked = bioloom.check(frame, target="y", quiet=True)
    assert {problem.code for problem in checked.problems} == {"table.date", "table.text"}
    with pytest.raises(UserError, match="1 more problem"):
        prepare(Request(frame, target=("y",)))


def test_a_row_whose_target_is_no_number_says_so():
    frame = motif_table(40)[["sequence"]].assign(kd=np.arange(40.0).astype(str))
    frame.loc[3, "kd"], frame.loc[5, "kd"] = "<0.1", None
    dropped = prepare(Request(frame, target=("kd",))).dropped
    assert [row.reason for row in dropped] == [
        "the target is no number, such as '<0.1'",
        "the target is missing",
    ]


def test_a_cell_that_is_no_number_costs_no_row_where_another_target_is_known():
    frame = motif_table(40)[["sequence"]].assign(kd=np.arange(40.0).astype(str), kcat=np.arange(40.0))
    frame.loc[3, "kd"] = "<0.1"
    prepared = prepare(Request(frame, target=("kd", "kcat")))
    assert not prepared.dropped
    (problem,) = (each for each in prepared.problems if each.code == "target.number")
    assert (problem.severity, problem.rows.tolist()) == ("note", [3])


def test_an_input_column_that_is_named_twice_counts_once():
    frame = pd.DataFrame({"pH": np.arange(20.0), "y": np.arange(20.0)})
    prepared = prepare(Request(frame, target=("y",), inputs=("pH", "pH")))
    assert prepared.roles.inputs["table"].columns == ("pH",)


def test_one_column_is_never_taken_for_two_inputs(tmp_path: Path):
    inputs = {name: InputRecipe(modality="dna", columns=(name,)) for name in ("forward", "backward")}
    table = prepare(Request(motif_table(40).rename(columns={"sequence": "forward"}), target=("bound",))).table
    with pytest.raises(UserError, match='needs a column "backward"'):
        columns_for(table, inputs)


def test_outputs_that_read_alike_in_file_names_get_files_of_their_own():
    explanation = Explanation(np.zeros((1, 1), np.float32), "occlusion", "table", "zeros")
    answers = [Answer(explanation, pd.DataFrame(), name, "") for name in ("T+", "T-", "t+", "B")]
    assert stems(answers) == [
        "table-occlusion-Tplus", "table-occlusion-Tminus", "table-occlusion-tplus-2", "table-occlusion-B",
    ]  # fmt: skip
    colons = [Answer(explanation, pd.DataFrame(), name, "") for name in ("a:b", "a/b")]
    assert stems(colons) == ["table-occlusion-a_b", "table-occlusion-a_b-2"]


@pytest.mark.parametrize("names", [("+", "-"), ("+ against -", "- against +")])
def test_classes_that_are_signs_do_not_write_over_each_other_in_two_calls(names: tuple[str, str]):
    explanation = Explanation(np.zeros((1, 1), np.float32), "occlusion", "table", "zeros")
    one, other = ([Answer(explanation, pd.DataFrame(), name, "")] for name in names)
    assert stems(one) != stems(other)


def test_columns_of_different_length_are_refused_by_a_model(tmp_path: Path):
    frame = pd.DataFrame({"a": np.arange(60.0), "b": np.arange(60.0) % 7, "y": np.arange(60.0)})
    settings = FAST | {"model.network": "auto", "training.epochs": 1}
    run = bioloom.train(frame, target="y", settings=settings, outdir=tmp_path / "run", quiet=True)
    with pytest.raises(UserError, match="differ in length: a has 2, b has 1"):
        run.model.predict({"a": [1, 2], "b": [1]})
    assert len(run.model.predict({"a": [], "b": []})) == 0


@pytest.mark.parametrize("setting", ["explanation.methods", "model.network"])
def test_a_misspelt_part_is_refused_before_anything_is_done(setting: str, motif_file: Path, tmp_path: Path):
    word = ["mutagenesys"] if setting.endswith("methods") else "residuall"
    with pytest.raises(UserError, match=r"There is no .* Did you mean"):
        bioloom.train(
            motif_file, target="bound", settings={setting: word}, outdir=tmp_path / "run", quiet=True
        )
    assert not (tmp_path / "run").exists()


def test_a_misspelt_way_to_split_is_refused_with_the_closest_one(motif_file: Path):
    with pytest.raises(UserError, match='Did you mean "similarity"'):
        bioloom.train(motif_file, "bound", split="similarty", quiet=True)


@pytest.mark.parametrize("key", ["prevalence", "missed_cost"])
def test_a_cost_or_prevalence_of_a_number_is_refused(key: str):
    table = motif_table(40).assign(strength=range(40))
    with pytest.raises(UserError, match="needs two classes"):
        bioloom.train(table, "strength", inputs="sequence", settings={f"evaluation.{key}": 0.5}, quiet=True)


def test_columns_of_names_and_dates_are_left_out_of_a_table_with_a_note():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"height": random.normal(170, 9, 60), "weight": random.normal(70, 9, 60)})
    frame["patient"] = [f"Patient number {n}" for n in range(60)]
    frame["sex"] = np.resize(["f", "m"], 60)
    prepared = prepare(Request(frame, target=("sex",)))
    (table,) = prepared.recipe.data.inputs.values()
    assert table.columns == ("height", "weight")
    (note,) = [problem for problem in prepared.problems if problem.code == LEFT_OUT]
    assert note.column == "patient"
    assert note.severity == "note"


def test_a_body_weight_is_an_input_and_only_a_sample_weight_makes_records_count_more():
    frame = pd.DataFrame(
        {"weight": np.arange(60.0), "sample_weight": np.arange(1.0, 61.0), "y": np.arange(60.0)}
    )
    prepared = prepare(Request(frame, target=("y",)))
    (table,) = prepared.recipe.data.inputs.values()
    assert table.columns == ("weight",)
    assert prepared.records.weight is not None


def test_a_column_called_group_with_two_values_keeps_nothing_together_and_is_no_input():
    frame = pd.DataFrame({"a": np.arange(60.0), "group": np.resize(["x", "y"], 60), "y": np.arange(60.0)})
    prepared = prepare(Request(frame, target=("y",)))
    assert prepared.records.group is None
    assert [recipe.columns for recipe in prepared.recipe.data.inputs.values()] == [("a",)]
    assert "only 2 values" in "".join(problem.message for problem in prepared.problems)


def test_an_excluded_column_is_no_input_and_cannot_be_named_as_one():
    frame = pd.DataFrame({"a": np.arange(60.0), "late": np.arange(60.0), "y": np.arange(60.0)})
    prepared = prepare(Request(frame, target=("y",), exclude=("late",)))
    assert [recipe.columns for recipe in prepared.recipe.data.inputs.values()] == [("a",)]
    with pytest.raises(UserError, match='"late" is both an input and excluded'):
        prepare(Request(frame, target=("y",), inputs=("late",), exclude=("late",)))
    with pytest.raises(UserError, match='no column "lat"'):
        prepare(Request(frame, target=("y",), exclude=("lat",)))


def test_a_pattern_of_inputs_does_not_mean_the_target():
    frame = pd.DataFrame({f"x{n}": np.random.default_rng(n).normal(size=60) for n in range(4)})
    prepared = prepare(Request(frame, target=("x3",), inputs=("x*",)))
    assert [each.columns for each in prepared.recipe.data.inputs.values()] == [("x0", "x1", "x2")]
    with pytest.raises(UserError, match="both an input and the target"):
        prepare(Request(frame, target=("x3",), inputs=("x0", "x3")))
