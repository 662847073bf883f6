"""Records of several sequences: near copies are those that are near in every sequence to the same record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bioloom.data.leakage import Alike
from bioloom.data.similarity.copies import exact_groups
from bioloom.data.similarity.near import neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.similarity.copies import Alphabet
    from bioloom.data.similarity.notion import Notion

    Index = NDArray[np.int64]
    Texts = NDArray[np.object_]

MOST_PAIRS = 20_000_000
"""Pairs of records that may be near in one sequence; with more, near copies are not looked for."""


@dataclass(frozen=True)
class Column:
    """One sequence of each record, (records,) upper-case text, with what counts as near in it."""

    sequences: Texts
    alphabet: Alphabet
    notion: Notion


def compare_several(columns: list[Column], queries: Index, targets: Index) -> Alike:
    """Copies in every sequence, and near copies: every sequence of a query is a copy of or near one target's.

    Each sequence may be an exact copy, a reverse complement or a near copy. How alike records are otherwise is not
    worked out: identity is that of the least alike sequence of near copies, NaN where there are none. Where the
    candidates are too many, only exact copies are told, and notion is empty.
    """
    related = [_Related.of(column, queries, targets) for column in columns]
    kind, partner = np.full(len(queries), "", dtype=object), np.full(len(queries), -1, dtype=np.int64)
    identity = np.full(len(queries), np.nan, dtype=np.float32)
    strands = any(column.alphabet.both_strands for column in columns)
    fewest = min(related, key=lambda each: each.size)
    if fewest.size > MOST_PAIRS:
        return _exact(columns, queries, targets)
    left, right = fewest.expanded()
    lowest = np.ones(len(left), dtype=np.float32)
    for each in related:
        lowest = np.minimum(lowest, each.identity_of(left, right))  # NaN where this sequence is not near
    near = np.flatnonzero(~np.isnan(lowest))
    near = near[np.argsort(lowest[near], kind="stable")]  # later writes win: the most alike stays
    partner[left[near]], identity[left[near]] = right[near], lowest[near]
    found = np.flatnonzero(partner >= 0)
    kind[found] = "near"
    same = np.ones(len(found), dtype=bool)
    turned = np.ones(len(found), dtype=bool)
    for column, each in zip(columns, related, strict=True):
        same &= column.sequences[queries[found]] == column.sequences[targets[partner[found]]]
        turned &= each.label_q[found] == each.label_t[partner[found]]
    kind[found[turned]], kind[found[same]] = "reverse", "exact"
    words = "; ".join(dict.fromkeys(column.notion.words for column in columns))
    return Alike(kind, partner, identity, f"near in every sequence to the same record: {words}", strands)


def _exact(columns: list[Column], queries: Index, targets: Index) -> Alike:
    """The copies in every sequence only."""
    frame = pd.DataFrame({number: column.sequences for number, column in enumerate(columns)})
    codes = frame.groupby(list(frame.columns), sort=False).ngroup().to_numpy(dtype=np.int64)
    known = pd.Series(np.arange(len(targets)), index=codes[targets])
    known = known[~known.index.duplicated()]
    partner = known.reindex(codes[queries], fill_value=-1).to_numpy(dtype=np.int64)
    same = partner >= 0
    kind = np.where(same, "exact", "").astype(object)
    return Alike(kind, partner, np.where(same, 1.0, np.nan).astype(np.float32))


@dataclass(frozen=True)
class _Related:
    """Which sequences of one column are alike.

    label_q, label_t: (queries,), (targets,) identical sequences share a number
    pairs:            label of a query * labels + label of a target, sorted; identity of each
    """

    label_q: Index
    label_t: Index
    pairs: Index
    identity: NDArray[np.float32]
    labels: int

    @classmethod
    def of(cls, column: Column, queries: Index, targets: Index) -> _Related:
        label = exact_groups(column.sequences, both_strands=column.alphabet.both_strands)
        label_q, label_t = label[queries], label[targets]
        asked, known = np.unique(queries[_firsts(label_q)]), np.unique(targets[_firsts(label_t)])
        found = neighbours(column.sequences[asked], column.sequences[known], column.alphabet, column.notion)
        labels = int(label.max(initial=0)) + 1
        pairs = label[asked[found.left]] * labels + label[known[found.right]]
        order = np.lexsort((-found.identity, pairs))
        pairs, first = np.unique(pairs[order], return_index=True)
        return cls(label_q, label_t, pairs, found.identity[order][first], labels)

    @property
    def size(self) -> int:
        """Pairs of records that these pairs of sequences stand for."""
        asked = np.bincount(self.label_q, minlength=self.labels)
        known = np.bincount(self.label_t, minlength=self.labels)
        return int(np.sum(asked[self.pairs // self.labels] * known[self.pairs % self.labels]))

    def expanded(self) -> tuple[Index, Index]:
        """Those pairs of records: positions among queries and among targets."""
        asked = pd.DataFrame({"q": self.label_q, "left": np.arange(len(self.label_q))})
        known = pd.DataFrame({"t": self.label_t, "right": np.arange(len(self.label_t))})
        pairs = pd.DataFrame({"q": self.pairs // self.labels, "t": self.pairs % self.labels})
        both = pairs.merge(asked, on="q").merge(known, on="t")
        return both["left"].to_numpy(dtype=np.int64), both["right"].to_numpy(dtype=np.int64)

    def identity_of(self, left: Index, right: Index) -> NDArray[np.float32]:
        """The identity of pairs of records in this sequence, NaN where it is not near."""
        if not len(self.pairs):
            return np.full(len(left), np.nan, dtype=np.float32)
        wanted = self.label_q[left] * self.labels + self.label_t[right]
        at = np.minimum(np.searchsorted(self.pairs, wanted), len(self.pairs) - 1)
        found: NDArray[np.float32] = np.where(self.pairs[at] == wanted, self.identity[at], np.nan)
        return found


def _firsts(labels: Index) -> Index:
    return np.unique(labels, return_index=True)[1].astype(np.int64)
