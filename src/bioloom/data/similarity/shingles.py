"""Near copies among texts: documents that share most of their runs of three words.

Source: Broder (1997) On the resemblance and containment of documents, Proc. Compression and Complexity of
Sequences; here the resemblance is worked out exactly, not estimated, for all pairs that share any run at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from bioloom.data.leakage import Alike, compare_copies
from bioloom.data.similarity.pairs import Pairs, components, joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Index = NDArray[np.int64]

RUN = 3
"""Words in a run."""

RESEMBLANCE = 0.5
"""Shared runs, as a share of all runs that two texts have together, from which they are near copies."""

COMMON = 1_000
"""Runs that more texts hold than this are set phrases, and are not compared: each pair would have to be looked at."""

BLOCK = 2_000
"""Texts compared with all others at once."""

_WORD = re.compile(r"\w+")


def told(resemblance: float) -> str:
    """What counts as a near copy, in words."""
    return f"at least {resemblance:.0%} of their runs of {RUN} words in common"


def runs(text: str) -> list[str]:
    """The runs of three words of a text, each once; of a shorter text all its words as one."""
    words = _WORD.findall(text.casefold())
    several = [" ".join(words[first : first + RUN]) for first in range(len(words) - RUN + 1)]
    return sorted(set(several or [" ".join(words)]))


def families(texts: NDArray[np.object_], resemblance: float = RESEMBLANCE) -> Index:
    """Texts linked by being equal or near copies, directly or through others, share a label, (texts,)."""
    labels = pd.factorize(texts)[0].astype(np.int64)
    first = np.unique(labels, return_index=True)[1]
    found = list(_near(_incidence(texts[first]), resemblance))
    return components(len(first), joined(*found))[labels]


def compare_texts(
    texts: NDArray[np.object_], queries: Index, targets: Index, resemblance: float = RESEMBLANCE
) -> Alike:
    """The most alike text on the other side: an exact copy, a near copy, or how much the nearest resembles."""
    exact = compare_copies(pd.factorize(texts)[0].astype(np.int64), queries, targets)
    kind, partner, identity = exact.kind.copy(), exact.partner.copy(), exact.identity.copy()
    held = _incidence(texts)
    known, rest = held[targets], np.flatnonzero(partner < 0)
    for first in range(0, len(rest), BLOCK):
        some = rest[first : first + BLOCK]
        nearest, share = _nearest(held[queries[some]], known)
        near = share >= resemblance
        identity[some] = share
        kind[some[near]], partner[some[near]] = "near", nearest[near]
    return Alike(kind, partner, identity.astype(np.float32), told(resemblance))


def _incidence(texts: NDArray[np.object_]) -> csr_array:
    """Which text holds which run, (texts, runs), 1 or 0."""
    each = [runs(text) for text in texts]
    counts = np.array([len(some) for some in each], dtype=np.int64)
    codes = pd.factorize(np.array([run for some in each for run in some], dtype=object))[0]
    common = np.bincount(codes) > COMMON if len(codes) else np.zeros(0, dtype=bool)
    rows, kept = np.repeat(np.arange(len(texts)), counts), ~common[codes]
    ones = np.ones(int(kept.sum()), dtype=np.float32)
    return csr_array((ones, (rows[kept], codes[kept])), shape=(len(texts), len(common)))


def _resemblances(some: csr_array, others: csr_array) -> csr_array:
    """Shared runs over all runs of each two texts that share any, (some, others)."""
    shared = (some @ others.T).tocoo()
    sizes, other_sizes = some.sum(axis=1), others.sum(axis=1)
    together = sizes[shared.row] + other_sizes[shared.col] - shared.data
    return csr_array((shared.data / together, (shared.row, shared.col)), shape=shared.shape)


def _near(held: csr_array, resemblance: float) -> Iterator[Pairs]:
    for first in range(0, held.shape[0], BLOCK):
        found = _resemblances(held[first : first + BLOCK], held).tocoo()
        left, right = found.row + first, found.col
        near = (found.data >= resemblance - 1e-6) & (left < right)
        share, none = found.data[near].astype(np.float32), np.zeros(int(near.sum()), dtype=bool)
        yield Pairs(left[near].astype(np.int64), right[near].astype(np.int64), share, none)


def _nearest(some: csr_array, others: csr_array) -> tuple[Index, NDArray[np.float32]]:
    """The text among others that resembles each most, and how much; 0 where no run is shared."""
    if not others.shape[0]:
        return np.zeros(some.shape[0], dtype=np.int64), np.full(some.shape[0], np.nan, dtype=np.float32)
    found = _resemblances(some, others)
    share = np.asarray(found.max(axis=1).todense(), dtype=np.float32).reshape(-1)
    return np.asarray(found.argmax(axis=1), dtype=np.int64).reshape(-1), share
