"""The command line: its words, its exit codes, and what it writes where. The science behind it is a stand-in here."""

from __future__ import annotations

import inspect
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

import bioloom
import fake_runs
from bioloom import progress
from bioloom.cli import app, check, doctor, explain, main, parts, predict, report, train
from bioloom.errors import Interrupted, UserError

Shown = pytest.CaptureFixture[str]


# ---- a stand-in for bioloom.workflow -----------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """The fields that the command line fills."""

    source: Any
    target: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    labels: str = ""
    task: str = ""
    positive: str | None = None
    split: str = ""
    settings: Any = None
    exclude: tuple[str, ...] = ()
    join: tuple[str, ...] = ()
    start: str = ""
    pretrain: str = ""
    trackers: tuple[str, ...] = ()
    budget: str = ""
    time: str = ""
    seed: int | None = None
    device: str = ""
    threads: int | None = None


@dataclass(frozen=True)
class Sought:
    """Which number is explained."""

    target: str = ""
    against: str = ""
    scale: str = "raw"


@dataclass(frozen=True)
class Wanted:
    """What `explain` is asked for."""

    methods: tuple[str, ...] = ()
    records: int = 32
    outputs: tuple[int, ...] = ()
    seed: int = 0
    device: str = "cpu"
    place: int | None = None
    sought: Sought = Sought()
    figures: str = "svg"
    settings: dict[str, Any] = field(default_factory=dict)
    layer: str = ""
    references: int | None = None


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """Replace the workflow by functions that note what they were asked; `calls.fail` makes them raise."""
    folder = fake_runs.regression(tmp_path / "run")
    run = SimpleNamespace(
        folder=folder, report=folder / "report.html", result=json.loads((folder / "result.json").read_text())
    )
    calls = SimpleNamespace(made=[], fail=None, run=run)

    def note(name: str, answer: Callable[[], Any]) -> Callable[..., Any]:
        def function(*arguments: Any, **words: Any) -> Any:
            calls.made.append((name, *arguments, words))
            for listener in arguments:
                if hasattr(listener, "stage"):
                    listener.stage("work", "Working")
                    listener.progress(0.5, "half")
                    listener.message("a message")
            if calls.fail is not None:
                raise calls.fail
            return answer()

        return function

    frame = pd.DataFrame(
        {"id": ["a", "b"], "expression": [0.5, float("nan")], "problem": ["", "no sequence"]}
    )
    fake = SimpleNamespace(
        Request=Request,
        Wanted=Wanted,
        Sought=Sought,
        COMPARED=8,
        check=note("check", checked),
        train=note("train", lambda: run),
        dry_run=note(
            "dry_run", lambda: {"rows": 1200, "counts": {"train": 1000, "test": 200}, "network": "cnn"}
        ),
        predict=note("predict", lambda: SimpleNamespace(frame=frame, notes=("cropped",), missing=1)),
        explain=note("explain", lambda: [ENTRY]),
        compare=note("compare", lambda: [COMPARISON]),
        report=note("report", lambda: run.report),
    )
    monkeypatch.setitem(sys.modules, "bioloom.workflow", fake)  # type: ignore[misc]
    monkeypatch.setattr(bioloom, "workflow", fake, raising=False)
    return calls


COMPARISON = {
    "input": "utr5",
    "about": "expression",
    "records": 8,
    "scale": "share",
    "trust": "Trust occlusion here.",
    "file": "explanations/a.json",
    "table": "explanations/a.csv",
    "figure": "figures/a.svg",
    "refused": [{"method": "lrp", "reason": "no rule"}],
    "methods": [
        {
            "method": name,
            "insertion": 0.9,
            "deletion": 0.1,
            "ahead_of_random": 0.8,
            "ahead_low": 0.7,
            "ahead_high": 0.9,
            "infidelity": None,
            "like_random_weights": None,
            "like_other_seed": 1.0,
            "like_other_members": None,
            "sensitivity": 0.25,
        }
        for name in ("occlusion", "random")
    ],
}

ENTRY = {
    "input": "utr5",
    "method": "occlusion",
    "title": "occlusion",
    "records": 5,
    "text": "Position 3 matters.",
    "effect": "change of expression",
    "reference": "each letter replaced",
    "file": "explanations/a.npz",
    "figures": [{"file": "figures/a.svg", "caption": "map"}],
}


def checked() -> SimpleNamespace:
    problem = SimpleNamespace(
        code="sequence.letters",
        severity="drop",
        message="[bold] is no letter of DNA",
        fix="correct it",
        column="utr5",
        count=12,
        lines=(3, 7, 9),
    )
    column = SimpleNamespace(name="utr5", kind="dna", role="input", missing=0, distinct=9, example="ACGT")
    return SimpleNamespace(
        source="utr5.csv",
        format="CSV",
        rows=1200,
        unit="line",
        notes=("decoded as latin-1",),
        columns=(column,),
        problems=(problem,),
        facts={"task": "regression"},
        recipe='seed = 0\n\n[data]\nfile = "utr5.csv"\n',
        to_json=lambda: {"source": "utr5.csv", "rows": 1200},
    )


def asked(calls: SimpleNamespace, *words: str) -> tuple[Any, ...]:
    """What the workflow was asked by a command that worked."""
    assert main(list(words)) == 0
    return calls.made[-1]


# ---- words --------------------------------------------------------------------------------------------------


def options_of(verb: Sequence[str]) -> set[str]:
    command = app.typer.main.get_command(app.app)
    for word in verb:
        command = command.commands[word]  # type: ignore[attr-defined]
    names = [name for each in command.params for name in (*each.opts, *each.secondary_opts)]
    return {name.removeprefix("--") for name in names if name.startswith("--")} - {"help"}


def verbs(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every verb with its words, groups taken apart."""
    below = getattr(command, "commands", {})
    if not below:
        yield words
    for name, each in below.items():
        yield from verbs(each, (*words, name))


def rows_of(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading of the reference of the command line."""
    text = REFERENCE.read_text(encoding="utf-8").split(heading, 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows]


REFERENCE = Path(__file__).parent.parent / "docs" / "reference" / "command-line.md"


def named(cell: str) -> set[str]:
    return set(re.findall(r"`--([a-z0-9-]+)`", cell))


def test_the_reference_lists_every_verb_with_its_options_and_no_others() -> None:
    told = {row[0].strip("`"): named(row[2]) for row in rows_of("# The command line")}
    every = {" ".join(words): options_of(words) for words in verbs(app.typer.main.get_command(app.app))}
    assert told == {**every, "parts": {"json"}}


def test_every_option_of_training_and_predicting_is_explained_in_the_reference() -> None:
    first = ("check", "train", "predict", "embed", "explain", "report", "doctor", "parts", "data")
    known = set().union(
        *(options_of(words) for words in verbs(app.typer.main.get_command(app.app)) if words[0] in first)
    )
    explained = [row[0].strip("` ").removeprefix("--") for row in rows_of("## Options")]
    assert set(explained) == known
    assert len(explained) == len(set(explained))


@pytest.mark.parametrize("module", [check, train, predict, explain, report, doctor])
def test_every_verb_says_what_it_does(module: Any) -> None:
    assert inspect.getdoc(module.command)


def test_the_words_of_train_reach_the_workflow(calls: SimpleNamespace) -> None:
    words = "train a.csv --target y --target z --input utr5=dna --input ph --labels l.csv --task binary --positive yes"
    words += (
        " --split group --outdir out --set training.epochs=3 --set model.network=cnn --budget fast --seed 7"
    )
    words += (
        " --device cpu --threads 2 --force --from runs/first --track tensorboard --track mlflow --exclude id"
    )
    name, request, outdir, _, options = asked(calls, *words.split())
    assert (name, outdir, options) == ("train", Path("out"), {"force": True})
    assert request == Request(
        source="a.csv",
        target=("y", "z"),
        inputs=("utr5=dna", "ph"),
        labels="l.csv",
        task="binary",
        positive="yes",
        split="group",
        settings={"training.epochs": 3, "model.network": "cnn"},
        exclude=("id",),
        start="runs/first",
        trackers=("tensorboard", "mlflow"),
        budget="fast",
        seed=7,
        device="cpu",
        threads=2,
    )


def test_what_is_left_out_is_left_open(calls: SimpleNamespace) -> None:
    _, request, outdir, _, options = asked(calls, "train", "recipe.toml")
    assert request == Request(source="recipe.toml", settings={})
    assert (outdir, options) == (None, {"force": False})


def test_seed_zero_is_a_seed(calls: SimpleNamespace) -> None:
    assert asked(calls, "train", "a.csv", "--seed", "0")[1].seed == 0


def test_several_files_are_one_data_set(calls: SimpleNamespace) -> None:
    assert asked(calls, "check", "oct4.fa", "mafk.fa")[1].source == ["oct4.fa", "mafk.fa"]


def test_predict_explain_and_report_name_the_run_first(calls: SimpleNamespace) -> None:
    assert asked(calls, "predict", "run", "new.csv", "--out", "p.csv")[1:4] == (
        Path("run"),
        "new.csv",
        Path("p.csv"),
    )
    assert asked(calls, "explain", "run")[1:4] == (Path("run"), None, Wanted())
    wanted = Wanted(methods=("occlusion",), seed=3)
    words = "explain run --compare --method occlusion,lime --target yes --against no --scale probability"
    sought = Sought("yes", "no", "probability")
    compared = Wanted(("occlusion", "lime"), records=8, sought=sought)
    assert asked(calls, *words.split())[:4] == ("compare", Path("run"), None, compared)
    words = "explain run --set lrp.composite=gamma --set lrp.gamma=0.5 --layer convolution --references 50"
    told = Wanted(settings={"lrp.composite": "gamma", "lrp.gamma": 0.5}, layer="convolution", references=50)
    assert asked(calls, *words.split())[1:4] == (Path("run"), None, told)
    assert asked(calls, "explain", "run", "new.csv", "--method", "occlusion", "--seed", "3")[1:4] == (
        Path("run"),
        "new.csv",
        wanted,
    )
    assert asked(calls, "report", "run")[1] == Path("run")


# ---- what goes where ----------------------------------------------------------------------------------------


def test_train_shows_the_result_block_and_the_report_on_standard_output(
    calls: SimpleNamespace, capsys: Shown
) -> None:
    assert main(["train", "a.csv", "--target", "y"]) == 0
    shown = capsys.readouterr()
    assert calls.run.result["verdict"]["text"] in shown.out
    assert f"Report: {calls.run.report}" in shown.out
    assert shown.err.splitlines() == ["Working", "  a message"]


def test_check_shows_problems_with_their_lines_and_the_recipe(calls: SimpleNamespace, capsys: Shown) -> None:
    assert main(["check", "utr5.csv"]) == 0
    shown = capsys.readouterr().out
    assert 'left out  12 rows, column "utr5": [bold] is no letter of DNA' in shown
    assert "lines 3, 7, 9, ..." in shown
    assert '[data]\n  file = "utr5.csv"' in shown


def test_predictions_are_csv_with_one_row_for_each_record(calls: SimpleNamespace, capsys: Shown) -> None:
    assert main(["predict", "run", "new.csv"]) == 0
    frame = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert list(frame.columns) == ["id", "expression", "problem"]
    assert len(frame) == 2


def test_an_explanation_says_what_it_found_and_where_it_lies(calls: SimpleNamespace, capsys: Shown) -> None:
    assert main(["explain", "run"]) == 0
    shown = capsys.readouterr().out
    assert "Position 3 matters." in shown
    assert str(Path("run/figures/a.svg")) in shown


COMMANDS = {
    "check": ["check", "a.csv"],
    "train": ["train", "a.csv"],
    "dry run": ["train", "a.csv", "--dry-run"],
    "predict": ["predict", "run", "new.csv"],
    "explain": ["explain", "run"],
    "report": ["report", "run"],
    "data list": ["data", "list"],
    "data path": ["data", "path", "lac_promoter"],
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_json_is_one_document_on_standard_output(
    calls: SimpleNamespace, capsys: Shown, words: list[str]
) -> None:
    assert main([*words, "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), dict)


def test_a_comparison_says_which_method_to_trust(
    calls: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "run", "--compare"]) == 0
    shown = capsys.readouterr().out
    assert "Trust occlusion here." in shown
    assert "0.80 [0.70, 0.90]" in shown
    assert "not used: lrp: no rule" in shown
    assert "untold " not in shown.splitlines()[2]  # nothing was measured there


@pytest.mark.parametrize("verb", ["check", "train", "predict", "explain"])
def test_quiet_writes_nothing_but_the_result(calls: SimpleNamespace, capsys: Shown, verb: str) -> None:
    assert main([*COMMANDS[verb], "--quiet"]) == 0
    shown = capsys.readouterr()
    assert not shown.err
    assert shown.out


def test_a_missing_prediction_is_null_in_json(calls: SimpleNamespace, capsys: Shown) -> None:
    assert main(["predict", "run", "new.csv", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["expression"] for row in document["predictions"]] == [0.5, None]
    assert document["missing"] == 1


# ---- exit codes ---------------------------------------------------------------------------------------------


def test_what_the_user_can_fix_is_told_without_a_traceback(calls: SimpleNamespace, capsys: Shown) -> None:
    calls.fail = UserError("The cell [red] is no number.", where="a.csv, line 3", fix="correct it")
    assert main(["train", "a.csv"]) == 2
    shown = capsys.readouterr()
    assert "Error: The cell [red] is no number." in shown.err
    assert "  where: a.csv, line 3" in shown.err
    assert "  fix:   correct it" in shown.err
    assert "Traceback" not in shown.err
    assert not shown.out


def test_with_json_the_error_is_a_document_too(calls: SimpleNamespace, capsys: Shown) -> None:
    calls.fail = UserError("no", where="here", fix="so")
    assert main(["train", "a.csv", "--json"]) == 2
    assert json.loads(capsys.readouterr().out) == {"error": {"what": "no", "where": "here", "fix": "so"}}


def test_a_mistake_of_ours_keeps_its_traceback_and_says_how_to_report_it(
    calls: SimpleNamespace, capsys: Shown
) -> None:
    calls.fail = ZeroDivisionError("oh")
    assert main(["train", "a.csv"]) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "ZeroDivisionError: oh" in shown
    assert "bioloom doctor" in shown


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), Interrupted("stopped")])
def test_stopping_a_training_says_how_to_go_on(
    calls: SimpleNamespace, capsys: Shown, stop: BaseException
) -> None:
    calls.fail = stop
    assert main(["train", "my data.csv", "--target", "y"]) == 130
    shown = capsys.readouterr().err
    assert "the same command goes on from there" in shown
    assert "bioloom train 'my data.csv' --target y" in shown
    assert "Traceback" not in shown


def test_stopping_anything_else_just_stops(calls: SimpleNamespace, capsys: Shown) -> None:
    calls.fail = KeyboardInterrupt()
    assert main(["predict", "run", "a.csv"]) == 130
    assert capsys.readouterr().err.endswith("\nStopped.\n")


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("CUDA out of memory. Tried to allocate 8 GiB")]
)
def test_too_little_memory_is_something_to_fix(
    error: Exception, calls: SimpleNamespace, capsys: Shown
) -> None:
    calls.fail = error
    assert main(["train", "a.csv"]) == 2
    assert "memory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trian", "a.csv"], "Did you mean 'train'"),
        (["train", "a.csv", "--targt", "y"], 'Did you mean "--target"?'),
        (["train"], "Missing argument 'FILE'"),
        (["train", "a.csv", "--budget", "quick"], "'fast', 'normal', 'thorough'"),
        (["train", "a.csv", "--seed", "one"], "'--seed'"),
        (["train", "a.csv", "--set", "epochs"], '"epochs" is not key=value.'),
        (["data", "path", "lac_promotor"], 'Did you mean "lac_promoter"?'),
        (["data", "lst"], "Did you mean 'list'?"),
    ],
)
def test_a_wrong_word_is_met_with_the_right_one(
    calls: SimpleNamespace, capsys: Shown, words: list[str], said: str
) -> None:
    assert main(words) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "fix:" in shown


@pytest.mark.parametrize(
    "words", [[], ["--help"], ["-h"], ["train", "--help"], ["parts", "show", "--help"], ["data", "-h"]]
)
def test_help_is_a_result(capsys: Shown, words: list[str]) -> None:
    assert main(words) == 0
    shown = capsys.readouterr()
    assert shown.out
    assert not shown.err


# ---- parts --------------------------------------------------------------------------------------------------


def test_the_network_of_the_course_has_292_parameters_unpadded_and_312_padded(capsys: Shown) -> None:
    words = ["parts", "show", "cnn", "--input", "20x4", "--outputs", "2"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "292 parameters" in shown
    assert "16 x 10" in shown
    assert main([*words, "--set", "padding=same", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["layers"]["parameters"] == 312


def test_letters_may_come_first_where_there_is_no_doubt(capsys: Shown) -> None:
    for size in ("75x4", "4x75"):
        assert main(["parts", "show", "cnn", "--input", size]) == 0
        assert "75 x 4" in capsys.readouterr().out
    assert main(["parts", "show", "cnn", "--input", "4x20", "--outputs", "2"]) == 0
    assert "292 parameters" in capsys.readouterr().out


def test_each_number_of_a_network_comes_with_its_sum(capsys: Shown) -> None:
    assert main(["parts", "show", "lenet", "--input", "1x32x32", "--outputs", "10", "--json"]) == 0
    layers = json.loads(capsys.readouterr().out)["layers"]
    assert layers["parameters"] == 61706
    assert layers["layers"][0] == {
        "name": "look.0",
        "operation": "Conv2d",
        "shape": [28, 28, 6],
        "size": "(32 - 5)/1 + 1",
        "parameters": 156,
        "sum": "(5 x 5 x 1 + 1) x 6",
    }


def test_a_single_layer_is_worked_out(capsys: Shown) -> None:
    assert main(["parts", "layer", "32x32x3", "--covers", "5", "--filters", "10", "--padding", "2"]) == 0
    shown = capsys.readouterr().out
    assert "32 x 32 x 10" in shown
    assert "(5 x 5 x 3 + 1) x 10 = 760" in shown
    assert main(["parts", "layer", "10x4", "--units", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"] == 82


def test_a_stride_that_does_not_fit_is_told(capsys: Shown) -> None:
    for stride, said in (("1", "= 5"), ("2", "= 3"), ("3", "does not fit")):
        assert main(["parts", "layer", "7x7x1", "--covers", "3", "--stride", stride]) == 0
        assert said in capsys.readouterr().out


def test_a_filter_slides_over_a_picture(capsys: Shown) -> None:
    assert main(["parts", "convolve", "11100 01110 00111 00110 01100", "101 010 101", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["values"] == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]
    assert main(["parts", "convolve", "50,50,50 20,50,7", "30,30,30 30,30,0"]) == 0
    assert "50 x 30 + 50 x 30 + 50 x 30 + 20 x 30 + 50 x 30 = 6600" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["layer", "32x32x3"], "--covers"),
        (["layer", "40", "--covers", "3"], "columns of a table have none"),
        (["layer", "4x4x1", "--covers", "5"], "covers 5 places does not fit on 4"),
        (["convolve", "11 1", "1"], "is no grid"),
        (["convolve", "ab", "1"], "is no grid"),
    ],
)
def test_a_layer_that_cannot_be_is_refused(capsys: Shown, words: list[str], said: str) -> None:
    assert main(["parts", *words]) == 2
    assert said in capsys.readouterr().err


def test_several_inputs_have_names(capsys: Shown) -> None:
    assert main(["parts", "show", "fusion", "--input", "utr5=20x4", "--input", "table=11", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["layers"]["parameters"] > 0


def test_settings_of_a_network_are_listed_with_defaults(capsys: Shown) -> None:
    assert main(["parts", "show", "cnn", "--json"]) == 0
    settings = json.loads(capsys.readouterr().out)["settings"]
    assert settings["width"] == {
        "type": "whole number >= 1",
        "default": 5,
        "description": "positions that a detector sees",
    }
    assert settings["padding"]["type"] == "none | same"


def test_every_part_has_a_title_and_can_be_shown(capsys: Shown) -> None:
    for collection in parts.COLLECTIONS:
        for each in parts.collect(collection):
            assert main(["parts", "show", each.name]) == 0, each
            assert each.name in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cnnn"], 'Did you mean "cnn"?'),
        (["cnn", "--input", "3"], "does not understand"),
        (["cnn", "--input", "20y4"], "is no shape"),
        (["cnn", "--input", "4x4"], "too short"),
        (["cnn", "--input", "20x4", "--set", "widht=3"], "widht"),
        (["dna", "--input", "20x4"], "is no network"),
        (["resnet18"], "bioloom parts show resnet --set depth=18 --input 224x224x3"),
        (["VGG-16"], "bioloom parts show vgg --set depth=16"),
        (["cnn2"], "bioloom parts lists them all"),
    ],
)
def test_a_part_that_cannot_be_shown_says_why(capsys: Shown, words: list[str], said: str) -> None:
    assert main(["parts", "show", *words]) == 2
    assert said in capsys.readouterr().err


# ---- terminals ----------------------------------------------------------------------------------------------


def run(words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a shell command line with `bioloom` in it as a user would."""
    line = words.replace("bioloom", f'"{sys.executable}" -m bioloom')
    return subprocess.run(
        line, shell=True, capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    done = run("set -e; bioloom parts | head -n 1; bioloom data list --json | head -c 5")
    assert done.returncode == 0
    assert not done.stderr


@pytest.mark.parametrize(
    "words", ["bioloom --help", "bioloom parts show cnn", "bioloom data list", "bioloom train a --x"]
)
def test_a_terminal_that_knows_only_ascii_gets_ascii(words: str) -> None:
    done = run(words, PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0")
    assert "Traceback" not in done.stderr
    assert (done.stdout + done.stderr).isascii()


@pytest.mark.parametrize("columns", ["40", "60", "100"])
def test_help_keeps_within_the_window(columns: str) -> None:
    done = run("bioloom train --help", COLUMNS=columns)
    assert max(len(line) for line in done.stdout.splitlines()) <= int(columns)


def screen(colours: bool = True, width: int = 60) -> Console:
    stream = io.StringIO()
    return Console(file=stream, force_terminal=True, width=width, no_color=not colours, legacy_windows=False)


def test_the_bar_shows_share_note_and_what_is_done() -> None:
    console = screen()
    with progress.Bar(console) as bar:
        bar.stage("check", "Checking")
        bar.stage("train", "Training")
        bar.progress(0.5, "validation Spearman 0.412")
        bar._progress.refresh()  # else it is drawn four times a second
        bar.message("a [bracket] stays")
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for words in ("✓", "Checking", "50%", "validation Spearman 0.412", "a [bracket] stays"):
        assert words in shown


def test_the_bar_has_no_colours_where_they_are_not_wanted() -> None:
    console = screen(colours=False)
    with progress.Bar(console) as bar:
        bar.stage("train", "Training")
        bar.progress(0.5, "note")
    assert "\x1b[3" not in console.file.getvalue().replace("\x1b[3m", "")  # type: ignore[attr-defined]


def test_a_stage_that_failed_is_not_ticked_off() -> None:
    console = screen()
    bar = progress.Bar(console).__enter__()
    bar.stage("train", "Training")
    bar.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    assert "✓" not in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_log_gets_a_line_every_ten_seconds_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    lines = progress.Lines(stream)
    lines.stage("train", "Training")
    for second in range(1, 31):
        now[0] = float(second)
        lines.progress(second / 100, f"epoch {second}")
    assert stream.getvalue().splitlines() == [
        "Training",
        "  10%, 1:30 left, epoch 10",
        "  20%, 1:20 left, epoch 20",
        "  30%, 1:10 left, epoch 30",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (7.4, "0:07"), (750, "12:30"), (3723, "1:02:03"), (-1, "0:00")]
)
def test_times_are_read_as_on_a_clock(seconds: float, text: str) -> None:
    assert progress.clock(seconds) == text


def paced(*notes: tuple[float, float]) -> progress.Pace:
    pace = progress.Pace()
    for now, share in notes:
        pace.note(now, share)
    return pace


def test_it_is_too_early_to_say_how_long_it_takes() -> None:
    assert paced((0, 0.1)).left(5) is None, "one moment is no pace"
    assert paced((0, 0.1), (0.5, 0.6)).left(1) is None
    assert paced((0, 0.0), (30, 0.001)).left(30) is None
    assert paced((0, 0.0), (30, 0.25)).left(30) == pytest.approx(90)


def test_the_time_left_counts_down_between_two_epochs_and_never_below_nothing() -> None:
    pace = paced((0, 0.0), (10, 0.1))
    assert [pace.left(now) for now in (10, 14, 200)] == [pytest.approx(90), pytest.approx(86), 0.0]


def test_a_run_taken_up_in_its_middle_is_not_thought_to_be_fast() -> None:
    assert paced((0.1, 0.5), (10.1, 0.6)).left(10.1) == pytest.approx(40)


def test_one_slow_epoch_moves_the_time_left_a_little_and_a_lasting_change_moves_it_all() -> None:
    steady = [(float(n), n / 100) for n in range(41)]
    even, jumped = paced(*steady).left(40), paced(*steady, (51.0, 0.41)).left(51)
    assert even == pytest.approx(60)
    assert jumped is not None
    assert 60 < jumped < 100, "the slow epoch took eleven times as long"
    slower = [(40.0 + 3 * n, 0.4 + n / 100) for n in range(1, 51)]
    assert paced(*steady, *slower).left(190) == pytest.approx(30, rel=0.2)


def test_a_training_of_thousands_of_epochs_is_a_few_lines_of_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    lines = progress.Lines(stream)
    lines.stage("train", "Training")
    for epoch in range(5000):
        now[0] += 0.01
        lines.progress((epoch + 1) / 5000, f"epoch {epoch + 1}")
    assert len(stream.getvalue().splitlines()) <= 6
