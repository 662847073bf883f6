"""Near copies among profiles: records whose numbers rise and fall together in all features.

Each feature is compared with its own mean over the records first: what all records share, such as that one gene is
always higher than another, would make any two of them alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bioloom.data.leakage import Alike, compare_copies
from bioloom.data.similarity.pairs import Pairs, components, joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Index = NDArray[np.int64]
    Floats = NDArray[np.float32]

NEAR = 0.97
"""Correlation above which two profiles are of the same material: repeated measurements reach it, relatives do not."""

LOOKED_AT = 2_000
"""Features that are compared: those that vary most."""

MOST_RECORDS = 20_000
"""With more records only exact copies are looked for."""

BLOCK = 1 << 24  # pairs compared at once: 64 MB


def directions(matrix: Floats) -> Floats:
    """Profiles as vectors of length 1 whose products are correlations, (records, features looked at).

    matrix: on a scale of logarithms, without missing numbers
    """
    spread = matrix.std(axis=0, dtype=np.float64)
    order = np.sort(np.argsort(-spread, kind="stable")[:LOOKED_AT])
    kept = order[spread[order] > 0]
    standard = (matrix[:, kept] - matrix[:, kept].mean(axis=0)) / spread[kept].astype(np.float32)
    standard -= standard.mean(axis=1, keepdims=True) if len(kept) else 0
    length = np.sqrt((standard**2).sum(axis=1, keepdims=True))
    return np.asarray(standard / np.where(length > 0, length, 1), dtype=np.float32)


def profile_groups(matrix: Floats) -> Index:
    """A number that equal profiles share, (records,); missing numbers are equal to each other, and 0 to -0."""
    known = np.where(np.isnan(matrix), np.float32(np.nan), matrix + np.float32(0))
    rows = np.empty(len(known), dtype=object)
    rows[:] = [row.tobytes() for row in known]
    return np.asarray(pd.factorize(rows)[0], dtype=np.int64)


def words(near: float) -> str:
    """What near means."""
    return f"profiles that correlate by at least {near:g}, each feature beside its own mean"


def profile_families(matrix: Floats, same: Index, near: float) -> Index:
    """Records linked by being equal or near, directly or through others, share a label, (records,)."""
    first = np.unique(same, return_index=True)[1]
    points = directions(matrix)[first]
    pairs = [joined()]
    step = max(1, BLOCK // max(1, len(points)))
    for low in range(0, len(points), step):
        likeness = points[low : low + step] @ points.T
        left, right = np.nonzero(likeness >= near)
        chosen = left + low < right
        left, right = left[chosen], right[chosen]
        pairs.append(Pairs(left + low, right, likeness[left, right], np.zeros(len(left), dtype=bool)))
    return components(len(first), joined(*pairs))[same]


def compare_profiles(matrix: Floats, same: Index, sides: tuple[Index, Index], near: float) -> Alike:
    """The most alike target of each query, its correlation as identity; exact copies by their numbers in `same`."""
    queries, targets = sides
    exact = compare_copies(same, queries, targets)
    kind, partner, identity = exact.kind.copy(), exact.partner.copy(), exact.identity.copy()
    if not len(queries) or not len(targets) or len(same) > MOST_RECORDS:
        return exact
    points = directions(matrix)
    step = max(1, BLOCK // len(targets))
    for low in range(0, len(queries), step):
        rows = np.arange(low, min(low + step, len(queries)))
        likeness = points[queries[rows]] @ points[targets].T
        best = likeness.argmax(axis=1)
        highest = likeness[np.arange(len(rows)), best]
        fresh = partner[rows] < 0
        identity[rows[fresh]] = np.clip(highest[fresh], 0, 1)
        found = fresh & (highest >= near)
        kind[rows[found]], partner[rows[found]] = "near", best[found]
    unlike = np.zeros(len(queries), dtype=bool)
    return Alike(kind, partner, identity.astype(np.float32), words(near), unlike=unlike)
