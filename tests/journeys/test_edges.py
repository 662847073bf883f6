"""Data at the edges: what test records carry moves nothing before the test, and nothing odd ends in a traceback."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bioloom
from bioloom.errors import UserError
from bioloom.journey.division import divide
from bioloom.journey.learnable import encode, make_job
from bioloom.journey.prepare import Request, prepare
from bioloom.run import Run
from small_runs import FAST

EDGE = FAST | {"model.network": "auto", "training.epochs": 1, "explanation.records": 2}
PARTS = ["train"] * 40 + ["validation"] * 15 + ["test"] * 25


def numbers() -> pd.DataFrame:
    """Two columns of numbers and a given split."""
    random = np.random.default_rng(0)
    return pd.DataFrame({"a": random.normal(size=80), "b": random.normal(size=80), "split": PARTS})


def test_weights_of_test_records_change_no_bit_of_a_training():
    frame = numbers().assign(y=np.arange(80.0), sample_weight=np.linspace(0.1, 3, 80))
    poisoned = frame.assign(sample_weight=frame["sample_weight"].where(frame["split"] != "test", 7e6))
    jobs = []
    for each in (frame, poisoned):
        prepared = prepare(Request(each, target=("y",), settings=EDGE))
        split = divide(prepared).split
        jobs.append(make_job(prepared, split, encode(prepared, split)))
    learned = np.concatenate([jobs[0].train, jobs[0].validation])
    np.testing.assert_array_equal(jobs[0].weight[learned], jobs[1].weight[learned])
    assert jobs[0].weight[jobs[0].train].mean() == pytest.approx(1)


def test_labels_of_test_records_do_not_choose_the_validation_records():
    frame = numbers().assign(y=np.arange(80.0))
    frame["split"] = frame["split"].replace("validation", "train")
    poisoned = frame.assign(y=frame["y"].where(frame["split"] != "test", -1e6))
    parts = [divide(prepare(Request(each, target=("y",)))).split.part for each in (frame, poisoned)]
    np.testing.assert_array_equal(*parts)


def test_a_test_of_one_class_is_judged_undefined_and_not_a_crash(tmp_path: Path):
    frame = numbers().assign(y=np.resize(list("ABC"), 80))
    frame.loc[frame["split"] == "test", "y"] = "A"
    run = bioloom.train(frame, target="y", settings=EDGE, outdir=tmp_path / "run", quiet=True)
    assert any(finding["code"] == "data.absent_class" for finding in run.findings)


def test_a_target_that_no_test_record_has_says_so_and_warns_of_nothing_else(tmp_path: Path):
    frame = numbers().assign(y=lambda each: each["a"] + each["b"], z=lambda each: each["a"] - each["b"])
    frame.loc[frame["split"] == "test", "z"] = np.nan
    run = bioloom.train(frame, target=("y", "z"), settings=EDGE, outdir=tmp_path / "run", quiet=True)
    scores = run.result["scores"]["per_target"]["z"]
    assert all(score["value"] is None and score["undefined"] for score in scores.values())


def test_numbers_too_large_for_the_arithmetic_are_left_out_and_listed():
    frame = numbers().assign(y=np.arange(80.0))
    frame.loc[7, "y"] = 1e40
    prepared = prepare(Request(frame, target=("y",)))
    assert [(row.line, row.reason) for row in prepared.dropped] == [
        (8, "the target is too large a number, such as '1e+40'")
    ]


def test_conflicts_are_judged_in_the_spread_of_each_target():
    frame = pd.concat([numbers().assign(split="train")] * 2, ignore_index=True)
    frame["small"], frame["large"] = np.repeat([0.0, 1.0], 80), np.tile(np.arange(80) * 1e6, 2)
    frame["split"] = np.repeat(["train", "test"], 80)
    leakage = divide(prepare(Request(frame, target=("small", "large")))).leakage
    assert leakage.conflicting_labels == 80


def test_ids_that_were_given_a_number_are_still_unique():
    frame = numbers().assign(y=np.arange(80.0), id=["a", "a", "a#2", "a", *map(str, range(76))])
    ids = prepare(Request(frame, target=("y",))).records.ids
    assert ids[:4].tolist() == ["a", "a#3", "a#2", "a#4"]
    assert len(set(ids)) == 80


@pytest.mark.parametrize("content", [None, "", "id,part\n", "id,line\na,2\n"])
def test_a_run_whose_split_is_damaged_says_so(content: str | None, tmp_path: Path):
    path = tmp_path / "split.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match="split of this run is missing or damaged"):
        Run(tmp_path)._parts(80)
