"""Cross-validation: every record is tested once by a model that has not learned from it or its unit.

Settings that are chosen while learning (when to stop, the strength of a penalty, a threshold) are chosen on the
validation records of each fold, which are never its test records: the cross-validation is nested by construction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bioloom.data.choose import make_split, refuse_impossible, with_class_notes
from bioloom.data.deal import Deal, deal
from bioloom.data.split import Split, SplitRequest, Splitter, Units, splitters, validation_from
from bioloom.data.splitters.units import too_large_for_a_fold
from bioloom.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Index = NDArray[np.int64]

FEW = 100
"""A single test of fewer independent units than this says little; see `choose_folds`."""

TEN_BELOW = 200
"""Records below which there are ten folds rather than five: then each model still learns from nine tenths."""


@dataclass(frozen=True)
class Folds:
    """A cross-validation.

    splits:  one for each fold, the folds of the first repeat first; a record is in the test of exactly one
             split of each repeat
    final:   all records for training and validation and none for the test: what the delivered model learns from
    method:  what the folds are made of; reason: one sentence; notes: what the user should know
    repeats: how often all records were dealt to folds anew
    """

    splits: tuple[Split, ...]
    final: Split
    method: str
    reason: str
    notes: tuple[str, ...] = ()
    repeats: int = 1

    @property
    def count(self) -> int:
        """Folds of one repeat."""
        return len(self.splits) // self.repeats

    @property
    def fold(self) -> Index:
        """The number of the fold that tests each record, from 0, (repeats, records)."""
        numbers = np.full((self.repeats, len(self.final.part)), -1, dtype=np.int64)
        for number, split in enumerate(self.splits):
            repeat, fold = divmod(number, self.count)
            numbers[repeat, split.index("test")] = fold
        return numbers


@dataclass(frozen=True)
class FoldChoice:
    """How many folds to make, 1 for a single split, and why, in words (empty for a single split)."""

    count: int
    reason: str = ""


def make_folds(method: str, request: SplitRequest, count: int, repeats: int = 1) -> Folds:
    """Deal whole units to folds, and in each fold take validation records from the units that are not tested.

    method:  "auto", a method that has units (random, stratified, copies, group, similarity, chromosome, mutation),
             or "leave-one-out" or "leave-one-group-out", which have a fold for each unit whatever the count
    count:   folds, at least 2; repeats: how often everything is dealt anew
    Labels are balanced between folds, then properties (length, GC). The share of validation is that of a single
    split among its records outside the test.
    Raises UserError where folds cannot be made by the method, there are fewer units than folds, a part would be
    empty, or a class would have no training record in some fold.
    """
    refuse_impossible(request)
    single = make_split(method, request) if method == "auto" else None
    splitter = splitters[single.method if single else method]
    units = _units(splitter, request)
    count = units.count if splitter.each else count
    _refuse(splitter, units, count, repeats)
    splits = []
    for repeat in range(repeats):
        mine = replace(request, seed=request.seed + repeat)
        fold = _by_unit(units) if splitter.each else _dealt_to_folds(units, mine, count)
        splits += [_one_fold(fold == number, number, units, mine, splitter.name) for number in range(count)]
    notes = (*units.notes, *(() if splitter.each else too_large_for_a_fold(units, count)))
    return Folds(
        splits=tuple(splits),
        final=_final(units, request, splitter.name),
        method=splitter.name,
        reason=f"{single.reason if single else units.reason} {_in_words(units, count, repeats)}",
        notes=(*notes, *_notes_on_folds(splits)),
        repeats=repeats,
    )


def choose_folds(request: SplitRequest, split: Split) -> FoldChoice:
    """Whether a single split is worth its score, or folds are needed, as the data ask for.

    Folds are made where the single test has fewer than 100 independent units (groups, families, records): ten
    below 200 records, else five. Not where the test was asked for as such (column, time, chromosome, mutations),
    and not where a class has too few units to be in training in every fold.
    """
    tested = _different(split, split.index("test"))
    splitter = splitters[split.method]
    if splitter.units is None or splitter.asked_for or tested >= FEW:
        return FoldChoice(1)
    units = splitter.units(request)
    count = min(10 if len(request.labels) < TEN_BELOW else 5, units.count)
    if count < 3 or not _every_class_in_several(units, request):
        return FoldChoice(1)
    records = split.counts["test"]
    of = f" of {units.named(tested)}" if tested < records and units.what != "record" else ""
    reason = f"A single test of {records} records{of} would say little, so the records were dealt to folds."
    return FoldChoice(count, reason)


def _different(split: Split, rows: Index) -> int:
    return len(rows) if split.units is None else len(np.unique(split.units[rows]))


def _every_class_in_several(units: Units, request: SplitRequest) -> bool:
    """Whether each class has at least three units: one to test, one to learn from, and one besides."""
    if not request.classes:
        return True
    known = np.isfinite(request.labels)
    pairs = np.unique(np.column_stack([request.labels[known], units.labels[known]]), axis=0)
    return bool((np.unique(pairs[:, 0], return_counts=True)[1] >= 3).all())


def _units(splitter: Splitter, request: SplitRequest) -> Units:
    if splitter.units is None:
        able = ", ".join(name for name in splitters if splitters[name].units is not None)
        raise UserError(
            f"No folds can be made by {splitter.name}, because it says itself which records are the test.",
            where="split.folds",
            fix=f"use --set split.folds=1, or a method that keeps units together: {able}",
        )
    return splitter.units(request)


def _refuse(splitter: Splitter, units: Units, count: int, repeats: int) -> None:
    if splitter.each and repeats > 1:
        raise UserError(
            f"{splitter.name} is the same however often it is repeated.",
            where="split.repeats",
            fix="use --set split.repeats=1",
        )
    if count < 2:
        raise UserError(
            f"{count} fold cannot test every record.",
            where="split.folds",
            fix="use at least 2, or 1 for a single split",
        )
    if max(count, 3) > units.count:
        raise UserError(
            f"{units.named(units.count)} cannot be dealt to {count} folds, each with records to learn from, to validate "
            "on and to test.",
            where="split.folds",
            fix="use fewer folds"
            if units.count > 2
            else "use another way to split, such as --split stratified",
        )


def _by_unit(units: Units) -> Index:
    return np.unique(units.labels, return_inverse=True)[1]


def _dealt_to_folds(units: Units, request: SplitRequest, count: int) -> Index:
    """The fold of each record, (records,)."""
    strata = request.strata if units.balanced else np.zeros_like(units.labels)
    return deal(
        Deal(
            units.labels,
            strata,
            np.full(count, 1 / count),
            request.seed,
            each=request.classes and units.balanced,
            folds=True,
            properties=request.properties if units.balanced else None,
        )
    )


def _one_fold(
    tested: NDArray[np.bool_], number: int, units: Units, request: SplitRequest, method: str
) -> Split:
    """One fold as a split: some records tested, the others divided into training and validation."""
    part = np.full(len(tested), "test", dtype=object)
    rest = np.flatnonzero(~tested)
    part[rest] = _validated(rest, units, replace(request, seed=request.seed + 1000 * (number + 1)))
    split = Split(part, method, f"Fold {number + 1}.", units=units.labels)
    empty = [name for name, records in split.counts.items() if not records]
    if empty:
        raise UserError(
            f"No record is left for {' and '.join(empty)} in fold {number + 1} when split by {method}.",
            where="split.folds",
            fix="use fewer folds, another way to split, or another share for validation (split.validation)",
        )
    return with_class_notes(split, request)


def _validated(rows: Index, units: Units, request: SplitRequest) -> NDArray[np.object_]:
    return validation_from(request, rows, units.labels[rows], balanced=units.balanced)


def _final(units: Units, request: SplitRequest, method: str) -> Split:
    every = np.arange(len(request.labels))
    reason = "The delivered model learned from all records but those for validation."
    return Split(_validated(every, units, request), method, reason, units=units.labels)


def _in_words(units: Units, count: int, repeats: int) -> str:
    again = f", {repeats} times with other folds" if repeats > 1 else ""
    kept = "" if units.what == "record" else f" of whole {units.plural}"
    return f"There are {count} folds{kept}: each record is tested once{again}, by a model that learned without it."


def _notes_on_folds(splits: list[Split]) -> tuple[str, ...]:
    """What is noted of several folds, each once with the number of folds that it holds for."""
    counts: dict[str, int] = {}
    for note in (note for split in splits for note in split.notes):
        counts[note] = counts.get(note, 0) + 1
    return tuple(f"{note} (in {number} of {len(splits)} folds)" for note, number in counts.items())
