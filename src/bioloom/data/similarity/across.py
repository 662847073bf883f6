"""Across a split: for each record of one set, the most alike record of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bioloom.data import library
from bioloom.data.leakage import Alike
from bioloom.data.similarity.copies import canonical
from bioloom.data.similarity.near import neighbours
from bioloom.data.similarity.pairs import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.similarity.copies import Alphabet
    from bioloom.data.similarity.notion import Notion

CLOSE = 0.2
"""Variants of one parent are all alike. Near copies differ at this share, at most, of the positions at which two
variants usually differ: 3 where they usually differ at 16, and none where they usually differ at 4."""


def compare(
    queries: NDArray[np.object_], targets: NDArray[np.object_], alphabet: Alphabet, notion: Notion
) -> Alike:
    """Exact copies first, then reverse complements (of DNA), then near copies.

    queries, targets: upper-case text
    """
    kind = np.full(len(queries), "", dtype=object)
    partner = _lookup(queries, targets)
    kind[partner >= 0] = "exact"
    if alphabet.both_strands:
        other = _lookup(canonical(queries, both_strands=True), canonical(targets, both_strands=True))
        reverse = (partner < 0) & (other >= 0)
        kind[reverse], partner[reverse] = "reverse", other[reverse]
    identity = np.where(partner >= 0, 1.0, np.nan).astype(np.float32)
    words = notion.words
    rest = np.flatnonzero(partner < 0)
    variants = library.one_parent(np.concatenate([queries, targets]))
    if variants is not None and len({len(text) for text in (*queries, *targets)}) == 1:
        found, distance = library.nearest(queries[rest], targets)
        close = (1 - distance / len(variants.parent)).astype(np.float32)
        usual = variants.typical_distance()
        limit = int(CLOSE * usual)
        words = (
            f"Variants of one parent, which usually differ from each other at {usual:.0f} positions; near copies "
            f"differ at {limit} at most" if limit else
            f"Variants of one parent, which usually differ from each other at {usual:.0f} positions: too few to "
            "call some of them near copies"
        )  # fmt: skip
        near = distance <= limit
        identity[rest] = close
    else:
        found, close = nearest(len(rest), neighbours(queries[rest], targets, alphabet, notion))
        near = found >= 0
        identity[rest[near]] = close[near]
    partner[rest[near]] = found[near]
    kind[rest[near]] = "near"
    return Alike(kind, partner, identity, words, strands=alphabet.both_strands)


def _lookup(queries: NDArray[np.object_], targets: NDArray[np.object_]) -> NDArray[np.int64]:
    """The first equal target of each query, (queries,); -1 for none."""
    known = pd.Series(np.arange(len(targets)), index=pd.Index(targets, dtype=object))
    known = known[~known.index.duplicated()]
    return known.reindex(pd.Index(queries, dtype=object), fill_value=-1).to_numpy(dtype=np.int64, copy=True)
