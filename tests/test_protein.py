"""Protein: twenty residues and the stop, ambiguous and rare residues, recognition among words."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from Bio.Data.IUPACData import extended_protein_values

from bioloom.modalities.letters import clean
from bioloom.modalities.protein import ALPHABET, AMINO_ACIDS, Protein


def frame(*cells: object) -> pd.DataFrame:
    return pd.DataFrame({"protein": pd.Series(cells, dtype=object)})


def batch(*sequences: str):
    values = frame(*sequences)
    return Protein.fit(values).encode(values).on("cpu").batch(torch.arange(len(sequences)))


def random_proteins(count: int, length: int, seed: int = 0) -> list[str]:
    random = np.random.default_rng(seed)
    return ["".join(row) for row in random.choice(list(AMINO_ACIDS), size=(count, length))]


@pytest.mark.parametrize("code", sorted(set(extended_protein_values) - set("UO")))
def test_every_residue_code_is_the_mixture_biopython_lists(code):
    letters = extended_protein_values[code]
    expected = [(letter in letters and code not in "UO") / len(letters) for letter in AMINO_ACIDS]
    x = batch(code).x[0, :, 0].numpy()
    np.testing.assert_allclose(x[:20], expected, rtol=1e-6)
    assert x[20] == 0


def test_the_stop_is_a_letter_of_its_own():
    x = batch("AC*").x[0]
    assert x.shape == (21, 3)
    assert x[:, 2].argmax() == 20
    (note,) = Protein.check(frame("AC*"))
    assert note.code == "sequence.stop"


def test_rare_residues_are_read_as_the_ones_they_derive_from_and_said_so():
    assert torch.equal(batch("MUO").x, batch("MCK").x)
    (note,) = Protein.check(frame("MCK", "MUO"))
    assert (note.code, note.rows.tolist()) == ("sequence.replaced", [1])
    assert note.message == "U is read as C, O is read as K"
    assert clean(frame("muo")["protein"], ALPHABET).tolist() == ["MCK"]


def test_long_and_short_proteins_are_recognised():
    assert Protein.detect(pd.Series(random_proteins(50, 300))) > 0.9
    assert Protein.detect(pd.Series(random_proteins(500, 9))) > 0.7
    assert Protein.detect(pd.Series(["MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ"])) > 0.9


@pytest.mark.parametrize(
    "cells",
    [
        ["SENSITIVE", "RESISTANT"] * 50,
        ["FEMALE", "MALE", "FEMALE"] * 10,
        ["CC(=O)Nc1ccccc1", "CCCCCCCC", "FC(F)(F)c1ccccc1Cl"] * 10,
        ["Escherichia coli DH10B", "Bacillus subtilis"] * 10,
        ["Homo sapiens", "Mus musculus", "Danio rerio"] * 4,
        ["the quick brown fox jumps over the lazy dog", "pack my box with five dozen liquor jugs"] * 5,
        ["THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG", "PACK MY BOX WITH FIVE DOZEN JUGS"] * 5,
        ["BRCA1", "TP53", "EGFR"] * 10,
        ["P12345", "Q9Y6K9", "A0A024R161"],
        ["1A2K.pdb", "1ACB.pdb"],
        ["kanamycin", "ampicillin", "streptomycin", "tetracycline"] * 5,
        ["ACGTACGT", "GGGTACCC"],
    ],
)
def test_other_columns_are_not_taken_for_proteins(cells):
    assert Protein.detect(pd.Series(cells)) == 0.0


def test_shuffles_keep_the_residues_and_leave_padding():
    signal = batch(*random_proteins(5, 40), "MKV")
    background = Protein.fit(frame("MKV")).background(signal, seed=0, count=4)
    assert background.shape == (6, 4, 21, 40)
    torch.testing.assert_close(background.sum(dim=3), signal.x.sum(dim=2)[:, None].expand(6, 4, 21))
    assert signal.mask is not None
    assert torch.equal(background.sum(dim=2) > 0, signal.mask[:, None].expand(6, 4, 40))
    assert not torch.equal(background[0, 0], background[0, 1])


def test_every_order_of_residues_is_equally_likely():
    background = Protein.fit(frame("ACD")).background(batch("ACD"), seed=0, count=6000)[0]
    drawn = Counter("".join(AMINO_ACIDS[i] for i in record.argmax(dim=0)) for record in background)
    assert len(drawn) == 6
    assert all(abs(count - 1000) < 4 * np.sqrt(1000) for count in drawn.values())


def test_features_are_residues_and_pairs():
    values = frame("ACDEF", "ACDEA")
    features = Protein.fit(values).features(values)
    assert len(features.names) == 2 + 21 + 21**2
    assert features.names[:2] == ("A at 5", "F at 5")
    column = dict(zip(features.names, features.values.T, strict=True))
    assert column["kmer AC"].tolist() == [0.25, 0.25]
    assert column["kmer A"].tolist() == pytest.approx([0.2, 0.4])


def test_constant_positions_are_no_features(shared_data):
    values = pd.read_csv(shared_data / "protein" / "gb1_flip.csv.gz", dtype=str, nrows=2000)[["sequence"]]
    names = Protein.fit(values).features(values).names
    assert {name.split(" at ")[1] for name in names if " at " in name} == {"39", "40", "41", "54"}


def test_the_demo_plants_a_pair_that_adds_more_together():
    demo = Protein.demo(2000, seed=0)
    first, second = demo.parts[:, 8], demo.parts[:, 20]
    sequences = demo.records.inputs["sequence"]["sequence"]
    assert [sequence[8] == "K" for sequence in sequences] == first.tolist()
    assert [sequence[20] == "E" for sequence in sequences] == second.tolist()
    value = demo.records.targets["stability"].to_numpy()
    means = [value[(first == a) & (second == b)].mean() for a, b in ((0, 0), (1, 0), (0, 1), (1, 1))]
    np.testing.assert_allclose(means, [0, 1, 1, 3], atol=0.1)


def scan_of(parent: str, mutations: int, count: int) -> pd.DataFrame:
    """Variants of one parent with so many mutations each."""
    random, cells = np.random.default_rng(0), []
    for _ in range(count):
        letters = list(parent)
        for place in random.choice(len(parent), mutations, replace=False):
            letters[place] = str(random.choice(list("ACDEFGHIKLMNPQRSTVWY")))
        cells.append("".join(letters))
    return pd.DataFrame({"protein": cells})


PARENT = "MQYKLILNGKTLKGETTTEAVDAATAEKVFKQYANDNGVDGEWTYDDATKTFTVTE"


def test_variants_with_few_mutations_are_read_by_letters_and_pairs() -> None:
    network, reason = Protein.usual_network(scan_of(PARENT, 2, 100))
    assert network == "epistasis"
    assert "variants of one parent" in reason


def test_other_proteins_keep_the_default() -> None:
    assert Protein.usual_network(scan_of(PARENT, 12, 100))[0] == "residual"
    assert Protein.usual_network(scan_of(PARENT, 56, 100))[0] == "residual"
    assert Protein.usual_network(scan_of(PARENT, 2, 10))[0] == "residual"


def test_variants_with_few_mutations_have_no_words_of_several_letters_as_features() -> None:
    fitted = Protein.fit(scan_of(PARENT, 2, 100))
    names = fitted.features(scan_of(PARENT, 2, 5)).names
    assert "kmer A" in names
    assert "kmer AA" not in names
    assert Protein.from_state(fitted.state()) == fitted
    older = {key: value for key, value in fitted.state().items() if key != "scan"}
    assert "kmer AA" in Protein.from_state(older).features(scan_of(PARENT, 2, 5)).names
