"""RNA: U instead of T, one strand, records of several lengths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from Bio.Data.IUPACData import ambiguous_rna_values

from bioloom.modalities.dna import Dna
from bioloom.modalities.letters import clean
from bioloom.modalities.rna import ALPHABET, MOTIF, Rna


def frame(*cells: object) -> pd.DataFrame:
    return pd.DataFrame({"rna": pd.Series(cells, dtype=object)})


def one_hot(*sequences: str) -> torch.Tensor:
    values = frame(*sequences)
    return Rna.fit(values).encode(values).on("cpu").batch(torch.arange(len(sequences))).x


@pytest.mark.parametrize("code", sorted(set(ambiguous_rna_values) - set("X")))
def test_every_iupac_code_is_the_mixture_biopython_lists(code):
    letters = ambiguous_rna_values[code]
    expected = [(letter in letters) / len(letters) for letter in "ACGU"]
    np.testing.assert_allclose(one_hot(code)[0, :, 0].numpy(), expected, rtol=1e-6)


def test_thymine_is_read_as_uracil_and_said_so():
    assert torch.equal(one_hot("ACGT"), one_hot("ACGU"))
    (note,) = Rna.check(frame("ACGU", "ACGT"))
    assert (note.code, note.severity, note.rows.tolist()) == ("sequence.spelling", "note", [1])
    assert note.message == "T is read as U"
    assert clean(frame("acgt")["rna"], ALPHABET).tolist() == ["ACGU"]


def test_short_splice_sites_are_recognised_as_rna_and_not_as_dna():
    cells = pd.Series(["GGAGUGAUG", "AGUGUGCAA", "ACAGGCAAC"])  # the last one could be both
    assert Rna.detect(cells) > 0.9
    assert Dna.detect(cells) == 0.0


def test_dna_is_not_taken_for_rna():
    cells = pd.Series(["GGAGTGATG", "ACAGGCAAC"])
    assert Rna.detect(cells) == 0.0
    assert Dna.detect(cells) > 0.9


def test_a_reverse_complement_is_another_molecule():
    random = np.random.default_rng(0)
    sequence = "".join(random.choice(list("ACGU"), size=80))
    reverse = sequence[::-1].translate(str.maketrans("ACGU", "UGCA"))
    labels = Rna.clusters(frame(sequence, reverse, sequence)).labels
    assert labels[0] == labels[2] != labels[1]


def test_the_demo_plants_the_motif_where_it_says_and_its_effect_in_the_half_life():
    demo = Rna.demo(200, seed=1)
    sequences = demo.records.inputs["sequence"]["sequence"]
    assert {len(sequence) for sequence in sequences} == set(range(20, 41))
    planted = demo.parts.any(axis=1)
    assert planted.sum() == 100
    for sequence, parts in zip(sequences, demo.parts, strict=True):
        assert "".join(sequence[place] for place in np.flatnonzero(parts)) in ("", MOTIF)
    half_life = demo.records.targets["half_life_h"].to_numpy()
    assert half_life[~planted].mean() - half_life[planted].mean() > 2


def test_short_sequences_of_the_real_data_are_recognised(shared_data):
    for name in ("splice_site_mpsa", "start_context"):
        column = pd.read_csv(shared_data / "rna" / f"{name}.csv.gz", dtype=str)["sequence"]
        assert Rna.detect(column) > 0.9
        assert Rna.check(column.to_frame()) == []
