"""Learning without labels first: what may be seen, what is taken over, and what the report says of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from test_unlabelled import QUICK, curved

import bioloom
from bioloom import workflow
from bioloom.errors import Interrupted, UserError
from bioloom.events import Silent
from bioloom.journey.division import divide
from bioloom.journey.learnable import encode, make_job
from bioloom.journey.prepare import Prepared, Request, prepare
from bioloom.journey.pretraining import Seen, choose
from bioloom.journey.pretraining import request as first_training
from bioloom.run import Run

LABELLED = QUICK | {
    "evaluation.shuffles": 1,
    "explanation.records": 4,
    "training.epochs": 15,
    "training.members": 1,
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Records with labels, and others without among which stand 30 copies and 30 near copies of them."""
    folder = tmp_path_factory.mktemp("two")
    labelled = curved(150, 1)
    copies = labelled.drop(columns="tissue").iloc[:60].copy()
    copies["id"] = [f"again{number}" for number in range(60)]
    copies.iloc[30:, 1:] += 0.002 * np.random.default_rng(0).normal(size=(30, 12))
    labelled.to_csv(folder / "labelled.csv", index=False)
    others = pd.concat([curved(250, 2).drop(columns="tissue"), copies])
    others.to_csv(folder / "others.csv", index=False)
    return folder / "labelled.csv", folder / "others.csv"


def prepared(files: tuple[Path, Path], **settings: Any) -> Prepared:
    request = Request(str(files[0]), target=("tissue",), inputs=("m*=table",), pretrain=str(files[1]))
    return prepare(Request(**{**vars(request), "settings": LABELLED | settings}))


@pytest.fixture(scope="module")
def run(files: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(files, tmp_path_factory.mktemp("pretrained") / "run")


def train(files: tuple[Path, Path], folder: Path, listener: Any = None) -> Run:
    request = Request(
        str(files[0]), target=("tissue",), inputs=("m*=table",), pretrain=str(files[1]), settings=LABELLED
    )
    return workflow.train(request, folder, listener or Silent())


def test_copies_of_test_and_validation_records_are_left_out_and_those_of_training_records_are_not(
    files: tuple[Path, Path],
) -> None:
    given = prepared(files)
    division = divide(given)
    held = division.split.part != "train"
    chosen = choose(given, division)
    (seen,) = (each.seen for each in chosen)
    assert seen.copies == held[:30].sum() > 0
    assert seen.near == held[30:60].sum() > 0
    left = {f"again{number}" for number in np.flatnonzero(held[:60])}
    kept = set(chosen[0].frame["id"])
    assert not kept & left
    assert {f"again{number}" for number in np.flatnonzero(~held[:60])} <= kept
    assert seen.used == 310 - len(left)


def test_with_folds_every_record_is_tested_so_that_no_copy_may_be_seen(files: tuple[Path, Path]) -> None:
    given = prepared(files, **{"split.folds": 3})
    (seen,) = (each.seen for each in choose(given, divide(given)))
    assert (seen.copies, seen.near) == (30, 30)
    assert "tested in a fold" in seen.text


def test_the_run_tells_what_was_seen_and_whether_it_helped(run: Run) -> None:
    (told,) = run.result["pretraining"]
    assert told["rows"] == 310
    assert "without labels" in told["text"]
    assert {"with", "without", "difference"} <= set(run.result["pretrained"])
    page = run.report.read_text()
    assert "Learning without labels first" in page
    assert (run.folder / "pretraining" / "report.html").is_file()
    assert any(finding["code"] == "skill.pretraining" for finding in run.findings)


def test_the_network_begins_with_the_encoder_and_a_new_last_layer(run: Run, files: tuple[Path, Path]) -> None:
    first = bioloom.load(run.folder / "pretraining").model.network.state_dict()
    given = prepare(
        Request(
            str(files[0]),
            target=("tissue",),
            inputs=("m*=table",),
            start=str(run.folder / "pretraining"),
            settings=LABELLED,
        )
    )
    split = divide(given).split
    start = make_job(given, split, encode(given, split)).start
    assert sorted(start) == ["encoder.0.bias", "encoder.0.weight", "encoder.3.bias", "encoder.3.weight"]
    assert all(torch.equal(start[name], first[name]) for name in start)


class StopAt(Silent):
    """Stops the run when a stage begins."""

    def __init__(self, name: str) -> None:
        self.name = name

    def stage(self, name: str, title: str) -> None:
        """As Ctrl-C would."""
        if name == self.name:
            raise KeyboardInterrupt


@pytest.mark.parametrize("stage", ["encode", "evaluate"])
def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(
    run: Run, files: tuple[Path, Path], tmp_path: Path, stage: str
) -> None:
    with pytest.raises(Interrupted):
        train(files, tmp_path / "run", StopAt(stage))
    again = train(files, tmp_path / "run")
    for name in ("model/weights.safetensors", "predictions.csv", "pretraining/codes.csv"):
        assert (again.folder / name).read_bytes() == (run.folder / name).read_bytes()


def test_a_changed_file_and_two_beginnings_are_refused(files: tuple[Path, Path]) -> None:
    with pytest.raises(UserError, match="changed since this recipe"):
        prepared(files, **{"model.pretrain_sha256": "0" * 64})
    with pytest.raises(UserError, match="does not go with --task reconstruct"):
        prepare(Request(str(files[0]), task="reconstruct", pretrain=str(files[1])))


def test_a_file_of_copies_alone_is_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    few = tmp_path / "few.csv"
    pd.read_csv(files[0]).drop(columns="tissue").to_csv(few, index=False)
    given = prepared((files[0], few), **{"split.folds": 3})
    with pytest.raises(UserError, match="Only 0 records"):
        choose(given, divide(given))


@pytest.fixture(scope="module")
def patients(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Thirty patients of five records with labels, and new records of the same patients and of others without."""
    folder = tmp_path_factory.mktemp("patients")
    labelled, others = curved(150, 1), curved(300, 2).drop(columns="tissue")
    labelled.assign(group=np.repeat(np.arange(30), 5)).to_csv(folder / "labelled.csv", index=False)
    others.drop(columns="id").to_csv(folder / "no_groups.csv", index=False)
    groups = np.arange(300) % 60.0
    groups[-10:] = np.nan
    others.assign(group=groups).to_csv(folder / "others.csv", index=False)
    return folder / "labelled.csv", folder / "others.csv"


def test_records_of_patients_that_are_held_out_are_not_learned_from(patients: tuple[Path, Path]) -> None:
    given = prepared(patients, **{"split.method": "group"})
    division = divide(given)
    assert given.records.group is not None
    held = set(map(int, given.records.group[division.split.part != "train"]))
    (chosen,) = choose(given, division)
    rows = chosen.frame["id"].str[1:].astype(int)
    assert not {number % 60 for number in rows if number < 290} & held
    expected = [number for number in range(290) if number % 60 in held]
    assert chosen.seen.same_group == len(expected) > 0
    assert f"{len(expected):,} records of groups that are held out" in chosen.seen.text
    assert "Of 10 records the group is not known" in chosen.seen.text


def test_with_folds_no_labelled_patient_is_learned_from(patients: tuple[Path, Path]) -> None:
    given = prepared(patients, **{"split.method": "group", "split.folds": 3})
    (chosen,) = choose(given, divide(given))
    rows = chosen.frame["id"].str[1:].astype(int)
    assert all(number % 60 >= 30 for number in rows if number < 290)


def test_a_file_without_the_column_of_groups_is_said_to_hold_records_of_unknown_groups(
    patients: tuple[Path, Path],
) -> None:
    given = prepared((patients[0], patients[0].parent / "no_groups.csv"), **{"split.method": "group"})
    (chosen,) = choose(given, divide(given))
    assert chosen.seen.used == 300
    assert "groups of its records are not known" in chosen.seen.text


def test_where_near_copies_are_not_looked_for_that_is_said() -> None:
    seen = Seen("others.csv", 500, 500, 0, 0, 0, "test and validation records", "")
    assert (
        "None is an exact copy of test and validation records; near copies were not looked for" in seen.text
    )
    assert "Left out: 3 records that are exact copies of" in replace(seen, copies=3).text
    assert "is like" in replace(seen, notion="rows that are near").text
    assert "on which these records lie is not looked at" in replace(seen, apart="chromosome").text
    assert "not looked at" not in replace(seen, apart="group").text


def picture_table(folder: Path, pictures: np.ndarray, labels: bool) -> Path:
    """A table of pictures in a folder of its own; files of one name differ between folders."""
    folder.mkdir()
    rows = ["picture,class" if labels else "picture"]
    for number, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(folder / f"{number}.png")
        rows.append(f"{number}.png" + f",{'ab'[number % 2]}" * labels)
    (folder / "table.csv").write_text("\n".join(rows) + "\n")
    return folder / "table.csv"


def test_pictures_of_another_folder_are_compared_and_copies_left_out(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 255, (140, 12, 12)).astype(np.uint8)
    labelled = picture_table(tmp_path / "labelled", pixels[:60], labels=True)
    others = picture_table(tmp_path / "others", np.concatenate([pixels[60:], pixels[:10]]), labels=False)
    request = Request(str(labelled), target=("class",), pretrain=str(others), settings=LABELLED)
    given = prepare(request)
    division = divide(given)
    (chosen,) = choose(given, division)
    assert chosen.seen.copies == (division.split.part[:10] != "train").sum() > 0
    assert chosen.seen.used == 90 - chosen.seen.copies - chosen.seen.near
    first = prepare(first_training(given, chosen))
    assert len(first.records) == chosen.seen.used


def test_the_finding_says_that_groups_are_not_known(patients: tuple[Path, Path], tmp_path: Path) -> None:
    settings = LABELLED | {"split.method": "group", "training.epochs": 3}
    for name, said in (("others.csv", False), ("no_groups.csv", True)):
        request = Request(
            str(patients[0]),
            target=("tissue",),
            inputs=("m*=table",),
            pretrain=str(patients[0].parent / name),
            settings=settings,
        )
        found = workflow.train(request, tmp_path / name, Silent())
        (finding,) = [each for each in found.findings if each["code"] == "skill.pretraining"]
        assert ("groups of its records are not known" in str(finding)) is said
