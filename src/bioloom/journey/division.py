"""From records to a split, and an audit of what stands on both sides of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data import large
from bioloom.data.choose import make_split
from bioloom.data.folds import FoldChoice, Folds, choose_folds, make_folds
from bioloom.data.leakage import EXAMPLES, Alike, Labelled, Leakage, audit, compare_copies
from bioloom.data.library import Library
from bioloom.data.records import take_rows
from bioloom.data.similarity.copies import joined_groups, linked_groups
from bioloom.data.split import Split, SplitRequest, Together, splitters
from bioloom.data.splitters.chromosome import NAMES
from bioloom.errors import UserError, did_you_mean
from bioloom.journey import everywhere
from bioloom.journey.fresh import fresh_test
from bioloom.journey.prepare import Prepared
from bioloom.modalities import Across, Similarity, Watched, modalities
from bioloom.recipe import Recipe
from bioloom.targets import Targets
from bioloom.tasks import TASKS

OF_THE_FILE = ("repeated", "conflicts", "notion")
"""What an audit says of the whole file, whatever the split."""


EXACT_ONLY = ("fast",)
"""Budgets that look for exact copies alone between validation and training: near ones cost as much as those of the test."""


@dataclass(frozen=True)
class Division:
    """How records are divided, and what stands on both sides.

    split:   the split that the delivered model learns from; with folds it is `folds.final`, which has no test
    folds:   the cross-validation that scores come from, or None where the test of the split gives them
    leakage: of the split, or summed over the folds of the first repeat: each record as it was tested
    copies:  (records,) numbers that exact copies share
    """

    split: Split
    folds: Folds | None
    leakage: Leakage
    copies: NDArray[np.int64]


def divide(prepared: Prepared) -> Division:
    """Split the records as the recipe says, or as the data ask for, and look for copies across the split."""
    truth = _truth(prepared)
    request = _request(prepared, truth)
    found = _split_or_folds(prepared, request)
    copies = request.copies()
    if isinstance(found, Split):
        return Division(found, None, _audit(prepared, found, truth, copies), copies)
    first = found.splits[: found.count]
    leaks = [_audit(prepared, split, truth, copies) for split in first]
    return Division(found.final, found, _summed(leaks, first), copies)


def _split_or_folds(prepared: Prepared, request: SplitRequest) -> Split | Folds:
    method, recipe = _method(prepared), prepared.recipe.split
    if recipe.folds > 1 or (method in splitters and splitters[method].each and recipe.folds == 0):
        return make_folds(method, request, recipe.folds, recipe.repeats)
    split = make_split(method, request)
    kept = fresh_test(prepared, split, request.copies())
    if kept is not split:
        return kept
    choice = choose_folds(request, split) if recipe.folds == 0 else FoldChoice(1)
    if choice.count > 1:
        folds = make_folds(method, request, choice.count, recipe.repeats)
        return replace(folds, reason=f"{choice.reason} {folds.reason}")
    if recipe.repeats > 1:
        raise UserError(
            "A single split is not repeated.",
            where="split.repeats",
            fix="ask for folds too, such as --set split.folds=5, or leave out split.repeats",
        )
    return split


def _summed(leaks: Sequence[Leakage], splits: Sequence[Split]) -> Leakage:
    """One audit of all folds: test records are counted where they are tested, and stand in the order of the records.

    What is said of the whole file is the same in each fold.
    """
    order = np.argsort(np.concatenate([split.index("test") for split in splits]), kind="stable")
    changes: dict[str, Any] = {}
    for name in (each.name for each in fields(Leakage) if each.name not in OF_THE_FILE):
        values = [getattr(leak, name) for leak in leaks]
        known = [value for value in values if value is not None]
        if name == "examples":
            changes[name] = tuple(chain.from_iterable(values))[:EXAMPLES]
        elif any(isinstance(value, np.ndarray) for value in known):  # a number for each test record
            changes[name] = np.concatenate(values)[order] if len(known) == len(values) else None
        elif all(isinstance(value, bool) for value in known):
            changes[name] = all(known) if known else None
        else:
            changes[name] = sum(known)
    return replace(leaks[0], **changes)


def _has_classes(prepared: Prepared) -> bool:
    """Whether each record is of one class."""
    return bool(prepared.classes) and not everywhere.is_everywhere(prepared.recipe.data.task)


def _truth(prepared: Prepared) -> NDArray[np.float32]:
    """Labels as numbers, whichever class is called positive; nothing is learned from them here."""
    names = tuple(map(str, prepared.records.targets.columns))
    if not names or TASKS[prepared.recipe.data.task].written:  # no value to make the parts alike in
        return np.zeros((len(prepared.records), 1), dtype=np.float32)
    classes = tuple(sorted(prepared.classes))
    if everywhere.is_everywhere(prepared.recipe.data.task):
        return everywhere.summary(prepared.records.targets, classes)
    return Targets(prepared.recipe.data.task, names, classes).truth(prepared.records.targets)


def _method(prepared: Prepared) -> str:
    method = prepared.recipe.split.method
    if prepared.recipe.split.by and method == "auto":
        return "similarity"
    return "column" if prepared.named_split else method


def _request(prepared: Prepared, truth: NDArray[np.float32]) -> SplitRequest:
    recipe, records = prepared.recipe, prepared.records
    watched, similarity = _watched(prepared), _similarity(prepared.recipe)

    @cache
    def together() -> Together:
        if prepared.recipe.split.by:
            return _sharing(prepared, similarity)
        found = [modality.clusters(frame, similarity) for modality, frame in watched]
        labels = joined_groups(*(each.labels for each in found))
        return Together(labels, "; ".join(dict.fromkeys(each.notion for each in found)))

    @cache
    def library() -> Library | None:
        (modality, frame), *others = watched
        return None if others else modality.library(frame)

    @cache
    def copies() -> NDArray[np.int64]:
        return joined_groups(*(modality.copies(frame) for modality, frame in watched))

    return SplitRequest(
        labels=truth[:, 0].astype(np.float64),
        classes=_has_classes(prepared),
        **shares(recipe, len(records)),
        seed=recipe.seed,
        together=together,
        library=library,
        copies=copies,
        sequences=any(modality.columns == "one" for modality, _ in watched),
        group=records.group,
        column=records.split,
        order=_cells(prepared, recipe.data.order),
        chromosome=_cells(prepared, recipe.data.chromosome or _chromosome_column(prepared)),
        ids=records.ids,
        properties=_properties(watched),
    )


def shares(recipe: Recipe, records: int) -> dict[str, float]:
    """The shares of validation and test; of very many records smaller ones, unless the recipe names them."""
    asked = recipe.split
    usual = {"validation": asked.validation, "test": asked.test}
    return {
        part: share if part in asked.model_fields_set else large.held_out(share, records)
        for part, share in usual.items()
    }


def _similarity(recipe: Recipe) -> Similarity:
    return Similarity(recipe.split.similarity, recipe.split.engine)


def _cells(prepared: Prepared, column: str) -> NDArray[np.object_] | None:
    """The cells of a column of the records, wherever its role has put it; None without a name."""
    for frame in (prepared.records.columns, *prepared.records.inputs.values()):
        if column and column in frame.columns:
            cells: NDArray[np.object_] = frame[column].to_numpy(dtype=object)
            return cells
    return None


def _chromosome_column(prepared: Prepared) -> str:
    """A column that is called like one of chromosomes; empty where there is none."""
    frames = (prepared.records.columns, *prepared.records.inputs.values())
    columns = [str(name) for frame in frames for name in frame.columns]
    return next((name for known in NAMES for name in columns if name.lower() == known), "")


def _properties(watched: list[Watched]) -> NDArray[np.float64] | None:
    """Length and GC of each sequence, (records, properties), where they vary; None where nothing does.

    A test of longer or GC-richer sequences than the training ones would ask two questions at once.
    """
    found = np.column_stack([modality.properties(frame) for modality, frame in watched])
    varying: NDArray[np.float64] = found[:, np.ptp(found, axis=0) > 0]
    return varying if varying.shape[1] else None


def _watched(prepared: Prepared) -> list[Watched]:
    """The inputs by which records are alike: sequences where there are any, else tables.

    A table beside a sequence holds conditions that many records share; the same sequence under another
    condition is still the same sequence.
    """
    inputs = [
        Watched(modalities[recipe.modality], prepared.records.inputs[name])
        for name, recipe in prepared.recipe.data.inputs.items()
    ]
    telling = [each for each in inputs if each.modality.columns == "one" and _varies(each.values)]
    return telling or inputs


def _varies(values: pd.DataFrame) -> bool:
    """Whether not all records have the same: one structure of which all are variants says nothing of likeness."""
    return any(values[name].nunique() > 1 for name in values.columns)


def _sharing(prepared: Prepared, similarity: Similarity) -> Together:
    """Records that share a named input, or one alike: of pairs, all with one drug, so that a test asks about new drugs.

    Of several named inputs, records that share any of them are linked, so that a test asks about pairs of which nothing
    was learned.
    """
    inputs, labels, notions = prepared.recipe.data.inputs, None, []
    for name in prepared.recipe.split.by:
        if name not in inputs:
            raise UserError(
                f'There is no input "{name}" to split by.{did_you_mean(name, inputs)}',
                where="split.by",
                fix=f"use names of inputs: {', '.join(inputs)}",
            )
        found = modalities[inputs[name].modality].clusters(prepared.records.inputs[name], similarity)
        notions.append(f"{name}: {found.notion}")
        labels = found.labels if labels is None else linked_groups(labels, found.labels)
    assert labels is not None
    return Together(labels, "; ".join(notions))


def _audit(
    prepared: Prepared, split: Split, truth: NDArray[np.float32], copies: NDArray[np.int64]
) -> Leakage:
    watched = _watched(prepared)
    similarity = _similarity(prepared.recipe)
    across = Across(split.index("test"), np.flatnonzero(split.part != "test"), similarity)
    within = Across(split.index("validation"), split.index("train"), similarity)
    records = Labelled(
        ids=prepared.records.ids,
        labels=truth,
        differs=np.zeros(1) if _has_classes(prepared) else _spreads(truth),
        copies=copies,
        group=prepared.records.group,
    )
    searched = len(within.queries) and len(within.targets) and prepared.recipe.budget not in EXACT_ONLY
    stopping = _alike(watched, within, copies) if searched else None
    found = audit(split, _alike(watched, across, copies), records, stopping)
    seen = None if prepared.start is None else prepared.start.seen(prepared.records.inputs)
    return found if seen is None else replace(found, start_copies=int(seen.either[across.queries].sum()))


def _spreads(truth: NDArray[np.float32]) -> NDArray[np.float64]:
    """The standard deviation of each target over the records where it is known, (targets,)."""
    columns = (column[np.isfinite(column)].astype(np.float64) for column in truth.T)
    return np.array([column.std() if len(column) else 0.0 for column in columns])


def _alike(watched: list[Watched], across: Across, copies: NDArray[np.int64]) -> Alike:
    """One input: as its modality says. Several: records are copies, or near copies, when they are so in every one.

    Near copies across several inputs are looked for where their modality knows how; of many records, in a sample.
    """
    if large.many(len(copies)):
        return _alike_of_many(watched, across, copies)
    return _near(watched, across, copies)


def _near(watched: list[Watched], across: Across, copies: NDArray[np.int64]) -> Alike:
    first = watched[0]
    if len(watched) == 1:
        return first.modality.alike(first.values, across)
    found = first.modality.alike_in_all(watched, across)
    return compare_copies(copies, across.queries, across.targets) if found is None else found


def _alike_of_many(watched: list[Watched], across: Across, copies: NDArray[np.int64]) -> Alike:
    """Exact copies among all records (on either strand), near copies for some records among some others."""
    whole = compare_copies(copies, across.queries, across.targets)
    asked = large.sample(np.flatnonzero(whole.partner < 0), large.ASKED, 0)
    among = large.sample(np.arange(len(across.targets)), large.SEARCHED, 1)
    rows = np.concatenate([across.queries[asked], across.targets[among]])
    some = [Watched(modality, take_rows(values, rows)) for modality, values in watched]
    inside = Across(np.arange(len(asked)), len(asked) + np.arange(len(among)), across.similarity)
    near = _near(some, inside, copies[rows])
    kind, partner, identity = whole.kind.copy(), whole.partner.copy(), whole.identity.copy()
    kind[asked], identity[asked] = near.kind, near.identity
    partner[asked] = np.where(near.partner >= 0, among[near.partner], -1)
    looked = f"looked for among {len(among):,} of {len(across.targets):,} records"
    notion = near.notion and f"{near.notion}; {looked}, for {len(asked):,} of {len(kind):,}"
    return Alike(kind, partner, identity, notion, pieces=near.pieces, asked=len(asked))
