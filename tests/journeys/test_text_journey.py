"""Texts and language models from file to report, predictions and new texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bioloom import workflow
from bioloom.cli import main
from bioloom.errors import UserError
from bioloom.events import Silent
from bioloom.journey.prepare import Request
from bioloom.journey.writing import Assignment
from bioloom.modalities.text import Text
from bioloom.models.writing import Manner
from bioloom.run import Run

QUICK: dict[str, Any] = {
    "training.epochs": 3,
    "training.members": 1,
    "evaluation.draws": 100,
    "evaluation.shuffles": 1,
    "evaluation.shares": [],
    "explanation.records": 4,
    "split.folds": 1,
    "search": "none",
    "threads": 1,
}

SMALL = {"model.settings.hidden": 24, "model.settings.width": 12, "training.batch_size": 8}


def trained(folder: Path, **request: Any) -> Run:
    settings = QUICK | request.pop("settings", {})
    return workflow.train(Request(**request, settings=settings), folder / "run", Silent())


def prose(folder: Path) -> Path:
    random = np.random.default_rng(0)
    words = ["the", "cells", "grew", "well", "in", "broth", "and", "we", "kept", "them", "warm"]
    lines = (" ".join(random.choice(words, 9)) for _ in range(1_500))
    path = folder / "lab.txt"
    path.write_text(".\n".join(lines), encoding="utf-8")
    return path


def fasta(folder: Path) -> Path:
    random = np.random.default_rng(1)
    rows = ["".join(random.choice(list("ACGT"), 24, p=[0.6, 0.2, 0.1, 0.1])) for _ in range(120)]
    path = folder / "reads.fasta"
    path.write_text("".join(f">r{number}\n{row}\n" for number, row in enumerate(rows)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("books")
    return trained(folder, source=str(prose(folder)), task="language", settings=SMALL)


@pytest.fixture(scope="module")
def reads(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("reads")
    small = {"model.network": "gpt", "model.settings.width": 16, "model.settings.blocks": 1}
    return trained(folder, source=str(fasta(folder)), task="language", settings=small)


def test_documents_become_a_report_with_coloured_words(tmp_path: Path) -> None:
    demo = Text.demo(120, 0).records
    frame = demo.inputs["note"].assign(contaminated=demo.targets["contaminated"])
    run = trained(tmp_path, source=frame, target=("contaminated",))
    assert run.result["model"]["network"] == "transformer"
    assert [each["modality"] for each in run.result["data"]["inputs"]] == ["text"]
    assert any("record1" in name.name for name in (run.folder / "figures").iterdir())
    table = workflow.predict(run.folder, frame.head(5)).frame
    assert len(table) == 5
    assert table["class"].isin(["yes", "no"]).all()


def test_the_end_of_running_text_is_the_test(books: Run) -> None:
    parts = pd.read_csv(books.folder / "split.csv")["part"].tolist()
    assert parts == sorted(parts, key=["train", "validation", "test"].index)
    assert books.result["split"]["method"] == "time"


def test_a_language_model_is_judged_in_nats_beside_counting(books: Run) -> None:
    assert list(books.scores) == ["nats", "perplexity", "next_right"]
    baselines = books.result["scores"]["baselines"]
    titles = {name: each["title"] for name, each in baselines.items()}
    assert titles == {"trivial": "how frequent each token is", "simple": "counts of short runs of tokens"}
    assert np.exp(books.scores["nats"]["value"]) == pytest.approx(
        books.scores["perplexity"]["value"], rel=1e-4
    )
    assert "surprises the network by" in books.verdict
    assert "How surprising single records are" in (books.folder / "report.html").read_text(encoding="utf-8")
    table = pd.read_csv(books.folder / "predictions.csv")
    assert list(table.columns) == ["id", "part", "nats_per_token", "share_right", "tokens"]
    test = table[table["part"] == "test"]
    mean = np.average(test["nats_per_token"], weights=test["tokens"])
    assert mean == pytest.approx(books.scores["nats"]["value"], rel=1e-4)


def test_the_report_shows_what_a_language_model_writes(books: Run, reads: Run) -> None:
    for run, length, unit in ((books, 300, "token"), (reads, 24, "letter")):
        texts = run.result["written"]["texts"]
        assert [len(each["text"]) for each in texts] == [length] * 3
        page = (run.folder / "report.html").read_text(encoding="utf-8")
        assert "What it writes" in page
        assert f"every {unit} drawn" in page
    (note,) = reads.result["written"]["notes"]
    assert "of 3 sequences" in note
    assert reads.result["written"]["texts"][0]["text"] in page
    again = workflow.generate(books.folder, Assignment(length=300, count=3)).frame
    assert again["text"].tolist() == [each["text"] for each in books.result["written"]["texts"]]


def test_white_space_is_part_of_a_language(books: Run) -> None:
    assert "\n" in books.model.modalities["text"].channels


def test_records_are_judged_by_predict(books: Run) -> None:
    text = ["the cells grew well in broth and we kept them warm.", "zq" * 20]
    table = workflow.predict(books.folder, pd.DataFrame({"text": text}), which="network").frame
    assert table["tokens"].tolist() == [len(each) for each in text]
    assert table["nats_per_token"].iloc[0] < table["nats_per_token"].iloc[1]


def test_texts_are_written_and_judged(books: Run) -> None:
    asked = Assignment("the cells", 40, 3, Manner(temperature=0.8, seed=5))
    found = workflow.generate(books.folder, asked)
    assert found.frame["text"].str.startswith("the cells").all()
    assert found.frame["text"].str.len().tolist() == [49] * 3
    assert workflow.generate(books.folder, asked).frame.equals(found.frame)
    assert (found.frame["nats_per_token"] > 0).all()


def test_sequences_are_written_as_fasta_that_predict_reads(reads: Run, tmp_path: Path) -> None:
    out = tmp_path / "new.fasta"
    found = workflow.generate(reads.folder, Assignment(count=4), out)
    assert found.frame.iloc[:, 1].str.len().tolist() == [24] * 4
    assert "learned from" in found.notes[0]
    table = workflow.predict(reads.folder, str(out), which="network").frame
    assert table["nats_per_token"].to_numpy() == pytest.approx(
        found.frame["nats_per_token"].to_numpy(), abs=1e-3
    )


def test_the_command_line_writes_too(reads: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(
            [
                "generate",
                str(reads.folder),
                "--prompt",
                "ACGT",
                "--length",
                "6",
                "-n",
                "2",
                "--greedy",
                "--quiet",
            ]
        )
        == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line[:8] for line in lines[::2]] == [">written", ">written"]
    assert lines[1] == lines[3]
    assert lines[1].startswith("ACGT")


def test_labels_begin_with_what_a_language_model_learned(books: Run, reads: Run, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    words = ["the", "cells", "grew", "well", "in", "broth", "and", "we", "kept", "them", "warm"]
    notes = pd.DataFrame({"text": [" ".join(random.choice(words, 7)) for _ in range(60)]})
    notes["grew"] = np.where(notes["text"].str.contains("grew"), "yes", "no")
    genes = ["".join(random.choice(list("ACGT"), 24)) for _ in range(60)]
    read = pd.DataFrame({"sequence": genes, "gc": [gene.count("G") + gene.count("C") for gene in genes]})
    for start, frame, target, network in ((books, notes, "grew", "rnn"), (reads, read, "gc", "gpt_record")):
        settings = {
            "model.start": str(start.folder),
            "explanation.methods": ["occlusion"],
            "explanation.records": 2,
            "training.epochs": 1,
        }
        run = trained(tmp_path / network, source=frame, target=(target,), settings=settings)
        assert run.result["model"]["network"] == network
        assert "begins with the weights" in (run.folder / "report.html").read_text(encoding="utf-8")


def test_what_cannot_be_written_is_refused(books: Run, reads: Run) -> None:
    for asked, words in (
        (Assignment(length=10**7), "cannot be written at once"),
        (Assignment(manner=Manner(temperature=0.0)), "has no use"),
    ):
        with pytest.raises(UserError, match=words):
            workflow.generate(books.folder, asked)
    with pytest.raises(UserError, match="The prompt cannot be used"):
        workflow.generate(reads.folder, Assignment("AC!GT"))


def test_a_network_of_another_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='"transformer" is not for the task "language"'):
        trained(
            tmp_path, source=str(prose(tmp_path)), task="language", settings={"model.network": "transformer"}
        )


def test_guessing_by_frequency_is_what_a_language_model_has_to_beat(books: Run) -> None:
    found = {each["code"]: each for each in books.findings}
    assert found["skill.guessing"]["severity"] == "ok"
    assert "training.constant" not in found
