"""Small generated structures with a signal planted in their contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bioloom.data.records import Records
from bioloom.data.stores import as_text
from bioloom.modalities.protein import AMINO_ACIDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

THREE = {
    "A": "ALA", "R": "ARG", "N": "ASN", "D": "ASP", "C": "CYS", "Q": "GLN", "E": "GLU", "G": "GLY", "H": "HIS", "I": "ILE",
    "L": "LEU", "K": "LYS", "M": "MET", "F": "PHE", "P": "PRO", "S": "SER", "T": "THR", "W": "TRP", "Y": "TYR", "V": "VAL",
}  # fmt: skip

RISE, APART, SIDE = 3.4, 7.5, 1.53
"""Å between residues of a strand, between the strands, and from an alpha to a beta carbon."""

TURN = 2
"""Residues of the turn."""


def pdb_text(letters: Sequence[str], backbone: NDArray[np.float64], chain: str = "A", first: int = 1) -> str:
    """A PDB file of residues of the atoms N, CA, C and CB.

    letters:  one letter for each residue; backbone: (residues, 4, 3) in Å
    """
    lines: list[str] = []
    for residue, (letter, atoms) in enumerate(zip(letters, backbone, strict=True)):
        for name, (x, y, z) in zip(("N", "CA", "C", "CB"), atoms, strict=True):
            lines.append(
                f"ATOM  {len(lines) + 1:5d}  {name:<3} {THREE[letter]} {chain}{first + residue:4d}    "
                f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           {name[0]}"
            )
    return "\n".join([*lines, "TER", ""])


def hairpin(strand: int) -> NDArray[np.float64]:
    """Two strands side by side and a turn, side chains facing each other, (2 strand + 2, 4, 3) in Å."""
    up = np.arange(strand) * RISE
    ends = [up[-1] + RISE, up[-1] + RISE]
    along = np.concatenate([up, ends, up[::-1]])
    across = np.concatenate([np.zeros(strand), [APART / 4, 3 * APART / 4], np.full(strand, APART)])
    inward = np.concatenate([np.ones(strand), [0.0, 0.0], -np.ones(strand)])
    alpha = np.stack([along, across, np.zeros_like(along)], axis=1)
    step = np.concatenate([np.ones(strand + 1), -np.ones(strand + 1)])[:, None] * np.array([[1.2, 0.0, 0.6]])
    beta = alpha + np.stack([np.zeros_like(along), SIDE * inward, np.full_like(along, 0.3)], axis=1)
    return np.stack([alpha - step, alpha, alpha + step, beta], axis=1)


def turned(places: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """The same, turned and moved at random: nothing about a molecule follows from where it lies."""
    turn, upper = np.linalg.qr(random.normal(size=(3, 3)))
    turn = turn * np.sign(np.diag(upper))
    turn[:, 0] *= np.linalg.det(turn)  # no mirror image
    return np.asarray(places @ turn.T + random.uniform(-20, 20, size=3))


def salt_bridges(n: int, seed: int) -> tuple[Records, list[NDArray[np.bool_]]]:
    """Hairpins of 14 to 26 residues; each pair of opposite charges that face each other adds to the stability.

    Returns the records, with one input called `structure`, and for each the residues of its salt bridges.
    """
    random = np.random.default_rng(seed)
    cells, stability, planted = [], np.zeros(n), []
    for row in range(n):
        strand = int(random.integers(6, 13))
        letters = random.choice(list(AMINO_ACIDS), size=2 * strand + TURN)
        facing = np.arange(strand), 2 * strand + TURN - 1 - np.arange(strand)
        charged = random.random(strand) < 0.45
        letters[facing[0][charged]] = random.choice(list("KRDE"), size=charged.sum())
        letters[facing[1][charged]] = random.choice(list("KRDE"), size=charged.sum())
        sign = np.select([np.isin(letters, ["K", "R"]), np.isin(letters, ["D", "E"])], [1, -1], 0)
        bridge = sign[facing[0]] * sign[facing[1]] < 0
        there = np.zeros(len(letters), dtype=bool)
        there[facing[0][bridge]] = there[facing[1][bridge]] = True
        places = hairpin(strand) + random.normal(0, 0.2, size=(2 * strand + TURN, 4, 3))
        cells.append(as_text(pdb_text(letters.tolist(), turned(places, random)).encode()))
        stability[row] = bridge.sum() + random.normal(0, 0.2)
        planted.append(there)
    records = Records(
        ids=np.array([f"demo{number + 1}" for number in range(n)], dtype=object),
        inputs={"structure": pd.DataFrame({"structure": pd.Series(cells, dtype=object)})},
        targets=pd.DataFrame({"stability": stability}),
        lines=np.arange(n, dtype=np.int64) + 2,
    )
    return records, planted
