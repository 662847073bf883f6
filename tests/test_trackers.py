"""What is told of every epoch: in the journal, and by trackers to tools that may not be installed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import bioloom
from bioloom import trackers as package
from bioloom.errors import UserError
from bioloom.events import EpochTold, Journal, Silent
from bioloom.run import Run
from bioloom.trackers import flat, trackers
from small_runs import FAST, motif_table

TOLD = EpochTold(1, 1, 3, 25, 0.5, 0.6, 0.001, "roc_auc", 0.9, True, 0.25)
SCORES = {"test/roc_auc": 0.9, "test/roc_auc_low": 0.8, "test/roc_auc_high": 0.95}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# ---- events.jsonl -----------------------------------------------------------------------------------------

KEYS = {
    "stage": {"name": str, "title": str},
    "progress": {"share": (int, float), "note": str},
    "message": {"text": str},
    "epoch": {
        "member": int, "members": int, "number": int, "epochs": int,
        "loss": (float, type(None)), "validation_loss": (float, type(None)),
        "learning_rate": float, "metric": str, "validation_score": (float, type(None)), "best": bool,
        "seconds": (int, float),
    },
}  # fmt: skip
PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "run-folder.md"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("events") / "run"
    settings = FAST | {"training.epochs": 3, "training.members": 1}
    return bioloom.train(motif_table(120), "bound", settings=settings, outdir=folder, quiet=True)


def test_every_line_of_a_run_is_as_the_page_says(run: Run) -> None:
    found = lines(run.folder / "events.jsonl")
    for event in found:
        keys = KEYS[event["event"]]
        assert list(event) == ["time", "event", *keys]
        assert all(isinstance(event[key], kind) for key, kind in keys.items()), event
    times = [event["time"] for event in found]
    assert times == sorted(times)
    page = PAGE.read_text(encoding="utf-8")
    for name, keys in KEYS.items():
        told = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        assert all(f"`{key}`" in told for key in keys)


def test_every_epoch_stands_there_with_the_losses_of_the_result(run: Run) -> None:
    epochs = [event for event in lines(run.folder / "events.jsonl") if event["event"] == "epoch"]
    history = run.result["training"]["history"]
    assert [epoch["number"] for epoch in epochs] == [1, 2, 3]
    for epoch, row in zip(epochs, history, strict=True):
        assert epoch["loss"] == pytest.approx(row["train_loss"], rel=1e-5)
        assert epoch["validation_loss"] == pytest.approx(row["validation_loss"], rel=1e-5)
        assert epoch["learning_rate"] == pytest.approx(row["learning_rate"], rel=1e-5)
    assert max(epoch["number"] for epoch in epochs if epoch["best"]) == run.result["training"]["best_epoch"]
    assert epochs[0]["metric"] == run.result["scores"]["primary"]


def test_what_is_no_number_is_null(tmp_path: Path) -> None:
    odd = replace(TOLD, validation_loss=None, validation_score=float("nan"))
    Journal(tmp_path / "events.jsonl", Silent()).epoch(odd)
    (event,) = lines(tmp_path / "events.jsonl")
    assert (event["validation_loss"], event["validation_score"]) == (None, None)
    assert odd.numbers() == {"loss/train": 0.5, "learning_rate": 0.001}
    second = replace(odd, member=2, members=5).numbers()
    assert set(second) == {"loss/train/network 2", "learning_rate/network 2"}


# ---- trackers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(trackers))
def test_a_tool_that_is_missing_is_told_with_the_line_that_installs_it(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(package, "find_spec", lambda _: None)
    with pytest.raises(UserError) as caught:
        bioloom.train(motif_table(40), "bound", track=name, outdir=tmp_path / "run", quiet=True)
    assert f'pip install "bioloom[{name}]"' in caught.value.fix
    assert not (tmp_path / "run").exists(), "told before anything is written"


def test_an_unknown_tracker_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='no tracker called "tensorbord"'):
        bioloom.train(motif_table(40), "bound", track="tensorbord", outdir=tmp_path / "run", quiet=True)


def test_looking_at_the_list_of_trackers_imports_none_of_their_tools() -> None:
    assert {part.title for part in trackers.values()}
    assert not {"mlflow", "torch.utils.tensorboard"} & set(sys.modules)


class Noted:
    """Stands for a class of another package: notes every call, and answers with itself."""

    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []  # noqa: RUF012 -- emptied by the fixture

    def __init__(self, *arguments: Any, **words: Any) -> None:
        self.calls.append(("made", arguments, words))
        self.info, self.run_id = self, "run-1"

    def __getattr__(self, name: str) -> Any:
        def note(*arguments: Any, **words: Any) -> Any:
            self.calls.append((name, arguments, words))
            return None if name == "get_experiment_by_name" else self

        return note


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, tuple[Any, ...], dict[str, Any]]]]:
    """Both tools as modules that only take notes."""
    exceptions, board, mlflow = (
        ModuleType(n) for n in ("mlflow.exceptions", "torch.utils.tensorboard", "mlflow")
    )
    exceptions.MlflowException = RuntimeError  # type: ignore[attr-defined]
    board.SummaryWriter = mlflow.MlflowClient = Noted  # type: ignore[attr-defined]
    for module in (exceptions, board, mlflow):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(package, "find_spec", lambda _: object())
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_ALLOW_FILE_STORE"):
        monkeypatch.setenv(name, "")
    Noted.calls.clear()
    yield Noted.calls
    Noted.calls.clear()


@pytest.mark.parametrize("name", list(trackers))
def test_every_tracker_is_told_settings_epochs_scores_and_the_end(
    name: str, calls: list[Any], tmp_path: Path
) -> None:
    tracker = trackers[name].open(tmp_path, {"training.epochs": 25})
    tracker.epoch(TOLD)
    tracker.finish(SCORES, tmp_path / "report.html")
    tracker.close()
    told = repr(calls)
    for words in (
        "training.epochs",
        "25",
        "loss/train",
        "loss/validation",
        "roc_auc/validation",
        "learning_rate",
    ):
        assert words in told
    assert "test/roc_auc_low" in told
    assert "report.html" in told
    assert calls[-1][0] in ("close", "set_terminated")


def test_mlflow_writes_where_its_variable_says_and_goes_on_with_the_same_run(
    calls: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking.example")
    trackers["mlflow"].open(tmp_path, {}).close()
    assert calls[0] == ("made", (), {"tracking_uri": "http://tracking.example"})
    assert calls[-1] == ("set_terminated", ("run-1", "KILLED"), {})
    trackers["mlflow"].open(tmp_path, {})
    assert [name for name, _, _ in calls].count("create_run") == 1
    assert calls[-1] == ("update_run", ("run-1",), {"status": "RUNNING"})


def test_tensorboard_draws_the_epochs_of_a_stopped_run_anew(calls: list[Any], tmp_path: Path) -> None:
    tracker = trackers["tensorboard"].open(tmp_path, {})
    assert not calls, "nothing is written before the first epoch"
    tracker.epoch(TOLD)
    assert calls[0] == ("made", (str(tmp_path / "tensorboard"),), {"purge_step": 3})


def test_settings_are_told_by_dotted_key_without_the_empty_ones() -> None:
    assert dict(flat({"a": {"b": 1, "c": ""}, "d": (), "e": 0})) == {"a.b": 1, "e": 0}


def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tracker = trackers["tensorboard"].open(tmp_path, {"seed": 0})
    tracker.epoch(TOLD)
    tracker.finish(SCORES, tmp_path / "report.html")
    tracker.close()
    read = EventAccumulator(str(tmp_path / "tensorboard"))
    read.Reload()
    assert [(each.step, each.value) for each in read.Scalars("loss/train")] == [(3, 0.5)]


def test_mlflow_keeps_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    report = tmp_path / "report.html"
    report.write_text("page")
    tracker = trackers["mlflow"].open(tmp_path, {"seed": 0})
    run = (tmp_path / "checkpoint" / "mlflow.txt").read_text().strip()
    tracker.epoch(TOLD)
    tracker.finish(SCORES, report)
    tracker.close()
    found = mlflow.MlflowClient(tracking_uri=(tmp_path / "mlflow").as_uri()).get_run(run)
    assert found.info.status == "FINISHED"
    assert found.data.params == {"seed": "0"}
    assert found.data.metrics["test/roc_auc_low"] == 0.8
