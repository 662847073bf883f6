"""Candidates are tried on validation records only; what is better by more than luck is taken, and nothing else."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bioloom
from bioloom import workflow
from bioloom.data.split import Split
from bioloom.events import Silent
from bioloom.journey.attempts import Ground
from bioloom.journey.division import divide
from bioloom.journey.learnable import encode, make_job
from bioloom.journey.lineup import Lineup, line_up
from bioloom.journey.prepare import Prepared, Request, prepare
from bioloom.journey.rehearsal import Rehearsal
from bioloom.journey.search import Searched, search
from bioloom.journey.shelf import Shelf
from bioloom.modalities.table import Table
from bioloom.models import networks
from bioloom.models.candidates import DEFAULT, Candidate

QUICK = {
    "training.epochs": 60,
    "training.members": 1,
    "evaluation.draws": 100,
    "evaluation.shuffles": 1,
    "evaluation.shares": [],
    "explanation.records": 2,
    "split.folds": 1,
    "split.method": "random",
    "threads": 1,
}


def table(records: int = 600, seed: int = 0) -> pd.DataFrame:
    """Three columns; the target is the product of two of them, which no weighted sum can follow."""
    values = np.random.default_rng(seed).normal(size=(records, 3)).round(3)
    frame = pd.DataFrame(values, columns=["a", "b", "c"])
    return frame.assign(y=(frame.a * frame.b).round(3))


def begun(frame: pd.DataFrame, settings: Mapping[str, Any]) -> tuple[Prepared, Split]:
    prepared = prepare(Request(frame, target=("y",), settings={**QUICK, **settings}))
    return prepared, divide(prepared).split


def searched(
    settings: Mapping[str, Any],
    shelf: Shelf | None = None,
    clock: Callable[[], float] | None = None,
    frame: pd.DataFrame | None = None,
) -> tuple[Searched, Lineup]:
    prepared, split = begun(table() if frame is None else frame, settings)
    learnable = encode(prepared, split)
    lineup = line_up(prepared, split, learnable)
    ground = Ground(prepared, split, learnable, shelf or Shelf(None))
    if clock is not None:
        ground = replace(ground, clock=clock)
    return search(ground, lineup, Silent()), lineup


@pytest.fixture(autouse=True)
def plain_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dense layers alone are the default for tables, with candidates of their own and none beside them."""
    monkeypatch.setattr(Table, "default_network", "mlp")


@pytest.fixture
def weak_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """A weighted sum is the default for tables, so that a perceptron is clearly better on products."""
    monkeypatch.setattr(Table, "default_network", "linear")
    monkeypatch.setattr(networks["mlp"], "candidates", (DEFAULT,))


@pytest.mark.usefixtures("weak_default")
def test_a_candidate_that_is_clearly_better_is_found_and_fills_the_recipe_in() -> None:
    found, lineup = searched({})
    assert lineup.default.name == "linear"
    assert (found.told["chosen"], found.told["default"]) == ("mlp", "linear")
    assert found.told["difference"] > found.told["needed"] > found.told["standard_error"] > 0
    assert found.prepared.recipe.model.network == "mlp"
    assert found.prepared.recipe.search.trials == 0, "its recipe searches no more"
    assert "candidates, on validation records" in found.prepared.reasons["network"]
    assert "more than the" in found.told["text"]


def test_where_candidates_are_equal_the_default_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    alike = [
        Candidate(f"alike {n}", training={"weight_decay": 0.01 + n * 1e-7}, why="never") for n in range(1, 5)
    ]
    monkeypatch.setattr(networks["mlp"], "candidates", (DEFAULT, *alike))
    found, lineup = searched({})
    assert len(lineup.contenders) > 2
    assert found.told["chosen"] == "mlp"
    assert found.prepared.recipe.model.network == "auto", "the recipe stays as it was"
    assert found.prepared.recipe.training == begun(table(), {})[0].recipe.training


def test_the_winner_learns_at_the_rate_it_was_tried_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        networks["mlp"], "candidates", (DEFAULT, Candidate("brisk", rate=4.0, why="few steps"))
    )
    prepared, split = begun(table(), {"training.epochs": 40})
    learnable = encode(prepared, split)
    lineup = line_up(prepared, split, learnable)
    found = search(Ground(prepared, split, learnable, Shelf(None)), lineup, Silent())
    assert found.told["chosen"] == "mlp brisk"
    usual = make_job(prepared, split, learnable).plan.learning_rate
    tried = make_job(found.prepared, split, learnable).plan.learning_rate
    assert tried == pytest.approx(4 * usual, rel=1e-2)
    assert found.prepared.recipe.training.learning_rate == tried


def test_what_is_named_is_not_searched() -> None:
    def contenders(settings: Mapping[str, Any]) -> tuple[list[str], str]:
        prepared, split = begun(table(), settings)
        lineup = line_up(prepared, split, encode(prepared, split))
        for each in lineup.contenders:
            for key in settings:
                assert key not in each.changes()
        return [each.name for each in lineup.contenders], lineup.off

    assert len(contenders({})[0]) > 1
    assert contenders({"model.network": "mlp"}) == ([], "the network was named")
    assert contenders({"budget": "fast"}) == ([], "the budget is fast")
    assert contenders({"search.trials": 0}) == ([], "it was switched off")
    assert contenders({"search": "none"}) == ([], "it was switched off")
    asked, _ = contenders({"model.network": "mlp", "search.trials": 3})
    assert asked == ["mlp", "mlp small", "mlp deep"]
    kept, _ = contenders({"search.trials": 3, "model.network": "mlp", "model.settings.dropout": 0.0})
    assert kept == asked
    contenders({"training.weight_decay": 0.02, "search.trials": 3})
    fully = networks["mlp"].Settings().model_dump() | {"hidden": [16]}
    everything = {f"model.settings.{name}": value for name, value in fully.items()}
    everything |= {"model.network": "mlp", "training.weight_decay": 0.01, "training.learning_rate": 0.001}
    assert contenders({**everything, "search.trials": 3}) == ([], "nothing was left open")


def test_few_validation_records_are_not_searched_on() -> None:
    prepared, split = begun(table(80), {})
    assert line_up(prepared, split, encode(prepared, split)).off == (
        f"{len(split.index('validation'))} validation records cannot tell candidates apart"
    )


def test_drawn_candidates_follow_the_declared_ones_and_are_the_same_again() -> None:
    settings = {"search.trials": 7, "training.epochs": 16}
    first, _ = searched(settings)
    again, _ = searched(settings)
    assert first.told == again.told
    names = [each["name"] for each in first.told["candidates"]]
    assert len(names) == len(set(names)) == 7
    assert names[:3] == ["mlp", "mlp small", "mlp deep"]
    assert all("drawn" in name for name in names[3:])
    assert max(len(each["rounds"]) for each in first.told["candidates"]) == 2
    assert sum(len(each["rounds"]) == 2 for each in first.told["candidates"]) == 3


def test_a_candidate_that_cannot_be_trained_is_told_and_never_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    wild = Candidate("wild", rate=1e30, why="never")
    monkeypatch.setattr(networks["mlp"], "candidates", (DEFAULT, wild))
    found, _ = searched({})
    (told,) = [each for each in found.told["candidates"] if each["name"] == "mlp wild"]
    assert told["failed"]
    assert told["rounds"][-1]["score"] is None
    assert found.told["chosen"] == "mlp"


@pytest.mark.parametrize("seconds", [24, 60])
def test_the_time_decides_how_many_are_tried(seconds: int) -> None:
    """Each training takes a second by a clock that moves on by half of one at each look."""
    ticks = iter(np.arange(0, 1e6, 1.0).tolist())
    found, _ = searched({"search.time": seconds, "training.epochs": 2}, clock=lambda: next(ticks))
    spent = sum(found.seconds.values())
    assert 0.3 * seconds < spent <= 0.5 * seconds
    assert found.again.recipe.search.time == 0
    assert found.again.recipe.search.trials == len(found.seconds)


# ---- test records ------------------------------------------------------------------------------------------


def poisoned(frame: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    changed = frame.copy()
    for column in frame.columns[:3]:
        changed.loc[rows, column] = 1000.0
    changed.loc[rows, "y"] = -frame.loc[rows, "y"] * 50
    return changed


@pytest.mark.usefixtures("weak_default")
def test_poisoned_test_rows_change_no_byte_of_the_model_that_a_search_found(tmp_path: Path) -> None:
    frame = table(300).assign(split=["train"] * 200 + ["validation"] * 50 + ["test"] * 50)
    settings = {**QUICK, "split.method": "auto", "search.trials": 5, "training.epochs": 6}
    runs = [
        bioloom.train(each, target="y", settings=settings, outdir=tmp_path / name, quiet=True)
        for name, each in (("clean", frame), ("poisoned", poisoned(frame, np.arange(250, 300))))
    ]
    stories = [{**run.result["search"], "simple": None} for run in runs]
    assert len(stories[0]["candidates"]) == 5
    assert stories[0] == stories[1]
    weights = [(run.folder / "model/weights.safetensors").read_bytes() for run in runs]
    assert weights[0] == weights[1]
    assert runs[0].scores != runs[1].scores


def test_the_search_of_a_fold_never_sees_the_records_that_test_it(tmp_path: Path) -> None:
    frame = table(300)
    prepared = prepare(Request(frame, target=("y",), settings={**QUICK, "split.folds": 3}))
    folds = divide(prepared).folds
    assert folds is not None
    for number, split in enumerate(folds.splits):
        told = []
        for name, each in (("clean", frame), ("poisoned", poisoned(frame, split.index("test")))):
            there = prepare(Request(each, target=("y",), settings={**QUICK, "split.folds": 3}))
            shelf = Shelf(tmp_path / f"{number} {name}")
            rehearsal = Rehearsal(there, folds, shelf)
            told.append(rehearsal._search(number, there, split, encode(there, split), Silent()).told)
            assert rehearsal.chosen()[number] == told[-1]["chosen"]
        assert told[0] == told[1]
        kept = [
            sorted((tmp_path / f"{number} {name}").rglob("*.safetensors")) for name in ("clean", "poisoned")
        ]
        assert kept[0]
        raws = [[Shelf(each.parent).kept(each.stem)["raw"] for each in files] for files in kept]  # type: ignore[index]
        for one, other in zip(*raws, strict=True):
            np.testing.assert_array_equal(one, other)


# ---- stopping and going on -----------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="child processes are forked")
def test_killed_at_any_candidate_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    settings = {"search.trials": 6, "training.epochs": 3}

    def start(deadly: int) -> int:
        """One start, in a child that dies in the middle of its so-many-th write."""
        child = os.fork()
        if child:
            return os.waitpid(child, 0)[1]
        writes, real = iter(range(1, 1000)), os.fsync

        def fsync(handle: int) -> None:
            if next(writes) == deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            real(handle)

        os.fsync = fsync
        found, _ = searched(settings, Shelf(tmp_path / "killed"))
        Shelf(tmp_path).keep_facts("killed", dict(found.told))
        os._exit(0)

    unbroken, _ = searched(settings, Shelf(tmp_path / "unbroken"))
    assert all(os.WIFSIGNALED(start(deadly)) for deadly in (1, 3, 2, 4))
    assert start(1000) == 0
    assert Shelf(tmp_path).facts("killed") == json.loads(json.dumps(unbroken.told))
    for each in sorted((tmp_path / "unbroken").iterdir()):
        one, other = (Shelf(tmp_path / name).kept(each.stem) for name in ("unbroken", "killed"))
        assert one is not None
        assert other is not None
        for key in one.keys() - {"seconds"}:
            np.testing.assert_array_equal(one[key], other[key])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="child processes are forked")
def test_a_whole_run_killed_while_it_searches_ends_with_the_same_bytes(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    table(240).to_csv(file, index=False)
    settings = {**QUICK, "search.trials": 4, "training.epochs": 4}

    def start(folder: Path, deadly: int = 0) -> int:
        """A run in a child that dies when its so-many-th candidate is trained, before that is kept."""
        child = os.fork()
        if child:
            return os.waitpid(child, 0)[1]
        kept, real = iter(range(1, 1000)), Shelf.keep

        def keep(shelf: Shelf, name: str, arrays: Any) -> Any:
            if shelf.folder is not None and shelf.folder.name == "search" and next(kept) == deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(shelf, name, arrays)

        Shelf.keep = keep  # type: ignore[method-assign]
        try:
            bioloom.train(file, target="y", settings=settings, outdir=folder, quiet=True)
        finally:
            os._exit(0 if (folder / "report.html").exists() else 1)

    killed, unbroken = tmp_path / "killed", tmp_path / "unbroken"
    assert all(os.WIFSIGNALED(start(killed, deadly)) for deadly in (2, 1, 3))
    assert list((killed / "checkpoint" / "search").iterdir()), "what was tried is kept"
    assert start(killed) == start(unbroken) == 0
    for name in ("model/weights.safetensors", "predictions.csv", "split.csv", "recipe.toml"):
        assert (killed / name).read_bytes() == (unbroken / name).read_bytes(), name
    stories = [bioloom.load(folder).result["search"] for folder in (killed, unbroken)]
    assert stories[0] == stories[1]
    assert len(stories[0]["candidates"]) == 4


@pytest.mark.usefixtures("weak_default")
def test_the_recipe_of_a_run_trains_the_same_model_without_searching_again(tmp_path: Path) -> None:
    table(400).to_csv(tmp_path / "table.csv", index=False)
    first = bioloom.train(
        tmp_path / "table.csv", target="y", settings=QUICK, outdir=tmp_path / "first", quiet=True
    )
    assert first.result["search"]["chosen"] == "mlp"
    again = bioloom.train(tmp_path / "first" / "recipe.toml", outdir=tmp_path / "again", quiet=True)
    assert again.result["search"]["candidates"] == []
    assert "an earlier search took mlp among 2 candidates" in again.result["search"]["text"]
    weights = [(run.folder / "model/weights.safetensors").read_bytes() for run in (first, again)]
    assert weights[0] == weights[1]


def test_a_dry_run_says_what_would_be_tried_or_why_nothing() -> None:
    def told(settings: Mapping[str, Any]) -> Any:
        return workflow.dry_run(Request(table(), target=("y",), settings={**QUICK, **settings}))["search"]

    assert told({})[:2] == ["mlp", "mlp small"]
    assert told({"budget": "fast"}) == "the budget is fast"


def test_a_dry_run_says_why_there_are_folds_and_how_many_networks() -> None:
    settings = {**QUICK, "split.folds": 3, "training.members": 2, "training.precision": "float32"}
    told = workflow.dry_run(Request(table(90), target=("y",), settings=settings))
    assert (told["folds"], told["members"], told["precision"]) == (3, 2, "float32")
    assert "There are 3 folds" in told["reason"]
