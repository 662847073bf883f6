"""Errors of calibration records: in what they are counted, and the one that a share of new records stays below."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def quantile(errors: Floats, codes: NDArray[np.int64] | None, level: float) -> float:
    """The error that a new record stays below with probability `level` at least; infinite where none can be named.

    errors: (records,), unknown ones NaN
    codes:  (records,) the group of each record; None where records are exchangeable one by one

    One by one it is the ceil((n + 1) level)-th smallest. With K groups, each record of a group of m weighs
    1 / ((K + 1) m), and 1 / (K + 1) lies at infinity, for a new group (hierarchical conformal prediction:
    Dunn, Wasserman and Ramdas 2022, doi:10.1080/01621459.2022.2060112; Lee, Barber and Willett 2023).
    """
    known = np.isfinite(errors)
    errors = errors[known]
    if not len(errors):
        return float("inf")
    codes = np.arange(len(errors)) if codes is None else codes[known]
    _, own, size = np.unique(codes, return_inverse=True, return_counts=True)
    weight = 1.0 / ((len(size) + 1) * size[own])
    order = np.argsort(errors, kind="stable")
    enough = np.flatnonzero(np.cumsum(weight[order]) >= level - 1e-9)
    return float(errors[order[enough[0]]]) if len(enough) else float("inf")


def from_spread(spread: NDArray[np.floating], constant: Floats) -> Floats:
    """How far off several networks may be that lie so far apart: the same to either side, (records, 2 x targets)."""
    reach = np.asarray(spread, dtype=np.float64) + constant
    return np.hstack([reach, reach])


def sides(reach: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """How far below predictions the truth is expected, and how far above, each (records, targets)."""
    below, above = np.hsplit(np.asarray(reach, dtype=np.float64), 2)
    return below, above


CAREFUL = 2.0
"""Records on which two networks err alike that are added to those that were seen: few records tell little."""


def share_of_mean(errors: Floats, members: int) -> Floats:
    """How far off the mean of several networks is beside one of them, by target, (targets,); 1 where nothing is known,
    and nearer to 1 the fewer records there are.

    errors: (2, records, targets) of two networks on the same records, from which neither learned; unknown ones NaN

    With variance V of the error of one and covariance C of the errors of two, the mean of M has V / M + (1 - 1 / M) C
    (Ueda and Nakano 1996, doi:10.1109/ICNN.1996.548872).
    """
    known = np.isfinite(errors).all(axis=0)
    first, second = np.where(known, errors, 0.0)
    variance = (first**2 + second**2).sum(axis=0) / 2
    covariance = (first * second).sum(axis=0)
    alike = np.divide(covariance, variance, out=np.ones_like(variance), where=variance > 0)
    seen = known.sum(axis=0)
    alike = (seen * alike + CAREFUL) / (seen + CAREFUL)
    return np.asarray(np.sqrt(1 / members + (1 - 1 / members) * np.clip(alike, 0.0, 1.0)))
