"""A protein structure as its residues: what a PDB or mmCIF file holds, read once and put in order.

Parsing is gemmi's (Wojdyr 2022, doi:10.21105/joss.04200). What is kept: the first model, the alternative location of
the highest occupancy, heavy atoms of amino acids and nucleotides. Waters, ligands, ions and hydrogens are left out;
modified residues (MSE) count as what they derive from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bioloom.data.wording import counted
from bioloom.modalities.protein import AMINO_ACIDS

if TYPE_CHECKING:
    import gemmi
    from numpy.typing import NDArray

NUCLEOTIDE = "n"
"""In small letters, because N is asparagine."""

LETTERS = AMINO_ACIDS + "X" + NUCLEOTIDE
"""Twenty amino acids, X for any other, n for a nucleotide."""

BROKEN = 4.5
"""Neighbours along a chain lie 3.8 Å apart; above this distance of their alpha carbons (Å) residues are missing."""

GAP = 50
"""Residues that a break in a chain counts for where the distance along it is told."""

FEWEST = 3
"""Residues without which nothing can be said about a structure."""

LARGEST = 100_000
"""Residues above which a file is a mistake or needs another tool; the ribosome has 11,000."""

PLACE, NUMBER = slice(30, 54), "0123456789+-. "
"""Columns of a line of a PDB file that say where an atom lies, and what stands in them."""

RENAMED = (
    "chains of the two partners are not in the file; the two chains that it has are taken as the partners"
)

RADII = {"C": 1.7, "N": 1.55, "O": 1.52, "S": 1.8, "P": 1.8, "SE": 1.9}
"""Van der Waals radii in Å, Bondi (1964) doi:10.1021/j100785a001; others count as carbon."""


class UnreadableError(ValueError):
    """A file that holds no usable structure.

    reason: why, without a full stop; fix: what to do
    """

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.reason, self.fix = reason, fix


@dataclass(frozen=True)
class Residues:
    """The residues of a structure in the order of the file, chain by chain.

    letters: (residues,) number of the letter in `LETTERS`
    chains:  (residues,) name of the chain
    numbers: (residues,) number in the file with its insertion code, such as "52A"
    side:    (residues,) which of the two partners it belongs to, 0 or 1; all 0 where no partners are named
    along:   (residues,) place along its chain; a break counts for 50 residues
    alpha:   (residues, 3) alpha carbon in Å (C1' of a nucleotide; the mean of its atoms where that is missing)
    beta:    (residues, 3) beta carbon, where it would be for glycine
    atoms:   (atoms, 3) heavy atoms; owner: (atoms,) their residue, rising; radii: (atoms,) in Å
    elements: (atoms,) symbols in upper case
    bases:   (residues,) the base of a nucleotide, one of ACGU (T counts as U), N for any other; "" for an amino acid
    notes:   what was left out or changed, in words
    """

    letters: NDArray[np.uint8]
    chains: NDArray[np.str_]
    numbers: NDArray[np.str_]
    side: NDArray[np.uint8]
    along: NDArray[np.int32]
    alpha: NDArray[np.float32]
    beta: NDArray[np.float32]
    atoms: NDArray[np.float32]
    owner: NDArray[np.int32]
    radii: NDArray[np.float32]
    elements: NDArray[np.str_]
    bases: NDArray[np.str_]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.letters)

    @property
    def labels(self) -> list[str]:
        """A name for each residue, such as "A:K52"."""
        return [
            f"{chain}:{LETTERS[letter]}{number}"
            for chain, letter, number in zip(self.chains, self.letters, self.numbers, strict=True)
        ]

    @property
    def partners(self) -> bool:
        """Whether two partners are told apart."""
        return bool(self.side.any())

    @cached_property
    def sequences(self) -> dict[str, str]:
        """The amino acids that are seen, by name of their chain; chains without any are left out."""
        found: dict[str, str] = {}
        for chain in dict.fromkeys(self.chains.tolist()):
            letters = "".join(LETTERS[number] for number in self.letters[self.chains == chain])
            if letters.strip(f"X{NUCLEOTIDE}"):
                found[chain] = letters.replace(NUCLEOTIDE, "X")
        return found

    @cached_property
    def nucleic(self) -> dict[str, str]:
        """The bases that are seen, by name of their chain; chains without any that is known are left out."""
        found = {
            chain: "".join(self.bases[self.chains == chain].tolist())
            for chain in dict.fromkeys(self.chains.tolist())
        }
        return {chain: bases for chain, bases in found.items() if bases.strip("N")}

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in memory, about."""
        return sum(each.nbytes for each in vars(self).values() if isinstance(each, np.ndarray))


@dataclass(frozen=True)
class Chains:
    """Which chains of a file are meant, and which of them belong together.

    sides: names of chains of each partner; one side where only some chains are kept; none: all chains
    """

    sides: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Chains:
        """Read "A:BC" (A against B and C), "AB", "A,B" or "A+B"; names of several letters need commas.

        Raises UnreadableError for more than two partners.
        """
        sides = tuple(_names(word) for word in text.strip().split(":")) if text.strip() else ()
        if len(sides) > 2 or not all(sides):
            raise UnreadableError(
                f'the chains "{text}" are no chains, or more than two partners',
                "write the chains to keep, such as AB, or two partners, such as A:BC",
            )
        named = [name for side in sides for name in side]
        if len(set(named)) < len(named):
            raise UnreadableError(f'the chains "{text}" name a chain twice', "name each chain once")
        return cls(sides)

    @property
    def names(self) -> tuple[str, ...]:
        """All chains that are named."""
        return tuple(name for side in self.sides for name in side)


def _names(word: str) -> tuple[str, ...]:
    word = word.strip().replace("+", ",")
    return tuple(name.strip() for name in word.split(",") if name.strip()) if "," in word else tuple(word)


def read_structure(content: bytes, chains: str = "") -> Residues:
    """Read a PDB or mmCIF file (told apart by its first lines) into residues.

    chains: the chains to keep, as `Chains.parse` reads them; empty keeps all
    Raises UnreadableError, with a reason and what to do, for a file without a usable structure or chain.
    """
    wanted = Chains.parse(chains)
    model, notes = _first_model(content)
    present = {chain.name: _polymer(chain) for chain in model}
    present = {name: residues for name, residues in present.items() if residues}
    side = _sides(wanted, tuple(present), notes)
    residues = [(name, each) for name in present if name in side for each in present[name]]
    if len(residues) < FEWEST:
        raise UnreadableError(
            f"it holds {counted(len(residues), 'residue')} of protein or nucleic acid",
            "give a file with coordinates of a protein",
        )
    if len(residues) > LARGEST:
        raise UnreadableError(
            f"it holds {len(residues):,} residues, and at most {LARGEST:,} can be read",
            "keep the chains that matter, in a column called chains",
        )
    return _collected(residues, side, notes)


def _sides(wanted: Chains, present: tuple[str, ...], notes: list[str]) -> dict[str, int]:
    """The partner, 0 or 1, that each chain to keep belongs to.

    Complexes are often stored with their partners renamed to A and B. Two partners and two chains can only be meant
    in one way, whatever the chains are called; it is noted.
    """
    absent = [name for name in wanted.names if name not in present]
    if absent and len(wanted.sides) == len(present) == 2:
        notes.append(RENAMED)
        return {name: number for number, name in enumerate(present)}
    if absent:
        raise UnreadableError(
            f'it has no chain "{absent[0]}" of amino acids or nucleotides; its chains are {", ".join(present) or "none"}',
            "correct the chains, or leave the cell empty to keep all",
        )
    named = {name: number for number, names in enumerate(wanted.sides) for name in names}
    return named or dict.fromkeys(present, 0)


def _first_model(content: bytes) -> tuple[gemmi.Model, list[str]]:
    """The first model of a file, without hydrogens and empty chains."""
    structure = parse_structure(content)
    if not len(structure) or not structure[0].count_atom_sites():
        raise UnreadableError(
            "it holds no coordinates of atoms",
            "give a PDB file (lines ATOM ...) or an mmCIF file (_atom_site)",
        )
    notes = []
    if len(structure) > 1:
        notes.append(f"of {len(structure)} models the first is read")
    structure.remove_hydrogens()
    structure.merge_chain_parts()
    return structure[0], notes


def parse_structure(content: bytes) -> gemmi.Structure:
    """Parse the bytes of a PDB or mmCIF file. Raises UnreadableError."""
    import gemmi

    text = content.decode("latin-1")
    try:
        if _is_mmcif(text):
            return gemmi.make_structure_from_block(gemmi.cif.read_string(text)[0])
        _refuse_places_of_words(text)
        return gemmi.read_pdb_string(text)
    except (RuntimeError, ValueError, IndexError) as error:
        reason = str(error).strip().splitlines()[0][:120].rstrip(".") if str(error).strip() else "damaged"
        raise UnreadableError(f"it cannot be read ({reason})", "download or export the file anew") from None


def _refuse_places_of_words(text: str) -> None:
    """Refuse a PDB file with an atom whose place is no number, which would be read as 0. Raises UnreadableError."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith(("ATOM  ", "HETATM")) and line[PLACE].strip(NUMBER):
            raise UnreadableError(
                f"the place of an atom is no number in line {number} ({line[PLACE].strip()})",
                "download or export the file anew",
            )


def _is_mmcif(text: str) -> bool:
    start = text.lstrip()[:5].lower()
    return start.startswith("data_") or (text.lstrip()[:1] == "#" and "\ndata_" in text[:5000])


def _polymer(chain: gemmi.Chain) -> list[gemmi.Residue]:
    """Amino acids and nucleotides of a chain: known ones, and modified ones that a backbone carries on."""
    found, seen = [], set()
    for residue in chain:
        key = str(residue.seqid)
        if key not in seen and _is_monomer(residue):  # a second residue of one number is a microheterogeneity
            seen.add(key)
            found.append(residue)
    return found


def _is_monomer(residue: gemmi.Residue) -> bool:
    import gemmi

    known = gemmi.find_tabulated_residue(residue.name)
    if known.is_water():
        return False
    names = {atom.name for atom in residue}
    amino = {"N", "CA", "C"} <= names or ("CA" in names and known.is_amino_acid())
    return amino or (known.is_nucleic_acid() and ("C1'" in names or "P" in names))


def _collected(residues: list[tuple[str, gemmi.Residue]], side: dict[str, int], notes: list[str]) -> Residues:
    letters = np.array([_letter(residue) for _, residue in residues], dtype=np.uint8)
    chosen = [_atoms(residue) for _, residue in residues]
    alpha, beta = np.empty((2, len(residues), 3), dtype=np.float32)
    for row, atoms in enumerate(chosen):
        alpha[row], beta[row] = _carbons(atoms)
    flat = [atom for atoms in chosen for atom in atoms.values()]
    elements = np.array([atom.element.name.upper() for atom in flat], dtype=np.str_)
    chains = np.array([name for name, _ in residues], dtype=np.str_)
    return Residues(
        letters=letters,
        chains=chains,
        numbers=np.array([str(residue.seqid) for _, residue in residues], dtype=np.str_),
        side=np.array([side.get(name, 0) for name, _ in residues], dtype=np.uint8),
        along=_along(chains, alpha),
        alpha=alpha,
        beta=beta,
        atoms=np.array([atom.pos.tolist() for atom in flat], dtype=np.float32),
        owner=np.repeat(np.arange(len(chosen), dtype=np.int32), [len(atoms) for atoms in chosen]),
        radii=np.array([RADII.get(element, RADII["C"]) for element in elements], dtype=np.float32),
        elements=elements,
        bases=np.array([_base(residue) for _, residue in residues], dtype=np.str_),
        notes=(*notes, *_left(residues)),
    )


def _letter(residue: gemmi.Residue) -> int:
    import gemmi

    known = gemmi.find_tabulated_residue(residue.name)
    if known.is_nucleic_acid():
        return LETTERS.index(NUCLEOTIDE)
    letter = known.one_letter_code.upper().strip()
    letter = {"U": "C", "O": "K"}.get(letter, letter)  # as sequences of proteins are read
    return LETTERS.index(letter) if letter and letter in AMINO_ACIDS else LETTERS.index("X")


def _base(residue: gemmi.Residue) -> str:
    import gemmi

    known = gemmi.find_tabulated_residue(residue.name)
    if not known.is_nucleic_acid():
        return ""
    base = known.one_letter_code.upper().strip().replace("T", "U")
    return base if base in tuple("ACGU") else "N"


def _atoms(residue: gemmi.Residue) -> dict[str, Any]:
    """Heavy atoms by name; of alternative locations the one of the highest occupancy, of equals the first."""
    found: dict[str, Any] = {}
    for atom in residue:
        before = found.get(atom.name)
        if before is None or atom.occ > before.occ:
            found[atom.name] = atom
    return found


def _carbons(atoms: dict[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Alpha and beta carbon, (3,) each; what is missing is built from the others."""
    at = {name: np.array(atom.pos.tolist()) for name, atom in atoms.items()}
    alpha = next((at[name] for name in ("CA", "C1'", "P") if name in at), None)
    alpha = np.mean(list(at.values()), axis=0) if alpha is None else alpha
    if "CB" in at:
        return alpha, at["CB"]
    if not {"N", "CA", "C"} <= set(at):
        return alpha, alpha
    to_alpha, onward = alpha - at["N"], at["C"] - alpha
    side = np.cross(to_alpha, onward)  # ideal geometry of an L-amino acid
    return alpha, alpha - 0.58273431 * side + 0.56802827 * to_alpha - 0.54067466 * onward


def _along(chains: NDArray[np.str_], alpha: NDArray[np.float32]) -> NDArray[np.int32]:
    step = np.ones(len(chains), dtype=np.int32)
    far = np.linalg.norm(np.diff(alpha, axis=0), axis=1) > BROKEN
    step[1:][far] = GAP
    step[1:][chains[1:] != chains[:-1]] = GAP
    return np.cumsum(step, dtype=np.int32)


def _left(residues: list[tuple[str, gemmi.Residue]]) -> Iterator[str]:
    """Notes on what a user may not expect in a file."""
    import gemmi

    names = {residue.name for _, residue in residues}
    modified = sorted(name for name in names if not gemmi.find_tabulated_residue(name).is_standard())
    if modified:
        yield f"modified residues are read as what they derive from, or as any residue ({', '.join(modified[:5])})"
