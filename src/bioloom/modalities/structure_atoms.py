"""Structures as graphs of heavy atoms: finer than residues, and thirty times as much work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioloom.modalities import Demo, Part, modalities
from bioloom.modalities.contacts import REACH, exposure_of
from bioloom.modalities.graphs import Graph, nearest_neighbours
from bioloom.modalities.residues import LETTERS, Residues, read_structure
from bioloom.modalities.structure import Structure
from bioloom.modalities.structure_demo import salt_bridges
from bioloom.modalities.survey import Cells, unpacked

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

ELEMENTS = ("C", "N", "O", "S", "P", "SE")
FEATURES = (
    *ELEMENTS,
    "other element",
    "backbone",
    "positive residue",
    "negative residue",
    "apolar residue",
    "exposure",
)
"""What is told of an atom, all between 0 and 1."""

NUMBERS = ("distance to", "same residue as", "places along to", "other partner")
"""What is told of an edge, all between 0 and 1: the distance in 8 Å, the places along the chain in 16."""

BACKBONE = 4
"""Atoms with which a residue begins that make the backbone: N, CA, C, O (of nucleotides: a part of it)."""

WITHIN, NEIGHBOURS, PLACES = 6.0, 16, 16
"""Å within which neighbours are looked for, how many of them at most, and places along the chain told apart."""


def atom_graph(residues: Residues, seen: NDArray[np.int64]) -> Graph:
    """The graph of the atoms of some residues, in their order."""
    from scipy.spatial import cKDTree

    chosen = np.flatnonzero(np.isin(residues.owner, seen))
    places, owner = residues.atoms[chosen].astype(np.float64), residues.owner[chosen]
    pairs = cKDTree(places).query_pairs(WITHIN, output_type="ndarray").astype(np.int32)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    distance = np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1).astype(np.float32)
    neighbours, which = nearest_neighbours((pairs[:, 0], pairs[:, 1]), distance, len(chosen), NEIGHBOURS)
    one, other = owner[pairs[:, 0]], owner[pairs[:, 1]]
    group = residues.side if residues.partners else residues.chains
    apart = np.minimum(np.abs(residues.along[one] - residues.along[other]), PLACES) / PLACES
    told = np.stack([distance / REACH, one == other, apart, group[one] != group[other]], axis=1)
    numbers = np.concatenate([told, np.zeros((1, len(NUMBERS)))]).astype(np.float32)
    return Graph(_nodes(residues, chosen), neighbours, numbers[which])


def _nodes(residues: Residues, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
    """(atoms, features)."""
    elements, owner = residues.elements[chosen], residues.owner[chosen]
    first = np.searchsorted(residues.owner, np.arange(len(residues)))
    letter = np.array(list(LETTERS))[residues.letters[owner]]
    columns = [
        *(elements == element for element in ELEMENTS),
        ~np.isin(elements, ELEMENTS),
        chosen - first[owner] < BACKBONE,
        *(np.isin(letter, list(letters)) for letters in ("KR", "DE", "ACFGILMPVWY")),
        exposure_of(residues)[owner],
    ]
    return np.stack(columns, axis=1).astype(np.float32)


@modalities.register
@dataclass(frozen=True)
class StructureAtoms(Structure):
    """Heavy atoms, what each is and how it lies to its neighbours; otherwise as residues are looked at."""

    name = "structure_atoms"
    title = "protein structure (atoms and what is near them)"
    on_request = True
    unit = "atom"
    node_features = FEATURES
    edge_numbers = NUMBERS
    most_neighbours = NEIGHBOURS

    @classmethod
    def graph_of(cls, cells: Cells, row: int) -> tuple[Graph, NDArray[np.int64]]:
        """The graph of the atoms of the residues that networks see, and the residue of each."""
        key = (f"atoms {cells.chains[row]}", str(cells.files.names[row]))
        return cells.files.store.remember(key, lambda: _made(cells, row), _size)

    def parts(self, values: pd.DataFrame) -> list[Part]:
        """The atoms that the network sees, by residue and number in it."""
        cells = Cells.of(values)
        labels, owner = cells.survey(0).residues.labels, self._graph(cells, 0)[1]
        first = np.searchsorted(owner, owner)
        return [
            Part(f"{labels[row]} atom {place - first[place] + 1}", (place,))
            for place, row in enumerate(owner.tolist())
        ]

    @classmethod
    def demo(cls, n: int, seed: int) -> Demo:
        """Hairpins in which salt bridges between facing residues make the stability."""
        records, planted = salt_bridges(n, seed)
        values = records.inputs["structure"]
        cells, parts = Cells.of(values), np.zeros((n, cls.fit(values).nodes), dtype=bool)
        for row, there in enumerate(planted):
            owner = cls.graph_of(cells, row)[1]
            parts[row, : len(owner)] = there[owner]
        return Demo(records, "structure", parts, "regression")


def _made(cells: Cells, row: int) -> tuple[Graph, NDArray[np.int64]]:
    residues = read_structure(unpacked(cells.content(row)), cells.chains[row])
    seen = cells.survey(row).seen
    return atom_graph(residues, seen), residues.owner[np.isin(residues.owner, seen)].astype(np.int64)


def _size(made: tuple[Graph, NDArray[np.int64]]) -> int:
    graph, owner = made
    return graph.nodes.nbytes + graph.neighbours.nbytes + graph.edges.nbytes + owner.nbytes
