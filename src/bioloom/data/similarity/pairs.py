"""Pairs of records that are copies or near copies, and the families they link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Index = NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Which two records are alike, how much, and whether on opposite strands.

    left, right: (pairs,) positions; left < right where one set was searched
    identity:    (pairs,) share of equal letters in the best common stretch
    reverse:     (pairs,) True where one is like the reverse complement of the other
    """

    left: Index
    right: Index
    identity: NDArray[np.float32]
    reverse: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.left)

    def take(self, chosen: Index | NDArray[np.bool_]) -> Pairs:
        """The chosen pairs."""
        return Pairs(self.left[chosen], self.right[chosen], self.identity[chosen], self.reverse[chosen])


def joined(*several: Pairs) -> Pairs:
    """All pairs of several lists."""
    none = np.zeros(0, dtype=np.int64)
    return Pairs(
        np.concatenate([none, *(pairs.left for pairs in several)]),
        np.concatenate([none, *(pairs.right for pairs in several)]),
        np.concatenate([none.astype(np.float32), *(pairs.identity for pairs in several)]),
        np.concatenate([none.astype(bool), *(pairs.reverse for pairs in several)]),
    )


def best_of_each(pairs: Pairs) -> Pairs:
    """The most alike entry of each two records, in order of left and right."""
    order = np.lexsort((-pairs.identity, pairs.right, pairs.left))
    left, right = pairs.left[order], pairs.right[order]
    fresh = np.ones(len(left), dtype=bool)
    fresh[1:] = (left[1:] != left[:-1]) | (right[1:] != right[:-1])
    return pairs.take(order[fresh])


def nearest(n_queries: int, found: Pairs) -> tuple[Index, NDArray[np.float32]]:
    """The most alike target of each query: (queries,) positions, -1 for none; identity, NaN for none."""
    index = np.full(n_queries, -1, dtype=np.int64)
    identity = np.full(n_queries, np.nan, dtype=np.float32)
    order = np.argsort(found.identity, kind="stable")  # later writes win: the highest identity stays
    index[found.left[order]] = found.right[order]
    identity[found.left[order]] = found.identity[order]
    return index, identity


def components(n: int, pairs: Pairs) -> Index:
    """Records linked by pairs, directly or through others, share a label; in order of first appearance."""
    return numbered(linked(np.arange(n), pairs))


def linked(family: Index, pairs: Pairs) -> Index:
    """Join the families that pairs link: (records,) labels before and after, both below the record count."""
    n = len(family)
    graph = coo_array(
        (np.ones(len(pairs), dtype=bool), (family[pairs.left], family[pairs.right])), shape=(n, n)
    )
    labels: Index = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels[family]


def numbered(labels: Index) -> Index:
    """The same labels, numbered from 0 in order of first appearance."""
    return pd.factorize(labels)[0].astype(np.int64)
