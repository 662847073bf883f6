"""A structure as a graph of its residues: what each one is, and how it lies to its nearest neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioloom.modalities.contacts import REACH
from bioloom.modalities.graphs import Graph, nearest_neighbours
from bioloom.modalities.residues import LETTERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.modalities.survey import Survey

NEIGHBOURS = 16
"""Neighbours of a residue, by the distance of the closest heavy atoms; about as many touch a buried one."""

WIDEST = 20.0
"""Å that the distance of alpha or beta carbons counts for at most."""

LONGEST = 64
"""Places along the chain that are told apart at most, on a logarithmic scale."""

KINDS = {"positive": "KR", "negative": "DE", "polar": "HNQST", "apolar": "ACGILMPV", "aromatic": "FWYH"}

HYDROPATHY = dict(
    zip(
        "ARNDCQEGHILKMFPSTWYV",
        (
            1.8, -4.5, -3.5, -3.5, 2.5, -3.5, -3.5, -0.4, -3.2, 4.5,
            3.8, -3.9, 1.9, 2.8, -1.6, -0.8, -0.7, -0.9, -1.3, 4.2,
        ),
        strict=True,
    )
)  # fmt: skip
"""Kyte, Doolittle (1982) doi:10.1016/0022-2836(82)90515-0."""

VOLUME = dict(
    zip(
        "ARNDCQEGHILKMFPSTWYV",
        (
            88.6, 173.4, 114.1, 111.1, 108.5, 143.8, 138.4, 60.1, 153.2, 166.7,
            166.7, 168.6, 162.9, 189.9, 112.7, 89.0, 116.1, 227.8, 193.6, 140.0,
        ),
        strict=True,
    )
)  # fmt: skip
"""Å³, Zamyatnin (1972) doi:10.1016/0079-6107(72)90005-3."""

FEATURES = (*LETTERS[:-2], "other residue", "nucleotide", *KINDS, "hydropathy", "volume", "exposure")
"""What is told of a residue, all between 0 and 1."""

NUMBERS = ("distance to", "alpha carbons to", "beta carbons to", "places along to", "other partner")
"""What is told of an edge, all between 0 and 1: the closest heavy atoms in 8 Å, the carbons in 20 Å, the places along the
chain (logarithmic, 1 beyond 64 and for another chain), and whether the neighbour belongs to the other partner (chain)."""


def residue_graph(survey: Survey) -> Graph:
    """The graph of the residues that networks see, (`Survey.seen`,), in their order."""
    chosen = survey.seen
    place = np.full(len(survey), -1, dtype=np.int32)
    place[chosen] = np.arange(len(chosen))
    inside = (place[survey.contacts.first] >= 0) & (place[survey.contacts.second] >= 0)
    pairs = survey.contacts.keep(inside)
    ends = (place[pairs.first], place[pairs.second])
    neighbours, which = nearest_neighbours(ends, pairs.closest, len(chosen), NEIGHBOURS)
    numbers = np.concatenate(
        [_numbers(survey, np.flatnonzero(inside)), np.zeros((1, len(NUMBERS)), np.float32)]
    )
    return Graph(_nodes(survey)[chosen], neighbours, numbers[which])  # the last row is that of no pair


def _nodes(survey: Survey) -> NDArray[np.float32]:
    """(residues, features)."""
    letters = survey.residues.letters
    nodes: NDArray[np.float32] = np.concatenate([_table()[letters], survey.exposure[:, None]], axis=1)
    return nodes


def _table() -> NDArray[np.float32]:
    """What is told of each letter, (letters, features without exposure)."""
    kinds = [[letter in members for members in KINDS.values()] for letter in LETTERS]
    low, high = min(HYDROPATHY.values()), max(HYDROPATHY.values())
    hydropathy = [(HYDROPATHY.get(letter, 0.0) - low) / (high - low) for letter in LETTERS]
    volume = [VOLUME.get(letter, 140.0) / max(VOLUME.values()) for letter in LETTERS]
    blocks = (np.eye(len(LETTERS)), np.array(kinds), np.stack([hydropathy, volume], axis=1))
    return np.concatenate(blocks, axis=1).astype(np.float32)


def _numbers(survey: Survey, pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """What is told of some pairs of residues, (pairs, numbers)."""
    residues, contacts = survey.residues, survey.contacts
    first, second = contacts.first[pairs], contacts.second[pairs]
    alpha = np.linalg.norm(residues.alpha[first] - residues.alpha[second], axis=1)
    beta = np.linalg.norm(residues.beta[first] - residues.beta[second], axis=1)
    other_chain = residues.chains[first] != residues.chains[second]
    apart = np.where(other_chain, LONGEST, np.abs(residues.along[first] - residues.along[second]))
    along = np.log2(1 + np.minimum(apart, LONGEST)) / np.log2(1 + LONGEST)
    columns = (contacts.closest[pairs] / REACH, alpha / WIDEST, beta / WIDEST, along, survey.between[pairs])
    return np.asarray(np.clip(np.stack(columns, axis=1), 0, 1), dtype=np.float32)
