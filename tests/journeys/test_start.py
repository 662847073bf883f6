"""A training that begins with the network of an earlier run: what is taken over, what is refused, what is tested."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import bioloom
from bioloom.errors import Interrupted, UserError
from bioloom.journey.division import divide
from bioloom.journey.folder import fingerprint as request_of
from bioloom.journey.further import Programme, trainings
from bioloom.journey.learnable import encode, make_job
from bioloom.journey.prepare import Prepared, Request, prepare
from bioloom.journey.start import SLOWER
from bioloom.journey.trainee import train_network
from bioloom.models.predict import predict
from bioloom.run import Run
from bioloom.training.job import Epoch, Job, fingerprint
from bioloom.training.loop import fit
from small_runs import FAST, motif_table

OPEN = {key: value for key, value in FAST.items() if key not in ("model.network", "training.learning_rate")}


def prepared(run: Run, frame: pd.DataFrame, **request: Any) -> Prepared:
    settings = OPEN | request.pop("settings", {})
    return prepare(Request(frame, start=str(run.folder), settings=settings, **request))


def job_of(given: Prepared) -> Job:
    split = divide(given).split
    return make_job(given, split, encode(given, split))


@pytest.fixture(scope="module")
def others() -> pd.DataFrame:
    """Records that the finished run never saw."""
    return motif_table(120, seed=9)


def test_it_begins_with_the_weights_the_letters_and_the_target_of_the_first_run(
    finished: Run, others: pd.DataFrame
) -> None:
    given = prepared(finished, others)
    job = job_of(given)
    assert given.recipe.data.target == ("bound",), "target, network and settings are those of the first run"
    assert job.network == finished.model.network.name
    old = finished.model.network.state_dict()
    assert job.start.keys() == old.keys()
    still = replace(job, plan=replace(job.plan, epochs=1, learning_rate=1e-12, weight_decay=0.0))
    network = fit(still).network
    np.testing.assert_allclose(
        predict(network, job.inputs), finished.model.raw(given.records.inputs), atol=1e-5
    )


def test_other_data_are_learned_more_slowly_and_the_same_data_as_usual(
    finished: Run, motif_file: Path, others: pd.DataFrame
) -> None:
    usual = job_of(prepare(Request(others, target=("bound",), settings=OPEN | {"model.network": "cnn"})))
    elsewhere = job_of(prepared(finished, others))
    assert elsewhere.plan.learning_rate == pytest.approx(SLOWER * usual.plan.learning_rate)
    again = prepare(Request(str(motif_file), start=str(finished.folder), settings=OPEN))
    assert again.start is not None
    assert (again.start.same_data, again.start.rate) == (True, 1.0)
    stated = prepared(finished, others, settings={"training.learning_rate": 0.004})
    assert job_of(stated).plan.learning_rate == 0.004, "what the recipe states is left as it is"


def test_another_target_gets_a_new_last_layer_and_this_is_told(finished: Run, others: pd.DataFrame) -> None:
    frame = others.assign(strength=np.linspace(0, 1, len(others)) ** 2).drop(columns="bound")
    given = prepared(finished, frame, target=("strength",), inputs=("sequence=dna",))
    job, old = job_of(given), finished.model.network.state_dict()
    missing = set(old) - set(job.start)
    assert missing
    assert all(len(old[name]) == 1 for name in missing), "one output: the last weight and its bias"
    fitted = fit(replace(job, plan=replace(job.plan, epochs=1)))
    assert fitted.history[0].loss > 0
    assert given.start is not None
    assert "last layer begins at random" in given.start.words(encode(given, divide(given).split).targets)


def test_classes_keep_their_numbers_although_the_rarer_one_changed(finished: Run) -> None:
    frame = motif_table(100, seed=3)
    frame = pd.concat([frame[frame["bound"] == "yes"], frame[frame["bound"] == "no"][:20]])
    assert prepared(finished, frame).classes == finished.model.targets.classes


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"settings": {"model.network": "residual"}}, 'network of ".*" is "cnn"'),
        ({"inputs": ("sequence=protein",)}, "learned from sequence .dna"),
        ({"settings": {"model.start_sha256": "0" * 64}}, "changed since this recipe was written"),
    ],
)
def test_what_does_not_fit_is_refused(
    finished: Run, others: pd.DataFrame, request_: dict[str, Any], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        prepared(finished, others, **request_)


def test_settings_of_another_size_are_refused(finished: Run, others: pd.DataFrame) -> None:
    filters = finished.model.recipe.model.settings["filters"] + 1
    with pytest.raises(UserError, match="weights do not fit"):
        job_of(prepared(finished, others, settings={"model.settings.filters": filters}))


def test_no_run_and_the_folder_of_the_run_itself_are_refused(
    finished: Run, others: pd.DataFrame, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="no trained model to begin with"):
        prepare(Request(others, target=("bound",), start=str(tmp_path)))
    with pytest.raises(UserError, match="cannot be written into the folder"):
        bioloom.train(others, start=finished.folder, outdir=finished.folder, settings=OPEN, quiet=True)


def test_another_model_in_the_same_place_is_another_request(
    finished: Run, others: pd.DataFrame, tmp_path: Path
) -> None:
    shutil.copytree(finished.folder / "model", tmp_path / "model")
    one = prepare(Request(others, start=str(tmp_path), settings=OPEN))
    described = (tmp_path / "model" / "model.json").read_text()
    (tmp_path / "model" / "model.json").write_text(described + " ")
    other = prepare(Request(others, start=str(tmp_path), settings=OPEN))
    assert request_of(one.recipe) != request_of(other.recipe)
    job = job_of(one)
    name = next(iter(job.start))
    moved = replace(job, start={**job.start, name: job.start[name] + 1})
    assert len({fingerprint(each) for each in (job, moved, replace(job, start={}))}) == 3


# ---- the test ---------------------------------------------------------------------------------------------


def test_the_same_data_and_seed_keep_the_test_that_the_start_never_saw(
    finished: Run, motif_file: Path
) -> None:
    again = prepare(Request(str(motif_file), start=str(finished.folder), settings=OPEN))
    division = divide(again)
    assert division.leakage.start_copies == 0
    assert division.split.counts["test"] == finished.result["split"]["counts"]["test"]


def test_records_that_the_start_had_learned_from_become_training_records(
    finished: Run, motif_file: Path, others: pd.DataFrame
) -> None:
    known = pd.read_csv(motif_file)
    learned = pd.read_csv(finished.folder / "split.csv", dtype=str)["part"].to_numpy() == "train"
    frame = pd.concat([motif_table(240, seed=11), known[learned][:40]], ignore_index=True)
    given = prepared(finished, frame, split="random")
    division = divide(given)
    assert given.start is not None
    seen = given.start.seen(given.records.inputs)
    assert seen is not None
    assert seen.train.sum() == 40
    assert division.leakage.start_copies == 0
    assert not seen.train[division.split.part != "train"].any()
    assert any("became training records" in note for note in division.split.notes)


def test_where_nothing_would_be_left_they_stay_and_are_counted(finished: Run, motif_file: Path) -> None:
    again = prepare(Request(str(motif_file), start=str(finished.folder), settings=OPEN, seed=1))
    division = divide(again)
    assert division.leakage.start_copies is not None
    assert division.leakage.start_copies > 0.5 * division.split.counts["test"]


def test_a_given_test_is_left_as_it_is_and_its_known_records_are_counted(
    finished: Run, motif_file: Path
) -> None:
    parts = pd.read_csv(finished.folder / "split.csv", dtype=str)["part"].to_numpy()
    swapped = np.where(parts == "train", "test", np.where(parts == "test", "train", parts))
    division = divide(prepared(finished, pd.read_csv(motif_file).assign(split=swapped)))
    assert division.leakage.start_copies == (parts == "train").sum()


def test_a_model_without_a_list_of_what_it_learned_from_is_told_as_such(
    finished: Run, others: pd.DataFrame
) -> None:
    given = prepared(finished, others)
    assert given.start is not None
    blind = replace(given, start=replace(given.start, model=replace(finished.model, learned=None)))
    assert divide(blind).leakage.start_copies is None


def test_shuffled_labels_begin_at_random_and_other_seeds_as_the_network_did(
    finished: Run, others: pd.DataFrame
) -> None:
    given = prepared(finished, others, settings={"training.epochs": 1})
    split = divide(given).split
    trainee = train_network(given, split, encode(given, split), None)
    planned = dict(trainings(trainee, Programme(1, (0.5,), 2, capacity={"filters": (4,)})))
    begun = {name: bool(training.job.start) for name, training in planned.items()}
    assert begun == {
        "short": False,
        "shuffled 1": False,
        "share 0.5": True,
        "seed 1": True,
        "capacity 0": False,
    }


# ---- the whole way ----------------------------------------------------------------------------------------


def interrupted(job: Job, path: Path) -> None:
    def press(epoch: Epoch) -> None:
        if epoch.number == 3:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted):
        fit(job, checkpoint=path, on_epoch=press)


def test_a_training_that_was_stopped_goes_on_bit_for_bit(
    finished: Run, others: pd.DataFrame, tmp_path: Path
) -> None:
    job, path = (
        job_of(prepared(finished, others, settings={"training.epochs": 5})),
        tmp_path / "c.safetensors",
    )
    interrupted(job, path)
    resumed, unbroken = fit(job, checkpoint=path), fit(job)
    assert resumed.resumed == 2
    one, other = resumed.network.state_dict(), unbroken.network.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


def start(file: Path, first: Path, folder: Path) -> subprocess.Popen[str]:
    options = [
        word
        for key, value in (OPEN | {"training.epochs": 40}).items()
        for word in ("--set", f"{key}={value}")
    ]
    command = [
        sys.executable,
        "-m",
        "bioloom",
        "train",
        str(file),
        "--from",
        str(first),
        "--outdir",
        str(folder),
    ]
    where = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=where
    )


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_to_the_same_bytes_and_tells_what_it_began_with(
    finished: Run, others: pd.DataFrame, tmp_path: Path
) -> None:
    file = tmp_path / "more.csv"
    others.to_csv(file, index=False)
    killed, unbroken = tmp_path / "killed", tmp_path / "unbroken"
    process = start(file, finished.folder, killed)
    while process.poll() is None and not (killed / "events.jsonl").exists():
        time.sleep(0.02)
    time.sleep(0.8)
    process.kill()
    process.communicate()
    for folder in (killed, unbroken):
        _, errors = (process := start(file, finished.folder, folder)).communicate()
        assert process.returncode == 0, errors
    for name in ("model/weights.safetensors", "model/beside.safetensors", "predictions.csv", "recipe.toml"):
        assert (killed / name).read_bytes() == (unbroken / name).read_bytes(), name
    run = bioloom.load(unbroken)
    told = run.result["model"]["start"]
    assert (told["folder"], told["same_data"], told["last_layer"]) == (
        str(finished.folder),
        False,
        "taken over",
    )
    assert "begins with the weights" in run.result["training"]["notes"][0]
    assert "leak.start_copies" in {finding["code"] for finding in run.findings}
    learned, before = run.model.learned, finished.model.learned
    assert learned is not None
    assert before is not None
    assert set(before.train) < set(learned.train), "what the start had learned from is not forgotten"
