"""A masked language model from file to report, and what is fine-tuned from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bioloom import workflow
from bioloom.events import Silent
from bioloom.journey.described import Embedding
from bioloom.journey.prepare import Request
from bioloom.run import Run, load

QUICK: dict[str, Any] = {
    "training.epochs": 2,
    "training.members": 1,
    "evaluation.draws": 100,
    "evaluation.shuffles": 1,
    "evaluation.shares": [],
    "explanation.records": 2,
    "split.folds": 1,
    "search": "none",
    "threads": 1,
}
SMALL = {"model.settings.width": 16, "model.settings.blocks": 1}


def sequences(count: int, seed: int) -> pd.DataFrame:
    """Sequences of which the second half repeats the first, letter by letter; the label is the first letter's kind."""
    random = np.random.default_rng(seed)
    halves = ["".join(random.choice(list("ACGT"), 12)) for _ in range(count)]
    purine = ["yes" if half[0] in "AG" else "no" for half in halves]
    return pd.DataFrame({"sequence": [half + half for half in halves], "purine": purine})


def trained(folder: Path, **request: Any) -> Run:
    return workflow.train(Request(**request), folder, Silent())


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Run:
    frame = sequences(320, 0)[["sequence"]]
    folder = tmp_path_factory.mktemp("masked") / "run"
    return trained(folder, source=frame, task="masked", settings=QUICK | SMALL)


def test_hidden_letters_are_judged_beside_counting(masked: Run) -> None:
    assert masked.result["model"]["network"] == "transformer_masked"
    assert list(masked.scores) == ["masked_nats", "masked_perplexity", "masked_right"]
    titles = {name: each["title"] for name, each in masked.result["scores"]["baselines"].items()}
    assert titles == {
        "trivial": "how frequent each token is",
        "simple": "counts of tokens and their nearest neighbours",
    }
    assert "each hidden token surprises the network by" in masked.verdict
    table = pd.read_csv(masked.folder / "predictions.csv")
    assert (table["tokens"] == 24).all()


def test_records_are_described_by_the_encoder(masked: Run) -> None:
    asked = Embedding(which="network")
    codes = workflow.embed(masked.folder, sequences(5, 3)[["sequence"]], asked=asked).frame
    assert codes.select_dtypes("number").shape == (5, 16)


def test_labels_begin_with_what_was_learned_by_masking(masked: Run, tmp_path: Path) -> None:
    frame = sequences(120, 1)
    request = {
        "source": frame,
        "target": ("purine",),
        "settings": QUICK | {"model.start": str(masked.folder)},
    }
    run = trained(tmp_path / "run", **request)
    assert run.result["model"]["network"] == "transformer"
    assert "begins with the weights" in (run.folder / "report.html").read_text(encoding="utf-8")


def test_one_command_masks_first(tmp_path: Path) -> None:
    path = tmp_path / "unlabelled.csv"
    sequences(60, 2)[["sequence"]].to_csv(path, index=False)
    settings = QUICK | {
        "model.network": "transformer",
        "model.settings": {"width": 16, "blocks": 1},
        "model.pretrain": str(path),
        "model.pretraining.data.task": "masked",
        "model.pretraining.training.epochs": 2,
    }
    request = {"source": sequences(120, 1), "target": ("purine",), "settings": settings}
    run = trained(tmp_path / "run", **request)
    assert run.result["model"]["network"] == "transformer"
    assert load(run.folder / "pretraining").result["model"]["network"] == "transformer_masked"
