"""Dividing records so that the test asks what the user wants to know: as the recipe says, or as the data ask for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bioloom.data.split import PARTS, Split, SplitRequest, splitters
from bioloom.data.splitters.alone import at_random, by_copies, stratified
from bioloom.data.splitters.column import by_column
from bioloom.data.splitters.mutation import held_out_positions
from bioloom.data.splitters.units import by_group, by_similarity
from bioloom.data.wording import counted
from bioloom.errors import UserError

if TYPE_CHECKING:
    from bioloom.data.library import Library

FEWEST = 10
"""Fewer records cannot be divided into three parts that mean anything."""

SCATTERED = 4
"""A library whose median record has more mutations than this is not split by position: every position is
mutated in too many records to be held out."""


def make_split(method: str, request: SplitRequest) -> Split:
    """Divide records by a method, or by the one that the data ask for ("auto").

    Raises UserError for too few records, shares that leave no training, a method that lacks what it needs,
    and where a class would have no training record.
    """
    refuse_impossible(request)
    found = splitters[method].split(request) if method != "auto" else choose(request)
    _refuse_empty(found)
    return with_class_notes(found, request)


def choose(request: SplitRequest) -> Split:
    """Look at the data and divide them as they ask for."""
    if request.column is not None or request.group is not None:
        return by_group(request) if request.column is None else by_column(request)
    if request.many:
        return _many(request)
    library = request.library()
    if library is not None:
        return _library_split(request, library)
    together = request.together()
    families = np.bincount(np.unique(together.labels, return_inverse=True)[1])
    if len(families) == len(together.labels):
        plain = stratified(request) if request.classes else at_random(request)
        what = "records are alike" if request.sequences else "rows are equal"
        return replace(plain, reason=f"{plain.reason} No two {what} ({together.notion}).")
    if families.max() > (1 - 0.5 * (request.validation + request.test)) * len(together.labels):
        reason = (
            f"{families.max() / len(together.labels):.0%} of the records are linked into one family ({together.notion}), "
            "which cannot be split apart and leaves too few for a test. So only exact copies were kept together: "
            "the test asks about records that resemble the training records."
        )
        return replace(by_copies(request), reason=reason)
    return by_similarity(replace(request, together=lambda: together))


def _many(request: SplitRequest) -> Split:
    """Of very many records only exact copies are kept together, in a test that is large enough."""
    counts = [
        f"{share * len(request.labels):,.0f} for {part}"
        for part, share in zip(PARTS, request.shares, strict=True)
    ]
    reason = (
        f"{len(request.labels):,} records are too many to compare each with each, so only exact copies were kept "
        f"together and the rest was divided at random ({', '.join(counts)}); near copies were looked for in a sample. "
        "If records have relatives, name the families as the group, or use --split similarity, which takes long."
    )
    return replace(by_copies(request), reason=reason)


def _library_split(request: SplitRequest, library: Library) -> Split:
    found = held_out_positions(library, request) if np.median(library.mutations) <= SCATTERED else None
    if found is not None:
        return found
    away = library.spacing(request.seed)
    reason = (
        f"The records are {library.words}. No position can be held out, because each is mutated in many records, "
        "so records were divided at random, exact copies together: the test asks about new combinations of "
        f"mutations that were seen. A typical record differs from the one nearest to it at {away:.0f} "
        f"position{'' if away == 1 else 's'}."
    )
    return replace(by_copies(request), reason=reason)


def refuse_impossible(request: SplitRequest) -> None:
    """Refuse too few records, and shares that leave no training."""
    count = len(request.labels)
    if count < FEWEST:
        raise UserError(
            f"{count} records are too few to learn from and to test on.",
            fix=f"give at least {FEWEST} records; several hundred are needed for a score worth reporting",
        )
    if request.shares[0] <= 0.05:
        raise UserError(
            "Validation and test leave no records to learn from.",
            where="split.validation, split.test",
            fix="choose shares that add up to less than 0.9",
        )


def _refuse_empty(split: Split) -> None:
    empty = [part for part, count in split.counts.items() if count == 0]
    units = len(split.part) if split.units is None else len(np.unique(split.units))
    if empty and units == 1 and split.method == "copies":
        raise UserError(
            f"All {len(split.part)} records have the same input, so there is nothing to predict from.",
            where="the input",
            fix="check that the right column is read, and that it is filled; name it with --input COLUMN",
        )
    if empty:
        which = (
            f", which keeps {counted(units, splitters[split.method].unit)} whole"
            if units < len(PARTS)
            else ""
        )
        raise UserError(
            f"No record is left for {' and '.join(empty)} when split by {split.method}{which}.",
            where="--split",
            fix="use another way to split, other shares (split.validation, split.test), or more records",
        )


def with_class_notes(split: Split, request: SplitRequest) -> Split:
    """Refuse a class without training records, and note classes that validation or test lack."""
    if not request.classes:
        return split
    known = np.isfinite(request.labels)
    present = {part: set(request.labels[known & (split.part == part)].tolist()) for part in PARTS}
    every = set(request.labels[known].tolist())
    notes = list(split.notes)
    if every - present["train"]:
        raise UserError(
            f"{len(every - present['train'])} of {len(every)} classes have no training record when split by {split.method}.",
            where="--split",
            fix="use --split stratified, or leave out classes with very few records",
        )
    for part in ("validation", "test"):
        missing = len(every - present[part])
        if missing:
            notes.append(
                f"{missing} of {len(every)} classes have no {part} record, because they have too few records"
            )
    return replace(split, notes=tuple(notes))
