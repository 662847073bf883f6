"""Structure: a PDB or mmCIF file for each record, as a graph of its residues.

A cell names a file beside the table or in an archive there. A column called `chains` says which chains are meant: "A"
or "AB" keeps these, "A:BC" are two partners whose interface is looked at; empty keeps all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd

from bioloom.data.learned import text_hashes
from bioloom.data.records import Problem
from bioloom.errors import UserError
from bioloom.modalities import (
    Across,
    Clusters,
    Demo,
    Features,
    Kind,
    Modality,
    Part,
    Shape,
    Similarity,
    modalities,
)
from bioloom.modalities import survey as surveys
from bioloom.modalities.contacts import TOUCHING
from bioloom.modalities.graphs import ROOM, Graph, GraphEncoded, Layout
from bioloom.modalities.kinship import Chained, chain_families, compare_structures, families
from bioloom.modalities.structure_demo import salt_bridges
from bioloom.modalities.structure_features import features_of_all
from bioloom.modalities.structure_graph import FEATURES, NEIGHBOURS, NUMBERS, residue_graph
from bioloom.modalities.survey import Cells

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.data.leakage import Alike
    from bioloom.modalities import Signal


class StructureFiles(Modality):
    """What all views of structures share: files, what is wrong with them, relatives, simple features."""

    companions: ClassVar[tuple[str, ...]] = ("chains",)
    unit = "residue"

    @classmethod
    def detect(cls, column: pd.Series[Any]) -> float:
        """Sure where nearly all cells name files that end as PDB and mmCIF files do, or hold such files."""
        return 0.0 if cls.on_request else surveys.looks_like_structures(column)

    @classmethod
    def check(cls, values: pd.DataFrame) -> list[Problem]:
        """Files that are missing or broken, chains that are not there, partners that do not touch."""
        return surveys.problems(values)

    @classmethod
    def clusters(cls, values: pd.DataFrame, similarity: Similarity | None = None) -> Clusters:
        """Group copies and relatives: every chain of one structure is a relative of one in the other.

        similarity: share of equal amino acids, as for protein sequences; of equal bases where there is no protein
        """
        sets, notion = chain_families(_chains(values), similarity or Similarity())
        return Clusters(families(sets, cls.copies(values)), notion)

    @classmethod
    def alike(cls, values: pd.DataFrame, across: Across) -> Alike:
        """The same file and chains, or a structure whose chains are relatives."""
        return compare_structures(_chains(values), cls.copies(values), across)

    @classmethod
    def copies(cls, values: pd.DataFrame) -> NDArray[np.int64]:
        """Numbers that records of equal files and chains share."""
        return np.asarray(pd.factorize(np.array(Cells.of(values).copies(), dtype=object))[0], dtype=np.int64)

    def hashes(self, values: pd.DataFrame) -> NDArray[np.uint64]:
        """Equal for equal files and chains, whatever the files are called."""
        return text_hashes(np.array(Cells.of(values).copies(), dtype=object))

    @classmethod
    def properties(cls, values: pd.DataFrame) -> NDArray[np.float64]:
        """Residues in all and those that networks see, (records, 2)."""
        sizes = [(len(each), len(each.seen)) for each in Cells.of(values).usable()]
        return np.array(sizes, dtype=np.float64).reshape(-1, 2)


@modalities.register
@dataclass(frozen=True)
class Structure(StructureFiles):
    """Residues, what each is made of and how it lies to its neighbours.

    nodes:    residues that there is room for: a quarter more than the largest training record has
    average:  (features,) of the mean training residue
    partners: whether training records name two partners, whose interface is then looked at
    """

    nodes: int
    average: tuple[float, ...]
    partners: bool

    name = "structure"
    title = "protein structure (residues and their contacts)"
    kind = Kind.GRAPH
    default_network = "message_passing"
    explainers = ("node_occlusion", "integrated_gradients")
    node_features: ClassVar[tuple[str, ...]] = FEATURES
    edge_numbers: ClassVar[tuple[str, ...]] = NUMBERS
    most_neighbours: ClassVar[int] = NEIGHBOURS

    @classmethod
    def graph_of(cls, cells: Cells, row: int) -> tuple[Graph, NDArray[np.int64]]:
        """The graph of what networks see of one structure, and which residue each node belongs to."""
        survey = cells.survey(row)
        return residue_graph(survey), survey.seen

    @classmethod
    def fit(cls, values: pd.DataFrame) -> Self:
        """Learn the largest number of residues, and the mean residue."""
        most, count, partners, total = 0, 0, False, np.zeros(len(cls.node_features))
        cells = Cells.of(values)
        for row, each in enumerate(cells.usable()):
            graph, _ = cls.graph_of(cells, row)
            most, count = max(most, len(graph)), count + len(graph)
            partners |= each.residues.partners
            total += graph.nodes.sum(axis=0, dtype=np.float64)
        if not count:
            raise UserError("There is no structure to learn from.", where=f'column "{values.columns[0]}"')
        average = tuple(float(f"{number:.6g}") for number in total / count)
        return cls(int(np.ceil(ROOM * most)), average, partners)

    def state(self) -> dict[str, Any]:
        """What was learned, as JSON."""
        return {"nodes": self.nodes, "average": list(self.average), "partners": self.partners}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(int(state["nodes"]), tuple(map(float, state["average"])), bool(state["partners"]))

    @property
    def _layout(self) -> Layout:
        return Layout(self.nodes, len(self.node_features), self.most_neighbours, len(self.edge_numbers))

    @property
    def shape(self) -> Shape:
        """(channels, residues)."""
        return self._layout.shape

    @property
    def channels(self) -> tuple[str, ...]:
        """What is told of a residue, then of its neighbours."""
        return self._layout.channels(self.node_features, self.edge_numbers)

    def encode(self, values: pd.DataFrame) -> GraphEncoded:
        """One byte for each number; raises UserError at the first row that `check` would drop."""
        cells = Cells.of(values)
        graphs = (self._graph(cells, row)[0] for row, _ in enumerate(cells.usable()))
        return GraphEncoded.of(graphs, self._layout)

    def _graph(self, cells: Cells, row: int) -> tuple[Graph, NDArray[np.int64]]:
        """What the network sees of a structure, and the residue of each node; of too many nodes the inner ones."""
        graph, owner = self.graph_of(cells, row)
        if len(graph) <= self.nodes:
            return graph, owner
        place = cells.survey(row).residues.alpha[owner]
        inner = np.argsort(np.linalg.norm(place - place.mean(axis=0), axis=1), kind="stable")
        kept = np.sort(inner[: self.nodes]).astype(np.int64)
        return graph.kept(kept), owner[kept]

    def notes(self, values: pd.DataFrame) -> list[Problem]:
        """Structures with more residues than there is room for."""
        cells = Cells.of(values)
        sizes = np.array(
            [len(self.graph_of(cells, row)[0]) for row, _ in enumerate(cells.usable())], dtype=np.int64
        )
        large = np.flatnonzero(sizes > self.nodes)
        if not len(large):
            return []
        message = f"the structure has more {self.unit}s than the {self.nodes:,} that there is room for; "
        message += "only those nearest to its centre are used"
        fix = "keep the chains that matter, or train on structures as large as those to predict"
        return [Problem("structure.cut", "note", message, fix, str(values.columns[0]), large)]

    def features(self, values: pd.DataFrame) -> Features:
        """Contacts by what touches, the surface by what lies there, sizes; of two partners the interface only."""
        return features_of_all(Cells.of(values).usable(), self.partners)

    def parts(self, values: pd.DataFrame) -> list[Part]:
        """The residues that the network sees."""
        cells = Cells.of(values)
        labels = cells.survey(0).residues.labels
        return [Part(labels[row], (place,)) for place, row in enumerate(self._graph(cells, 0)[1].tolist())]

    def background(self, signal: Signal, seed: int, count: int) -> Tensor:
        """The same contacts between mean residues: what is left is the shape alone."""
        nothing = signal.x.clone()
        nothing[:, : len(self.node_features)] = nothing.new_tensor(self.average)[:, None]
        if signal.mask is not None:
            nothing = nothing * signal.mask[:, None]
        return nothing[:, None].expand(-1, count, -1, -1)

    def draw(self, values: pd.DataFrame, attribution: NDArray[np.float32], label: str) -> Figure:
        """Each residue along the chains, and the contacts between residues that matter."""
        from bioloom.figures.structure import DrawnStructure, attributed_structure

        cells = Cells.of(values)
        survey = cells.survey(0)
        rows, effect = self._effects(cells, attribution)
        pairs = survey.contacts
        drawn = DrawnStructure(
            effect=effect,
            labels=survey.residues.labels,
            chains=survey.residues.chains.tolist(),
            seen=rows,
            pairs=np.stack([pairs.first, pairs.second], axis=1)[pairs.closest < TOUCHING],
        )
        return attributed_structure(drawn, label)

    def _effects(
        self, cells: Cells, attribution: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The residues that the network sees, and one number for each residue of the structure, 0 for the others."""
        owner = self._graph(cells, 0)[1]
        effect = np.zeros(len(cells.survey(0)), dtype=np.float32)
        np.add.at(effect, owner, attribution[:, : len(owner)].sum(axis=0))
        return np.unique(owner), effect

    def files(
        self, values: pd.DataFrame, attribution: NDArray[np.float32], label: str
    ) -> Mapping[str, bytes]:
        """The structure with the attribution of each residue in the B-factor column, to be coloured by it."""
        from bioloom.modalities.bfactors import with_attributions

        cells = Cells.of(values)
        survey = cells.survey(0)
        named = dict(zip(zip(survey.residues.chains, survey.residues.numbers, strict=True),
                         self._effects(cells, attribution)[1].tolist(), strict=True))  # fmt: skip
        return {".cif": with_attributions(surveys.unpacked(cells.content(0)), named, label)}

    @classmethod
    def demo(cls, n: int, seed: int) -> Demo:
        """Hairpins in which salt bridges between facing residues make the stability."""
        records, planted = salt_bridges(n, seed)
        parts = np.zeros((n, cls.fit(records.inputs["structure"]).nodes), dtype=bool)
        for row, there in enumerate(planted):
            parts[row, : len(there)] = there
        return Demo(records, "structure", parts, "regression")


def _chains(values: pd.DataFrame) -> Chained:
    """The chains of each record."""
    return Chained.of(each.residues for each in Cells.of(values).usable())
