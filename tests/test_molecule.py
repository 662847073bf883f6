"""Molecules as inputs, beside RDKit by hand."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from bioloom.errors import UserError
from bioloom.modalities import Across, Similarity
from bioloom.modalities.chemistry import (
    BONDS,
    FEATURES,
    NUMBERS,
    fingerprints,
    molecule_graph,
    parse,
    scaffold,
    tanimoto,
)
from bioloom.modalities.molecule import Molecules

ASPIRIN, CAFFEINE, PHENOL = "CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "Oc1ccccc1"


def column(*cells: object) -> pd.DataFrame:
    return pd.DataFrame({"smiles": pd.Series(list(cells), dtype=object)})


def test_atoms_and_bonds_are_those_of_the_molecule() -> None:
    graph, mol = molecule_graph(parse(ASPIRIN)), Chem.MolFromSmiles(ASPIRIN)
    assert len(graph) == mol.GetNumAtoms()
    for atom in mol.GetAtoms():
        expected = {other.GetIdx() + 1 for other in atom.GetNeighbors()}
        assert set(graph.neighbours[atom.GetIdx()].tolist()) - {0} == expected
        row = dict(zip(FEATURES, graph.nodes[atom.GetIdx()], strict=True))
        assert row[atom.GetSymbol()] == 1
        assert row["aromatic"] == atom.GetIsAromatic()
    double = [NUMBERS.index("double bond")]
    assert graph.edges[..., double].sum() == 4  # two carbonyls, seen from both ends
    assert graph.nodes.min() >= 0
    assert graph.nodes.max() <= 1


def test_how_a_molecule_is_spelt_does_not_matter() -> None:
    values = column(
        ASPIRIN, Chem.MolToSmiles(Chem.MolFromSmiles(ASPIRIN), doRandom=True), "OC(=O)c1ccccc1OC(C)=O", PHENOL
    )
    assert Molecules.copies(values).tolist() == [0, 0, 0, 1]
    fitted = Molecules.fit(values)
    assert len(set(fitted.hashes(values).tolist())) == 2
    np.testing.assert_array_equal(fitted.features(values).values[0], fitted.features(values).values[2])


def test_wrong_molecules_are_dropped_and_salts_noted() -> None:
    values = column(ASPIRIN, None, "C(C)(C)(C)(C)C", "not a molecule", "[Na+].[Cl-]", "c1cccc1")
    found = {problem.code: (problem.severity, problem.rows.tolist()) for problem in Molecules.check(values)}
    assert found == {
        "molecule.missing": ("drop", [1]),
        "molecule.smiles": ("drop", [2, 3, 5]),
        "molecule.mixture": ("note", [4]),
    }


@pytest.mark.parametrize(
    ("cells", "sure"),
    [
        ([ASPIRIN, CAFFEINE, PHENOL], True),
        (["ACGTACGTAC", "TTGACCATGA"], False),
        (["MKVLAAGIVG", "MSTNPKPQRK"], False),
        (["B1", "C2", "N3"], False),
        (["Bob", "Cobs", "Noon"], False),
        (["a sentence of words", "another one"], False),
    ],
)
def test_smiles_are_told_from_words_and_sequences(cells: list[str], sure: bool) -> None:
    assert (Molecules.detect(pd.Series(cells)) > 0.9) is sure


def test_likeness_is_that_of_rdkit() -> None:
    mols = [parse(each) for each in (ASPIRIN, CAFFEINE, PHENOL, "CCO")]
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=1024)
    prints = [generator.GetFingerprint(each.mol) for each in mols]
    expected = [[DataStructs.TanimotoSimilarity(one, other) for other in prints] for one in prints]
    np.testing.assert_allclose(tanimoto(fingerprints(mols), fingerprints(mols)), expected, atol=1e-6)


def test_one_scaffold_is_one_family() -> None:
    values = column(ASPIRIN, PHENOL, CAFFEINE, "CCCCCCCCO", "CCCCCCCCCO", "CC(=O)N")
    assert scaffold(parse(ASPIRIN)) == "c1ccccc1"
    labels = Molecules.clusters(values).labels.tolist()
    assert labels[0] == labels[1] != labels[2]
    assert labels[3] == labels[4] != labels[5]
    assert len(set(Molecules.clusters(values, Similarity(1.0)).labels.tolist())) >= 5


def test_across_a_split_copies_and_the_most_alike_are_found() -> None:
    values = column(ASPIRIN, "OC(=O)c1ccccc1OC(C)=O", "CC(=O)Oc1ccccc1C(=O)N", CAFFEINE)
    found = Molecules.alike(values, Across(np.array([1, 2, 3]), np.array([0]), Similarity(0.5)))
    assert found.kind.tolist() == ["exact", "near", ""]
    assert found.partner.tolist() == [0, 0, -1]
    assert found.identity[0] == 1


def test_larger_molecules_than_any_in_training_are_cut_and_noted() -> None:
    fitted = Molecules.fit(column("CCO"))
    assert fitted.notes(column("CCO", ASPIRIN))[0].rows.tolist() == [1]
    x, mask = fitted.encode(column(ASPIRIN)).on("cpu").batch(torch.arange(1))
    assert mask.all()
    assert x[0, len(FEATURES) :: 1 + len(NUMBERS)].max() <= fitted.nodes
    assert fitted.shape.edges == (BONDS, len(NUMBERS))


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(UserError) as caught:
        Molecules.check(column(ASPIRIN))
    assert "bioloom[chem]" in caught.value.fix
