"""A motif, its information and its weights, beside Biopython and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from Bio import motifs as oracle

from bioloom.errors import UserError
from bioloom.motifs.motif import Motif, checked, from_sites

SITES = ["TACAA", "TACGA", "TACAA", "GACAT"]


def test_log_odds_agree_with_biopython():
    theirs = oracle.create(SITES).counts.normalize(pseudocounts=0.025).log_odds()
    ours = from_sites("site", SITES).log_odds(pseudocount=0.1)
    np.testing.assert_allclose(ours, [theirs[letter] for letter in "ACGT"], rtol=1e-12)


def test_information_is_two_bits_where_one_letter_stands_always_and_less_for_few_sites():
    motif = from_sites("site", SITES)
    bits = motif.information()
    assert bits[1] == 2.0
    assert bits[0] == pytest.approx(2 + 0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))
    few = motif.information(small_sample=True)
    assert few[1] == pytest.approx(2 - 3 / (2 * np.log(2) * 4))
    assert few.min() >= 0


def test_the_logo_is_as_tall_as_the_information():
    motif = from_sites("site", SITES)
    np.testing.assert_allclose(motif.logo().sum(axis=0), motif.information())


def test_the_reverse_complement_spells_the_other_strand():
    motif = from_sites("site", ["AACG"])
    assert motif.reverse_complement.consensus == "CGTT"
    np.testing.assert_array_equal(motif.reverse_complement.reverse_complement.frequencies, motif.frequencies)


def test_vague_ends_are_trimmed_and_one_position_always_stays():
    vague, sure = np.full((4, 1), 5.0), np.array([[20.0], [0], [0], [0]])
    motif = Motif("m", np.concatenate([vague, sure, vague, sure, vague], axis=1), sites=20)
    assert motif.trimmed().consensus == "AAA"
    assert len(motif.trimmed()) == 3
    assert len(Motif("none", np.full((4, 5), 5.0), sites=20).trimmed()) == 1


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (np.zeros((4, 2)), "no letter at all at position 1"),
        (np.array([[1.0, -1], [0, 1], [0, 1], [0, 1]]), "negative or missing at position 2"),
        (np.empty((4, 0)), "has no positions"),
    ],
)
def test_a_matrix_that_is_none_is_refused(numbers, words):
    with pytest.raises(UserError, match=words):
        checked(Motif("odd", numbers), "file")
