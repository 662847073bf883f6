"""The likelihood of counts beside SciPy's negative binomial."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax
from scipy.stats import nbinom

from bioloom.likelihoods import shares_of, zinb_loss


def given() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.normal(size=(7, 15)).astype(np.float32), random.poisson(4, size=(7, 5)).astype(np.float32)


def expected(raw: np.ndarray, counts: np.ndarray) -> np.ndarray:
    share, spread, zero = np.split(raw.astype(np.float64), 3, axis=1)
    mu = softmax(share, axis=1) * counts.sum(axis=1, keepdims=True)
    theta, pi = np.log1p(np.exp(spread + 2)), expit(zero - 3)
    likely = (1 - pi) * nbinom.pmf(counts, theta, theta / (theta + mu)) + pi * (counts == 0)
    return -np.log(likely).mean(axis=1)


def test_the_loss_is_that_of_a_negative_binomial_with_further_zeros() -> None:
    raw, counts = given()
    found = zinb_loss(torch.from_numpy(raw), torch.from_numpy(counts), None, None)
    assert float(found) == pytest.approx(expected(raw, counts).mean(), rel=1e-5)


def test_cells_count_by_their_weight() -> None:
    raw, counts = given()
    weight = np.arange(1, 8, dtype=np.float32)
    found = zinb_loss(torch.from_numpy(raw), torch.from_numpy(counts), None, torch.from_numpy(weight))
    assert float(found) == pytest.approx(np.average(expected(raw, counts), weights=weight), rel=1e-5)


def test_gradients_stay_finite_for_extreme_numbers() -> None:
    raw = torch.tensor([[80.0, -80, 0, 50, -50, 0, 90, -90, 0]], requires_grad=True)
    zinb_loss(raw, torch.tensor([[0.0, 10_000, 0]]), None, None).backward()
    assert torch.isfinite(raw.grad).all()


def test_shares_add_up_to_one() -> None:
    raw, _ = given()
    np.testing.assert_allclose(shares_of(raw), softmax(raw[:, :5], axis=1), rtol=1e-5)
