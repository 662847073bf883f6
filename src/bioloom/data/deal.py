"""Dealing records to parts: whole units, each part with its share of every stratum, the same for a seed.

Nothing here knows what the parts are for, so that training, validation and test, and folds, are dealt alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Index = NDArray[np.int64]


@dataclass(frozen=True)
class Deal:
    """What is to be dealt.

    units:    (records,) records with one label go to one part
    strata:   (records,) what should be spread over the parts evenly: classes, tenths of a distribution
    shares:   (parts,) of all records, adding up to 1; a part with share 0 gets none
    each:     every stratum must be in the first part, then in the last, then in the others, if it can be
    The first part takes the units that are too large for any other.
    """

    units: Index
    strata: Index
    shares: NDArray[np.float64]
    seed: int
    each: bool = False


def deal(what: Deal) -> Index:
    """The part of each record, (records,) numbers from 0; a part that gets no unit is left empty.

    Units of several records are dealt first, largest first, each to the part whose number of records and mix
    of strata it brings nearest to what they should be. Single records then fill each part's need of each
    stratum, at random within the stratum.
    """
    random = np.random.default_rng(what.seed)
    units = np.unique(what.units, return_inverse=True)[1]
    strata = np.unique(what.strata, return_inverse=True)[1]
    sizes = np.bincount(units)
    single = sizes[units] == 1
    place = _deal_units(units, strata, what, random)
    part = place[units]
    held = np.stack(
        [np.bincount(strata[part == number], minlength=strata.max() + 1) for number in _parts(what)]
    )
    part[single] = _deal_singles(strata[single], held, what, random)
    return _none_empty(part, units, what.shares)


def too_large(units: Index, shares: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which units go to the first part because any other would be more than full; by sorted label.

    None where that would leave too little for the others: few large units (five patients) are dealt as they are.
    """
    sizes = np.unique(units, return_counts=True)[1]
    others = shares[1:][shares[1:] > 0]
    if not len(others):
        return np.zeros(len(sizes), dtype=bool)
    large = sizes > others.min() * sizes.sum()
    enough = sizes[~large].sum() >= 0.5 * others.sum() * sizes.sum()
    return large if enough else np.zeros(len(sizes), dtype=bool)


def _parts(what: Deal) -> range:
    return range(len(what.shares))


def _deal_units(units: Index, strata: Index, what: Deal, random: np.random.Generator) -> Index:
    """The part of each unit of several records, (units,); -1 for single records."""
    sizes = np.bincount(units)
    place = np.full(len(sizes), -1)
    several = np.flatnonzero(sizes > 1)
    row = np.full(len(sizes), -1)
    row[several] = np.arange(len(several))
    mine = row[units] >= 0
    width = int(strata.max()) + 1
    totals = np.append(np.bincount(strata, minlength=width), len(strata)).astype(np.float64)
    counts = np.bincount(row[units[mine]] * width + strata[mine], minlength=len(several) * width)
    mix = (
        np.column_stack([counts.reshape(-1, width), sizes[several]]) / totals
    )  # shares of each stratum, and of all
    weight = np.append(np.full(width, 1 / width), 1.0)
    open_ = np.flatnonzero(what.shares > 0)
    wanted = what.shares[open_]
    lacking = np.repeat(wanted[:, None], width + 1, axis=1)
    large = too_large(units, what.shares)
    for unit in several[np.lexsort((random.random(len(several)), -sizes[several]))].tolist():
        added = mix[row[unit]]
        # squared distance from what the part should have, relative to that: a chi-squared statistic
        cost = ((added * (added - 2 * lacking)) * weight).sum(axis=1) / wanted
        last_of_equals = len(cost) - 1 - int(cost[::-1].argmin())  # the test before validation
        best = 0 if large[unit] and what.shares[0] > 0 else last_of_equals
        lacking[best] -= added
        place[unit] = open_[best]
    return place


def _deal_singles(strata: Index, held: Index, what: Deal, random: np.random.Generator) -> Index:
    """Parts for records that stand alone. held: (parts, strata) what the parts have already."""
    part = np.zeros(len(strata), dtype=np.int64)
    totals = held.sum(axis=0) + np.bincount(strata, minlength=held.shape[1])
    owed = np.zeros(len(what.shares))  # what rounding has kept from each part so far
    for stratum in range(held.shape[1]):
        members = random.permutation(np.flatnonzero(strata == stratum))
        if not len(members):
            continue
        need = np.maximum(what.shares * totals[stratum] - held[:, stratum], 0)
        ideal = need / need.sum() * len(members) if need.sum() > 0 else what.shares * len(members)
        quota = _rounded(ideal + owed, len(members), what.shares)
        if what.each:
            quota = _one_in_each(quota, held[:, stratum], what.shares)
        owed += ideal - quota
        part[members] = np.repeat(np.arange(len(quota)), quota)
    return part


def _rounded(ideal: NDArray[np.float64], total: int, shares: NDArray[np.float64]) -> Index:
    """Whole numbers that add up to a total and lie near the ideal ones (largest remainder)."""
    ideal = np.where(shares > 0, np.maximum(ideal, 0), 0)
    ideal *= total / ideal.sum() if ideal.sum() > 0 else 0
    quota = np.floor(ideal).astype(np.int64)
    order = np.argsort(quota - ideal, kind="stable")
    order = order[shares[order] > 0]
    missing = total - int(quota.sum())
    for number in range(missing):
        quota[order[number % len(order)]] += 1
    return quota


def _one_in_each(quota: Index, held: Index, shares: NDArray[np.float64]) -> Index:
    """Move single records so that the stratum is in the first part, then the last, then the others."""
    quota = quota.copy()
    last = len(quota) - 1
    order = [0, last, *range(1, last)]
    for rank, wanting in enumerate(order):
        if shares[wanting] == 0 or quota[wanting] + held[wanting] > 0:
            continue
        # a part before it in the order gives only what it has besides its own one
        spare = [
            part
            for part in np.argsort(-quota, kind="stable").tolist()
            if quota[part] > 0 and (part in order[rank + 1 :] or quota[part] + held[part] > 1)
        ]
        if spare:
            quota[spare[0]] -= 1
            quota[wanting] += 1
    return quota


def _none_empty(part: Index, units: Index, shares: NDArray[np.float64]) -> Index:
    """Give each part without records the smallest unit of the part that has most units, if it has several."""
    part = part.copy()
    sizes = np.bincount(units)
    _, first = np.unique(units, return_index=True)
    for number in np.flatnonzero(shares > 0).tolist():
        if (part == number).any():
            continue
        place = part[first]  # (units,)
        richest = int(np.bincount(place, minlength=len(shares)).argmax())
        theirs = np.flatnonzero(place == richest)
        if len(theirs) > 1:
            part[units == theirs[sizes[theirs].argmin()]] = number
    return part
