"""Dealing records to parts: whole units, each part with its share of every stratum, the same for a seed.

Strata (labels) come first; properties (length, GC) are spread evenly as far as that costs no label balance.
Nothing here knows what the parts are for, so that training, validation and test, and folds, are dealt alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioloom.data.exchange import Hands, exchange

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Index = NDArray[np.int64]
    Walk = Callable[[Index], NDArray[np.float64] | None]

FIFTHS = 5
"""Properties are balanced between the parts by fifths of their distribution."""

PROPERTY_WEIGHT = 0.05
"""What a property weighs where units are dealt, beside all strata together (1) and the number of records (1)."""


@dataclass(frozen=True)
class Deal:
    """What is to be dealt.

    units:    (records,) records with one label go to one part
    strata:   (records,) what should be spread over the parts evenly: classes, tenths of a distribution
    shares:   (parts,) of all records, adding up to 1; a part with share 0 gets none
    each:     every stratum must be in the first part, then in the last, then in the others, if it can be
    folds:    the parts are folds, none of which is special; otherwise the first part (training) takes the
              units that are too large for any other
    properties: (records, p) numbers that should be spread evenly too, after the strata; or None
    """

    units: Index
    strata: Index
    shares: NDArray[np.float64]
    seed: int
    each: bool = False
    folds: bool = False
    properties: NDArray[np.float64] | None = None


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
    rows = np.flatnonzero(single)
    part[single] = _deal_singles(
        strata[single], held, what, lambda chosen: _order(what, rows[chosen], random), random
    )
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
    if not len(several):
        return place
    row = np.full(len(sizes), -1)
    row[several] = np.arange(len(several))
    mix, weight = _mixes(row[units], strata, what)
    open_ = np.flatnonzero(what.shares > 0)
    wanted = what.shares[open_]
    lacking = np.repeat(wanted[:, None], mix.shape[1], axis=1)
    pinned = too_large(units, what.shares) & (what.shares[0] > 0) & (not what.folds)
    chosen = np.zeros(len(several), dtype=np.int64)
    for unit in np.lexsort((random.random(len(several)), -sizes[several])).tolist():
        # squared distance from what the part should have, relative to that: a chi-squared statistic
        cost = ((mix[unit] * (mix[unit] - 2 * lacking)) * weight).sum(axis=1) / wanted
        last_of_equals = len(cost) - 1 - int(cost[::-1].argmin())  # the test before validation
        chosen[unit] = 0 if pinned[several[unit]] else last_of_equals
        lacking[chosen[unit]] -= mix[unit]
    hands = Hands(mix, weight, wanted, strata=int(strata.max()) + 1 if what.each else 0, folds=what.folds)
    place[several] = open_[exchange(hands, chosen, ~pinned[several])]
    return place


def _mixes(row: Index, strata: Index, what: Deal) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What each unit holds of each stratum, of all records and of each fifth of each property, as shares.

    row: (records,) the unit of each record, -1 for records that stand alone
    Returns (units, columns), and how much each column weighs.
    """
    codes, weights = [strata, np.zeros_like(strata)], [1.0, 1.0]
    if what.properties is not None:
        codes += [_fifths(column) for column in what.properties.T]
        weights += [PROPERTY_WEIGHT] * what.properties.shape[1]
    mine = row >= 0
    columns, weight = [], []
    for code, heavy in zip(codes, weights, strict=True):
        width = int(code.max()) + 1
        counts = np.bincount(row[mine] * width + code[mine], minlength=(row.max() + 1) * width)
        columns.append(counts.reshape(-1, width) / np.maximum(np.bincount(code, minlength=width), 1))
        weight.append(np.full(width, heavy / width))
    return np.column_stack(columns), np.concatenate(weight)


def _fifths(column: NDArray[np.float64]) -> Index:
    """The fifth of its distribution that each number lies in, (records,); a number that is unknown is middling."""
    known = np.isfinite(column)
    if not known.any():
        return np.zeros(len(column), dtype=np.int64)
    edges = np.unique(np.quantile(column[known], np.linspace(0, 1, FIFTHS + 1)[1:-1]))
    filled = np.where(known, column, np.median(column[known]))
    return np.unique(np.searchsorted(edges, filled, side="right"), return_inverse=True)[1]


def _order(what: Deal, rows: Index, random: np.random.Generator) -> NDArray[np.float64] | None:
    """Where each of some single records stands in a walk through their properties, (rows,); None without any.

    The walk goes up and down the second property within each fifth of the first, so that neighbours on it
    are alike in both.
    """
    if what.properties is None or not what.properties.shape[1]:
        return None
    keys = [_fifths(column[rows]) for column in what.properties.T[:-1]]
    last = np.unique(np.nan_to_num(what.properties[rows, -1]), return_inverse=True)[1]
    for key in keys:
        last = np.where(key % 2 == 1, last.max() - last, last)
    order = np.lexsort((random.random(len(rows)), last, *keys[::-1]))
    place = np.empty(len(rows))
    place[order] = np.arange(len(rows))
    return place


def _deal_singles(strata: Index, held: Index, what: Deal, walk: Walk, random: np.random.Generator) -> Index:
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
        part[members] = _along(walk(members), quota, random)
    return part


def _along(place: NDArray[np.float64] | None, quota: Index, random: np.random.Generator) -> Index:
    """A part for each of some records in random order: anyhow, or each part's evenly along a walk, (records,).

    place: where each record stands on the walk. A part with n records gets one from each n-th of the walk, at
    random within it (stratified sampling), so that the quotas hold exactly.
    """
    parts = np.repeat(np.arange(len(quota)), quota)
    if place is None:
        return parts
    within = np.concatenate([np.arange(count) for count in quota])
    spread = parts[np.argsort((within + random.random(len(parts))) / quota[parts], kind="stable")]
    dealt = np.empty(len(parts), dtype=np.int64)
    dealt[np.argsort(place, kind="stable")] = spread
    return dealt


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
