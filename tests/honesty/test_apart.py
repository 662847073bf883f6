"""Test records decide nothing: not the weights, not the calibration, not what folds and learning curves learn from."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import bioloom
from bioloom import workflow
from bioloom.events import Silent
from bioloom.journey import rehearsal as rehearsing
from bioloom.journey.contest import compete
from bioloom.journey.further import Programme, nested
from bioloom.journey.prepare import Prepared, Request, prepare
from bioloom.journey.promise import Said, promised
from bioloom.journey.rehearsal import Rehearsal
from bioloom.journey.shelf import Shelf
from bioloom.journey.trainee import Trainee, train_network
from small_runs import FAST, motif_table

QUICK = FAST | {
    "training.epochs": 3,
    "training.members": 2,
    "training.distil": True,
    "evaluation.deliver": "network",
    "explanation.records": 3,
}


def given(classes: bool) -> pd.DataFrame:
    """The motif table with the part of each record; classes, or numbers that follow them."""
    frame, random = motif_table(200), np.random.default_rng(0)
    if not classes:
        frame["bound"] = (frame["bound"] == "yes") + 0.3 * random.normal(size=len(frame))
    return frame.assign(split=np.repeat(["train", "validation", "test"], [120, 40, 40]))


def poisoned(frame: pd.DataFrame) -> pd.DataFrame:
    """Every test record has another sequence, longer and of other letters, and another label."""
    changed, test = frame.copy(), (frame["split"] == "test").to_numpy()
    changed.loc[test, "sequence"] = ["GC" * 15 + "ACGT"[number % 4] * 3 for number in range(test.sum())]
    labels = frame.loc[test, "bound"]
    turned = labels.map({"yes": "no", "no": "yes"})
    changed.loc[test, "bound"] = 1000 - labels if turned.isna().any() else turned
    return changed


def model_files(folder: Path) -> dict[str, bytes]:
    """The model folder without the card, which quotes scores, and without the line that names the data."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "card.md"}
    lines = files["recipe.toml"].splitlines()
    return files | {"recipe.toml": b"\n".join(line for line in lines if not line.startswith(b"sha256 ="))}


@pytest.mark.parametrize("classes", [True, False], ids=["classes", "numbers"])
def test_poisoned_test_records_change_no_byte_of_the_model(classes: bool, tmp_path: Path) -> None:
    frame = given(classes)
    runs = [
        bioloom.train(
            table,
            "bound",
            inputs="sequence",
            settings=QUICK,
            budget="fast",
            outdir=tmp_path / name,
            quiet=True,
        )
        for name, table in (("clean", frame), ("poisoned", poisoned(frame)))
    ]
    clean, poison = (model_files(run.folder / "model") for run in runs)
    assert {"weights.safetensors", "beside.safetensors", "model.json", "example.json", "recipe.toml"} <= set(
        clean
    )
    assert clean == poison
    scores = [run.result["scores"]["model"] for run in runs]
    assert scores[0] != scores[1]


# ---- one split ----------------------------------------------------------------------------------------------


def request(frame: pd.DataFrame, **settings: object) -> Prepared:
    chosen = (
        FAST | {"training.epochs": 2} | {name.replace("__", "."): each for name, each in settings.items()}
    )
    return prepare(
        Request(source=frame, target=("bound",), inputs=("sequence",), settings=chosen, budget="fast")
    )


def trained(prepared: Prepared) -> Trainee:
    split = workflow.divide(prepared).split
    return train_network(prepared, split, workflow.encode(prepared, split), None)


@pytest.fixture(scope="module")
def trainee() -> Trainee:
    return trained(request(given(classes=True)))


def with_other_test_labels(trainee: Trainee) -> Trainee:
    truth = trainee.learnable.truth.copy()
    truth[trainee.split.index("test")] = 1 - truth[trainee.split.index("test")]
    return replace(trainee, learnable=replace(trainee.learnable, truth=truth))


def test_calibration_threshold_and_interval_widths_come_from_validation_records_alone(
    trainee: Trainee,
) -> None:
    frame = given(classes=True)
    labels_of_test = frame["split"] == "test"
    frame.loc[labels_of_test, "bound"] = frame.loc[labels_of_test, "bound"].map({"yes": "no", "no": "yes"})
    other = trained(request(frame))
    assert trainee.calibration is not None
    assert other.calibration is not None
    assert trainee.calibration.to_json() == other.calibration.to_json()
    rows = trainee.job.validation
    assert promised(trainee, rows, Said(trainee.values[rows])) == promised(
        other, rows, Said(other.values[rows])
    )


def test_calibration_follows_the_validation_records(trainee: Trainee) -> None:
    """So that the test above cannot pass for want of any calibration."""
    frame = given(classes=True)
    held_out = frame["split"] == "validation"
    frame.loc[held_out, "bound"] = frame.loc[held_out, "bound"].map({"yes": "no", "no": "yes"})
    other = trained(request(frame))
    assert trainee.calibration is not None
    assert other.calibration is not None
    assert trainee.calibration.to_json() != other.calibration.to_json()


def test_subsets_of_the_learning_curve_are_nested_and_hold_training_records_only(trainee: Trainee) -> None:
    sets = [set(nested(trainee, share).tolist()) for share in (1 / 8, 1 / 4, 1 / 2, 1.0)]
    assert all(small < large for small, large in pairwise(sets))
    assert sets[-1] == set(trainee.job.train.tolist())
    assert not sets[-1] & set(trainee.split.index("test").tolist())


def test_controls_rivals_and_learning_curve_do_not_see_test_labels(trainee: Trainee) -> None:
    other = with_other_test_labels(trainee)
    programme = Programme(shuffles=1, shares=(0.5,), seeds=2)
    found = [compete(each, programme, Shelf(None), Silent())[1] for each in (trainee, other)]
    assert {"model", "simple", "untrained", "short", "shuffled 1", "share 0.5", "seed 1"} <= set(found[0])
    for name, values in found[0].items():
        if not name.startswith("inside"):  # whether a truth lies inside does depend on it
            assert np.array_equal(values, found[1][name], equal_nan=True), name


# ---- folds ----------------------------------------------------------------------------------------------------


def families() -> pd.DataFrame:
    """60 records in 15 groups."""
    frame = motif_table(60)
    return frame.assign(group=[f"g{number % 15}" for number in range(60)])


def test_no_group_is_tested_by_a_fold_that_learned_from_it() -> None:
    prepared = request(families(), split__folds=5, split__repeats=2, split__method="group")
    folds = workflow.divide(prepared).folds
    assert folds is not None
    group = prepared.records.group
    assert group is not None
    for repeat in range(2):
        tested = []
        for split in folds.splits[repeat * folds.count : (repeat + 1) * folds.count]:
            test, learned = split.index("test"), np.flatnonzero(split.part != "test")
            assert not set(group[test]) & set(group[learned])
            tested += test.tolist()
        assert sorted(tested) == list(range(60)), "each record is tested once"


def test_out_of_fold_predictions_come_from_the_fold_that_tests_the_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each fold answers with its own number and the record's: 1000 x fold + record."""
    prepared = request(motif_table(60), split__folds=4)
    division = workflow.divide(prepared)
    assert division.folds is not None
    splits = division.folds.splits

    def marked(self: Rehearsal, number: int, split: object, listener: object) -> dict[str, np.ndarray]:
        rows = splits[number].index("test")
        return {"model": (1000.0 * number + rows).astype(np.float32)[:, None]}

    monkeypatch.setattr(Rehearsal, "_fold", marked)
    monkeypatch.setattr(rehearsing, "fit_rivals", lambda trainee: None)
    trainee = SimpleNamespace(seconds=0.0, members=(None,), job=SimpleNamespace(device="cpu", threads=1))
    rehearsal = Rehearsal(prepared, division.folds, Shelf(None))
    answers = rehearsal.answers(trainee, Silent())[1].once()  # type: ignore[arg-type]
    assert answers.rows.tolist() == list(range(60))
    fold = np.array(
        [next(n for n, split in enumerate(splits) if split.part[row] == "test") for row in range(60)]
    )
    assert np.array_equal(answers.values["model"][:, 0], 1000 * fold + np.arange(60))


def test_a_fold_trains_on_the_records_it_does_not_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record whose label is wrong changes the answers for all records but those tested beside it."""
    frame = motif_table(60)
    prepared = request(frame, split__folds=3, split__method="random")
    folds = workflow.divide(prepared).folds
    assert folds is not None
    wrong = frame.copy()
    first = folds.splits[0].index("test")
    wrong.loc[first, "bound"] = frame.loc[first, "bound"].map({"yes": "no", "no": "yes"})
    values = []
    for table in (frame, wrong):
        again = request(table, split__folds=3, split__method="random")
        values.append([trained_on(again, split) for split in folds.splits])
    assert np.array_equal(values[0][0], values[1][0]), "its own fold never saw the labels"
    assert not np.array_equal(values[0][1], values[1][1])


def trained_on(prepared: Prepared, split: object) -> np.ndarray:
    found = train_network(prepared, split, workflow.encode(prepared, split), None)  # type: ignore[arg-type]
    return found.values
