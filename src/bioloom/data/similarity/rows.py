"""Near copies among the rows of a table: equal categories, and numbers closer than chance puts them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from bioloom.data.columns import as_numbers, kind_of
from bioloom.data.leakage import Alike, compare_copies
from bioloom.data.similarity.copies import row_groups
from bioloom.data.similarity.notion import BY_CHANCE
from bioloom.data.similarity.pairs import Pairs, components, joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Index = NDArray[np.int64]

TOLERANCES = (0.05, 0.02, 0.01, 0.005, 0.001)
"""How far numbers of near rows may be apart, in standard deviations: the widest that chance does not reach."""

SAMPLE = 4_000  # pairs of rows from which the chance of a near one is worked out

MOST_PAIRS = 2e9
"""Pairs of rows compared for the nearest of each; with more, the identity of rows that are not near is unknown."""

BLOCK = 1 << 24  # pairs compared at once: 64 MB


@dataclass(frozen=True)
class Rows:
    """A table as numbers.

    numbers:    (rows, columns) in standard deviations, missing ones 0
    categories: (rows,) a number per combination of all categories and of what is missing
    cells:      (rows, columns) categories and missing marks, one code each
    tolerance:  how far apart numbers of near rows may be; None where chance puts rows as close as that, or where
                only equal rows are asked for
    """

    numbers: NDArray[np.float64]
    categories: Index
    cells: Index
    tolerance: float | None

    @property
    def words(self) -> str:
        """What near means, in words; empty where nothing is called near."""
        if self.tolerance is None:
            return ""
        return f"all categories equal and all numbers within {self.tolerance:g} of their standard deviation"


def read_rows(frame: pd.DataFrame, tolerance: float | None = None) -> Rows:
    """Standardise numbers and number categories.

    tolerance: 0 calls only equal rows near; None takes the widest of `TOLERANCES` at which fewer than 1 in 100
               unrelated rows would be near another one by chance, columns being taken as independent
    """
    numeric = [name for name in range(frame.shape[1]) if kind_of(frame.iloc[:, name]) == "number"]
    numbers = np.zeros((len(frame), len(numeric)))
    codes: list[Index] = []
    for place, name in enumerate(numeric):
        column, _ = as_numbers(frame.iloc[:, name])
        numbers[:, place] = _standardised(column)
        codes.append(np.isnan(column).astype(np.int64))
    others = [name for name in range(frame.shape[1]) if name not in numeric]
    codes += [pd.factorize(frame.iloc[:, name], use_na_sentinel=False)[0].astype(np.int64) for name in others]
    cells = np.stack(codes, axis=1) if codes else np.zeros((len(frame), 0), dtype=np.int64)
    categories = row_groups(pd.DataFrame(cells))
    if tolerance is None:
        tolerance = _beyond_chance(numbers, cells)
    return Rows(numbers, categories, cells, tolerance or None)


def _standardised(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    known = cells[np.isfinite(cells)]
    spread = float(known.std()) if len(known) else 0.0
    mean = float(known.mean()) if len(known) else 0.0
    filled = np.where(np.isfinite(cells), cells, mean)
    return (filled - mean) / (spread if spread > 0 else 1.0)


def _beyond_chance(numbers: NDArray[np.float64], cells: Index) -> float | None:
    """The widest tolerance at which a row has a near one by chance in fewer than 1 of 100 cases."""
    if len(numbers) < 2 or not numbers.shape[1]:
        return None
    one, other = np.random.default_rng(0).integers(0, len(numbers), (2, SAMPLE))
    two = one != other
    one, other = one[two], other[two]
    same = np.log((cells[one] == cells[other]).mean(axis=0) + 1 / SAMPLE).clip(max=0).sum()
    apart = np.abs(numbers[one] - numbers[other])
    for tolerance in TOLERANCES:
        close = np.log((apart <= tolerance).mean(axis=0) + 1 / SAMPLE).clip(max=0).sum()
        if np.log(len(numbers)) + same + close <= np.log(BY_CHANCE):
            return tolerance
    return None


def near_rows(rows: Rows) -> Pairs:
    """All pairs of rows that are near each other."""
    if rows.tolerance is None:
        return joined()
    pairs = (
        KDTree(_points(rows)).query_pairs(rows.tolerance, p=np.inf, output_type="ndarray").astype(np.int64)
    )
    left, right = pairs[:, 0], pairs[:, 1]
    return Pairs(left, right, np.ones(len(pairs), dtype=np.float32), np.zeros(len(pairs), dtype=bool))


def row_families(frame: pd.DataFrame, rows: Rows) -> Index:
    """Rows linked by being equal or near, directly or through others, share a label, (rows,)."""
    same = row_groups(frame)
    first = np.unique(same, return_index=True)[1]
    found = near_rows(Rows(rows.numbers[first], rows.categories[first], rows.cells[first], rows.tolerance))
    return components(len(first), found)[same]


def compare_rows(
    frame: pd.DataFrame, queries: Index, targets: Index, tolerance: float | None = None
) -> Alike:
    """Rows of the other side that are equal in every column, or near; and how alike the nearest is.

    Identity: the share of columns in which a row equals its nearest target, numbers within the tolerance (0.05
    standard deviations where no row is called near); the nearest in the standardised columns.
    """
    exact = compare_copies(row_groups(frame), queries, targets)
    rows = read_rows(frame, tolerance)
    kind, partner, identity = exact.kind.copy(), exact.partner.copy(), exact.identity.copy()
    rest = np.flatnonzero(partner < 0)
    if rows.tolerance is not None and len(rest) and len(targets):
        known, asked = KDTree(_points(rows)[targets]), _points(rows)[queries[rest]]
        away, found = map(
            np.asarray, known.query(asked, p=np.inf, distance_upper_bound=rows.tolerance * (1 + 1e-9))
        )
        near = np.isfinite(away)
        kind[rest[near]], partner[rest[near]], identity[rest[near]] = "near", found[near], 1.0
        rest = rest[~near]
    if len(rest) and 0 < len(rest) * len(targets) <= MOST_PAIRS:
        identity[rest] = _share_equal(rows, queries[rest], targets)
    unlike = np.zeros(len(queries), dtype=bool) if not np.isnan(identity).any() else None
    return Alike(kind, partner, identity.astype(np.float32), rows.words, unlike=unlike)


def _points(rows: Rows) -> NDArray[np.float64]:
    """Rows as points: another combination of categories is far away in the first coordinate."""
    return np.column_stack([rows.categories.astype(np.float64), rows.numbers])


def _share_equal(rows: Rows, queries: Index, targets: Index) -> NDArray[np.float64]:
    """The share of columns in which each query equals its nearest target, (queries,)."""
    hot = np.concatenate([_hot(rows.cells[:, column]) for column in range(rows.cells.shape[1])], axis=1)
    points = np.column_stack([rows.numbers, hot * np.sqrt(0.5)]).astype(np.float32)
    known, length = points[targets].T, (points[targets] ** 2).sum(axis=1)
    step = max(BLOCK // len(targets), 1)
    tolerance = rows.tolerance or TOLERANCES[0]
    shares = []
    for low in range(0, len(queries), step):
        asked = queries[low : low + step]
        nearest = targets[(length - 2 * points[asked] @ known).argmin(axis=1)]
        numeric = np.abs(rows.numbers[asked] - rows.numbers[nearest]) <= tolerance
        own = rows.cells[asked] == rows.cells[nearest]
        numeric &= own[:, : numeric.shape[1]]  # a missing number equals a missing one only
        shares.append(np.concatenate([numeric, own[:, numeric.shape[1] :]], axis=1).mean(axis=1))
    return np.concatenate(shares)


def _hot(codes: Index) -> NDArray[np.float64]:
    """One column per value of a category; beyond 100 values only the equality of rows counts, not distance."""
    values = np.unique(codes)[:100]
    hot: NDArray[np.float64] = (codes[:, None] == values).astype(np.float64)
    return hot
