"""The journey, one function per verb. Read this first.

    check    what is in a file, what is wrong with it, and what would be done with it
    train    records -> split -> encoding -> network -> judged score -> explanation -> report
    predict  a trained model and a new file -> predictions, one row for each row
    explain  a trained model and records -> what in them moves the prediction
    report   a run folder -> its page

No function here knows the name of a modality, network or task: the parts know what to do.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from bioloom import recipe as recipes
from bioloom import report as page
from bioloom import trained
from bioloom.data import large
from bioloom.data.records import take_rows
from bioloom.errors import Interrupted, UserError
from bioloom.events import Journal, Listener, Silent
from bioloom.files import word, write_json, write_text
from bioloom.journey import compared, described, explained, result
from bioloom.journey import environment as environments
from bioloom.journey.align import Aligned, Alignment
from bioloom.journey.align import align as align_model
from bioloom.journey.align import store as store_aligned
from bioloom.journey.attempts import Ground
from bioloom.journey.chapter import chapter, refuse_unknown
from bioloom.journey.checked import Checked, look
from bioloom.journey.clock import Clock
from bioloom.journey.column_effects import METHODS
from bioloom.journey.compared import RECORDS as COMPARED
from bioloom.journey.delivery import deliver
from bioloom.journey.denoise import Denoised, Wish, restore_counts
from bioloom.journey.described import Embedding
from bioloom.journey.division import Division, divide
from bioloom.journey.explained import Wanted
from bioloom.journey.folder import Opened, abandon, finish, open_folder
from bioloom.journey.judge import Trial, judge
from bioloom.journey.learnable import Learnable, encode, make_job
from bioloom.journey.lineup import line_up
from bioloom.journey.predicted import PredictionTable, predict_file, with_files
from bioloom.journey.predicted import predict_positions as predicted_positions
from bioloom.journey.prepare import Prepared, Request, Source, prepare
from bioloom.journey.pretraining import learn_first
from bioloom.journey.recorded import LEFT_OUT
from bioloom.journey.rehearsal import Rehearsal
from bioloom.journey.result import Trained
from bioloom.journey.rivals import Early
from bioloom.journey.search import Searched, not_searched, search
from bioloom.journey.shelf import Shelf
from bioloom.journey.sought import Sought
from bioloom.journey.tables import write_table
from bioloom.journey.telling import teller
from bioloom.journey.tracking import Tracking, tracking
from bioloom.journey.trainee import members_asked, train_network
from bioloom.journey.writing import Assignment, NewTexts, new_texts, write_out
from bioloom.modalities import encoding_settings
from bioloom.models import networks
from bioloom.run import Run, load
from bioloom.targets import Targets
from bioloom.trackers import trackers
from bioloom.training.device import session

__all__ = [
    "COMPARED",
    "Checked",
    "Embedding",
    "PredictionTable",
    "Request",
    "Sought",
    "Source",
    "Wanted",
    "align",
    "check",
    "compare",
    "denoise",
    "dry_run",
    "embed",
    "explain",
    "generate",
    "load",
    "predict",
    "predict_positions",
    "report",
    "train",
]

SILENT = Silent()


def check(request: Request, listener: Listener = SILENT) -> Checked:
    """Say what is in a file, what is wrong with which rows, and which recipe would be used; nothing is written."""
    return look(request, listener)


def train(request: Request, outdir: Path | None, listener: Listener = SILENT, force: bool = False) -> Run:
    """Do the whole journey, or go on with it where an earlier run of the same request was stopped.

    outdir: the run folder; None makes one called after the data and the target below `runs/`
    force:  start anew; an earlier run in the same folder is moved aside
    Raises UserError for everything the user can fix, Interrupted on Ctrl-C with the run left resumable.
    """
    clock = Clock(listener)
    with clock.stage("check", "Reading and checking the data"):
        prepared = prepare(request)
        _refuse_unknown_parts(prepared.recipe)
        for problem in prepared.problems:
            if problem.code == LEFT_OUT:
                listener.message(f"{problem.message[:1].upper()}{problem.message[1:]}.")
        if prepared.start is not None:
            listener.message(prepared.start.words(_predicted(prepared)))
    outdir = outdir or _default_folder(prepared)
    _refuse_start_as_outdir(prepared, outdir)
    opened = open_folder(outdir, prepared.recipe, force)
    if opened.state == "finished":
        listener.message(f"This run is finished already; its results are in {opened.path}.")
        return load(opened.path)
    if opened.state == "resumed":
        listener.message(f"Going on with the run in {opened.path}.")
    journal = Journal(opened.path / "events.jsonl", listener)
    try:
        with tracking(prepared.recipe, opened.path, journal) as track:
            _journey(prepared, opened, clock.heard_by(journal), track)
    except (KeyboardInterrupt, Interrupted):
        raise Interrupted(
            f"The run in {opened.path} was stopped; the same command goes on with it."
        ) from None
    except UserError:
        abandon(opened)
        raise
    return load(opened.path)


def _journey(prepared: Prepared, opened: Opened, clock: Clock, track: Tracking) -> None:
    """The stages of a training, each handing the next what it made."""
    with clock.stage("split", "Splitting into training, validation and test"):
        division = divide(prepared)
        split = division.split
        write_table(opened.path / "split.csv", result.split_table(prepared, division))
        write_table(opened.path / "dropped.csv", result.dropped_table(prepared))
    large.give_back(len(prepared.records))
    prepared, first = learn_first(prepared, division, opened.path, clock, train)
    with clock.stage("encode", "Encoding the records"):
        learnable = encode(prepared, split, opened.checkpoint)
    searched = _search(prepared, division, learnable, opened, clock)
    prepared = searched.prepared
    with clock.stage("train", "Training the network"):
        saved = opened.checkpoint / "training.safetensors"
        tell, early = teller(learnable, clock.listener, track.watchers), Early()
        trainee = train_network(prepared, split, learnable, saved, tell, meanwhile=early.begin)
        recipe = result.resolved(prepared.recipe, trainee.job, division)
    large.give_back(len(prepared.records))
    with clock.stage("rivals", "Training what it has to beat"), session(trainee.fitted.threads):
        rehearsal = Rehearsal(searched.again, division.folds, Shelf(opened.checkpoint), early)
        rivals, answers = rehearsal.answers(trainee, clock.listener)
    with clock.stage("evaluate", "Judging what the score is worth"), session(trainee.fitted.threads):
        trial = Trial(trainee, rivals, answers, division)
        judged = judge(trial)
        model = deliver(trial, judged.delivered, recipe)
        examples = {
            name: take_rows(frame, trainee.job.train[:3]) for name, frame in prepared.records.inputs.items()
        }
        trained.save(model, opened.path / "model", examples, result.card(prepared, trainee.job, model))
        more = described.write_answers(trial, model, opened.path)
    with clock.stage("explain", "Explaining predictions"), session(trainee.fitted.threads):
        explanation = chapter(trainee, model, opened.path, clock.listener)
    with clock.stage("report", "Writing the report"):
        environment = environments.describe(trainee.job.device, trainee.fitted.threads)
        told = searched.result(trainee, rivals, rehearsal.chosen())
        found = Trained(trial, judged, model, recipe, explanation, opened.request, told)
        write_text(opened.path / "recipe.toml", recipes.dumps(recipe))
        write_json(opened.path / "environment.json", environment)
        content = result.result(found, clock.seconds, environment)
        content["timing"]["search"] = dict(searched.seconds)
        content |= more | first
        write_json(opened.path / "result.json", content)
        page.render(opened.path)
        track.finish(content)
    finish(opened)


def dry_run(request: Request, listener: Listener = SILENT) -> dict[str, Any]:
    """What `train` would do, without doing it: rows, inputs, split, network, plan, folder."""
    prepared = prepare(request)
    _refuse_unknown_parts(prepared.recipe)
    listener.message("Looking for copies and near copies, to split honestly.")
    division = divide(prepared)
    split, told = division.split, division.folds or division.split
    learnable = encode(prepared, split)
    job, lineup = make_job(prepared, split, learnable), line_up(prepared, split, learnable)
    return {
        "source": prepared.table.source,
        "rows": len(prepared.table.frame),
        "used": len(prepared.records),
        "dropped": len(prepared.dropped),
        "inputs": {name: each.modality for name, each in prepared.recipe.data.inputs.items()},
        "target": list(prepared.recipe.data.target),
        "task": prepared.recipe.data.task,
        "split": told.method,
        "reason": told.reason,
        "counts": {part: len(split.index(part)) for part in ("train", "validation", "test")},
        "folds": 0 if division.folds is None else len(division.folds.splits),
        "network": job.network,
        "search": [each.name for each in lineup.contenders] or lineup.off,
        "epochs": job.plan.epochs,
        "batch_size": job.plan.batch_size,
        "members": members_asked(prepared.recipe),
        "precision": job.plan.precision,
        "device": job.device,
        "folder": str(_default_folder(prepared)),
    }


def predict(
    folder: Path, source: Source, out: Path | None = None, listener: Listener = SILENT, which: str = "auto"
) -> PredictionTable:
    """Predict every row of a file with the model of a run; rows in equal rows out.

    out:   also write the table to this CSV file
    which: "auto" for the model that the run recommends, "network", or "simple" for the simpler one beside it
    """
    model = load(folder).model.using(which)
    listener.stage("predict", "Predicting")
    predictions = predict_file(model, source, listener)
    if out is not None:
        predictions = with_files(predictions, model, out)
        write_table(out, predictions.frame)
    return predictions


def embed(
    folder: Path,
    source: Source,
    out: Path | None = None,
    listener: Listener = SILENT,
    asked: Embedding | None = None,
) -> PredictionTable:
    """Describe every row of a file by the few numbers that a model has for it; rows in equal rows out.

    out: also write them to this file, .csv or .npz
    """
    asked = asked or Embedding()
    model = load(folder).model.using(asked.which)
    listener.stage("embed", "Describing the records")
    found = described.describe_file(model, source, listener, asked.drawing)
    if out is not None:
        described.write_codes(found, out)
    return found


def generate(
    folder: Path, asked: Assignment | None = None, out: Path | None = None, listener: Listener = SILENT
) -> NewTexts:
    """Write new texts or sequences with the language model of a run.

    out: also write them to this file, .fasta, .csv, or any other for plain text
    """
    model = load(folder).model
    listener.stage("generate", "Writing")
    found = new_texts(model, asked or Assignment())
    for note in found.notes:
        listener.message(note)
    if out is not None:
        write_out(found, out)
    return found


def align(folder: Path, asked: Alignment, outdir: Path, listener: Listener = SILENT) -> Aligned:
    """Go on with the language model of a run: learn to respond, or what is preferred; written to a folder of its own.

    Raises UserError where that folder is the run's own.
    """
    if outdir.resolve() == folder.resolve():
        raise UserError(
            "The new model cannot be written over the one it begins with.",
            where=str(outdir),
            fix="choose another folder with --outdir",
        )
    found = align_model(load(folder).model, asked, listener)
    store_aligned(found, outdir)
    return found


def predict_positions(folder: Path, source: Source, out: Path, which: str = "auto") -> None:
    """Write what the model of a run says at each position of each record of a file to a CSV file."""
    write_table(out, predicted_positions(load(folder).model.using(which), source))


def explain(
    folder: Path, source: Source | None = None, wanted: Wanted | None = None, listener: Listener = SILENT
) -> list[dict[str, Any]]:
    """Explain records of a file, or test records of the run, with the model of a run.

    Attributions go to `explanations/`, figures to `figures/` of the run folder, in files whose names begin with
    that of the source ("test" for test records): those that the report shows stay as they are.
    Returns one entry for each.
    """
    wanted = wanted or Wanted()
    run, prefix = load(folder), f"{explained.source_word(source)}-"
    whole = [method for method in METHODS if method in wanted.methods]
    entries = run.effects_of_columns(whole, source, prefix, wanted.figures) if whole else []
    wanted = replace(wanted, methods=tuple(method for method in wanted.methods if method not in METHODS))
    if whole and not wanted.methods:
        return entries
    frames, ids = run.asked_about(source, wanted.records, listener)
    answers = explained.explain(run.model, frames, ids, wanted, listener)
    order = explained.spread(run.model.raw(frames)[:, 0], explained.DRAWN)
    return entries + explained.store(run.model, answers, order, folder, prefix, ending=wanted.figures)


def compare(
    folder: Path, source: Source | None = None, wanted: Wanted | None = None, listener: Listener = SILENT
) -> list[dict[str, Any]]:
    """Measure methods of explanation on the same records, and say which to trust there; one table for each input."""
    wanted = wanted or Wanted(records=COMPARED)
    run = load(folder)
    frames, _ = run.asked_about(source, wanted.records, listener)
    found = compared.compare_methods(run.model, compared.few(frames, wanted.records), wanted, listener)
    return compared.store(found, folder, prefix=f"{explained.source_word(source)}-")


def denoise(wish: Wish, outdir: Path, listener: Listener = SILENT) -> Denoised:
    """Restore counts of single cells; written to a folder with what held-out molecules say about it."""
    return restore_counts(wish, outdir, listener)


def report(folder: Path) -> Path:
    """Write the page of a run anew from its folder."""
    return page.render(folder)


# ---- pieces of the journey ------------------------------------------------------------------------------


def _search(
    prepared: Prepared, division: Division, learnable: Learnable, opened: Opened, clock: Clock
) -> Searched:
    """Try candidates on validation records, where the recipe leaves anything open and the budget allows."""
    lineup = line_up(prepared, division.split, learnable)
    if lineup.off:
        return not_searched(prepared, lineup)
    ground = Ground(prepared, division.split, learnable, Shelf(opened.checkpoint / "search"))
    folds = 0 if division.folds is None else len(division.folds.splits)
    with clock.stage("search", "Trying candidates on validation records"):
        return search(ground, lineup, clock.listener, contests=1 + folds)


def _default_folder(prepared: Prepared) -> Path:
    name = "-".join([prepared.name, *prepared.recipe.data.target])
    if prepared.start is not None:
        name = f"{name}-from-{Path(prepared.start.folder).resolve().name}"
    return Path("runs") / word(name, "-_.", 100)


def _predicted(prepared: Prepared) -> Targets:
    """What is predicted; the scale of it is learned later."""
    return Targets(prepared.recipe.data.task, prepared.recipe.data.target, prepared.classes)


def _refuse_start_as_outdir(prepared: Prepared, outdir: Path) -> None:
    """A run is never written over the one that it begins with."""
    if prepared.start is not None and Path(prepared.start.folder).resolve() == outdir.resolve():
        raise UserError(
            "A run cannot be written into the folder of the run that it begins with.",
            where=str(outdir),
            fix="choose another folder with --outdir",
        )


def _refuse_unknown_parts(recipe: recipes.Recipe) -> None:
    """Refuse a misspelt network, setting or explainer now, and not after an hour of training."""
    if recipe.model.network != "auto":
        _ = networks[recipe.model.network]
    for each in recipe.data.inputs.values():
        _ = encoding_settings(each.modality, recipe.encoding)
    refuse_unknown(recipe.explanation.methods)
    for name in recipe.trackers:
        trackers[name].refuse_missing()
