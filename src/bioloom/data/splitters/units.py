"""Whole units to one part: given groups, or families of records that are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bioloom.data.deal import too_large
from bioloom.data.split import Split, SplitRequest, Splitter, dealt, splitters
from bioloom.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray


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


def _whole_units(
    request: SplitRequest, units: NDArray[np.int64], reason: str, notes: tuple[str, ...], method: str
) -> Split:
    large = int(too_large(units, request.shares).sum())
    if large:
        most = int(np.unique(units, return_counts=True)[1].max())
        what = "group" if method == "group" else "family"
        notes = (
            *notes,
            f"too large for validation or test, and so for training: {_counted(large, what)} (the largest of {most:,} of "
            f"{len(units):,} records)",
        )
    return Split(dealt(request, units), method, reason, notes, units)


def _counted(number: int, what: str) -> str:
    several = "families" if what == "family" else f"{what}s"
    return f"{number} {what if number == 1 else several}"


splitters.register(Splitter("group", "whole groups of a column", by_group))
splitters.register(Splitter("similarity", "whole families of copies and near copies", by_similarity))
