"""Prediction intervals that are wider where the members of a mean of networks lie further apart, if that pays.

Errors are counted in spreads of the members plus a constant (locally weighted conformal prediction: Lei et al. 2018,
section 5.2, doi:10.1080/01621459.2017.1307116), and the promise of the share of hits stays what it was.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bioloom.evaluation.conformal import Calibrating, Conformal
from bioloom.evaluation.conformity import Floats, from_spread
from bioloom.evaluation.intervals import wilson

NARROWER = 0.02
"""Intervals have to be narrower by this share on average: to choose the narrower of two costs some of the promise."""

UNEVEN = 1 / 3
"""The share of records with the largest spread, of which the promise is looked at by itself."""

FEWEST = 50
"""Calibration records, or groups of them, below which intervals of one width are kept: too few to choose by."""


def fit_local(given: Calibrating, spread: NDArray[np.floating], level: float) -> Conformal:
    """Intervals of one width, or in proportion to the spread plus a constant where that pays.

    spread: (records, targets) standard deviation over members for the calibration records, in units of the targets
    It pays where intervals are narrower on average, or where those of one width hold too few of the records with the
    largest spread and those in proportion hold more. The constant is the mean spread: without one, members that agree
    by chance would promise the impossible.
    """
    plain = Conformal.fit(given, level)
    constant = np.asarray(spread, np.float64).mean(axis=0)
    units = plain.groups or plain.records
    if units < FEWEST or not (constant > 0).all() or not np.isfinite(plain.half).all():
        return plain
    reach = from_spread(spread, constant)
    local = replace(Conformal.fit(replace(given, reach=reach), level), constant=tuple(map(float, constant)))
    return local if local.level == plain.level and _pays(plain, local, given, spread) else plain


def _pays(plain: Conformal, local: Conformal, given: Calibrating, spread: NDArray[np.floating]) -> bool:
    reach = from_spread(spread, np.array(local.constant))
    inside, width = plain.held(given.truth, given.value)
    inside_local, width_local = local.held(given.truth, given.value, reach)
    wider = float((width_local.mean(axis=0) / width.mean(axis=0)).mean()) - 1
    if wider <= -NARROWER:
        return True
    return (
        wider <= NARROWER
        and _misses(inside, spread, plain.level)
        and not _misses(inside_local, spread, plain.level)
    )


def _misses(inside: Floats, spread: NDArray[np.floating], level: float) -> bool:
    """Whether fewer than promised of the records with the largest spread are held, for sure, of any target."""
    for column, own in zip(inside.T, spread.T, strict=True):
        known = np.isfinite(column)
        hits = column[known & (own >= np.quantile(own, 1 - UNEVEN))]
        high = wilson(float(hits.sum()), len(hits)).high
        if high is not None and high < level:
            return True
    return False
