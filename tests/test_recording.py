from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

import bioloom.training
from bioloom.errors import UserError
from bioloom.modalities.encoded import ColumnEncoded
from bioloom.training.job import Job
from bioloom.training.loop import fit
from bioloom.training.recording import Recording, record
from simulated import STEADY, job, sequences

PLAN = replace(STEADY, epochs=3, batch_size=4, schedule="constant", average="none", optimiser="sgd", clip=1e9)


@pytest.fixture(scope="module")
def small() -> Job:
    """A perceptron of 2-3-2-1 units; 10 records, in batches of 4, 4 and 2."""
    random = np.random.default_rng(0)
    x = random.normal(size=(10, 2)).astype(np.float32)
    return job(
        inputs={"x": ColumnEncoded(x)},
        truth=(x[:, :1] * x[:, 1:]).astype(np.float32),
        weight=np.ones(10, dtype=np.float32),
        train=np.arange(10),
        validation=np.array([], dtype=np.int64),
        settings={"hidden": (3, 2), "dropout": 0.0},
        plan=replace(PLAN, weight_decay=0.0, learning_rate=0.1),
    )


@pytest.fixture(scope="module")
def found(small: Job) -> Recording:
    return bioloom.training.record(small, steps=9)


def test_everything_of_each_step_is_kept(small: Job, found: Recording) -> None:
    sizes = {
        "layers.1.weight": (3, 2), "layers.1.bias": (3,), "layers.4.weight": (2, 3),
        "layers.4.bias": (2,), "layers.7.weight": (1, 2), "layers.7.bias": (1,),
    }  # fmt: skip
    assert {name: each.shape for name, each in found.weights.items()} == {
        n: (10, *s) for n, s in sizes.items()
    }
    assert {name: each.shape for name, each in found.gradients.items()} == {
        n: (9, *s) for n, s in sizes.items()
    }
    assert found.activations["layers.2"].shape == found.errors["layers.2"].shape == (9, 4, 3)
    assert found.losses.shape == found.rates.shape == (9,)
    assert sorted(found.records[:3].ravel()) == [-1, -1, *range(10)]
    assert np.isnan(found.activations["layers.2"][2, 2:]).all(), "the third batch has two records"
    assert callable(bioloom.training.record), "also when its module was loaded"


def test_the_steps_are_those_of_the_training_bit_for_bit(small: Job, found: Recording) -> None:
    trained = fit(small).network.state_dict()
    for name, weights in found.weights.items():
        np.testing.assert_array_equal(weights[-1], trained[name].numpy())
    history = fit(small).history
    np.testing.assert_allclose(
        found.losses.reshape(3, 3).mean(axis=1), [each.loss for each in history], rtol=1e-6
    )


def test_each_step_goes_down_the_gradient_by_the_rate(found: Recording) -> None:
    for name, weights in found.weights.items():
        expected = weights[:-1] - 0.1 * found.gradients[name]
        np.testing.assert_allclose(weights[1:], expected, rtol=1e-4, atol=1e-6)
    assert (found.rates == 0.1).all()


def test_backpropagation_is_the_chain_rule_worked_out_by_hand(small: Job, found: Recording) -> None:
    """In numpy: forward through 2-3-2-1 units with GELU, the squared error, and back, in every step."""
    for step in range(9):
        rows = found.records[step][found.records[step] >= 0]
        x, y = small.inputs["x"].values[rows], small.truth[rows]
        weights = {name: each[step].astype(np.float64) for name, each in found.weights.items()}
        first, second, last = (
            (weights[f"layers.{place}.weight"], weights[f"layers.{place}.bias"]) for place in (1, 4, 7)
        )
        z1 = x @ first[0].T + first[1]
        a1, slope1 = gelu(z1)
        z2 = a1 @ second[0].T + second[1]
        a2, slope2 = gelu(z2)
        raw = a2 @ last[0].T + last[1]
        assert found.losses[step] == pytest.approx(((raw - y) ** 2).mean(), rel=1e-4)
        error3 = 2 * (raw - y) / len(rows)
        error2 = error3 @ last[0] * slope2
        error1 = error2 @ second[0] * slope1
        for place, error, below in ((1, error1, x), (4, error2, a1), (7, error3, a2)):
            seen = found.errors[f"layers.{place}"][step][: len(rows)]
            np.testing.assert_allclose(seen, error, rtol=1e-3, atol=1e-6)
            np.testing.assert_allclose(
                found.gradients[f"layers.{place}.weight"][step], error.T @ below, rtol=1e-3, atol=1e-6
            )
            np.testing.assert_allclose(
                found.gradients[f"layers.{place}.bias"][step], error.sum(axis=0), rtol=1e-3, atol=1e-6
            )
        np.testing.assert_allclose(found.activations["x"][step][: len(rows)], x)
        np.testing.assert_allclose(
            found.activations["layers.7"][step][: len(rows)], raw, rtol=1e-4, atol=1e-5
        )


def gelu(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """z Phi(z) and its slope Phi(z) + z phi(z)."""
    from scipy.stats import norm

    return z * norm.cdf(z), norm.cdf(z) + z * norm.pdf(z)


def test_tables_hold_every_number_once(found: Recording) -> None:
    told = found.table("weights")
    assert list(told.columns) == ["step", "name", "place", "value"]
    assert len(told) == sum(each.size for each in found.weights.values())
    one = told.query("step == 4 and name == 'layers.4.weight' and place == '1,2'")["value"].item()
    assert one == found.weights["layers.4.weight"][4, 1, 2]
    assert isinstance(found.table("errors"), pd.DataFrame)
    with pytest.raises(UserError, match='holds no "weight"'):
        found.table("weight")


@pytest.mark.parametrize("network", ["cnn", "residual", "fusion", "linear"])
def test_every_network_can_be_watched_and_is_left_as_it_was(network: str) -> None:
    given = job(network)
    told = record(given, steps=2)
    assert told.weights.keys() == told.gradients.keys()
    assert set(given.inputs) <= told.activations.keys()
    before = fit(given).network
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in before.modules())


def test_a_training_that_is_not_recorded_has_no_hooks() -> None:
    from bioloom.training.loop import started

    with started(job()) as (run, _):
        assert not any(each._forward_hooks or each._forward_pre_hooks for each in run.network.modules())
        assert not any(weights._backward_hooks for weights in run.network.parameters())


def test_large_recordings_are_refused_with_what_would_fit() -> None:
    with pytest.raises(UserError, match="numbers each are not recorded") as caught:
        record(job(), steps=100_000)
    most = int(caught.value.fix.split()[3].replace(",", ""))
    assert 1 <= most < 1000
    assert "weights, batches of 32 records" in caught.value.where
    long = sequences(np.zeros((240, 10_000), dtype=np.uint8))
    with pytest.raises(UserError) as caught:
        record(job(inputs={"sequence": long}), steps=1)
    assert "a smaller network or smaller batches" in caught.value.fix
    with pytest.raises(UserError, match="0 steps"):
        record(job(), steps=0)


def test_the_callers_random_numbers_are_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    record(job(), steps=1)
    assert torch.equal(torch.rand(3), expected)
