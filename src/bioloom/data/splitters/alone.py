"""Each record by itself, or with its exact copies: right where records have little to do with each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioloom.data.split import Split, SplitRequest, Splitter, Units, deal_units, splitters
from bioloom.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def at_random(request: SplitRequest) -> Split:
    """Each record by itself; right only where records have nothing to do with each other."""
    units = _random_units(request)
    return Split(deal_units(units, request), "random", units.reason)


def stratified(request: SplitRequest) -> Split:
    """Each record by itself, with the same mix of labels in each part."""
    units = _stratified_units(request)
    return Split(deal_units(units, request), "stratified", units.reason)


def by_copies(request: SplitRequest) -> Split:
    """Exact copies together, everything else by itself, with the same mix of labels in each part."""
    units = _copy_units(request)
    return Split(deal_units(units, request), "copies", units.reason, units=units.labels)


def _random_units(request: SplitRequest) -> Units:
    return Units(_singly(request), "record", "Records were divided at random.", balanced=False)


def _stratified_units(request: SplitRequest) -> Units:
    what = "class" if request.classes else "tenth of the target's distribution"
    return Units(_singly(request), "record", f"Records were divided at random within each {what}.")


def _copy_units(request: SplitRequest) -> Units:
    return Units(request.copies(), "record", "Records were divided at random, exact copies together.")


def _left_out_units(request: SplitRequest) -> Units:
    copies = request.copies()
    repeated = len(copies) - len(np.unique(copies))
    if not repeated:
        return Units(copies, "record", "Each record is left out once (leave-one-out).")
    reason = (
        "Each record is left out once together with its exact copies (leave-one-copy-family-out), because a copy "
        "in training would give the answer away."
    )
    return Units(copies, "record", reason, (f"{repeated:,} records are exact copies of another one",))


def _singly(request: SplitRequest) -> NDArray[np.int64]:
    return np.arange(len(request.labels))


def _no_single_split(_request: SplitRequest) -> Split:
    raise UserError(
        "leave-one-out makes one fold for each record, not a single split.",
        where="--split leave-one-out",
        fix="leave out split.folds, or use --split copies",
    )


splitters.register(Splitter("random", "each record by itself", at_random, _random_units))
splitters.register(
    Splitter("stratified", "each record by itself, labels balanced", stratified, _stratified_units)
)
splitters.register(
    Splitter("copies", "exact copies together, else each record by itself", by_copies, _copy_units)
)
splitters.register(
    Splitter(
        "leave-one-out",
        "one fold for each record, exact copies together",
        _no_single_split,
        _left_out_units,
        each=True,
        alone=True,
    )
)
