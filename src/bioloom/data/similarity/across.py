"""Across a split: for each record of one set, the most alike record of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bioloom.data import library
from bioloom.data.leakage import Alike
from bioloom.data.similarity.closest import closest
from bioloom.data.similarity.contained import contained
from bioloom.data.similarity.copies import canonical
from bioloom.data.similarity.near import neighbours
from bioloom.data.similarity.pairs import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.library import Library
    from bioloom.data.similarity.copies import Alphabet
    from bioloom.data.similarity.notion import Notion

    Index = NDArray[np.int64]
    Texts = NDArray[np.object_]

CLOSE = 0.2
"""Variants of one parent are all alike. Near copies differ at this share, at most, of the positions at which two
variants usually differ: 3 where they usually differ at 16, and none where they usually differ at 4."""


@dataclass(frozen=True)
class _Near:
    """Of the queries that are no copies: the near target (-1 for none), identity, distance, and what near means."""

    partner: Index
    identity: NDArray[np.float32]
    words: str
    distance: Index | None = None


def compare(queries: Texts, targets: Texts, alphabet: Alphabet, notion: Notion) -> Alike:
    """Exact copies first, then reverse complements (of DNA), contained copies, and near copies.

    queries, targets: upper-case text
    Identity is worked out for every query, also where the most alike target is no near copy.
    """
    kind = np.full(len(queries), "", dtype=object)
    partner = _lookup(queries, targets)
    kind[partner >= 0] = "exact"
    if alphabet.both_strands:
        other = _lookup(canonical(queries, both_strands=True), canonical(targets, both_strands=True))
        _note(kind, partner, other, "reverse")
    _note(kind, partner, _pieces(queries, targets, alphabet), "contained")
    identity = np.where(partner >= 0, 1.0, np.nan).astype(np.float32)
    rest = np.flatnonzero(partner < 0)
    variants = library.one_parent(np.concatenate([queries, targets]))
    one_length = len({len(text) for text in (*queries, *targets)}) == 1
    if variants is not None and one_length:
        near = _variants(queries[rest], targets, variants)
    else:
        near = _relatives(queries[rest], targets, alphabet, notion)
    identity[rest] = near.identity
    partner[rest], kind[rest] = near.partner, np.where(near.partner >= 0, "near", "")
    distance = None
    if near.distance is not None:
        distance = np.zeros(len(queries), dtype=np.int64)
        distance[rest] = near.distance
    return Alike(
        kind, partner, identity, near.words, alphabet.both_strands,
        pieces=True, unlike=np.isnan(identity), distance=distance,
    )  # fmt: skip


def _note(kind: NDArray[np.object_], partner: Index, found: Index, name: str) -> None:
    """Note partners of the records that have none yet."""
    new = (partner < 0) & (found >= 0)
    kind[new], partner[new] = name, found[new]


def _variants(queries: Texts, targets: Texts, variants: Library) -> _Near:
    """Variants of one parent: the positions at which they differ, exactly."""
    found, distance = library.nearest(queries, targets)
    identity = (1 - distance / len(variants.parent)).astype(np.float32)
    usual = variants.typical_distance()
    limit = int(CLOSE * usual)
    words = f"Variants of one parent, which usually differ from each other at {usual:.0f} positions"
    words += (
        f"; near copies differ at {limit} at most" if limit else ": too few to call some of them near copies"
    )
    return _Near(np.where(distance <= limit, found, -1), identity, words, distance)


def _relatives(queries: Texts, targets: Texts, alphabet: Alphabet, notion: Notion) -> _Near:
    """Near copies by the notion; of the queries without one, how alike the most alike target is."""
    found, identity = nearest(len(queries), neighbours(queries, targets, alphabet, notion))
    rest = np.flatnonzero(found < 0)
    identity[rest] = closest(queries[rest], targets, alphabet, notion)
    return _Near(found, identity, notion.words)


def _pieces(queries: Texts, targets: Texts, alphabet: Alphabet) -> Index:
    """The first target that lies inside each query, or that the query lies inside, (queries,); -1 for none."""
    names = np.concatenate([queries, targets])
    code, distinct = pd.factorize(canonical(names, both_strands=alphabet.both_strands))
    pairs = contained(np.asarray(distinct, dtype=object), alphabet)
    first = np.full(len(distinct), len(targets), dtype=np.int64)
    np.minimum.at(first, code[len(queries) :], np.arange(len(targets)))
    # by text: the first target it shares a piece with
    best = np.full(len(distinct), len(targets), dtype=np.int64)
    np.minimum.at(best, pairs.left, first[pairs.right])
    np.minimum.at(best, pairs.right, first[pairs.left])
    found = best[code[: len(queries)]]
    return np.where(found < len(targets), found, -1)


def _lookup(queries: Texts, targets: Texts) -> Index:
    """The first equal target of each query, (queries,); -1 for none."""
    known = pd.Series(np.arange(len(targets)), index=pd.Index(targets, dtype=object))
    known = known[~known.index.duplicated()]
    return known.reindex(pd.Index(queries, dtype=object), fill_value=-1).to_numpy(dtype=np.int64, copy=True)
