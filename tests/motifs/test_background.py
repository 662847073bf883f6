"""Letters before letters, counted by hand."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from bioloom.errors import UserError
from bioloom.motifs.background import codes, from_frequencies, from_sequences, uniform


def test_codes_know_both_cases_u_and_nothing_else():
    assert codes("ACGTacgtUuN-é").tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 3, 3, 255, 255, 255]


@pytest.mark.parametrize("order", [0, 1, 2])
def test_words_are_counted_as_by_hand_and_those_with_n_left_out(order):
    text = "ACGGTNACCA"
    found = from_sequences([text], order, both_strands=False)
    words = Counter(text[i : i + order + 1] for i in range(len(text) - order))
    for before in np.ndindex((4,) * order):
        held = [words["".join("ACGT"[i] for i in (*before, letter))] + 1 for letter in range(4)]
        np.testing.assert_allclose(found.after[before], np.array(held) / sum(held))


@pytest.mark.parametrize("order", [0, 1, 2])
def test_both_strands_have_one_background(order):
    rng = np.random.default_rng(order)
    text = "".join(rng.choice(list("ACGT"), 400, p=[0.5, 0.2, 0.2, 0.1]))
    other = text[::-1].translate(str.maketrans("ACGT", "TGCA"))
    one, two = from_sequences([text], order), from_sequences([other], order)
    np.testing.assert_allclose(one.after, two.after)
    a, c, g, t = from_sequences([text], order).letters
    assert (a, c) == pytest.approx((t, g), abs=0.01)


def test_letters_of_a_chain_are_those_of_the_text():
    rng = np.random.default_rng(1)
    text = "".join(rng.choice(list("ACGT"), 20_000, p=[0.4, 0.3, 0.2, 0.1]))
    assert from_sequences([text], 2, both_strands=False).letters == pytest.approx(
        (0.4, 0.3, 0.2, 0.1), abs=0.02
    )
    assert uniform().letters == (0.25, 0.25, 0.25, 0.25)


def test_wrong_backgrounds_are_refused():
    with pytest.raises(UserError, match="above 0"):
        from_frequencies((0.5, 0.5, 0.0, 0.0))
    with pytest.raises(UserError, match="order 3"):
        from_sequences(["ACGT"], 3)
