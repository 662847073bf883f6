"""How good maps of attributions are, measured: by what the network says of records of which only some parts are kept.

No single number will do. A map that keeps everything loses nothing, so every table has the rows of maps that know nothing:
one that keeps all, one that is the same everywhere, and one drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from bioloom.explanation.quality.masking import scaled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.explanation.quality.masking import Ground

    Floats = NDArray[np.float64]

THRESHOLDS = np.arange(11) / 10
"""0 to 1 by 0.1."""

SUBSETS = 32
"""Random sets of parts that are hidden to measure infidelity."""

DRAWS = 1000
"""Bootstrap draws of records behind an interval."""


@dataclass(frozen=True)
class Kept:
    """What masking by a map does, (thresholds,) each.

    api:  average percentage increase: mean over records of max(o - y, 0) / y, y being the number of the whole record and o
          that of what the map keeps
    apd:  average percentage drop: mean of max(y - o, 0) / y
    api_median, apd_median: the medians over records in place of the means, which a single record with a y near 0 decides
    ir, dr: the share of records whose number rises, and falls; ties are neither
    area: the mean share of parts that is kept; without it the others say nothing
    """

    api: Floats
    apd: Floats
    api_median: Floats
    apd_median: Floats
    ir: Floats
    dr: Floats
    area: Floats


@dataclass(frozen=True)
class Quality:
    """Everything measured of one map.

    value:       masked where the map, stretched to 0 to 1, is below the threshold
    rank:        masked where a part is among the lowest (100 x threshold) per cent
    insertion:   (records,) area under the curve of the number when parts are put back into the background, most important
                 first; the more the better
    deletion:    (records,) the same when parts are taken away, most important first; the less the better
    inserted, deleted: the curves, mean over records, by share of parts, 0 to 1 by 0.1
    infidelity:  share of what hiding random parts does that the map does not tell, 0 to 1 and more
    """

    value: Kept
    rank: Kept
    insertion: Floats
    deletion: Floats
    inserted: Floats
    deleted: Floats
    infidelity: float

    @property
    def gap(self) -> Floats:
        """Insertion less deletion, (records,): how much the order of the map matters."""
        return self.insertion - self.deletion


def measured(ground: Ground, values: Floats, *, seed: int = 0, keeps_all: bool = False) -> Quality:
    """Measure one map.

    values:    (records, parts) in units of the explained number
    keeps_all: whether it is the map that masks nothing at any threshold, whatever its values

    Sources: API, APD, IR and DR as in Lee & Han 2022, IJCAI (Libra-CAM); insertion and deletion, Petsiuk, Das & Saenko 2018,
    BMVC, arXiv:1806.07421; infidelity, Yeh et al. 2019, NeurIPS, arXiv:1901.09392, with the map stretched by the one
    factor that suits it best.
    """
    evidence = values * ground.sign[:, None]
    unit, rank = scaled(evidence, ground.filled), ranks(evidence, ground.filled, seed)
    steps = THRESHOLDS[:, None, None]
    by_value: Floats = np.where(unit >= steps, 1.0 if ground.letters else unit, 0.0)
    by_rank: Floats = (rank >= steps).astype(np.float64)
    inserted, deleted = _curves(ground, rank)
    if keeps_all:
        by_value = by_rank = np.ones_like(by_value)
    judged = ground.judged
    return Quality(
        value=_kept(ground, by_value),
        rank=_kept(ground, by_rank),
        insertion=_area(inserted)[judged],
        deletion=_area(deleted)[judged],
        inserted=inserted[:, judged].mean(axis=1),
        deleted=deleted[:, judged].mean(axis=1),
        infidelity=infidelity(ground, values, seed=seed),
    )


def insertion_and_deletion(ground: Ground, values: Floats, *, seed: int = 0) -> tuple[Floats, Floats]:
    """The areas under both curves of a map, (records that can tell,) each; see `Quality`."""
    inserted, deleted = _curves(ground, ranks(values * ground.sign[:, None], ground.filled, seed))
    return _area(inserted)[ground.judged], _area(deleted)[ground.judged]


def _curves(ground: Ground, rank: Floats) -> tuple[Floats, Floats]:
    """The number while parts are put back, and taken away, most important first, (thresholds, records) each."""
    put_back: Floats = (rank >= THRESHOLDS[:, None, None]).astype(np.float64)[::-1]
    return ground.share(ground.keeping(put_back)), ground.share(ground.keeping(1.0 - put_back))


def _area(curves: Floats) -> Floats:
    """The area under each curve, (records,), of (thresholds, records)."""
    found: Floats = np.asarray(np.trapezoid(curves, THRESHOLDS, axis=0), dtype=np.float64)
    return found


def ranks(values: Floats, filled: NDArray[np.bool_], seed: int) -> Floats:
    """The share of the parts of a record that rank below each part, from 0 to just under 1; ties in random order.

    Parts that are not there rank lowest and count as none: -1.
    """
    generator = np.random.default_rng(seed)
    jitter = generator.permuted(np.tile(np.arange(values.shape[1]), (len(values), 1)), axis=1)
    order = np.lexsort((jitter, np.where(filled, values, -np.inf)), axis=1)
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(values.shape[1])[None], axis=1)
    count = filled.sum(axis=1, keepdims=True)
    above = place - (values.shape[1] - count)
    found: Floats = np.where(filled, above / np.maximum(count, 1), -1.0)
    return found


def _kept(ground: Ground, keep: Floats) -> Kept:
    judged, filled = ground.judged, ground.filled
    before = ground.share(ground.whole)[judged]
    after = ground.share(ground.keeping(keep))[:, judged]
    before = np.maximum(before, 1e-6)
    area = (np.where(filled, keep, 0).sum(axis=2) / filled.sum(axis=1))[:, judged]
    apart = after - before
    same = np.abs(apart) <= 1e-6 * before
    rise, drop = np.maximum(apart, 0) / before, np.maximum(-apart, 0) / before
    return Kept(
        api=rise.mean(axis=1),
        apd=drop.mean(axis=1),
        api_median=np.median(rise, axis=1),
        apd_median=np.median(drop, axis=1),
        ir=((apart > 0) & ~same).mean(axis=1),
        dr=((apart < 0) & ~same).mean(axis=1),
        area=area.mean(axis=1),
    )


def infidelity(ground: Ground, values: Floats, *, seed: int = 0) -> float:
    """How much of what hiding random parts does a map leaves untold, 0 to 1: mean((b s - d)^2) / mean(d^2).

    s: the sum of what the map gives to the hidden parts; d: what hiding them takes from the number; b: the factor that
    suits a record best, as maps have units of their own. A map of zeros, or one without relation, has 1. NaN where hiding
    does nothing at all.
    """
    generator = np.random.default_rng(seed)
    shares = generator.uniform(0.05, 0.5, size=(SUBSETS, 1, 1))
    hidden = (generator.random((SUBSETS, *values.shape)) < shares) & ground.filled
    told: Floats = (hidden * values).sum(axis=2)
    done: Floats = ground.whole - ground.keeping(np.where(hidden, 0.0, 1.0))
    told, done = told[:, ground.judged], done[:, ground.judged]
    size = (told**2).sum(axis=0)
    factor = np.divide((told * done).sum(axis=0), size, out=np.zeros_like(size), where=size > 0)
    left, total = ((factor * told - done) ** 2).sum(axis=0), (done**2).sum(axis=0)
    known = total > 0
    return float(np.mean(left[known] / total[known])) if known.any() else float("nan")


def agreement(one: Floats, other: Floats, filled: NDArray[np.bool_]) -> float:
    """Mean over records of Spearman's correlation of two maps, signs included, (records, parts) each; NaN where flat."""
    found = []
    for first, second, there in zip(one, other, filled, strict=True):
        if np.ptp(first[there]) > 0 and np.ptp(second[there]) > 0:
            found.append(stats.spearmanr(first[there], second[there]).statistic)
    return float(np.mean(found)) if found else float("nan")


def better(one: Floats, other: Floats, *, seed: int = 0) -> tuple[float, float, float]:
    """The mean difference of two measures of the same records, with its 95 % bootstrap interval over records."""
    apart = one - other
    if len(apart) < 2:
        return (float(apart.mean()) if len(apart) else float("nan"), float("nan"), float("nan"))
    generator = np.random.default_rng(seed)
    means = apart[generator.integers(len(apart), size=(DRAWS, len(apart)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(apart.mean()), float(low), float(high)


def random_map(filled: NDArray[np.bool_], seed: int) -> Floats:
    """A map that knows nothing: numbers drawn at random, (records, parts)."""
    return np.random.default_rng([seed, 1]).uniform(-1, 1, filled.shape) * filled
