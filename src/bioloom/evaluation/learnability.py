"""What training alone can promise: how many records a family of models needs, whatever the data.

These bounds ask how rich a family is: its number of members, or its VC dimension. They hold for every distribution of
records and are therefore wide; for a network they exceed 1 and say nothing. A run shows `vapnik_gap` of its own two
families beside the bound of its test (see `bounds`); the numbers of records are for teaching and planning.

Symbols: eps, the error allowed; delta, the chance that the promise fails; all logarithms natural unless named.
Everything assumes records drawn independently from the same source as the future ones.
"""

from __future__ import annotations

import math

DELTA = 0.05
"""The chance that a promise fails: 1 in 20, as for intervals."""


# ---- families with finitely many members ----------------------------------------------------------------


def records_if_consistent(log_models: float, eps: float, delta: float = DELTA) -> int:
    """Training records after which a model without training error has a true error of at most eps.

    (ln |H| + ln(1 / delta)) / eps (Blumer 1987; Mitchell 1997, eq. 7.2); log_models: ln |H|.
    """
    return math.ceil((log_models + math.log(1 / delta)) / eps)


def records_if_agnostic(log_models: float, eps: float, delta: float = DELTA) -> int:
    """Training records after which no model's training error is further than eps from its true error.

    (ln |H| + ln(2 / delta)) / (2 eps^2): Hoeffding 1963, both sides, and a union over models.
    """
    return math.ceil((log_models + math.log(2 / delta)) / (2 * eps**2))


def finite_gap(log_models: float, records: int, delta: float = DELTA) -> float:
    """How far the training error of any model can lie from its true error: `records_if_agnostic` solved for eps."""
    return math.sqrt((log_models + math.log(2 / delta)) / (2 * records))


# ---- families with a VC dimension -----------------------------------------------------------------------


def vc_linear(features: int) -> int:
    """Linear classifiers with an offset: n + 1."""
    return features + 1


def vc_boxes(features: int) -> int:
    """Boxes along the axes: 2 n."""
    return 2 * features


def vc_intervals() -> int:
    """Intervals on a line: 2."""
    return 2


def vc_network(parameters: int, layers: int) -> float:
    """ReLU networks, up to a constant: W L log2 W, W parameters in L layers (Bartlett 2019, arXiv:1703.02930)."""
    return parameters * layers * math.log2(max(parameters, 2))


def vc_records(dimension: float, eps: float, delta: float = DELTA) -> int:
    """Training records that are enough for a model without training error (Blumer 1989, doi:10.1145/76359.76371).

    (4 log2(2 / delta) + 8 d log2(13 / eps)) / eps
    """
    return math.ceil((4 * math.log2(2 / delta) + 8 * dimension * math.log2(13 / eps)) / eps)


def vc_records_needed(dimension: float, eps: float, delta: float = DELTA) -> int:
    """Training records below which some distribution defeats every learner (Ehrenfeucht 1989).

    max(ln(1 / delta) / eps, (d - 1) / (32 eps)), doi:10.1016/0890-5401(89)90002-3
    """
    return math.ceil(max(math.log(1 / delta) / eps, (dimension - 1) / (32 * eps)))


def vapnik_gap(dimension: float, records: int, delta: float = DELTA) -> float:
    """How far the true error can lie above the training error: sqrt((h (ln(2m / h) + 1) - ln(delta / 4)) / m).

    Vapnik 1995; from 1 on it says nothing, and for no more records than the dimension it is infinite.
    """
    if records <= dimension:
        return math.inf
    growth = dimension * (math.log(2 * records / dimension) + 1)
    return math.sqrt((growth - math.log(delta / 4)) / records)
