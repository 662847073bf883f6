"""Dividing records into training, validation and test, so that the test asks what the user wants to know.

A method is one entry of `splitters`. `make_split` follows the recipe, or looks at the data and says why it
chose what it chose. Everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bioloom.data.deal import Deal, deal, too_large
from bioloom.errors import UserError, did_you_mean
from bioloom.registry import Registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.library import Library

PARTS = ("train", "validation", "test")

FEWEST = 10
"""Fewer records cannot be divided into three parts that mean anything."""

BINS = 10
"""Numbers are balanced between the parts by tenths of their distribution."""

SCATTERED = 4
"""A library whose median record has more mutations than this is not split by position: every position is
mutated in too many records to be held out."""

WORDS = {
    "train": "train", "training": "train", "learn": "train", "fit": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "development": "validation", "tune": "validation",
    "test": "test", "testing": "test", "holdout": "test", "hold-out": "test", "heldout": "test", "eval": "test",
}  # fmt: skip
"""What a split column may say."""


@dataclass(frozen=True)
class Split:
    """Which record is for what.

    part:   (records,) "train", "validation" or "test"
    method: how they were divided; reason: why so, one sentence
    notes:  what the user should know
    units:  (records,) what was kept together, or None where records were divided one by one
    """

    part: NDArray[np.object_]
    method: str
    reason: str
    notes: tuple[str, ...] = ()
    units: NDArray[np.int64] | None = None

    def index(self, part: str) -> NDArray[np.int64]:
        """Positions of the records of a part."""
        return np.flatnonzero(self.part == part)

    @property
    def counts(self) -> dict[str, int]:
        """Records of each part."""
        return {part: int((self.part == part).sum()) for part in PARTS}


@dataclass(frozen=True)
class Together:
    """Records that must stay together: equal labels, and what made them equal, in words."""

    labels: NDArray[np.int64]
    notion: str


@dataclass(frozen=True)
class SplitRequest:
    """What a method may look at.

    labels:   (records,) numbers or class numbers, NaN where unknown; only used to balance the parts
    classes:  whether labels are classes
    validation, test: shares of the records
    group:    (records,) given groups, or None
    column:   (records,) a given split, or None
    together: finds records too alike to be split apart; called only where needed, because it is expensive
    library:  finds out whether the records are variants of one parent
    copies:   finds records that are exact copies of each other, (records,) equal numbers
    sequences: whether some input is a sequence
    """

    labels: NDArray[np.float64]
    classes: bool
    validation: float
    test: float
    seed: int
    together: Callable[[], Together]
    library: Callable[[], Library | None]
    copies: Callable[[], NDArray[np.int64]]
    sequences: bool
    group: NDArray[np.object_] | None = None
    column: NDArray[np.object_] | None = None

    @property
    def strata(self) -> NDArray[np.int64]:
        """What is balanced between the parts: the class, or the tenth of the distribution; (records,)."""
        known = np.isfinite(self.labels)
        strata = np.full(len(self.labels), 0, dtype=np.int64)
        if self.classes:
            strata[known] = self.labels[known].astype(np.int64) + 1
        elif known.any():
            edges = np.quantile(self.labels[known], np.linspace(0, 1, BINS + 1)[1:-1])
            strata[known] = np.searchsorted(edges, self.labels[known], side="right") + 1
        return np.unique(strata, return_inverse=True)[1]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Shares of training, validation and test."""
        return np.array([1 - self.validation - self.test, self.validation, self.test])


@dataclass(frozen=True)
class Splitter:
    """One way to divide records: name, one line for listings, and what does it."""

    name: str
    title: str
    split: Callable[[SplitRequest], Split]


splitters: Registry[Splitter] = Registry("split method", "bioloom.data")


def make_split(method: str, request: SplitRequest) -> Split:
    """Divide records by a method, or by the one that the data ask for ("auto").

    Raises UserError for too few records, shares that leave no training, a method that lacks what it needs,
    and where a class would have no training record.
    """
    _refuse_impossible(request)
    found = splitters[method].split(request) if method != "auto" else choose(request)
    _refuse_empty(found)
    return _with_class_notes(found, request)


def choose(request: SplitRequest) -> Split:
    """Look at the data and divide them as they ask for."""
    if request.column is not None:
        return by_column(request)
    if request.group is not None:
        return by_group(request)
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


# ---- the methods ----------------------------------------------------------------------------------------


def at_random(request: SplitRequest) -> Split:
    """Each record by itself; right only where records have nothing to do with each other."""
    records = np.arange(len(request.labels))
    part = _dealt(Deal(records, np.zeros_like(records), request.shares, request.seed))
    return Split(part, "random", "Records were divided at random.")


def stratified(request: SplitRequest) -> Split:
    """Each record by itself, with the same mix of labels in each part."""
    what = "class" if request.classes else "tenth of the target's distribution"
    return Split(
        _dealt(_deal_of(request, np.arange(len(request.labels)))),
        "stratified",
        f"Records were divided at random within each {what}.",
    )


def by_copies(request: SplitRequest) -> Split:
    """Exact copies together, everything else by itself, with the same mix of labels in each part."""
    copies = request.copies()
    reason = "Records were divided at random, exact copies together."
    return Split(_dealt(_deal_of(request, copies)), "copies", reason, units=copies)


def by_group(request: SplitRequest) -> Split:
    """Whole groups (patients, plates, families) to one part."""
    if request.group is None:
        raise UserError(
            "There are no groups to split by.",
            where="--split group",
            fix='name the column with --set data.group="COLUMN"',
        )
    codes, names = pd.factorize(pd.Series(request.group, dtype=object))
    alone = codes < 0
    codes[alone] = len(names) + np.arange(alone.sum())
    notes = (
        (f"{int(alone.sum())} records without a group count as groups of their own",) if alone.any() else ()
    )
    if len(names) < 3 and not alone.any():
        raise UserError(
            f"{len(names)} group(s) cannot be divided into training, validation and test.",
            where="--split group",
            fix="use another column of groups, or --split stratified if groups do not matter",
        )
    return _whole_units(
        request,
        codes.astype(np.int64),
        f"Records of one group stay together ({len(names)} groups).",
        notes,
        "group",
    )


def by_similarity(request: SplitRequest) -> Split:
    """Whole families of copies and near copies to one part, so that the test asks about new families."""
    together = request.together()
    families = len(np.unique(together.labels))
    reason = (
        f"Records that are alike stay together: {len(together.labels):,} records are {families:,} families "
        f"({together.notion})."
    )
    return _whole_units(request, together.labels, reason, (), "similarity")


def by_column(request: SplitRequest) -> Split:
    """As a column of the file says; where it names no validation records, some of the training records are taken."""
    if request.column is None:
        raise UserError(
            "There is no column to split by.", where="--split column", fix="name a column with --split COLUMN"
        )
    part = _read_words(request.column)
    for needed in ("train", "test"):
        if not (part == needed).any():
            raise UserError(
                f"The split column names no {needed} records.",
                where="--split",
                fix='write "train", "validation" and "test" into the column, or leave out --split',
            )
    if (part == "validation").any():
        return Split(part, "column", "The file says which record is for what.")
    train = np.flatnonzero(part == "train")
    share = request.validation / (1 - request.test)
    taken = _without_test(request, train, share)
    part[train[taken == "validation"]] = "validation"
    reason = f"The file says which records are for the test; {share:.0%} of its training records were taken for validation."
    return Split(part, "column", reason)


def by_mutation(request: SplitRequest) -> Split:
    """Variants of one parent: records with a mutation at a held-out position go to the test.

    The test then asks about positions that no training record varied. That needs records with few mutations:
    where each has many, every position is mutated in a large share of records, and none can be held out
    (Dallago et al. 2021, FLIP, discusses such splits).
    """
    library = request.library()
    if library is None:
        raise UserError(
            "The records are not variants of one parent.",
            where="--split mutation",
            fix="use --split similarity, or leave out --split",
        )
    found = _held_out_positions(library, request)
    if found is None:
        raise UserError(
            "No set of positions can be held out: each is mutated in too many records.",
            where="--split mutation",
            fix="use --split random, or name a column that holds out variants with many mutations",
        )
    return found


def _library_split(request: SplitRequest, library: Library) -> Split:
    found = _held_out_positions(library, request) if np.median(library.mutations) <= SCATTERED else None
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


def _held_out_positions(library: Library, request: SplitRequest) -> Split | None:
    """Positions for the test, then for validation, until their records reach the shares; None if too coarse."""
    random = np.random.default_rng(request.seed)
    part = np.full(len(library), "train", dtype=object)
    held = {}
    for name, share in (("test", request.test), ("validation", request.validation)):
        held[name], chosen = _some_positions(library.mutated, part == "train", share * len(library), random)
        if chosen.sum() < 0.5 * share * len(library):
            return None
        part[chosen] = name
    shown = ", ".join(str(position + 1) for position in sorted(held["test"])[:8])
    more = "" if len(held["test"]) <= 8 else f" and {len(held['test']) - 8} more"
    reason = (
        f"The records are {library.words}, so positions were held out: every record that is mutated at position "
        f"{shown}{more} is for the test, and no training record is mutated there."
    )
    odd = int((~library.aligned).sum())
    notes = (f"{odd} records of another length are all for training",) if odd else ()
    return Split(part, "mutation", reason, notes)


def _some_positions(
    mutated: NDArray[np.bool_], free: NDArray[np.bool_], wanted: float, random: np.random.Generator
) -> tuple[list[int], NDArray[np.bool_]]:
    """Positions at random until about as many free records as wanted are mutated at one of them."""
    positions: list[int] = []
    chosen = np.zeros_like(free)
    for position in random.permutation(mutated.shape[1]).tolist():
        would = chosen | (free & mutated[:, position])
        if chosen.sum() < would.sum() <= 1.25 * wanted:
            positions.append(position)
            chosen = would
        if chosen.sum() >= 0.8 * wanted:
            break
    return positions, chosen


for _splitter in (
    Splitter("random", "each record by itself", at_random),
    Splitter("stratified", "each record by itself, labels balanced", stratified),
    Splitter("group", "whole groups of a column", by_group),
    Splitter("column", "as a column of the file says", by_column),
    Splitter("copies", "exact copies together, else each record by itself", by_copies),
    Splitter("similarity", "whole families of copies and near copies", by_similarity),
    Splitter("mutation", "positions of a library of one parent held out", by_mutation),
):
    splitters.register(_splitter)


# ---- dividing units -------------------------------------------------------------------------------------


def _deal_of(request: SplitRequest, units: NDArray[np.int64]) -> Deal:
    return Deal(units, request.strata, request.shares, request.seed, each=request.classes)


def _dealt(what: Deal) -> NDArray[np.object_]:
    return np.array(PARTS, dtype=object)[deal(what)]


def _whole_units(
    request: SplitRequest, units: NDArray[np.int64], reason: str, notes: tuple[str, ...], method: str
) -> Split:
    large = int(too_large(units, request.shares).sum())
    if large:
        most = int(np.unique(units, return_counts=True)[1].max())
        notes = (
            *notes,
            f"{large} of them hold more records than a whole part should (up to {most} of {len(units)}); "
            "they are all for training",
        )
    return Split(_dealt(_deal_of(request, units)), method, reason, notes, units)


def _without_test(request: SplitRequest, rows: NDArray[np.int64], share: float) -> NDArray[np.object_]:
    """Divide some rows into training and validation, alike or grouped records together."""
    if request.group is not None:
        units = pd.factorize(pd.Series(request.group[rows], dtype=object), use_na_sentinel=False)[0]
    elif request.library() is not None:
        units = request.copies()[rows]
    else:
        units = request.together().labels[rows]
    strata = request.strata[rows]
    shares = np.array([1 - share, share, 0.0])
    return _dealt(Deal(units.astype(np.int64), strata, shares, request.seed, each=request.classes))


# ---- words and refusals ---------------------------------------------------------------------------------


def _read_words(column: NDArray[np.object_]) -> NDArray[np.object_]:
    cells = ["" if pd.isna(cell) else str(cell).strip() for cell in column]
    part = np.array([WORDS.get(cell.lower(), "") for cell in cells], dtype=object)
    unknown = sorted({cell for cell, word in zip(cells, part, strict=True) if not word})
    if unknown:
        shown = ", ".join(f'"{word}"' if word else "an empty cell" for word in unknown[:5])
        raise UserError(
            f"The split column holds words that name no part: {shown}.{did_you_mean(unknown[0].lower(), WORDS)}",
            where="--split",
            fix='use "train", "validation" and "test"',
        )
    return part


def _refuse_impossible(request: SplitRequest) -> None:
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
    if empty:
        raise UserError(
            f"No record is left for {' and '.join(empty)} when split by {split.method}.",
            where="--split",
            fix="use another way to split, other shares (split.validation, split.test), or more records",
        )


def _with_class_notes(split: Split, request: SplitRequest) -> Split:
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
