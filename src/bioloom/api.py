"""The verbs as Python functions, with the words of the command line. They only pass on to `bioloom.workflow`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bioloom import workflow
from bioloom.events import Listener, Silent
from bioloom.progress import Lines
from bioloom.run import Run, load

__all__ = ["check", "embed", "explain", "load", "predict", "train"]


def check(
    source: workflow.Source,
    target: str | Sequence[str] = (),
    *,
    inputs: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    labels: str | Sequence[str] = "",
    join: str | Sequence[str] = (),
    task: str = "",
    positive: str | None = None,
    split: str = "",
    settings: Mapping[str, Any] | None = None,
    quiet: bool = False,
) -> workflow.Checked:
    """Say what is in data, what is wrong with which rows, and propose a recipe.

    source: a path, several paths, the name of a data set, a DataFrame (pandas, polars) or a mapping of arrays
    target: the column or columns to predict; without it only the columns are described
    join:   words such as "mutation.csv=cell_line": columns of other files, an input each

    Raises UserError for what cannot be read.
    """
    request = workflow.Request(
        source=source,
        target=_words(target),
        inputs=_words(inputs),
        exclude=_words(exclude),
        labels=labels if isinstance(labels, str) else tuple(labels),
        join=_words(join),
        task=task,
        positive=positive,
        split=split,
        settings=settings or {},
    )
    return workflow.check(request, _listener(quiet))


def train(
    source: workflow.Source,
    target: str | Sequence[str] = (),
    *,
    inputs: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    labels: str | Sequence[str] = "",
    join: str | Sequence[str] = (),
    task: str = "",
    positive: str | None = None,
    split: str = "",
    settings: Mapping[str, Any] | None = None,
    start: str | Path = "",
    pretrain: str | Path = "",
    budget: str = "",
    time: str | float = "",
    seed: int | None = None,
    device: str = "",
    threads: int | None = None,
    track: str | Sequence[str] = (),
    outdir: str | Path | None = None,
    force: bool = False,
    quiet: bool = False,
) -> Run:
    """Train a model, judge it honestly, explain it, and write a report; the run folder holds everything.

    source:   a path, several paths, the name of a data set, a recipe.toml, a DataFrame (pandas, polars) or a
              mapping of arrays
    target:   the column or columns to predict
    inputs:   columns to predict from, such as "utr5" or "utr5=dna"; found by looking if left out
    exclude:  columns that are no input, such as one that is known only after the target
    join:     words such as "mutation.csv=cell_line": columns of other files, an input each
    split:    a way to split, or the name of a column
    settings: dotted recipe keys and values, such as {"training.epochs": 20}
    pretrain: records without labels, from which the network learns first
    start:    a run folder: go on with the network of that run, on the same or on other data (`--from`)
    budget:   "fast", "normal" or "thorough"
    time:     such as "10m", or seconds: half of it goes into trying other networks and settings
    track:    "tensorboard" or "mlflow": write the course of the training for them too
    outdir:   where the run is written; the same call again goes on with it, or gives back the finished run
    force:    train again where a run is already there

    Every word means what the option of that name means on the command line.
    Raises UserError for everything that the user can put right.
    """
    request = workflow.Request(
        source=source,
        target=_words(target),
        inputs=_words(inputs),
        exclude=_words(exclude),
        labels=labels if isinstance(labels, str) else tuple(labels),
        join=_words(join),
        task=task,
        positive=positive,
        split=split,
        settings=settings or {},
        start=str(start),
        pretrain=str(pretrain),
        trackers=_words(track),
        budget=budget,
        time=time,
        seed=seed,
        device=device,
        threads=threads,
    )
    return workflow.train(request, None if outdir is None else Path(outdir), _listener(quiet), force=force)


def predict(
    run: str | Path,
    source: workflow.Source,
    *,
    model: str = "auto",
    out: str | Path | None = None,
    quiet: bool = False,
) -> workflow.PredictionTable:
    """Predict every record of a file or DataFrame with the model of a run; rows in equal rows out.

    run:   the run folder
    model: "auto" for the model that the run recommends, "network", or "simple" for the simpler one beside it
    out:   also write the table to this CSV file

    Beside each prediction stand how far it may be off, and whether the record is unlike any that was learned from.
    Rows that cannot be predicted are empty, with the reason in a column `problem`.
    """
    where = None if out is None else Path(out)
    return workflow.predict(Path(run), source, where, _listener(quiet), model)


def embed(
    run: str | Path,
    source: workflow.Source,
    *,
    model: str = "auto",
    out: str | Path | None = None,
    quiet: bool = False,
) -> workflow.PredictionTable:
    """Describe every record of a file or DataFrame by the few numbers that the model of a run has for it.

    run:   the run folder
    model: "auto" for the model that the run recommends, "network", or "simple" for the simpler one beside it
    out:   also write them to this file, .csv or .npz
    """
    where = None if out is None else Path(out)
    return workflow.embed(Path(run), source, where, _listener(quiet), workflow.Embedding(model))


def explain(
    run: str | Path,
    source: workflow.Source | None = None,
    *,
    method: str | Sequence[str] = (),
    target: str = "",
    against: str = "",
    scale: str = "raw",
    settings: Mapping[str, Any] | None = None,
    layer: str = "",
    references: int | None = None,
    compare: bool = False,
    seed: int | None = None,
    device: str = "",
    quiet: bool = False,
) -> list[dict[str, Any]]:
    """Say what in a record moves the prediction; attributions and figures go to the run folder.

    run:     the run folder
    source:  records to explain; test records of the run if left out
    method:  explainers; the usual ones of each input if left out
    target:  a class or target column by its name; each of the first four if left out
    against: another class, for why it is the one and not the other
    scale:   of classes: "raw" (logits), "probability" or "log_odds"
    settings: of methods, such as {"lrp.composite": "gamma"}; `bioloom parts show METHOD` lists them
    layer:   whose maps are looked at, by methods that look at maps; the last ones if left out
    references: backgrounds of each record, for methods that compare with "nothing here"
    compare: measure several methods on a few records instead, and say which to trust there

    Returns one entry for each explanation, or for each table of methods, with its files.
    """
    sought = workflow.Sought(target, against, scale)
    records = workflow.COMPARED if compare else workflow.Wanted.records
    wanted = workflow.Wanted(
        methods=_words(method),
        records=records,
        seed=seed or 0,
        device=device or "cpu",
        sought=sought,
        settings=settings or {},
        layer=layer,
        references=references,
    )
    verb = workflow.compare if compare else workflow.explain
    return verb(Path(run), source, wanted, _listener(quiet))


def _words(words: str | Sequence[str]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words)


def _listener(quiet: bool) -> Listener:
    return Silent() if quiet else Lines(sys.stderr)
