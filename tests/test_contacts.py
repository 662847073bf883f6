"""Contacts and surface, beside brute force and Biopython."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pytest
from Bio.PDB import PDBParser
from Bio.PDB.SASA import ShrakeRupley

from bioloom.modalities.contacts import _areas as areas_of
from bioloom.modalities.contacts import contacts_of, exposure_of
from bioloom.modalities.residues import read_structure
from bioloom.modalities.structure_demo import hairpin, pdb_text, turned

LETTERS = "ACDEFGHIKLMNPQRSTVWY" * 2


@pytest.fixture
def text() -> str:
    random = np.random.default_rng(0)
    strand = 10
    places = hairpin(strand) + random.normal(0, 0.3, size=(2 * strand + 2, 4, 3))
    return pdb_text(LETTERS[: 2 * strand + 2], turned(places, random))


def test_contacts_are_the_closest_atoms_of_each_pair(text: str) -> None:
    residues = read_structure(text.encode())
    found = contacts_of(residues, 8.0)
    distance = np.linalg.norm(residues.atoms[:, None] - residues.atoms[None], axis=2)
    expected = {}
    for one in range(len(residues)):
        for other in range(one + 1, len(residues)):
            closest = distance[np.ix_(residues.owner == one, residues.owner == other)].min()
            if closest <= 8.0:
                expected[one, other] = closest
    assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == sorted(expected)
    np.testing.assert_allclose(found.closest, [expected[pair] for pair in sorted(expected)], rtol=1e-5)


def test_the_surface_is_that_of_biopython(text: str) -> None:
    residues = read_structure(text.encode())
    structure = PDBParser(QUIET=True).get_structure("x", StringIO(text))
    ShrakeRupley(n_points=2000).compute(structure, level="R")
    expected = np.array([each.sasa for each in structure.get_residues()])
    found = np.bincount(residues.owner, weights=areas_of(residues))
    assert found.sum() == pytest.approx(expected.sum(), rel=0.03)
    assert np.corrcoef(found, expected)[0, 1] > 0.97


def test_an_atom_alone_is_open_all_around() -> None:
    lines = [
        f"ATOM  {n:5d}  CA  ALA A{n:4d}    {100.0 * n:8.3f}   0.000   0.000  1.00  0.00           C"
        for n in (1, 2, 3)
    ]
    residues = read_structure("\n".join(lines).encode())
    np.testing.assert_allclose(areas_of(residues), 4 * np.pi * 3.1**2)
    assert len(contacts_of(residues)) == 0


def test_turning_a_structure_changes_neither_contacts_nor_surface(text: str) -> None:
    random = np.random.default_rng(5)
    places = hairpin(10)
    one, other = (
        read_structure(pdb_text(LETTERS[:22], each).encode()) for each in (places, turned(places, random))
    )
    np.testing.assert_allclose(contacts_of(one).closest, contacts_of(other).closest, atol=5e-3)
    np.testing.assert_allclose(exposure_of(one), exposure_of(other), atol=0.02)


def test_published_predictions_follow_from_contacts_and_surface(shared_data) -> None:
    """PRODIGY's published formula on our numbers gives the published predictions (Vangone, Bonvin 2015)."""
    import tarfile

    import pandas as pd

    from bioloom.modalities.structure_features import feature_names, features_of
    from bioloom.modalities.survey import survey

    table = pd.read_csv(shared_data / "structure/protein_complexes.csv").iloc[::6]
    numbers = []
    with tarfile.open(shared_data / "structure/protein_complexes.tgz") as archive:
        for name, chains in zip(table["structure"], table["chains"], strict=True):
            content = archive.extractfile(f"PRODIGYdataset/{name}").read()
            numbers.append(features_of(survey(content, chains), partners=True))
    frame = pd.DataFrame(np.array(numbers), columns=list(feature_names(True)))
    formula = (
        -0.09459 * frame["contacts charged-charged"]
        - 0.10007 * frame["contacts charged-apolar"]
        + 0.19577 * frame["contacts polar-polar"]
        - 0.22671 * frame["contacts polar-apolar"]
        + 0.18681 * frame["% of the surface apolar"]
        + 0.13810 * frame["% of the surface charged"]
        - 15.9433
    )
    assert np.abs(formula.to_numpy() - table["prodigy_prediction"].to_numpy()).max() < 0.4
