"""What RDKit says of molecules: atoms and bonds as a graph, fingerprints, descriptors, scaffolds, likeness."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bioloom.errors import UserError
from bioloom.modalities.graphs import Graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMILES = re.compile(r"(?:\[[^\[\]\s]+\]|Br|Cl|[BCNOSPFIbcnops]|[()\-=#$:/\\.*]|%\d\d|\d)+")
"""Text that may be SMILES: atoms, bonds, branches, rings (Weininger 1988, doi:10.1021/ci00057a005)."""

LARGEST = 1_000
"""Heavy atoms of a molecule at most."""

ELEMENTS = ("C", "N", "O", "F", "P", "S", "Cl", "Br", "I", "B", "Si")
HYBRIDS = ("SP", "SP2", "SP3")
FEATURES = (
    *ELEMENTS, "other element", *HYBRIDS, "aromatic", "in a ring", "in a ring of 5", "in a ring of 6", "positive", "negative",
    "hydrogens", "neighbours", "donor", "acceptor",
)  # fmt: skip
"""What is told of an atom, all between 0 and 1."""

NUMBERS = ("single bond", "double bond", "triple bond", "aromatic bond", "conjugated bond", "ring bond")
"""What is told of the bond to each neighbour, 0 or 1, with the number of the neighbour."""

BONDS = 6
"""Neighbours of an atom at most; further ones, which only some metals have, are left out."""

BITS, RADIUS = 1024, 2
"""Of Morgan fingerprints: Rogers, Hahn (2010) doi:10.1021/ci100050t."""

DESCRIPTORS = (
    "molecular weight", "log P (Crippen)", "polar surface (Å²)", "hydrogen bond donors", "hydrogen bond acceptors",
    "rotatable bonds", "rings", "aromatic rings", "share of sp3 carbons", "heavy atoms", "aromatic share", "molar refractivity",
)  # fmt: skip


@dataclass(frozen=True)
class Molecule:
    """One molecule: its canonical SMILES and RDKit's object."""

    smiles: str
    mol: Any

    @property
    def fragments(self) -> int:
        """Parts that no bond joins, such as the two ions of a salt."""
        return self.smiles.count(".") + 1


def needs_rdkit() -> None:
    """Raises UserError where RDKit is not installed."""
    try:
        import rdkit  # noqa: F401
    except ImportError:
        raise UserError(
            "Molecules are read with RDKit, which is not installed.",
            where="modality molecule",
            fix="pip install bioloom[chem], or read SMILES as text: --input COLUMN=text",
        ) from None


def parse(text: str) -> Molecule | None:
    """Read SMILES; None where it is none, or breaks the rules of valence."""
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():  # what is wrong is told by the table, and not by a library in between
        mol = Chem.MolFromSmiles(text.strip())
    if mol is None or not mol.GetNumAtoms():
        return None
    return Molecule(Chem.MolToSmiles(mol), mol)


def molecule_graph(molecule: Molecule) -> Graph:
    """Heavy atoms and the bonds between them, in RDKit's order of the SMILES."""
    mol = molecule.mol
    count = mol.GetNumAtoms()
    nodes = np.array([_atom(atom) for atom in mol.GetAtoms()], dtype=np.float32)
    neighbours = np.zeros((count, BONDS), dtype=np.int32)
    edges = np.zeros((count, BONDS, len(NUMBERS)), dtype=np.float32)
    used = np.zeros(count, dtype=np.int64)
    for bond in mol.GetBonds():
        ends, told = (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()), _bond(bond)
        for here, there in (ends, ends[::-1]):
            if used[here] < BONDS:
                neighbours[here, used[here]], edges[here, used[here]] = there + 1, told
                used[here] += 1
    return Graph(nodes, neighbours, edges)


def _atom(atom: Any) -> list[float]:
    symbol, charge, hydrogens = atom.GetSymbol(), atom.GetFormalCharge(), atom.GetTotalNumHs()
    hybrid = str(atom.GetHybridization())
    return [
        *(float(symbol == element) for element in ELEMENTS),
        float(symbol not in ELEMENTS),
        *(float(hybrid == each) for each in HYBRIDS),
        float(atom.GetIsAromatic()),
        float(atom.IsInRing()),
        float(atom.IsInRingSize(5)),
        float(atom.IsInRingSize(6)),
        float(charge > 0),
        float(charge < 0),
        min(hydrogens / 4, 1.0),
        min(atom.GetDegree() / 4, 1.0),
        float(symbol in ("N", "O", "S") and hydrogens > 0),
        float(symbol in ("N", "O") and charge <= 0),
    ]


def _bond(bond: Any) -> list[float]:
    kind = str(bond.GetBondType())
    kinds = (float(kind == each) for each in ("SINGLE", "DOUBLE", "TRIPLE", "AROMATIC"))
    return [*kinds, float(bond.GetIsConjugated()), float(bond.IsInRing())]


def fingerprints(molecules: Sequence[Molecule]) -> NDArray[np.float32]:
    """Morgan fingerprints, (molecules, bits), 0 or 1."""
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)
    found = [generator.GetFingerprintAsNumPy(each.mol) for each in molecules]
    return np.array(found, dtype=np.float32).reshape(-1, BITS)


def descriptors(molecules: Sequence[Molecule]) -> NDArray[np.float32]:
    """Simple properties, (molecules, descriptors), in the order of `DESCRIPTORS`."""
    found = [_described(each.mol) for each in molecules]
    return np.array(found, dtype=np.float32).reshape(-1, len(DESCRIPTORS))


def _described(mol: Any) -> list[float]:
    from rdkit.Chem import Crippen, Descriptors, rdMolDescriptors

    heavy = mol.GetNumHeavyAtoms()
    aromatic = sum(atom.GetIsAromatic() for atom in mol.GetAtoms())
    return [
        Descriptors.MolWt(mol),  # type: ignore[attr-defined]
        Crippen.MolLogP(mol),  # type: ignore[attr-defined]
        rdMolDescriptors.CalcTPSA(mol),
        rdMolDescriptors.CalcNumHBD(mol),
        rdMolDescriptors.CalcNumHBA(mol),
        rdMolDescriptors.CalcNumRotatableBonds(mol),
        rdMolDescriptors.CalcNumRings(mol),
        rdMolDescriptors.CalcNumAromaticRings(mol),
        rdMolDescriptors.CalcFractionCSP3(mol),
        heavy,
        aromatic / max(1, heavy),
        Crippen.MolMR(mol),  # type: ignore[attr-defined]
    ]


def scaffold(molecule: Molecule) -> str:
    """The rings of a molecule and what joins them, as SMILES; "" where it has no ring.

    Source: Bemis, Murcko (1996) doi:10.1021/jm9602928.
    """
    from rdkit.Chem.Scaffolds import MurckoScaffold

    return str(MurckoScaffold.MurckoScaffoldSmiles(mol=molecule.mol))  # type: ignore[no-untyped-call]


def tanimoto(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shared bits over all bits of two fingerprints, (ones, others)."""
    shared = one @ other.T
    either = one.sum(axis=1)[:, None] + other.sum(axis=1)[None] - shared
    return np.asarray(shared / np.maximum(either, 1), dtype=np.float32)


BLOCK = 2_000
"""Molecules that are compared with all others at once."""


def blocks(
    prints: NDArray[np.float32], others: NDArray[np.float32]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Likeness to all others, some molecules after the others: the first of them, and (some, others)."""
    for first in range(0, len(prints), BLOCK):
        yield first, tanimoto(prints[first : first + BLOCK], others)


def placed(molecule: Molecule) -> NDArray[np.float64]:
    """Where atoms lie in a drawing, (atoms, 2)."""
    from rdkit.Chem import rdDepictor

    rdDepictor.Compute2DCoords(molecule.mol)
    return np.asarray(molecule.mol.GetConformer().GetPositions()[:, :2])
