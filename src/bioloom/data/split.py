"""What a division of records into training, validation and test is, and what a method may look at.

A method is one `Splitter`; those of bioloom are in `bioloom.data.splitters`. Everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bioloom.data import large, wording
from bioloom.data.deal import Deal, deal
from bioloom.registry import Registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.library import Library

PARTS = ("train", "validation", "test")

BINS = 10
"""Numbers are balanced between the parts by tenths of their distribution."""


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
    def alike(self) -> NDArray[np.int64] | None:
        """(records,) the units if those of one are like each other, so that intervals draw them whole; else None."""
        return None if splitters[self.method].places else self.units

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
    order:    (records,) cells that say what came first: numbers, dates or text; or None
    chromosome: (records,) cells that name a chromosome, or None; ids: (records,) names of the records
    properties: (records, p) numbers such as length and GC that the parts should share, or None
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
    order: NDArray[np.object_] | None = None
    chromosome: NDArray[np.object_] | None = None
    ids: NDArray[np.object_] | None = None
    properties: NDArray[np.float64] | None = None

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
    def many(self) -> bool:
        """Whether there are so many records that near copies are not looked for among all of them."""
        return large.many(len(self.labels))

    @property
    def shares(self) -> NDArray[np.float64]:
        """Shares of training, validation and test."""
        return np.array([1 - self.validation - self.test, self.validation, self.test])


@dataclass(frozen=True)
class Units:
    """What a method keeps together; single splits and folds are dealt from it alike.

    labels:   (records,) records with one label go to one part
    what:     one unit in a word: "record", "group", "family", "chromosome", "position"
    reason:   one sentence; notes: what the user should know
    balanced: whether the parts get the same mix of labels and properties
    """

    labels: NDArray[np.int64]
    what: str
    reason: str
    notes: tuple[str, ...] = ()
    balanced: bool = True

    @property
    def count(self) -> int:
        """Different units."""
        return len(np.unique(self.labels))

    def named(self, number: int) -> str:
        """A number of units in words, such as "1 family" or "3 families"."""
        return wording.counted(number, self.what)

    @property
    def plural(self) -> str:
        """Several units in a word."""
        return wording.plural(self.what)


@dataclass(frozen=True)
class Splitter:
    """One way to divide records: name, one line for listings, what does it, and what advice has to know of it.

    units:      what stays together; None where no folds can be made, because the method says itself what the test is
    each:       one fold for each unit; no single split can be made
    unit:       what records that it keeps together are, in a word
    asked_for:  the single test is a question of its own, so folds are made only when asked for
    one_parent: for variants of one parent, which are all one family: there is nothing to split by similarity
    unlike:     test records resemble no training record
    places:     a unit is only a place, such as a chromosome: intervals take its records for independent of each other
    alone:      each test is one record with its copies, on which nothing can be ranked
    """

    name: str
    title: str
    split: Callable[[SplitRequest], Split]
    units: Callable[[SplitRequest], Units] | None = None
    each: bool = False
    unit: str = "family"
    asked_for: bool = False
    one_parent: bool = False
    unlike: bool = False
    places: bool = False
    alone: bool = False

    @property
    def by_lot(self) -> bool:
        """Whether the test is drawn by lot, so that its share is the user's choice; else a column, a time, a
        chromosome or a position decides what the test is."""
        return self.units is not None and not (self.each or self.asked_for)

    @property
    def in_folds(self) -> bool:
        """Whether every record can be tested once; not promised of a library, whose mutations may hang together."""
        return self.units is not None and not (self.each or self.one_parent)


splitters: Registry[Splitter] = Registry("split method", "bioloom.data.splitters")


def deal_units(units: Units, request: SplitRequest) -> NDArray[np.object_]:
    """Deal units whole to training, validation and test; (records,) names of parts."""
    if not units.balanced:
        return as_parts(Deal(units.labels, np.zeros_like(units.labels), request.shares, request.seed))
    return dealt(request, units.labels)


def dealt(request: SplitRequest, units: NDArray[np.int64]) -> NDArray[np.object_]:
    """Deal units whole, with the same mix of labels (and then of properties) in each part; (records,) names of parts."""
    return as_parts(
        Deal(
            units,
            request.strata,
            request.shares,
            request.seed,
            each=request.classes,
            properties=request.properties,
        )
    )


def validation_from(
    request: SplitRequest, rows: NDArray[np.int64], units: NDArray[np.int64], *, balanced: bool = True
) -> NDArray[np.object_]:
    """Divide the records that are not in the test into training and validation; (rows,) names of parts.

    rows:  positions of those records; units: (rows,) what stays together among them
    The share of validation is what it is of all records that are not in the test of a single split. Labels of
    test records decide nothing.
    """
    share = request.validation / (1 - request.test)
    properties = None if request.properties is None or not balanced else request.properties[rows]
    strata = replace(request, labels=request.labels[rows]).strata if balanced else np.zeros_like(units)
    shares = np.array([1 - share, share, 0.0])
    return as_parts(
        Deal(units, strata, shares, request.seed, each=balanced and request.classes, properties=properties)
    )


def as_parts(what: Deal) -> NDArray[np.object_]:
    """Deal, and name the parts."""
    return np.array(PARTS, dtype=object)[deal(what)]
