"""Answers written for records, from file to report and predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from bioloom import workflow
from bioloom.data.simulate import simulate
from bioloom.errors import UserError
from bioloom.events import Silent
from bioloom.journey.prepare import Request
from bioloom.models import apply
from bioloom.run import Run, load

QUICK: dict[str, Any] = {
    "training.epochs": 2,
    "model.settings.width": 16,
    "model.settings.blocks": 1,
    "evaluation.draws": 100,
    "evaluation.shares": [],
    "split.folds": 1,
    "threads": 1,
}


@pytest.fixture(scope="module")
def genes(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("genes") / "run"
    frame = simulate("codons", 220).frame
    request = Request(source=frame, target=("protein",), task="translation", settings=QUICK)
    return workflow.train(request, folder, Silent())


def test_answers_are_judged_beside_remembered_ones(genes: Run) -> None:
    assert list(genes.scores) == ["tokens_right", "exact_match", "edit_similarity", "answer_nats"]
    titles = {name: each["title"] for name, each in genes.result["scores"]["baselines"].items()}
    assert titles == {
        "trivial": "the commonest answer",
        "simple": "the answer of the nearest training record",
    }
    assert "of the tokens that the network writes are right" in genes.verdict
    table = pd.read_csv(genes.folder / "predictions.csv")
    assert list(table.columns) == ["id", "part", "protein", "protein predicted", "right", "nats_per_token"]
    test = table[table["part"] == "test"]
    exact = (test["protein"] == test["protein predicted"].fillna("")).mean()
    assert genes.scores["exact_match"]["value"] == pytest.approx(exact, abs=1e-5)
    page = (genes.folder / "report.html").read_text(encoding="utf-8")
    assert "without labels" not in page


def test_predictions_are_answers_row_by_row(genes: Run) -> None:
    new = simulate("codons", 12, seed=5).frame[["gene"]]
    new.loc[3, "gene"] = "not a gene"
    table = workflow.predict(genes.folder, new, which="network").frame
    assert len(table) == 12
    assert table["protein"].isna().tolist() == [row == 3 for row in range(12)]
    assert (table["nats_per_token"].dropna() > 0).all()
    again = load(genes.folder).model.using("network").predict(new["gene"].tolist())
    assert again["protein"].equals(table["protein"])


def test_what_an_answer_depends_on_is_asked_by_taking_letters_away(genes: Run) -> None:
    new = simulate("codons", 10, seed=5).frame[["gene"]].head(4)
    (entry,) = workflow.explain(genes.folder, new)
    assert (entry["method"], entry["records"]) == ("occlusion", 4)
    assert entry["effect"] == "Change of the log-likelihood of protein as it is written"
    found = np.load(genes.folder / entry["file"])["attribution"]
    network, modality = genes.model.network, genes.model.modalities["gene"]
    signal = modality.encode(new).on("cpu").batch(torch.arange(4))
    asked, batch = network.in_question({"gene": signal})
    with torch.inference_mode():
        whole = apply(asked, batch)
        nothing = apply(asked, batch | {"gene": signal._replace(x=torch.zeros_like(signal.x))})
    assert (whole != nothing).all()
    assert found.shape == signal.x.shape
    assert np.abs(found).sum() > 0


def test_looking_without_a_target_names_the_columns_of_answers_and_no_input(tmp_path: Path) -> None:
    path = tmp_path / "codons.csv"
    simulate("codons", 30).frame.to_csv(path, index=False)
    found = workflow.check(Request(source=str(path), task="translation"))
    assert found.facts["target"].endswith("one of gene, protein")
    assert "inputs" not in found.recipe
    named = workflow.check(Request(source=str(path), task="translation", target=("protein",)))
    assert "[data.inputs.gene]" in named.recipe
    without = workflow.check(Request(source=str(path), task="language", inputs=("gene=dna",)))
    assert "target" not in without.facts
    assert without.facts["task"].startswith("language model")


def test_answers_of_several_networks_have_no_mean(tmp_path: Path) -> None:
    frame = simulate("codons", 60).frame
    settings = QUICK | {"training.members": 2}
    request = Request(source=frame, target=("protein",), task="translation", settings=settings)
    with pytest.raises(UserError, match="have no mean"):
        workflow.train(request, tmp_path / "run", Silent())


def test_a_picture_and_a_question_are_answered(tmp_path: Path) -> None:
    frame = simulate("questions", 60).frame
    request = Request(
        source=frame,
        inputs=("pixel*=image", "question=text"),
        target=("answer",),
        task="translation",
        settings=QUICK | {"model.settings.beams": 2, "training.epochs": 1},
    )
    run = workflow.train(request, tmp_path / "run", Silent())
    table = workflow.predict(run.folder, frame.drop(columns="answer").head(4), which="network").frame
    assert len(table) == 4
