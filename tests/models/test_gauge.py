"""Gauges change effects and no phi; what they promise holds exactly."""

from __future__ import annotations

import numpy as np
import pytest

from bioloom.models.gauge import GAUGES, Effects, around, in_gauge, shares_of

RANDOM = np.random.default_rng(0)
X = np.eye(4)[RANDOM.integers(0, 4, (60, 6))].transpose(0, 2, 1)
SEEN = X.mean(axis=0)
LATER = np.triu(np.ones((6, 6)), 1)[:, None, :]
PLAIN = Effects(np.array(0.3), RANDOM.normal(size=(4, 6)))
PAIRED = Effects(PLAIN.constant, PLAIN.letters, RANDOM.normal(size=(4, 6, 4, 6)) * LATER)


@pytest.mark.parametrize("effects", [PLAIN, PAIRED])
@pytest.mark.parametrize("gauge", GAUGES)
def test_a_gauge_changes_no_phi_and_the_means_over_its_shares_are_0(gauge: str, effects: Effects) -> None:
    shares = shares_of(gauge, SEEN)
    fixed = in_gauge(effects, shares)
    np.testing.assert_allclose(fixed.phi(X), effects.phi(X), atol=1e-12)
    np.testing.assert_allclose((fixed.letters * shares).sum(axis=0), 0, atol=1e-12)
    if fixed.pairs is not None:
        np.testing.assert_allclose(np.einsum("clem,cl->lem", fixed.pairs, shares), 0, atol=1e-12)
        np.testing.assert_allclose(np.einsum("clem,em->clm", fixed.pairs, shares), 0, atol=1e-12)
    again = in_gauge(fixed, shares)
    np.testing.assert_allclose(again.letters, fixed.letters, atol=1e-12)


def test_the_constant_is_the_mean_phi_of_sequences_drawn_from_the_shares() -> None:
    shares = RANDOM.dirichlet(np.ones(4), size=6).T
    drawn = np.stack([RANDOM.choice(4, 200_000, p=shares[:, place]) for place in range(6)], axis=1)
    phi = PAIRED.phi(np.eye(4)[drawn].transpose(0, 2, 1))
    assert float(in_gauge(PAIRED, shares).constant) == pytest.approx(phi.mean(), abs=0.03)


def test_in_the_consensus_gauge_effects_are_those_of_single_and_double_mutants() -> None:
    shares = shares_of("consensus", SEEN)
    fixed, parent = in_gauge(PAIRED, shares), shares[None]

    def mutant(*changes: tuple[int, int]) -> float:
        x = parent.copy()
        for letter, place in changes:
            x[0, :, place] = np.eye(4)[letter]
        return float(PAIRED.phi(x)[0])

    first, second = (int(shares[:, 1].argmin()), 1), (int(shares[:, 4].argmin()), 4)
    assert float(fixed.constant) == pytest.approx(mutant())
    assert fixed.letters[first] == pytest.approx(mutant(first) - mutant())
    assert fixed.pairs is not None
    assert fixed.pairs[(*first, *second)] == pytest.approx(
        mutant(first, second) - mutant(first) - mutant(second) + mutant()
    )


def test_effects_on_centred_letters_are_written_as_effects_on_letters() -> None:
    centre = RANDOM.normal(size=(4, 6))
    for effects in (PLAIN, PAIRED):
        np.testing.assert_allclose(around(effects, centre).phi(X), effects.phi(X - centre), atol=1e-12)


def test_many_sets_of_effects_are_fixed_at_once() -> None:
    several = Effects(np.zeros(3), RANDOM.normal(size=(3, 4, 6)), RANDOM.normal(size=(3, 4, 6, 4, 6)) * LATER)
    assert several.pairs is not None
    fixed = in_gauge(several, SEEN)
    alone = in_gauge(Effects(np.array(0.0), several.letters[1], several.pairs[1]), SEEN)
    assert fixed.pairs is not None
    assert alone.pairs is not None
    np.testing.assert_allclose(fixed.letters[1], alone.letters)
    np.testing.assert_allclose(fixed.pairs[1], alone.pairs)
