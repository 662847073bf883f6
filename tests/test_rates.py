from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import bioloom.training
from bioloom.errors import UserError
from bioloom.modalities.encoded import ColumnEncoded
from bioloom.models import build
from bioloom.training.job import Job
from bioloom.training.rates import MEMORY, Range, range_test
from simulated import STEADY, job, regression


def quadratic(seed: int = 0) -> Job:
    """A linear network that sees all records at every update, by plain gradient descent: a quadratic bowl."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(64, 3)).astype(np.float32)
    y = (x @ np.array([1.0, -2.0, 0.5]) + 0.1 * random.normal(size=64)).astype(np.float32)
    plan = replace(STEADY, batch_size=64, optimiser="sgd", weight_decay=0.0, clip=1e9, accumulate=3)
    return job(
        "linear",
        inputs={"table": ColumnEncoded(x)},
        truth=y[:, None],
        weight=np.ones(64, dtype=np.float32),
        train=np.arange(64),
        validation=np.array([], dtype=np.int64),
        plan=plan,
    )


def test_on_a_quadratic_it_is_gradient_descent_with_growing_rates() -> None:
    bowl, over = quadratic(), Range(1e-4, 1e-1, 40)
    found = range_test(bowl, over)
    np.testing.assert_allclose(found.rates, np.geomspace(1e-4, 1e-1, 40), rtol=1e-6)
    x = np.column_stack([bowl.inputs["table"].values, np.ones(64)])
    y = bowl.truth[:, 0]
    weights = first_weights(bowl)
    smoothed, mean = [], 0.0
    for number, rate in enumerate(found.rates, start=1):
        error = x @ weights - y
        mean = MEMORY * mean + (1 - MEMORY) * np.mean(error**2)
        smoothed.append(mean / (1 - MEMORY**number))
        weights = weights - rate * 2 * x.T @ error / 64
    np.testing.assert_allclose(found.losses, smoothed, rtol=1e-4)


def first_weights(bowl: Job) -> np.ndarray:
    with torch.random.fork_rng():
        torch.manual_seed(bowl.seed)
        net = build(bowl.network, bowl.shapes, 1, {})
    return np.concatenate([each.detach().numpy().reshape(-1) for each in net.parameters()]).astype(float)


@pytest.mark.parametrize("seed", range(5))
def test_the_suggested_rate_is_below_the_one_at_which_a_quadratic_diverges_but_not_far(seed: int) -> None:
    """Gradient descent on a bowl diverges above 2 / (largest curvature)."""
    bowl = quadratic(seed)
    found = bioloom.training.range_test(bowl)
    x = np.column_stack([bowl.inputs["table"].values, np.ones(64)])
    limit = 2 / np.linalg.eigvalsh(2 * x.T @ x / 64).max()
    assert limit / 50 < found.suggested < limit / 2
    assert found.rates[-1] < 10, "the test ends when the loss has risen"


@pytest.mark.parametrize("optimiser", ["adamw", "momentum"])
def test_it_gives_the_same_answer_twice_and_leaves_random_numbers_alone(optimiser: str) -> None:
    small = job(plan=replace(STEADY, optimiser=optimiser))
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, second = range_test(small), range_test(small)
    assert torch.equal(torch.rand(3), expected)
    assert np.array_equal(first.losses, second.losses)
    assert 1e-5 < first.suggested < 1


def test_a_loss_that_is_never_finite_is_told() -> None:
    _, truth = regression(0)
    with pytest.raises(UserError, match="even at the smallest"):
        range_test(job(truth=truth * np.float32(1e30)))
