"""Position weight matrices, with the course's figures to the last digit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from Bio import motifs

from bioloom.errors import UserError
from bioloom.motifs.pwm import frequency_matrix, log_scores, one_hot, weight_matrix

SITES = ["TACAA", "TACGA", "TACAA"]


def test_letters_are_one_hot_in_the_order_of_the_alphabet():
    assert one_hot("ACgT").T.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_the_weight_matrix_of_the_course():
    weights = weight_matrix(frequency_matrix(SITES), pseudocount=0.5)
    expected = [
        [0.1, 0.7, 0.1, 0.5, 0.7],
        [0.1, 0.1, 0.7, 0.1, 0.1],
        [0.1, 0.1, 0.1, 0.3, 0.1],
        [0.7, 0.1, 0.1, 0.1, 0.1],
    ]
    np.testing.assert_allclose(weights, expected, rtol=0, atol=1e-15)


def test_the_sliding_scores_of_the_course():
    """By hand: 4 ln 0.1 + ln 0.7, and 4 ln 0.7 + ln 0.5, to the last digit but one."""
    scores = log_scores("ATACAA", weight_matrix(frequency_matrix(SITES), pseudocount=0.5))
    by_hand = [4 * math.log(0.1) + math.log(0.7), 4 * math.log(0.7) + math.log(0.5)]
    assert by_hand == pytest.approx([-9.567015315914915, -2.119846956314875], rel=1e-15)
    np.testing.assert_array_max_ulp(scores, np.array(by_hand), maxulp=1)


def test_counts_and_weights_agree_with_biopython():
    sites = ["ACGTAC", "ACGTTT", "TCGTAC", "GGGTAC"]
    oracle = motifs.create(sites)
    ours = frequency_matrix(sites)
    assert ours.tolist() == [list(oracle.counts[letter]) for letter in "ACGT"]
    normalised = oracle.counts.normalize(pseudocounts=0.5)
    np.testing.assert_allclose(weight_matrix(ours), [normalised[letter] for letter in "ACGT"])


def test_a_letter_never_seen_is_impossible_without_pseudocount():
    assert log_scores("A", weight_matrix(frequency_matrix(["C"]), pseudocount=0.0)).tolist() == [-np.inf]


def test_a_short_sequence_has_no_window():
    assert log_scores("AC", weight_matrix(frequency_matrix(SITES))).shape == (0,)


def test_sites_of_different_length_are_refused():
    with pytest.raises(UserError, match="differ in length: 5 and 4"):
        frequency_matrix(["TACAA", "TACA"])


def test_other_letters_are_refused_with_their_place():
    with pytest.raises(UserError, match='"N" is no letter of DNA') as caught:
        one_hot("ACNT")
    assert "position 3" in caught.value.where


def test_no_sites_are_refused():
    with pytest.raises(UserError, match="no sites"):
        frequency_matrix([])
