"""Draws of what many effects could be: against the closed form of a linear model, and in a simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import sparse

from bioloom.explanation.effects import MOST, Library, errors, standing
from bioloom.explanation.scatter import Loss, scatter
from bioloom.models.gauge import in_gauge, shares_of
from bioloom.models.sequence_map import PairwiseMap
from bioloom.training.job import Job
from bioloom.training.loop import fit
from simulated import STEADY, job, sequences


def linear(
    seed: int, records: int = 400, effects: int = 40
) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
    """Which effects count in which record, a constant last; what they are, with noise of 1; and measurements."""
    random = np.random.default_rng(seed)
    design = (random.random((records, effects + 1)) < 0.1).astype(float)
    design[:, -1] = 1
    truth = np.append(0.5 * random.normal(size=effects), 3.0)
    return sparse.csr_array(design), truth, design @ truth + random.normal(size=records)


def test_draws_have_the_mean_and_the_covariance_of_bayesian_linear_regression() -> None:
    design, truth, measured = linear(0)
    learned = truth + 0.1
    found = scatter(
        design, learned, np.append(np.ones(40, int), 0), Loss(design @ learned - measured, np.ones(400))
    )
    told = np.asarray(design.sum(axis=0)).ravel()[:40]
    usual = np.mean(learned[np.argsort(-told, kind="stable")[:10]] ** 2)
    dense, before = design.toarray(), float(((design @ learned - measured) ** 2).mean())
    noise = before
    for _ in range(5):  # 41 numbers were fitted to 400 records
        posterior = np.linalg.inv(dense.T @ dense + np.diag(np.append(np.full(40, noise / usual), 0)))
        noise = before / (1 - np.trace(posterior @ dense.T @ dense) / 400)
    np.testing.assert_allclose(learned + found.off, posterior @ dense.T @ measured, atol=5e-3)
    exact = noise * np.diag(posterior)
    assert np.mean((found.drawn**2).mean(axis=0) / exact) == pytest.approx(1, abs=0.1)


def test_an_effect_that_no_record_tells_of_is_as_large_as_such_effects_are() -> None:
    design, truth, measured = linear(1)
    nowhere = sparse.csr_array(sparse.hstack([sparse.csr_array((400, 60)), design]))
    learned = np.append(np.zeros(60), truth)
    kinds = np.append(np.ones(100, int), 0)
    found = scatter(nowhere, learned, kinds, Loss(nowhere @ learned - measured, np.ones(400)))
    np.testing.assert_array_equal(found.off[:60], 0)
    told = np.asarray(nowhere.sum(axis=0)).ravel()[:100]
    usual = np.mean(learned[np.argsort(-told, kind="stable")[:25]] ** 2)
    assert (found.drawn[:, :60] ** 2).mean() == pytest.approx(usual, rel=0.1)


def test_records_that_come_twice_in_a_group_scatter_as_they_would_alone() -> None:
    design, truth, measured = linear(2)
    twice, kinds = sparse.csr_array(sparse.vstack([design, design])), np.append(np.ones(40, int), 0)
    slope = design @ truth - measured
    once = scatter(design, truth, 0 * kinds, Loss(slope, np.ones(400)))
    both = np.tile(slope, 2), np.ones(800)
    alone = scatter(twice, truth, 0 * kinds, Loss(*both))
    joined = scatter(twice, truth, 0 * kinds, Loss(*both, np.tile(np.arange(400), 2)))
    size = [float(np.sqrt((each.drawn**2).mean())) for each in (once, alone, joined)]
    assert size[2] == pytest.approx(size[0], rel=0.1)
    assert size[1] * np.sqrt(2) == pytest.approx(size[0], rel=0.1)


def simulated(seed: int, places: int = 18, records: int = 4000) -> tuple[Job, np.ndarray, np.ndarray]:
    """Variants of one parent with some four changes, effects of letters and weaker ones of pairs, phi having spread 1."""
    random = np.random.default_rng(seed)
    tokens = np.where(random.random((records, places)) < 0.22, random.integers(1, 4, (records, places)), 0)
    letters = random.normal(size=(4, places)) * (np.arange(4) > 0)[:, None]
    pairs = 0.4 * random.normal(size=(4, places, 4, places))
    pairs[0], pairs[:, :, 0] = 0, 0
    pairs *= np.triu(np.ones((places, places)), 1)[:, None, :]
    x = np.eye(4)[tokens].transpose(0, 2, 1).reshape(records, -1)
    at = x @ letters.ravel() + ((x @ pairs.reshape(x.shape[1], -1)) * x).sum(axis=1)
    spread = at.std()
    truth = (at - at.mean()) / spread + 0.3 * random.normal(size=records)
    edge = records * 4 // 5
    return job(
        "pairwise_map", inputs={"sequence": sequences(tokens.astype(np.uint8))}, seed=seed,
        truth=truth.astype(np.float32)[:, None], weight=np.ones(records, dtype=np.float32),
        train=np.arange(edge), validation=np.arange(edge, records),
        plan=replace(STEADY, epochs=20, patience=20, learning_rate=0.01, batch_size=64),
    ), letters / spread, pairs / spread  # fmt: skip


def test_intervals_of_thousands_of_effects_hold_the_planted_ones_about_as_often_as_they_say() -> None:
    small, letters, pairs = simulated(0)
    network = fit(small).network
    assert isinstance(network, PairwiseMap)
    tokens = small.inputs["sequence"].tokens[small.train].astype(np.int64)
    library, truth = Library(tokens, 4), torch.from_numpy(small.truth[small.train]).double()
    found = standing([network], library, lambda raw: (raw - truth).square().sum(), 0, 1.0)
    assert found is not None
    assert found.layout.width > MOST
    assert found.covariance is None
    shares = shares_of("consensus", library.seen)
    told, error = in_gauge(found.effects, shares), errors(found, shares)
    assert error is not None
    seen = library.seen * (np.arange(4) > 0)[:, None] > 0
    near = library.pairs_seen() * seen[:, :, None, None] * seen > 0
    near &= np.triu(np.ones((18, 18), bool), 1)[:, None, :]
    inside = np.abs(told.letters - letters) < 1.96 * error.letters
    assert told.pairs is not None
    assert error.pairs is not None
    both = np.abs(told.pairs - pairs) < 1.96 * error.pairs
    assert 0.88 <= inside[seen].mean() <= 1.0
    assert 0.88 <= both[near].mean() <= 0.99
    assert np.median(error.letters[seen]) < 0.5 * np.std(letters[seen])  # it does say something
