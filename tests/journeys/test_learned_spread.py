"""Whole runs whose network reads both strands, and says how far off it expects to be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from Bio.Seq import Seq

import bioloom
from bioloom.errors import UserError
from bioloom.journey.division import divide
from bioloom.journey.learnable import encode, make_job
from bioloom.journey.prepare import Request, prepare
from bioloom.run import Run, load
from bioloom.training.loop import fit
from small_runs import FAST


def uneven_table(records: int = 400) -> pd.DataFrame:
    """Sequences whose share of G and C is measured, with much noise where they are rich in it."""
    random = np.random.default_rng(0)
    letters = random.choice(list("ACGT"), (records, 20))
    share = np.isin(letters, ["G", "C"]).mean(axis=1)
    level = 10 * share + np.where(share > 0.5, 3.0, 0.3) * random.normal(size=records)
    return pd.DataFrame({"sequence": ["".join(each) for each in letters], "level": level.round(3)})


@pytest.fixture(scope="module", params=["quantile", "heteroscedastic"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    settings = FAST | {
        "training.loss": request.param,
        "augmentation.reverse_complement": True,
        "augmentation.mixing": 0.1,
        "evaluation.deliver": "network",
    }
    if request.param == "heteroscedastic":
        settings |= {"split.folds": 2, "training.epochs": 12}
    folder = tmp_path_factory.mktemp("runs") / request.param
    return bioloom.train(uneven_table(), target="level", settings=settings, outdir=folder, quiet=True)


def test_intervals_are_wider_where_the_noise_is(run: Run) -> None:
    model = load(run.folder).model.using("network")
    told = model.predict(uneven_table())
    assert ((told["level low"] < told["level"]) & (told["level"] < told["level high"])).all()
    width = told["level high"] - told["level low"]
    noisy = uneven_table()["sequence"].str.count("[GC]") > 12
    quiet = uneven_table()["sequence"].str.count("[GC]") < 8
    assert width[noisy].median() > 1.5 * width[quiet].median()


def test_the_coverage_of_such_intervals_is_reported(run: Run) -> None:
    told = load(run.folder).result["uncertainty"]
    assert told["scaled"]
    assert "wide on average" in told["text"]
    assert 0.7 < told["coverage"][0]["value"] <= 1


def test_a_stored_network_gives_both_strands_the_same_prediction(run: Run) -> None:
    model = load(run.folder).model.using("network")
    given = uneven_table()["sequence"].head(50)
    other = [str(Seq(each).reverse_complement()) for each in given]
    np.testing.assert_allclose(model.predict(list(given))["level"], model.predict(other)["level"], rtol=1e-4)


def test_what_does_not_go_with_the_data_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"augmentation\.noise does not go with the input"):
        bioloom.train(
            uneven_table(), target="level", settings=FAST | {"augmentation.noise": 0.1},
            outdir=tmp_path / "run", quiet=True,
        )  # fmt: skip


@pytest.mark.parametrize("loss", ["squared", "heteroscedastic", "quantile"])
def test_a_training_may_go_on_from_it_with_the_same_loss_or_with_another(run: Run, loss: str) -> None:
    """All weights are taken over for the same loss, and all but those of the last layer for another."""
    given = prepare(Request(uneven_table(), start=str(run.folder), settings={"training.loss": loss}))
    split = divide(given).split
    job = make_job(given, split, encode(given, split))
    whole = (
        job.start.keys() == fit(replace(job, plan=replace(job.plan, epochs=1))).network.state_dict().keys()
    )
    assert whole == (loss == load(run.folder).model.recipe.training.loss)
    assert job.start
