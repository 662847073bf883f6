"""A whole run with several networks: what it tells, stores and predicts, and the one that is taught to stand for all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import bioloom
from bioloom.errors import UserError
from bioloom.journey.division import divide
from bioloom.journey.learnable import encode, make_job
from bioloom.journey.prepare import Request, prepare
from bioloom.journey.start import begun
from bioloom.models.ensemble import members_of
from bioloom.run import Run
from bioloom.training.ensemble import seeds
from small_runs import FAST

SETTINGS = FAST | {
    "training.members": 3,
    "training.distil": True,
    "training.epochs": 8,
    "evaluation.deliver": "network",
    "explanation.records": 2,
}


def table() -> pd.DataFrame:
    """Sequences of 12 nt whose number is their count of A less their count of G, with noise."""
    random = np.random.default_rng(0)
    letters = random.choice(list("ACGT"), size=(260, 12))
    number = (letters == "A").sum(axis=1) - (letters == "G").sum(axis=1) + 0.3 * random.normal(size=260)
    return pd.DataFrame({"sequence": ["".join(row) for row in letters], "strength": number})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("several") / "run"
    return bioloom.train(table(), target="strength", settings=SETTINGS, outdir=folder, quiet=True)


def test_the_result_tells_of_all_networks_and_of_what_their_mean_gains(run: Run) -> None:
    result = run.result
    assert result["model"]["members"] == result["recipe"]["training"]["members"] == 3
    assert [each["seed"] for each in result["training"]["members"]] == [0, 1000, 2000]
    told = result["ensemble"]
    assert told["difference"]["difference"] == pytest.approx(told["together"] - told["mean"], abs=1e-4)
    assert told["together"] == result["scores"]["model"][told["metric"]]["value"]
    assert result["variance"]["scores"] == told["scores"]
    assert "Mean of 3 networks" in repr(run)
    page = run.report.read_text(encoding="utf-8")
    assert "3 networks" in page
    assert "3 networks of the kind cnn" in page


def test_predictions_stand_with_the_spread_of_the_networks(run: Run) -> None:
    model, asked = bioloom.load(run.folder).model, ["ACGTACGTACGT", "GGGGGGGGGGGG"]
    found = model.predict(asked)
    assert len(members_of(model.network)) == 3
    raws = model.raw_of_each(model.frames(asked))
    values = [raw * model.targets.scale[0] for raw in raws]
    np.testing.assert_allclose(found["strength spread"], np.std(values, axis=0, ddof=1)[:, 0], rtol=1e-4)
    assert (found["strength low"] < found["strength high"]).all()
    written = pd.read_csv(run.folder / "predictions.csv")
    assert (written["strength spread"] > 0).all()


def test_the_fast_network_answers_alone_and_its_loss_is_stated(run: Run) -> None:
    told = run.result["distilled"]
    assert told["difference"]["low"] < told["difference"]["high"]
    assert "which learned to say what the mean says" in told["text"]
    assert "which learned to say what the mean says" in run.report.read_text(encoding="utf-8")
    fast = bioloom.load(run.folder).model.using("fast")
    found = fast.predict(["ACGTACGTACGT"])
    assert len(members_of(fast.network)) == 1
    assert "strength spread" not in found
    assert (found["strength low"] < found["strength high"]).all()
    written = pd.read_csv(run.folder / "predictions.csv").query("part == 'test'")
    sequences = table()["sequence"].to_numpy()[written["id"].astype(int) - 1]
    mean = run.model.predict(list(sequences))["strength"]
    assert np.corrcoef(mean, fast.predict(list(sequences))["strength"])[0, 1] > 0.8


def test_each_network_of_the_next_run_begins_with_another_of_this_one(run: Run) -> None:
    given = prepare(Request(table(), start=str(run.folder), settings=SETTINGS))
    split = divide(given).split
    learnable = encode(given, split)
    assert given.start is not None
    jobs = begun(given.start, learnable.targets, seeds(make_job(given, split, learnable), 4))
    before = [member.state_dict() for member in members_of(run.model.network)]
    for number, job in enumerate(jobs):
        for name, weight in before[number % 3].items():
            assert torch.equal(job.start[name], weight)
    assert not torch.equal(jobs[0].start[name], jobs[1].start[name])
    assert "each new one begins with another of them" in given.start.words(learnable.targets)


def test_a_run_without_it_says_how_to_get_it(tmp_path: Path) -> None:
    settings = SETTINGS | {"training.distil": False, "training.members": 1, "training.epochs": 1}
    alone = bioloom.train(table(), target="strength", settings=settings, outdir=tmp_path / "run", quiet=True)
    assert "ensemble" not in alone.result
    assert "strength spread" not in alone.model.predict(["ACGTACGTACGT"])
    with pytest.raises(UserError, match="without a fast one") as caught:
        alone.model.using("fast")
    assert "training.distil=true" in caught.value.fix
