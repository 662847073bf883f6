"""What touches what in a structure, and what lies open to water: distances between residues, and their surface."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from bioloom.modalities.residues import LETTERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.modalities.residues import Residues

REACH = 8.0
"""Å between the closest heavy atoms of two residues up to which they are told of as a pair."""

TOUCHING = 5.5
"""Å between the closest heavy atoms of two residues that are in contact: Vangone, Bonvin (2015) doi:10.7554/eLife.07454."""

PROBE = 1.4
"""Radius of water in Å."""

DOTS = 64
"""Points on the sphere of each atom; the area of a residue is then right to about 2 %."""

LEAST_BEND = 0.1
"""Å² of the triangle of three atoms, times two, from which they point in a direction of their own."""

MOST_AREA = dict(
    zip(
        "ARNDCEQGHILKMFPSTWYV",
        (129, 274, 195, 193, 167, 223, 225, 104, 224, 197, 201, 236, 224, 240, 159, 155, 172, 285, 263, 174),
        strict=True,
    )
)
"""Å² that a residue X has open to water in Gly-X-Gly at most: Tien et al. (2013) doi:10.1371/journal.pone.0080635."""

LARGE_AREA = 250.0
"""Å² taken for residues that are not among the twenty."""


@dataclass(frozen=True)
class Contacts:
    """Pairs of residues that lie near each other, first before second, in rising order.

    first, second: (pairs,) positions of residues
    closest:       (pairs,) Å between their closest heavy atoms
    """

    first: NDArray[np.int32]
    second: NDArray[np.int32]
    closest: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.first)

    def keep(self, chosen: NDArray[np.bool_]) -> Contacts:
        """Some of the pairs."""
        return Contacts(self.first[chosen], self.second[chosen], self.closest[chosen])


def contacts_of(residues: Residues, reach: float = REACH) -> Contacts:
    """Pairs of residues with heavy atoms within so many Å of each other."""
    from scipy.spatial import cKDTree

    tree = cKDTree(residues.atoms.astype(np.float64))
    pairs = tree.query_pairs(reach, output_type="ndarray")  # (atom pairs, 2)
    owner = residues.owner[pairs]
    between = owner[:, 0] != owner[:, 1]
    pairs, owner = pairs[between], np.sort(owner[between], axis=1)
    distance = np.linalg.norm(residues.atoms[pairs[:, 0]] - residues.atoms[pairs[:, 1]], axis=1)
    key = owner[:, 0].astype(np.int64) * len(residues) + owner[:, 1]
    order = np.lexsort((distance, key))
    key, first_of = np.unique(key[order], return_index=True)
    return Contacts(
        (key // len(residues)).astype(np.int32),
        (key % len(residues)).astype(np.int32),
        distance[order][first_of].astype(np.float32),
    )


def exposure_of(residues: Residues) -> NDArray[np.float32]:
    """The share of each residue's surface that water reaches, 0 (buried) to 1, (residues,).

    Solvent-accessible area by rolling a probe of 1.4 Å (Shrake, Rupley 1973, doi:10.1016/0022-2836(73)90011-9), beside
    the most that the residue can have.
    """
    area = np.bincount(residues.owner, weights=_areas(residues), minlength=len(residues))
    most = np.array([MOST_AREA.get(letter, LARGE_AREA) for letter in LETTERS])[residues.letters]
    return np.asarray(np.minimum(area / most, 1.0), dtype=np.float32)


def _areas(residues: Residues) -> NDArray[np.float64]:
    """Å² of each heavy atom that water reaches, (atoms,)."""
    from scipy.spatial import cKDTree

    reach = residues.radii.astype(np.float64) + PROBE
    place = residues.atoms.astype(np.float64)
    pairs = cKDTree(place).query_pairs(2 * reach.max(), output_type="ndarray")
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    apart = place[pairs[:, 1]] - place[pairs[:, 0]]
    squared = (apart**2).sum(axis=1)
    near = squared < (reach[pairs[:, 0]] + reach[pairs[:, 1]]) ** 2
    pairs, apart, squared = pairs[near], apart[near], squared[near]
    apart = np.einsum("pij,pj->pi", _frames(residues)[residues.owner[pairs[:, 0]]], apart)
    # a dot p (unit vector) of atom i is hidden by atom j where |reach_i p - (x_j - x_i)| < reach_j
    own, other = reach[pairs[:, 0]], reach[pairs[:, 1]]
    least = ((own**2 + squared - other**2) / (2 * own)).astype(np.float32)
    apart, sphere = apart.astype(np.float32), _sphere().astype(np.float32)
    free = np.full(len(place), 1.0)
    starts = np.flatnonzero(np.diff(pairs[:, 0], prepend=-1))
    for block in np.array_split(np.arange(len(starts)), max(1, len(pairs) // 20_000)):
        if not len(block):
            continue
        first = starts[block[0]]
        last = starts[block[-1] + 1] if block[-1] + 1 < len(starts) else len(pairs)
        hidden = (apart[first:last] @ sphere.T) > least[first:last, None]
        any_hides = np.logical_or.reduceat(hidden, starts[block] - first, axis=0)
        free[pairs[starts[block], 0]] = 1.0 - any_hides.mean(axis=1)
    return np.asarray(4 * np.pi * reach**2 * free)


def _frames(residues: Residues) -> NDArray[np.float64]:
    """Axes that turn with each residue, made of its first two atoms and the last one, (residues, 3, 3).

    Dots that lie along them make the same surface however a molecule is turned. Residues of fewer atoms, or of atoms in
    one line, take the axes of the file.
    """
    frames = np.tile(np.eye(3), (len(residues), 1, 1))
    count = np.bincount(residues.owner, minlength=len(residues))
    first = np.searchsorted(residues.owner, np.arange(len(residues)))
    enough = np.flatnonzero(count >= 3)
    ends = first[enough], first[enough] + 1, first[enough] + count[enough] - 1
    one, two, last = (residues.atoms[end].astype(np.float64) for end in ends)
    along, across = two - one, np.cross(two - one, last - one)
    axes = np.stack([along, across, np.cross(along, across)], axis=1)
    size = np.linalg.norm(axes, axis=2, keepdims=True)
    bent = (size > LEAST_BEND).all(axis=(1, 2))
    frames[enough[bent]] = axes[bent] / size[bent]
    return frames


@cache
def _sphere() -> NDArray[np.float64]:
    """Points spread evenly over the unit sphere on a golden spiral, (dots, 3)."""
    number = np.arange(DOTS) + 0.5
    height = 1 - 2 * number / DOTS
    turn = np.pi * (1 + 5**0.5) * number
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(turn), ring * np.sin(turn), height], axis=1)
