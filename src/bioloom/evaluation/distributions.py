"""Quantiles and shares of the usual distributions, and ranks: exactly those of scipy.stats, which is slow to load.

Every function takes numbers or arrays of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]


def normal_quantile(share: Any) -> Any:
    """The number below which a standard normal one lies with that probability."""
    return special.ndtri(share)


def normal_share(number: Any) -> Any:
    """How often a standard normal number lies below this one."""
    return special.ndtr(number)


def student_quantile(share: Any, freedom: Any) -> Any:
    """The number below which one of Student's t distribution lies with that probability; freedom: its degrees."""
    return special.stdtrit(freedom, share)


def student_above(number: Any, freedom: Any) -> Any:
    """How often a number of Student's t distribution lies above this one."""
    return special.stdtr(freedom, -np.asarray(number))


def chi_square_quantile(share: Any, freedom: float) -> Any:
    """The number below which a sum of so many squared standard normal numbers lies with that probability."""
    return 2 * special.gammaincinv(freedom / 2, share)


def beta_quantile(share: Any, a: float, b: float) -> Any:
    """The number below which one of the beta distribution lies with that probability."""
    return special.betaincinv(a, b, share)


def ranks(values: NDArray[Any]) -> Floats:
    """The rank of each value from 1; equal ones share the mean of their ranks, (values,)."""
    first, own, count = _places(values)
    return np.asarray(first[own] + (count[own] + 1) / 2)


def lowest_ranks(values: NDArray[Any]) -> NDArray[np.int64]:
    """How many values are smaller than each, plus one, (values,)."""
    first, own, _ = _places(values)
    return np.asarray(first[own] + 1)


def _places(values: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """How many values are smaller than each distinct one, which one each value is, and how often it occurs."""
    _, own, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.cumsum(count) - count, own, count
