"""Units that were dealt one after the other change places as long as that makes the parts more even.

Dealing the largest first is quick and nearly right; with few units (thirty patients) it can leave a part without
a class, or with too much of one. Exchanges of two units, and moves of one, repair that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Index = NDArray[np.int64]
    Numbers = NDArray[np.float64]

MOST = 400
"""With more units than this, dealing alone is even enough, and all pairs of units would take long to compare."""

STEPS = 200
EMPTY = 10.0
"""What it costs to leave a part without a stratum: more than any imbalance does."""


@dataclass(frozen=True)
class Hands:
    """What units hold and parts should hold.

    mix:    (units, columns) the share of each column (a stratum, all records, a property) that a unit holds
    weight: (columns,) how much each counts
    wanted: (parts,) the share of everything that each part should hold
    strata: the first columns, this many, should be in every part; 0: that does not matter
    folds:  all parts are alike; otherwise the first needs each stratum most, then the last
    """

    mix: Numbers
    weight: Numbers
    wanted: Numbers
    strata: int = 0
    folds: bool = False


def exchange(hands: Hands, place: Index, free: NDArray[np.bool_]) -> Index:
    """The part of each unit after exchanges, (units,); only free units change places. The cost never rises."""
    if len(place) > MOST or len(hands.wanted) < 2 or not free.any():
        return place
    parts = len(hands.wanted)
    empty = np.arange(parts)  # a unit of nothing in each part: exchanged with one, a unit simply moves
    mix = np.vstack([hands.mix, np.zeros((parts, hands.mix.shape[1]))])
    place = np.concatenate([place, empty])
    free = np.concatenate([free, np.ones(parts, dtype=bool)])
    for _ in range(STEPS):
        gain = _changes(hands, mix, place)
        gain[~free] = gain[:, ~free] = np.inf
        best = int(gain.argmin())
        one, other = divmod(best, len(place))
        if gain[one, other] > -1e-12:
            break
        place[[one, other]] = place[[other, one]]
        place[-parts:] = empty
    place = place[:-parts]
    return _without_gaps(hands, place, free[:-parts]) if hands.strata else place


def _changes(hands: Hands, mix: Numbers, place: Index) -> Numbers:
    """How the cost changes when two units change places, (units, units); infinite within a part."""
    excess = _held(hands, mix, place) - hands.wanted[:, None]
    along = (mix * hands.weight) @ excess.T  # (units, parts)
    mine = along[np.arange(len(place)), place]
    gram = (mix * hands.weight) @ mix.T
    apart = gram.diagonal()[:, None] + gram.diagonal()[None, :] - 2 * gram
    per = 1 / hands.wanted[place]
    there = along[:, place].T  # [i, j]: unit j seen from the part of unit i
    change = (2 * (there - mine[:, None]) + apart) * per[:, None]
    change += change.T.copy()
    change[place[:, None] == place[None, :]] = np.inf
    return change


def _held(hands: Hands, mix: Numbers, place: Index) -> Numbers:
    held = np.zeros((len(hands.wanted), mix.shape[1]))
    np.add.at(held, place, mix)
    return held


def _cost(hands: Hands, place: Index) -> float:
    held = _held(hands, hands.mix, place)
    uneven = (hands.weight * (held - hands.wanted[:, None]) ** 2 / hands.wanted[:, None]).sum()
    need = np.ones(len(hands.wanted))
    if not hands.folds:
        need[-1], need[0] = 2.0, 4.0
    return float(uneven + EMPTY * need @ (held[:, : hands.strata] <= 0).sum(axis=1))


def _without_gaps(hands: Hands, place: Index, free: NDArray[np.bool_]) -> Index:
    """Fill parts that lack a stratum, by the cheapest move or exchange that leaves fewer such gaps."""
    held = _held(hands, hands.mix, place)
    for part, stratum in np.argwhere(held[:, : hands.strata] <= 0).tolist():
        best, now = place, _cost(hands, place)
        for unit in np.flatnonzero(free & (hands.mix[:, stratum] > 0) & (place != part)).tolist():
            partners = np.flatnonzero(free & (place == part) & (hands.mix[:, stratum] <= 0))
            for partner in (-1, *partners[:50].tolist()):
                tried = place.copy()
                tried[unit] = part
                if partner >= 0:
                    tried[partner] = place[unit]
                cost = _cost(hands, tried)
                if cost < now - 1e-9:
                    best, now = tried, cost
        place = best
    return place
