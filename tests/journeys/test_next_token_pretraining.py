"""Next tokens first, labels then: nothing like a tested record is read before, and the run says what was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import bioloom
from bioloom import workflow
from bioloom.events import Silent
from bioloom.journey.division import divide
from bioloom.journey.learnable import encode, make_job
from bioloom.journey.prepare import Request, prepare
from bioloom.run import Run

SETTINGS = {
    "model.network": "gpt_record",
    "model.settings.width": 16,
    "model.settings.blocks": 1,
    "model.pretraining.data.task": "language",
    "model.pretraining.training.epochs": 2,
    "training.epochs": 2,
    "training.members": 1,
    "evaluation.draws": 100,
    "evaluation.shuffles": 0,
    "evaluation.shares": [],
    "explanation.records": 1,
    "split.folds": 1,
    "search": "none",
    "threads": 1,
}


def promoters(count: int, seed: int) -> list[str]:
    """Sequences of 40 nt, of which about half hold TATAAT."""
    random, rows = np.random.default_rng(seed), []
    for _ in range(count):
        letters = random.choice(list("ACGT"), 40)
        if random.random() < 0.5:
            begin = random.integers(34)
            letters[begin : begin + 6] = list("TATAAT")
        rows.append("".join(letters))
    return rows


def mutated(sequence: str) -> str:
    return sequence[:20] + ("A" if sequence[20] != "A" else "C") + sequence[21:]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Request:
    """A hundred records with labels; of all of them a copy or a near copy stands among those without."""
    folder = tmp_path_factory.mktemp("promoters")
    known, others = promoters(100, 1), promoters(120, 2)
    classes = ["yes" if "TATAAT" in each else "no" for each in known]
    labelled = pd.DataFrame({"id": range(100), "sequence": known, "active": classes})
    labelled.to_csv(folder / "labelled.csv", index=False)
    again = known[:50] + [mutated(each) for each in known[50:]]
    names = [f"other{number}" for number in range(120)] + [f"again{number}" for number in range(100)]
    pd.DataFrame({"id": names, "sequence": others + again}).to_csv(folder / "others.csv", index=False)
    return Request(
        str(folder / "labelled.csv"),
        target=("active",),
        pretrain=str(folder / "others.csv"),
        settings=SETTINGS,
    )


@pytest.fixture(scope="module")
def run(asked: Request, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return workflow.train(asked, tmp_path_factory.mktemp("pretrained") / "run", Silent())


def test_no_copy_or_near_copy_of_a_tested_or_validation_record_is_read(run: Run) -> None:
    held = pd.read_csv(run.folder / "split.csv").query("part != 'train'")["id"]
    read = set(pd.read_csv(run.folder / "pretraining" / "split.csv")["id"])
    assert not {f"again{number}" for number in held} & read
    assert {f"again{number}" for number in range(100)} - {f"again{number}" for number in held} <= read
    (told,) = run.result["pretraining"]
    assert (told["copies"], told["near"]) == ((held < 50).sum(), (held >= 50).sum())
    assert told["used"] == len(read) == 220 - len(held)


def test_the_report_says_what_was_read_and_whether_it_helped(run: Run) -> None:
    (told,) = run.result["pretraining"]
    page = run.report.read_text(encoding="utf-8")
    assert "without labels. Left out: " in told["text"]
    assert told["text"] in page
    assert "Did learning without labels help?" in page
    assert "copies or near copies of test and validation records" in page
    assert bioloom.load(run.folder / "pretraining").model.network.only_for == "language"


def test_the_network_begins_with_what_it_read(run: Run, asked: Request) -> None:
    settings = SETTINGS | {"model.start": str(run.folder / "pretraining")}
    given = prepare(Request(asked.source, target=asked.target, settings=settings))
    split = divide(given).split
    start = make_job(given, split, encode(given, split)).start
    learned = bioloom.load(run.folder / "pretraining").model.network.state_dict()
    assert "blocks.0.attention.ask.weight" in start
    assert not any(name.startswith("head.") for name in start)
    assert all(torch.equal(each, learned[name]) for name, each in start.items())


def test_poisoned_copies_of_tested_records_change_nothing(run: Run, asked: Request, tmp_path: Path) -> None:
    """Without the copies of held-out records the first training is the same, byte for byte."""
    held = pd.read_csv(run.folder / "split.csv").query("part != 'train'")["id"]
    others = pd.read_csv(str(asked.pretrain))
    clean = others[~others["id"].isin([f"again{number}" for number in held])]
    clean.to_csv(tmp_path / "others.csv", index=False)
    other = Request(
        asked.source, target=asked.target, pretrain=str(tmp_path / "others.csv"), settings=SETTINGS
    )
    again = workflow.train(other, tmp_path / "run", Silent())
    weights = [each.folder / "model" / "weights.safetensors" for each in (run, again)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
