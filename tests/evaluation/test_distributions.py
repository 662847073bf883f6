"""The same numbers as scipy.stats, to the last bit."""

from __future__ import annotations

import numpy as np
from scipy import stats

from bioloom.evaluation import distributions

SHARES = np.array([0.0005, 0.025, 0.159, 0.5, 0.9, 0.975, 0.9995])


def test_quantiles_are_those_of_scipy() -> None:
    np.testing.assert_array_equal(distributions.normal_quantile(SHARES), stats.norm.ppf(SHARES))
    for freedom in (1, 2.5, 9, 300):
        found = distributions.student_quantile(SHARES, freedom)
        np.testing.assert_array_equal(found, stats.t.ppf(SHARES, freedom))
        found = distributions.chi_square_quantile(SHARES, freedom)
        np.testing.assert_array_equal(found, stats.chi2.ppf(SHARES, freedom))
        found = distributions.beta_quantile(SHARES, freedom, 4.0)
        np.testing.assert_allclose(found, stats.beta.ppf(SHARES, freedom, 4.0), rtol=1e-12)


def test_shares_are_those_of_scipy() -> None:
    numbers = np.linspace(-4, 4, 17)
    np.testing.assert_array_equal(distributions.normal_share(numbers), stats.norm.cdf(numbers))
    np.testing.assert_array_equal(distributions.student_above(numbers, 7), stats.t.sf(numbers, 7))


def test_ranks_are_those_of_scipy() -> None:
    random = np.random.default_rng(0)
    for values in (random.normal(size=50), random.integers(0, 5, 60), np.array([2.0]), np.zeros(0)):
        np.testing.assert_array_equal(distributions.ranks(values), stats.rankdata(values))
        lowest = stats.rankdata(values, method="min")
        np.testing.assert_array_equal(distributions.lowest_ranks(values), lowest)
