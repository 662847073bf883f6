"""Libraries of variants of one parent: positions that no training record varies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from bioloom.data.split import Split, SplitRequest, Splitter, Units, splitters
from bioloom.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.library import Library


def by_mutation(request: SplitRequest) -> Split:
    """Variants of one parent: records with a mutation at a held-out position go to the test.

    The test then asks about positions that no training record varied. That needs records with few mutations:
    where each has many, every position is mutated in a large share of records, and none can be held out
    (Dallago et al. 2021, FLIP, discusses such splits).
    """
    library = _library(request)
    found = held_out_positions(library, request)
    if found is None:
        raise UserError(
            "No set of positions can be held out: each is mutated in too many records.",
            where="--split mutation",
            fix="use --split mutation-count, which holds out variants with many mutations, or --split copies",
        )
    return found


def position_units(request: SplitRequest) -> Units:
    """Records that are mutated at one position stay together, and so do positions that are mutated in one record.

    Then no position of a fold is mutated in any record outside it. Records without a mutation, or of another
    length, stand with their exact copies. Raises UserError where positions hang together so much that one unit
    holds most records, as in libraries of many double mutants: a record would belong to several folds.
    """
    library = _library(request)
    record, position = np.nonzero(library.mutated)
    copies = np.unique(request.copies(), return_inverse=True)[1]
    every = np.arange(len(library))
    ends = np.concatenate([position, library.mutated.shape[1] + copies]) + len(library)
    edges = (np.ones(len(ends)), (np.concatenate([record, every]), ends))
    size = len(library) + library.mutated.shape[1] + len(library)
    labels = connected_components(coo_matrix(edges, shape=(size, size)), directed=False)[1][: len(library)]
    largest = int(np.unique(labels, return_counts=True)[1].max())
    if largest > len(labels) / 2:
        raise UserError(
            f"No folds of positions can be made: {largest:,} of {len(labels):,} records hang together by shared mutations, "
            "so that a record would belong to several folds.",
            where="--split mutation, split.folds",
            fix="use --set split.folds=1 with --split mutation, or --split copies for folds",
        )
    reason = (
        f"The records are {library.words}; records mutated at one position stay together, so that each fold asks "
        "about positions that its training records never varied."
    )
    return Units(labels.astype(np.int64), "position", reason)


def _library(request: SplitRequest) -> Library:
    library = request.library()
    if library is None:
        raise UserError(
            "The records are not variants of one parent.",
            where="--split mutation",
            fix="use --split similarity, or leave out --split",
        )
    return library


def held_out_positions(library: Library, request: SplitRequest) -> Split | None:
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


splitters.register(
    Splitter(
        "mutation",
        "positions of a library of one parent held out",
        by_mutation,
        position_units,
        asked_for=True,
        one_parent=True,
    )
)
