"""Held-out molecules: the truth scores best, the mean scores zero, and chance divides without a trace."""

from __future__ import annotations

import numpy as np
import pytest

from bioloom.evaluation import molecules


def planted(cells: int = 300, genes: int = 60, depth: int = 150) -> tuple[np.ndarray, np.ndarray]:
    """Counts of cells that are mixtures of three programmes, and the shares they were drawn from."""
    random = np.random.default_rng(0)
    programmes = random.dirichlet(np.full(genes, 0.2), size=3)
    shares = random.dirichlet(np.full(3, 0.5), size=cells) @ programmes
    return np.stack([random.multinomial(depth, share) for share in shares]).astype(np.float32), shares


def test_the_two_parts_add_up_and_divide_as_asked() -> None:
    counts, _ = planted()
    read, asked = molecules.thin(counts, seed=1)
    np.testing.assert_array_equal(read + asked, counts)
    assert read.sum() / counts.sum() == pytest.approx(0.9, abs=0.01)


def test_the_truth_beats_principal_components_which_beat_raw_counts_which_beat_the_mean() -> None:
    counts, shares = planted()
    read, asked = molecules.thin(counts, seed=1)
    mean = molecules.mean_profile(read)
    settings, weight = molecules.choose_low_rank(read, 2), molecules.choose_own(read, 2)
    found = [
        molecules.told(each, asked, mean).value
        for each in (
            shares,
            molecules.low_rank(read, read, mean, settings),
            molecules.own_profile(read, mean, weight),
            np.broadcast_to(mean, counts.shape),
        )
    ]
    assert found == sorted(found, reverse=True)
    assert found[-1] == 0


def test_bits_are_those_of_the_likelihood_ratio() -> None:
    mean = np.array([0.5, 0.5])
    told = molecules.told(np.array([[0.25, 0.75], [0.5, 0.5]]), np.array([[1.0, 3.0], [2.0, 0.0]]), mean)
    assert told.value == pytest.approx((np.log2(0.5) + 3 * np.log2(1.5)) / 6)


def test_intervals_hold_the_value_and_a_model_beside_itself_is_no_better() -> None:
    counts, shares = planted()
    mean = molecules.mean_profile(counts)
    told = molecules.told(shares, counts, mean)
    low, high = told.interval()
    assert low < told.value < high
    assert told.beside(told) == (0, 0, 0)
