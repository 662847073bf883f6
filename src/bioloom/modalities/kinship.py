"""Which structures are relatives: those whose chains are, as protein sequences; without protein, as RNA sequences.

Two structures are alike where every chain of one of them has a relative among the chains of the other: the same
protein in another crystal, or a part of the same complex. Sharing one of two partners is not enough. Where a structure
holds protein, its nucleic acids do not count: one factor on many pieces of DNA is one family.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from bioloom.data.leakage import Alike
from bioloom.modalities import Across, Modality, Similarity
from bioloom.modalities.protein import Protein
from bioloom.modalities.rna import Rna

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.modalities.residues import Residues

    Index = NDArray[np.int64]

NOTION = "structures are alike where every chain of one has a relative in the other"


@dataclass(frozen=True)
class Chained:
    """The chains of some records, as letters; a record has chains of one of the two kinds, or none that is known.

    proteins: amino acids of the chains of each record
    nucleic:  bases of the chains of each record that holds no protein
    """

    proteins: Sequence[Sequence[str]]
    nucleic: Sequence[Sequence[str]]

    def __len__(self) -> int:
        return len(self.proteins)

    @classmethod
    def of(cls, residues: Iterable[Residues]) -> Self:
        """The chains of structures."""
        found = list(residues)
        proteins = [list(each.sequences.values()) for each in found]
        nucleic = [
            [] if amino else list(each.nucleic.values()) for amino, each in zip(proteins, found, strict=True)
        ]
        return cls(proteins, nucleic)


def chain_families(chained: Chained, similarity: Similarity) -> tuple[list[frozenset[int]], str]:
    """The families that the chains of each record belong to, and how chains were judged, in words."""
    proteins, told = _labelled(Protein, chained.proteins, similarity, 0)
    after = 1 + max(chain.from_iterable(proteins), default=-1)
    nucleic, told_nucleic = _labelled(Rna, chained.nucleic, similarity, after)
    notion = "; ".join(filter(None, (
        NOTION, told and f"chains: {told}", told_nucleic and f"chains of nucleic acids alone: {told_nucleic}",
    )))  # fmt: skip
    return [one | other for one, other in zip(proteins, nucleic, strict=True)], notion


def _labelled(
    modality: type[Modality], sequences: Sequence[Sequence[str]], similarity: Similarity, first: int
) -> tuple[list[frozenset[int]], str]:
    """The families of chains of one kind, with numbers from the first one, and how they were judged."""
    every = list(chain.from_iterable(sequences))
    if not every:
        return [frozenset() for _ in sequences], ""
    found = modality.clusters(_frame(every), similarity)
    labels = iter((first + found.labels).tolist())
    return [frozenset(next(labels) for _ in chains) for chains in sequences], found.notion


def families(sets: Sequence[frozenset[int]], copies: Index) -> Index:
    """Label records that are linked, directly or through others: copies, and those whose families lie in another's.

    sets: the families of the chains of each record; copies: (records,) equal for exact copies
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    _, first, code = np.unique(copies, return_index=True, return_inverse=True)
    pairs = np.array([*enumerate(first[code].tolist()), *_contained(sets)], dtype=np.int64).reshape(-1, 2)
    weight = np.ones(len(pairs))
    graph = coo_matrix((weight, (pairs[:, 0], pairs[:, 1])), shape=(len(sets), len(sets)))
    labels = connected_components(graph, directed=False)[1]
    return np.asarray(pd.factorize(labels)[0], dtype=np.int64)


def _contained(sets: Sequence[frozenset[int]]) -> list[tuple[int, int]]:
    """Pairs of records of which the families of the first lie in those of the second, each set told once."""
    first = {families: row for row, families in reversed(list(enumerate(sets))) if families}
    holders: dict[int, list[frozenset[int]]] = {}
    for families in first:
        for family in families:
            holders.setdefault(family, []).append(families)
    pairs = [(row, first[families]) for row, families in enumerate(sets) if families]
    for families, row in first.items():
        rarest = min(families, key=lambda family: len(holders[family]))
        pairs += [(row, first[other]) for other in holders[rarest] if families < other]
    return pairs


def compare_structures(chained: Chained, copies: Index, across: Across) -> Alike:
    """The most alike structure on the other side: an exact copy, or one whose chains are relatives.

    identity: of the chain of a record that is least like any chain of the other side
    """
    sets, notion = chain_families(chained, across.similarity)
    kind = np.full(len(across.queries), "", dtype=object)
    partner = np.full(len(across.queries), -1, dtype=np.int64)
    known = {int(copies[row]): place for place, row in reversed(list(enumerate(across.targets.tolist())))}
    related = _relatives([sets[row] for row in across.queries], [sets[row] for row in across.targets])
    for place, row in enumerate(across.queries.tolist()):
        if int(copies[row]) in known:
            kind[place], partner[place] = "exact", known[int(copies[row])]
        elif related[place] >= 0:
            kind[place], partner[place] = "near", related[place]
    identity = _identities(Protein, chained.proteins, across)
    identity = np.fmin(identity, _identities(Rna, chained.nucleic, across))
    identity[kind == "exact"] = 1.0
    return Alike(kind, partner, identity, notion, unlike=np.isnan(identity))


def _relatives(queries: Sequence[frozenset[int]], targets: Sequence[frozenset[int]]) -> list[int]:
    """For each query the first target of which one's families lie in the other's, -1 for none."""
    holders: dict[int, list[int]] = {}
    for place, families in enumerate(targets):
        for family in families:
            holders.setdefault(family, []).append(place)
    found = []
    for families in queries:
        near = sorted({place for family in families for place in holders.get(family, [])})
        fits = (place for place in near if families <= targets[place] or targets[place] <= families)
        found.append(next(fits, -1))
    return found


def _identities(
    modality: type[Modality], sequences: Sequence[Sequence[str]], across: Across
) -> NDArray[np.float32]:
    """The identity of the least alike chain of each query with its most alike chain among the targets, (queries,)."""
    asked = [sequences[row] for row in across.queries.tolist()]
    known = [sequence for row in across.targets.tolist() for sequence in sequences[row]]
    every = [sequence for chains in asked for sequence in chains]
    least = np.full(len(asked), np.nan, dtype=np.float32)
    if not every or not known:
        return least
    both = Across(np.arange(len(every)), np.arange(len(every), len(every) + len(known)), across.similarity)
    identity = iter(modality.alike(_frame([*every, *known]), both).identity.tolist())
    for place, chains in enumerate(asked):
        of_chains = [next(identity) for _ in chains]
        least[place] = min(of_chains) if of_chains and not np.isnan(of_chains).any() else np.nan
    return least


def _frame(sequences: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({"chain": pd.Series(list(sequences), dtype=object)})
