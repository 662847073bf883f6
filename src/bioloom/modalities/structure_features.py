"""Simple numbers that describe a structure, for the models that a network has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioloom.modalities import Features
from bioloom.modalities.contacts import TOUCHING
from bioloom.modalities.protein import AMINO_ACIDS
from bioloom.modalities.residues import LETTERS, NUCLEOTIDE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from bioloom.modalities.survey import Survey

KINDS = ("charged", "polar", "apolar")

IN_CONTACTS = {"charged": "DEHKR", "polar": "NQST", "apolar": "ACFGILMPVWY"}
ON_SURFACE = {"charged": "DEKR", "polar": "CHNQSTWY", "apolar": "AFGILMPV"}
"""How residues count in contacts and on the surface: Vangone, Bonvin (2015) doi:10.7554/eLife.07454, after its code."""

OPEN = 0.05
"""Share of its surface from which a residue lies on the surface."""

FAR = 4
"""Places along the chain from which a contact says something about the fold."""

PAIRS = tuple((one, other) for place, one in enumerate(KINDS) for other in KINDS[place:])


def feature_names(partners: bool) -> tuple[str, ...]:
    """What the numbers are called: of two partners their interface, else the fold."""
    surface = tuple(f"% of the surface {kind}" for kind in KINDS)
    if partners:
        contacts = tuple(f"contacts {one}-{other}" for one, other in PAIRS)
        return (*contacts, *surface, "contacts", "residues in the interface", "residues")
    contacts = tuple(f"contacts per residue {one}-{other}" for one, other in PAIRS)
    shares = tuple(f"% {letter}" for letter in AMINO_ACIDS)
    fold = ("contact order", "radius of gyration (Å)", "mean exposure", "contacts between chains")
    return (*contacts, *surface, *shares, *fold, "chains", "residues")


def features_of_all(surveys: Iterable[Survey], partners: bool) -> Features:
    """Of structures: contacts by what touches, the surface by what lies there, sizes; of two partners the interface only."""
    names = feature_names(partners)
    rows = [features_of(each, partners) for each in surveys]
    told = "contacts by kind of residue, make-up of the surface, sizes"
    return Features(np.array(rows, dtype=np.float32).reshape(-1, len(names)), names, told)


def features_of(survey: Survey, partners: bool) -> NDArray[np.float32]:
    """The numbers of one structure, in the order of `feature_names`."""
    return np.array(_interface(survey) if partners else _fold(survey), dtype=np.float32)


def _interface(survey: Survey) -> list[float]:
    """Contacts between the partners by what touches, the surface, and sizes: what PRODIGY reads."""
    near = survey.contacts.keep(survey.between & (survey.contacts.closest < TOUCHING))
    residues = len(np.unique(np.concatenate([near.first, near.second])))
    counts = _by_kind(survey, near.first, near.second)
    return [*counts, *_surface(survey), len(near), residues, len(survey)]


def _fold(survey: Survey) -> list[float]:
    residues, contacts = survey.residues, survey.contacts
    apart = np.abs(residues.along[contacts.first] - residues.along[contacts.second])
    far = (contacts.closest < TOUCHING) & ((apart >= FAR) | survey.between)
    near = contacts.keep(far)
    within = far & ~survey.between
    order = float(apart[within].mean()) / len(survey) if within.any() else 0.0  # relative contact order
    gyration = float(np.sqrt(residues.alpha.var(axis=0).sum()))
    shares = 100 * np.bincount(residues.letters, minlength=len(LETTERS))[: len(AMINO_ACIDS)] / len(survey)
    return [
        *(_by_kind(survey, near.first, near.second) / len(survey)),
        *_surface(survey),
        *shares,
        order,
        gyration,
        float(survey.exposure.mean()),
        float((far & survey.between).sum()),
        len(set(residues.chains.tolist())),
        len(survey),
    ]


def _by_kind(survey: Survey, first: NDArray[np.int32], second: NDArray[np.int32]) -> NDArray[np.float64]:
    """Contacts by the kinds of the two residues, in the order of `PAIRS`."""
    kind = _kinds(IN_CONTACTS)[survey.residues.letters]
    low, high = np.minimum(kind[first], kind[second]), np.maximum(kind[first], kind[second])
    counts = np.bincount(low * 3 + high, minlength=9).astype(np.float64)
    return counts[[KINDS.index(one) * 3 + KINDS.index(other) for one, other in PAIRS]]


def _surface(survey: Survey) -> NDArray[np.float64]:
    """Percent of the residues on the surface that are of each kind."""
    kind = _kinds(ON_SURFACE)[survey.residues.letters]
    open_ones = kind[survey.exposure >= OPEN]
    return 100 * np.bincount(open_ones, minlength=3) / max(1, len(open_ones))


def _kinds(of: dict[str, str]) -> NDArray[np.int64]:
    """The number of the kind of each letter; nucleotides count as charged, other residues than the twenty as apolar."""
    number = {letter: place for place, kind in enumerate(KINDS) for letter in of[kind]}
    number[NUCLEOTIDE] = KINDS.index("charged")
    return np.array([number.get(letter, KINDS.index("apolar")) for letter in LETTERS], dtype=np.int64)
