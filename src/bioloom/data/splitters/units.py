"""Whole units to one part: given groups, or families of records that are alike."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bioloom.data.deal import too_large
from bioloom.data.split import Split, SplitRequest, Splitter, Units, deal_units, splitters
from bioloom.errors import UserError


def by_group(request: SplitRequest) -> Split:
    """Whole groups (patients, plates, families) to one part, with the same mix of labels in each."""
    return whole_units(group_units(request), request, "group")


def by_similarity(request: SplitRequest) -> Split:
    """Whole families of copies and near copies to one part, so that the test asks about new families."""
    return whole_units(family_units(request), request, "similarity")


def group_units(request: SplitRequest) -> Units:
    """Given groups; a record without a group is one of its own."""
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
    reason = f"Records of one group stay together ({len(names)} groups)."
    units = Units(codes.astype(np.int64), "group", reason, notes)
    refuse_too_few(
        units, "group", "use another column of groups, or --split stratified if groups do not matter"
    )
    return units


def family_units(request: SplitRequest) -> Units:
    """Families of copies and near copies."""
    together = request.together()
    families = len(np.unique(together.labels))
    reason = (
        f"Records that are alike stay together: {len(together.labels):,} records are {families:,} families "
        f"({together.notion})."
    )
    return Units(together.labels, "family", reason)


def refuse_too_few(units: Units, method: str, fix: str) -> None:
    """Refuse fewer units than there are parts."""
    if units.count < 3:
        raise UserError(
            f"{units.count} {units.what}(s) cannot be divided into training, validation and test.",
            where=f"--split {method}",
            fix=fix,
        )


def whole_units(units: Units, request: SplitRequest, method: str) -> Split:
    """Deal units whole, and say which are too large for validation or test and so for training."""
    notes = units.notes
    large = int(too_large(units.labels, request.shares).sum())
    if large:
        notes = (*notes, f"too large for validation or test, and so for training: {_largest(units, large)}")
    part = deal_units(units, request)
    return Split(part, method, units.reason, notes, units.labels)


def too_large_for_a_fold(units: Units, folds: int) -> tuple[str, ...]:
    """A note where units hold more records than a fold should, which makes folds uneven."""
    large = int((np.unique(units.labels, return_counts=True)[1] > 1.5 * len(units.labels) / folds).sum())
    if not large:
        return ()
    return (
        f"too large for a fold, and so tested as one by a model of the other records: {_largest(units, large)}",
    )


def _largest(units: Units, large: int) -> str:
    """Units that are too large in words, and the choices that a user has."""
    most = int(np.unique(units.labels, return_counts=True)[1].max())
    choices = {
        "family": "to make families smaller raise the identity above which records are alike, such as "
        "--set split.similarity=0.9; or split by something else, such as --split group or --split copies",
        "group": "to change that give smaller groups with --set data.group, or split by something else",
    }
    choice = f"; {choices[units.what]}" if units.what in choices else ""
    return f"{units.named(large)} (the largest of {most:,} of {len(units.labels):,} records){choice}"


def _no_single_split(_request: SplitRequest) -> Split:
    raise UserError(
        "leave-one-group-out makes one fold for each group, not a single split.",
        where="--split leave-one-group-out",
        fix="leave out split.folds, or use --split group",
    )


splitters.register(
    Splitter(
        "group",
        "whole groups of a column, labels balanced (stratified group)",
        by_group,
        group_units,
        unit="group",
    )
)
splitters.register(
    Splitter(
        "similarity", "whole families of copies and near copies", by_similarity, family_units, unlike=True
    )
)
splitters.register(
    Splitter(
        "leave-one-group-out",
        "one fold for each group of a column",
        _no_single_split,
        group_units,
        each=True,
        unit="group",
    )
)
