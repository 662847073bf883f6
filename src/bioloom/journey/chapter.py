"""The chapter of explanations of a run: what moves single predictions, what columns do to the whole model, what a map adds up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.data.records import take_rows
from bioloom.events import Listener
from bioloom.explanation import explainers
from bioloom.journey import explained
from bioloom.journey.charted import charted
from bioloom.journey.column_effects import METHODS, Place, column_effects, tables
from bioloom.journey.explained import Answer, Wanted
from bioloom.journey.importance import ASKED, EFFORTS, Effort, Unseen
from bioloom.journey.trainee import Trainee
from bioloom.trained import Model
from bioloom.trained.references import with_references

EXPLAINED = {"fast": 12, "normal": 64, "thorough": 256}
"""Test records that are explained, by budget."""

USUAL: dict[str, int | None] = {"fast": 1, "normal": None, "thorough": None}
"""Methods of explanation where none is named, by budget: the first of those that suit the input, or all."""

LETTERS_EXPLAINED = {"fast": 15_000, "normal": 60_000, "thorough": 400_000}
"""Fewer records are explained where they hold more numbers than this together, counted anew for each network of a mean and
each class: each number asks once or more."""


def refuse_unknown(methods: Sequence[str]) -> None:
    """Raise UserError for a misspelt method, before anything is trained."""
    for method in methods:
        if method not in METHODS:
            _ = explainers[method]


def chapter(trainee: Trainee, model: Model, folder: Path, listener: Listener) -> list[dict[str, Any]]:
    """Explain unseen records and what columns do, and write both to the run folder; the entries of `result.json`."""
    if not trainee.job.task.labelled:
        return []
    recipe = trainee.prepared.recipe
    entries, answers = charted(trainee, folder), []
    whole = _of_columns(trainee, model)
    if not whole and set(recipe.explanation.methods) & set(METHODS):
        listener.message("No input of this model is a table, so nothing is said about columns.")
    if not recipe.explanation.methods or set(recipe.explanation.methods) - set(METHODS):
        rows = _spread_over_unseen(trainee, explained.numbers_asked(model))
        frames = {name: take_rows(frame, rows) for name, frame in trainee.records.inputs.items()}
        ids = [str(name) for name in trainee.records.ids[rows]]
        singles = tuple(method for method in recipe.explanation.methods if method not in METHODS)
        wanted = Wanted(singles, USUAL[recipe.budget], seed=recipe.seed)
        able = with_references(model, folder, lambda: trainee.records.take(trainee.split.index("train")))
        answers = explained.explain(able, frames, ids, wanted, listener)
        order = explained.drawn(len(rows), len(answers) + len(whole), recipe.budget)
        entries += explained.store(model, answers, order, folder)
    if whole:
        place = Place(folder, strongest=strongest(model, answers))
        entries += column_effects(model, _unseen_records(trainee), _effort(trainee), whole, place)
    return entries


def _spread_over_unseen(trainee: Trainee, numbers: int) -> NDArray[np.int64]:
    """Records to explain, spread over the range of predictions; numbers: that networks see of one record, for each answer."""
    rows, recipe = _unseen(trainee)[0], trainee.prepared.recipe
    usual = min(EXPLAINED[recipe.budget], max(explained.DRAWN, LETTERS_EXPLAINED[recipe.budget] // numbers))
    return rows[explained.spread(trainee.raw[rows, 0], recipe.explanation.records or usual)]


def _unseen(trainee: Trainee) -> tuple[NDArray[np.int64], str]:
    """Test records, or validation records where there is no test, and which they are."""
    rows = trainee.split.index("test")
    return (rows, "test") if len(rows) else (trainee.split.index("validation"), "validation")


def _of_columns(trainee: Trainee, model: Model) -> list[str]:
    """What is asked about columns: what the recipe names, else what the budget allows, for tables that are not too wide."""
    recipe = trainee.prepared.recipe
    named = recipe.explanation.methods
    if (
        not tables(model, _effort(trainee).widest)
        or not trainee.job.task.by_record
        or not len(_unseen(trainee)[0])
    ):
        return []
    if named:
        return [method for method in METHODS if method in named]
    follow = _effort(trainee).followed > 0
    return ["permutation_importance", *(["partial_dependence"] if follow else [])]


def _effort(trainee: Trainee) -> Effort:
    """How much is asked about columns; tables of any width where the recipe names what is asked."""
    recipe = trainee.prepared.recipe
    usual = EFFORTS[recipe.budget]
    return replace(usual, widest=ASKED.widest) if recipe.explanation.methods else usual


def _unseen_records(trainee: Trainee) -> Unseen:
    """Records that the network did not learn from, with their truths."""
    rows, part = _unseen(trainee)
    frames = {name: take_rows(frame, rows) for name, frame in trainee.records.inputs.items()}
    seed = trainee.prepared.recipe.seed
    return Unseen(frames, trainee.learnable.truth[rows], trainee.groups(rows), seed, part)


def strongest(model: Model, answers: Sequence[Answer]) -> dict[str, list[str]]:
    """By input, its columns from the strongest attributions on, where single records were explained."""
    found: dict[str, list[str]] = {}
    for answer in answers:
        name, values = answer.explanation.input, answer.explanation.attribution
        if name in found or name not in tables(model):
            continue
        modality = model.modalities[name]
        groups = modality.groups or {column: (place,) for place, column in enumerate(modality.channels)}
        size = {
            column: float(np.abs(values[:, list(places)].sum(axis=1)).mean())
            for column, places in groups.items()
        }
        found[name] = sorted(size, key=lambda column: -size[column])
    return found
