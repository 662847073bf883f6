"""Molecule: SMILES as a graph of atoms and bonds. Needs the extra `chem` (RDKit)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd

from bioloom.data.leakage import Alike
from bioloom.data.learned import text_hashes
from bioloom.data.records import Problem, Records
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
    chemistry,
    modalities,
)
from bioloom.modalities.chemistry import (
    BITS,
    BONDS,
    DESCRIPTORS,
    FEATURES,
    LARGEST,
    NUMBERS,
    SMILES,
    Molecule,
    molecule_graph,
)
from bioloom.modalities.graphs import ROOM, GraphEncoded, Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.modalities import Signal

NEAR = 0.85
"""Likeness of fingerprints (Tanimoto) from which two molecules count as near copies."""

LOOKED_AT = 500
"""Cells that are looked at to tell what a column holds."""

SHORTEST = 5
"""Median length from which cells are taken for SMILES; C1 and B2 are names of wells and clones."""


@modalities.register
@dataclass(frozen=True)
class Molecules(Modality):
    """Atoms, what each is, and its bonds.

    nodes:   atoms that there is room for: a quarter more than the largest training molecule has
    average: (features,) of the mean training atom
    """

    nodes: int
    average: tuple[float, ...]

    name = "molecule"
    title = "small molecule (SMILES)"
    kind = Kind.GRAPH
    default_network = "message_passing"
    explainers = ("node_occlusion", "integrated_gradients")
    unit = "atom"

    @classmethod
    def detect(cls, column: pd.Series[Any]) -> float:
        """Sure where nearly all cells spell molecules, and some have branches, rings, double bonds or brackets."""
        if not (pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)):
            return 0.0
        cells = [cell.strip() for cell in column.dropna().head(LOOKED_AT) if isinstance(cell, str)]
        if not cells or np.mean([SMILES.fullmatch(cell) is not None for cell in cells]) < 0.95:
            return 0.0
        marked = np.mean([any(sign in cell for sign in "=#([123") for cell in cells])
        letters = np.mean([any(letter in cell for letter in "CcNnOo") for cell in cells])
        long = float(np.median([len(cell) for cell in cells])) >= SHORTEST
        return 0.97 if marked > 0.3 and letters > 0.9 and long else 0.0

    @classmethod
    def check(cls, values: pd.DataFrame) -> list[Problem]:
        """Cells that spell no molecule, or one too large (dropped); salts and mixtures (noted)."""
        chemistry.needs_rdkit()
        column, found = str(values.columns[0]), [_state(cell) for cell in values.iloc[:, 0]]
        return [
            Problem(f"molecule.{code}", severity, message, fix, column, rows)
            for code, severity, message, fix in _PROBLEMS
            if len(rows := np.flatnonzero([state == code for state in found]))
        ]

    @classmethod
    def fit(cls, values: pd.DataFrame) -> Self:
        """Learn the largest number of atoms, and the mean atom."""
        most, count, total = 0, 0, np.zeros(len(FEATURES))
        for each in _read(values):
            graph = molecule_graph(each)
            most, count = max(most, len(graph)), count + len(graph)
            total += graph.nodes.sum(axis=0, dtype=np.float64)
        if not count:
            raise UserError("There is no molecule to learn from.", where=f'column "{values.columns[0]}"')
        return cls(int(np.ceil(ROOM * most)), tuple(float(f"{number:.6g}") for number in total / count))

    def state(self) -> dict[str, Any]:
        """What was learned, as JSON."""
        return {"nodes": self.nodes, "average": list(self.average)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(int(state["nodes"]), tuple(map(float, state["average"])))

    @property
    def _layout(self) -> Layout:
        return Layout(self.nodes, len(FEATURES), BONDS, len(NUMBERS))

    @property
    def shape(self) -> Shape:
        """(channels, atoms)."""
        return self._layout.shape

    @property
    def channels(self) -> tuple[str, ...]:
        """What is told of an atom, then of its neighbours."""
        return self._layout.channels(FEATURES, NUMBERS)

    def encode(self, values: pd.DataFrame) -> GraphEncoded:
        """One byte for each number; of molecules too large the first atoms."""
        graphs = (molecule_graph(each) for each in _read(values))
        kept = (each if len(each) <= self.nodes else each.kept(np.arange(self.nodes)) for each in graphs)
        return GraphEncoded.of(kept, self._layout)

    def notes(self, values: pd.DataFrame) -> list[Problem]:
        """Molecules with more atoms than there is room for."""
        sizes = np.array([each.mol.GetNumAtoms() for each in _read(values)], dtype=np.int64)
        large = np.flatnonzero(sizes > self.nodes)
        if not len(large):
            return []
        message = f"the molecule has more heavy atoms than the {self.nodes:,} that there is room for; the others are left out"
        fix = "train on molecules as large as those to predict"
        return [Problem("molecule.cut", "note", message, fix, str(values.columns[0]), large)]

    @classmethod
    def clusters(cls, values: pd.DataFrame, similarity: Similarity | None = None) -> Clusters:
        """Group molecules of one scaffold and copies; with a similarity, those that Tanimoto links instead.

        similarity: shared bits of Morgan fingerprints over all bits. Molecules without rings have no scaffold; of these
                    near copies (0.85) stay together.
        """
        found = list(_read(values))
        asked = None if similarity is None else similarity.identity
        prints = chemistry.fingerprints(found)
        if asked is not None:
            return Clusters(_linked(prints, asked), f"fingerprints alike (Tanimoto) at {asked:g} or more")
        scaffolds = np.array([chemistry.scaffold(each) for each in found], dtype=object)
        chains = np.flatnonzero(scaffolds == "")
        labels = pd.factorize(scaffolds)[0].astype(np.int64)
        labels[chains] = len(found) + _linked(prints[chains], NEAR)
        told = (
            f"one scaffold (rings and what joins them); without rings, fingerprints alike at {NEAR:g} or more"
        )
        return Clusters(pd.factorize(labels)[0].astype(np.int64), told)

    @classmethod
    def alike(cls, values: pd.DataFrame, across: Across) -> Alike:
        """The same molecule, or the one with the most similar fingerprint."""
        found = list(_read(values))
        limit = NEAR if across.similarity.identity is None else across.similarity.identity
        prints = chemistry.fingerprints(found)
        best = np.full(len(across.queries), -1, dtype=np.int64)
        identity = np.full(len(across.queries), np.nan, dtype=np.float32)
        if len(across.targets):
            for first, likeness in chemistry.blocks(prints[across.queries], prints[across.targets]):
                rows = slice(first, first + len(likeness))
                best[rows], identity[rows] = likeness.argmax(axis=1), likeness.max(axis=1)
        names = [each.smiles for each in found]
        place = {names[row]: number for number, row in reversed(list(enumerate(across.targets.tolist())))}
        exact = np.array([place.get(names[row], -1) for row in across.queries.tolist()], dtype=np.int64)
        identity[exact >= 0] = 1.0
        near = (exact < 0) & (np.nan_to_num(identity) >= limit)
        kind = np.select([exact >= 0, near], ["exact", "near"], "").astype(object)
        partner = np.where(exact >= 0, exact, np.where(near, best, -1)).astype(np.int64)
        return Alike(kind, partner, identity, f"fingerprints alike (Tanimoto) at {limit:g} or more")

    @classmethod
    def copies(cls, values: pd.DataFrame) -> NDArray[np.int64]:
        """Numbers that equal molecules share, however they are spelt."""
        names = np.array([each.smiles for each in _read(values)], dtype=object)
        return np.asarray(pd.factorize(names)[0], dtype=np.int64)

    def hashes(self, values: pd.DataFrame) -> NDArray[np.uint64]:
        """Equal for equal molecules, however they are spelt."""
        return text_hashes(np.array([each.smiles for each in _read(values)], dtype=object))

    @classmethod
    def properties(cls, values: pd.DataFrame) -> NDArray[np.float64]:
        """Molecular weight and log P, (records, 2)."""
        return chemistry.descriptors(list(_read(values)))[:, :2].astype(np.float64)

    def features(self, values: pd.DataFrame) -> Features:
        """Simple properties, and which surroundings of atoms there are (Morgan fingerprint)."""
        found = list(_read(values))
        joined = np.concatenate([chemistry.descriptors(found), chemistry.fingerprints(found)], axis=1)
        names = (*DESCRIPTORS, *(f"surroundings {bit + 1}" for bit in range(BITS)))
        return Features(
            joined, names, f"{len(DESCRIPTORS)} properties and a Morgan fingerprint of {BITS:,} bits"
        )

    def parts(self, values: pd.DataFrame) -> list[Part]:
        """The heavy atoms, numbered as in the SMILES."""
        (molecule,) = _read(values)
        atoms = list(molecule.mol.GetAtoms())[: self.nodes]
        return [Part(f"{atom.GetSymbol()}{place + 1}", (place,)) for place, atom in enumerate(atoms)]

    def background(self, signal: Signal, seed: int, count: int) -> Tensor:
        """The same bonds between mean atoms."""
        nothing = signal.x.clone()
        nothing[:, : len(FEATURES)] = nothing.new_tensor(self.average)[:, None]
        if signal.mask is not None:
            nothing = nothing * signal.mask[:, None]
        return nothing[:, None].expand(-1, count, -1, -1)

    def draw(self, values: pd.DataFrame, attribution: NDArray[np.float32], label: str) -> Figure:
        """The molecule in the plane, its atoms coloured."""
        from bioloom.figures.molecule import DrawnMolecule, attributed_molecule

        (molecule,) = _read(values)
        atoms = list(molecule.mol.GetAtoms())
        effect = np.zeros(len(atoms), dtype=np.float32)
        seen = min(len(atoms), self.nodes)
        effect[:seen] = attribution[:, :seen].sum(axis=0)
        bonds = [
            (each.GetBeginAtomIdx(), each.GetEndAtomIdx(), each.GetBondTypeAsDouble())
            for each in molecule.mol.GetBonds()
        ]
        drawn = DrawnMolecule(chemistry.placed(molecule), [_symbol(atom) for atom in atoms], bonds, effect)
        return attributed_molecule(drawn, label)

    @classmethod
    def demo(cls, n: int, seed: int) -> Demo:
        """Rings and chains with groups; acids and hydroxyls make them soluble, the others do nothing."""
        random = np.random.default_rng(seed)
        cells, solubility, planted = [], np.zeros(n), []
        for row in range(n):
            chain = "C" * int(random.integers(1, 8))
            groups = random.choice(list(GROUPS), size=2).tolist()
            core = str(random.choice(["c1ccc({})cc1{}", "C1CCC({})CC1{}", "CC({})CC{}"]))
            cells.append(chain + core.format(*groups))
            solubility[row] = sum(GROUPS[group] for group in groups) + random.normal(0, 0.1)
            atoms = chemistry.parse(cells[-1]).mol.GetAtoms()  # type: ignore[union-attr]
            planted.append([atom.GetSymbol() == "O" for atom in atoms])
        frame = pd.DataFrame({"smiles": pd.Series(cells, dtype=object)})
        parts = np.zeros((n, cls.fit(frame).nodes), dtype=bool)
        for row, there in enumerate(planted):
            parts[row, : len(there)] = there
        records = Records(
            ids=np.array([f"demo{number + 1}" for number in range(n)], dtype=object),
            inputs={"molecule": frame},
            targets=pd.DataFrame({"solubility": solubility}),
            lines=np.arange(n, dtype=np.int64) + 2,
        )
        return Demo(records, "molecule", parts, "regression")


GROUPS = {"C(=O)O": 2.0, "O": 1.0, "F": 0.0, "Cl": 0.0, "C": 0.0, "N": 0.0}
"""Of the demo: what each group adds to the solubility."""

_PROBLEMS: tuple[tuple[str, Literal["drop", "note"], str, str], ...] = (
    ("missing", "drop", "there is no molecule", "fill it in, or leave the record out"),
    ("smiles", "drop", "the text spells no molecule (RDKit cannot read it as SMILES)", "correct it, or leave the record out"),
    ("large", "drop", f"the molecule has more than {LARGEST:,} heavy atoms", "read it as a structure or a sequence"),
    ("mixture", "note", "the SMILES spells several molecules, such as a salt; all of them are read together", ""),
)  # fmt: skip


def _state(cell: object) -> str:
    """What is wrong with a cell, or to be noted: a code of `_PROBLEMS`, or nothing."""
    if not isinstance(cell, str) or not cell.strip():
        return "missing"
    found = chemistry.parse(cell)
    if found is None:
        return "smiles"
    if found.mol.GetNumAtoms() > LARGEST:
        return "large"
    return "mixture" if found.fragments > 1 else ""


def _read(values: pd.DataFrame) -> Iterator[Molecule]:
    """Every molecule. Raises UserError at the first cell that spells none."""
    chemistry.needs_rdkit()
    for row, cell in enumerate(values.iloc[:, 0]):
        found = chemistry.parse(cell) if isinstance(cell, str) else None
        if found is None:
            raise UserError(
                f"Record {row + 1} spells no molecule.",
                where=f'column "{values.columns[0]}"',
                fix="correct the SMILES, or leave the record out",
            )
        yield found


def _linked(prints: NDArray[np.float32], least: float) -> NDArray[np.int64]:
    """Labels of molecules that are linked, directly or through others, by so similar fingerprints."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    pairs = [
        np.argwhere(likeness >= least) + np.array([first, 0])
        for first, likeness in chemistry.blocks(prints, prints)
    ]
    left, right = np.concatenate([np.zeros((0, 2), dtype=np.int64), *pairs]).T
    graph = coo_matrix((np.ones(len(left)), (left, right)), shape=(len(prints), len(prints)))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _symbol(atom: Any) -> str:
    """What stands in a drawing: "" for plain carbon, else the element with its hydrogens and charge."""
    hydrogens, charge = atom.GetTotalNumHs(), atom.GetFormalCharge()
    if atom.GetSymbol() == "C" and not charge:
        return ""
    told = {0: "", 1: "H"}.get(hydrogens, f"H{hydrogens}")
    return f"{atom.GetSymbol()}{told}{'+' * max(charge, 0)}{'-' * max(-charge, 0)}"
