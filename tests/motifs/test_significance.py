"""The probability of a score, beside all words that there are."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from bioloom.motifs.background import Background, from_frequencies, from_sequences
from bioloom.motifs.motif import Motif
from bioloom.motifs.significance import rounded_weights, score_distribution

RNG = np.random.default_rng(5)
MOTIF = Motif("m", RNG.dirichlet((0.4,) * 4, size=6).T, sites=30)
CHAIN = "".join(np.random.default_rng(2).choice(list("ACGT"), 900, p=[0.45, 0.3, 0.15, 0.1]))


def chance(background: Background, word: tuple[int, ...]) -> float:
    """The probability of a word under a chain, letter after letter."""
    order = background.order
    joint = np.zeros((4,) * order) if order else None
    total = 0.0
    for before in np.ndindex((4,) * order):
        p = float(background.words[before]) if joint is not None else 1.0
        state = list(before)
        for letter in word:
            p *= float(background.after[(*state[len(state) - order :], letter)])
            state.append(letter)
        total += p
    return total


@pytest.mark.parametrize("order", [None, 0, 1, 2])
def test_p_values_are_exact(order):
    frequencies = (0.4, 0.3, 0.2, 0.1)
    background = from_frequencies(frequencies) if order is None else from_sequences([CHAIN], order)
    weights = rounded_weights(MOTIF, background)
    found = score_distribution(weights, background)
    words = list(product(range(4), repeat=6))
    scores = np.array([sum(weights[letter, place] for place, letter in enumerate(word)) for word in words])
    chances = np.array([chance(background, word) for word in words])
    assert chances.sum() == pytest.approx(1)
    for score in np.quantile(scores, [0.0, 0.3, 0.9, 0.99, 1.0]).astype(np.int32):
        exact = chances[scores >= score].sum()
        assert found.p_value(np.array([score]))[0] == pytest.approx(exact, rel=1e-9)


def test_the_threshold_is_the_lowest_score_that_is_improbable_enough():
    background = from_frequencies((0.25,) * 4)
    weights = rounded_weights(MOTIF, background)
    found = score_distribution(weights, background)
    for p in (0.3, 0.01, 1e-3):
        least = found.threshold(p)
        assert found.p_value(np.array([least]))[0] <= p < found.p_value(np.array([least - 1]))[0]
    assert found.threshold(1e-9) > weights.max(axis=0).sum()


def test_an_impossible_letter_makes_no_site():
    motif = Motif("m", np.array([[1.0, 1], [0, 0], [0, 0], [0, 0]]))
    background = from_frequencies((0.25,) * 4)
    weights = rounded_weights(motif, background, pseudocount=0.0)
    found = score_distribution(weights, background)
    assert found.p_value(np.array([weights.max(axis=0).sum()]))[0] == pytest.approx(1 / 16)
