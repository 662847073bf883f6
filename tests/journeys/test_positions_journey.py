"""A class at every position, from a file to predictions: rows in are rows out, and nothing of the test is seen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bioloom import workflow
from bioloom.errors import UserError
from bioloom.explanation import explainers
from bioloom.run import Run
from bioloom.workflow import Request, Wanted

SETTINGS = {
    "model.settings": {"width": 8, "blocks": 1},
    "training.epochs": 6,
    "training.batch_size": 16,
    "training.learning_rate": 0.02,
    "evaluation.draws": 100,
    "explanation.records": 3,
    "split.folds": 1,
    "threads": 1,
}


def proteins(records: int = 90, seed: int = 0) -> tuple[list[str], list[str], list[str]]:
    """Sequences, their states (a letter follows from the residue), and which positions count."""
    random = np.random.default_rng(seed)
    sequences = ["".join(random.choice(list("ACDEFGHIKL"), random.integers(15, 25))) for _ in range(records)]
    states = ["".join("H" if letter in "ADE" else "C" for letter in each) for each in sequences]
    masks = ["0" + "1" * (len(each) - 1) for each in sequences]
    return sequences, states, masks


def fasta(path: Path, texts: list[str], header: str = "") -> Path:
    path.write_text("".join(f">p{number}{header}\n{text}\n" for number, text in enumerate(texts)))
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("positions")
    sequences, states, masks = proteins()
    states[4] = "CC"  # not as long as its sequence
    labels = folder / "states.fasta"
    parts = ["train"] * 60 + ["train"] * 15 + ["test"] * 15
    held = [number >= 60 for number in range(90)]
    labels.write_text("".join(
        f">p{number} SET={parts[number]} VALIDATION={held[number] and parts[number] == 'train'}\n{text}\n"
        for number, text in enumerate(states)
    ))  # fmt: skip
    request = Request(
        source=str(fasta(folder / "sequences.fasta", sequences)),
        labels=(str(labels), str(fasta(folder / "mask.fasta", masks))),
        target=("states",),
        settings=SETTINGS,
        budget="fast",
    )
    return workflow.train(request, folder / "run")


def test_the_target_the_mask_and_the_split_are_found_and_said(run: Run) -> None:
    result = json.loads((run.folder / "result.json").read_text())
    assert result["data"]["target"]["task"] == "position_classes"
    assert result["data"]["used"] == 89
    assert result["split"]["method"] == "column"
    assert result["split"]["counts"] == {"train": 59, "validation": 15, "test": 15}
    assert any(problem["code"] == "target.mask" for problem in result["data"]["problems"])
    assert any("as long as" in row["reason"] for row in result["data"]["dropped_reasons"])


def test_scores_are_of_positions_and_intervals_of_records(run: Run) -> None:
    result = json.loads((run.folder / "result.json").read_text())
    score = result["scores"]["model"]["position_accuracy"]
    assert score["n"] == 15
    assert "Wilson" not in score["interval"]
    assert result["scores"]["baselines"]["simple"]["scores"]["position_accuracy"]["value"] > 0.95
    assert result["controls"]["label_shuffle"]["reads_as_guessing"]


def test_the_table_of_predictions_has_a_letter_for_each_position(run: Run) -> None:
    frame = pd.read_csv(run.folder / "predictions.csv")
    sequences, states, _ = proteins()
    assert len(frame) == 89
    row = frame[frame["id"] == "p80"].iloc[0]
    assert row["states"] == "?" + states[80][1:]
    assert len(row["states predicted"]) == len(sequences[80])


def test_rows_in_are_rows_out_and_long_records_are_read_in_their_middle(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    file.write_text("id,sequence\na,ACDEF\nb,\nc," + "ACDEFGHIKL" * 4 + "\n")
    found = workflow.predict(run.folder, file).frame
    assert len(found) == 3
    assert len(found["states"][0]) == 5
    assert pd.isna(found["states"][1])
    assert len(found["states"][2]) == 40
    assert found["states"][2].startswith("?")
    out = tmp_path / "each.csv"
    workflow.predict_positions(run.folder, file, out, "network")
    each = pd.read_csv(out)
    assert each.groupby("id", sort=False).size().to_dict() == {"a": 5, "c": 40}
    known = each[["p(C)", "p(H)"]].dropna()
    np.testing.assert_allclose(known.sum(axis=1), 1, rtol=1e-5)


def test_one_position_is_explained_by_what_stands_there(run: Run) -> None:
    sequences, _, _ = proteins()
    frame = pd.DataFrame({"id": ["x"], "sequence": [sequences[80]]})
    wanted = Wanted(methods=("mutagenesis",), outputs=(1,), place=7)
    (entry,) = workflow.explain(run.folder, frame, wanted)
    assert entry["effect"].endswith("at position 8")
    attribution = np.load(run.folder / entry["file"])["attribution"][0]
    assert np.abs(attribution).sum(axis=0).argmax() == 7
    assert "mutagenesis" in explainers


def test_a_position_that_is_not_there_and_another_network_are_refused(run: Run, tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["x"], "sequence": ["ACDEF"]})
    with pytest.raises(UserError, match="There is no position 100"):
        workflow.explain(run.folder, frame, Wanted(place=99))
    sequences, states, _ = proteins(40)
    table = pd.DataFrame({"sequence": sequences, "state": states})
    request = Request(
        table, target=("state",), settings=SETTINGS | {"model.network": "cnn", "model.settings": {}}
    )
    with pytest.raises(UserError, match='The network "cnn" gives one answer for a record'):
        workflow.train(request, tmp_path / "refused")
