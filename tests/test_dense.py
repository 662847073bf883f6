from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
import torch
from torch import nn

from bioloom.modalities import Kind, Shape
from bioloom.models import build
from bioloom.models.dense import DropConnect, dense
from bioloom.training.loop import fit
from simulated import STEADY, job

WEIGHT, BIAS = torch.tensor([[1.0, -2.0, 0.5]]), torch.tensor([0.25])
X, TRUTH, SHARE = torch.tensor([[2.0, 1.5, 3.0]]), 1.5, 0.4


@pytest.fixture
def layer() -> DropConnect:
    torch.manual_seed(0)
    made = DropConnect(3, 1, SHARE)
    with torch.no_grad():
        made.weight.copy_(WEIGHT)
        made.bias.copy_(BIAS)
    return made


def thinned(kept: tuple[int, ...]) -> float:
    """By hand: the kept weights divided by the share that stays, the bias whole."""
    return sum(k * w * x for k, w, x in zip(kept, WEIGHT[0], X[0], strict=True)).item() / (1 - SHARE) + 0.25


def probability(kept: tuple[int, ...]) -> float:
    return (1 - SHARE) ** sum(kept) * SHARE ** (3 - sum(kept))


def test_a_layer_in_training_is_one_of_the_thinned_layers_as_often_as_it_should(layer: DropConnect) -> None:
    counts = dict.fromkeys(product((0, 1), repeat=3), 0)
    values = {round(thinned(kept), 4): kept for kept in counts}
    assert len(values) == 8
    for _ in range(4000):
        counts[values[round(layer(X).item(), 4)]] += 1
    for kept, count in counts.items():
        assert count / 4000 == pytest.approx(probability(kept), abs=0.03)


def test_the_whole_layer_is_the_exact_expectation_of_the_thinned_ones(layer: DropConnect) -> None:
    expected = sum(probability(kept) * thinned(kept) for kept in product((0, 1), repeat=3))
    assert layer.eval()(X).item() == pytest.approx(expected) == pytest.approx((2 - 3 + 1.5) + 0.25)


def test_the_expected_squared_error_is_that_of_a_penalty_on_weights_times_inputs(layer: DropConnect) -> None:
    """Closed form: the error of the whole layer, and share / (1 - share) * sum of (w x)^2."""
    penalty = SHARE / (1 - SHARE) * float((WEIGHT * X).square().sum())
    expected = (layer.eval()(X).item() - TRUTH) ** 2 + penalty
    layer.train()
    losses = torch.stack([(layer(X) - TRUTH).square() for _ in range(20_000)])
    assert losses.mean().item() == pytest.approx(expected, rel=0.03)


def test_silenced_weights_get_no_gradient_and_the_others_a_larger_one(layer: DropConnect) -> None:
    raw = layer(X)
    raw.backward()
    kept = layer.weight.grad[0] != 0
    torch.testing.assert_close(layer.weight.grad[0], kept * X[0] / (1 - SHARE))
    assert layer.bias.grad.item() == 1


def test_without_a_share_it_is_a_plain_layer() -> None:
    assert type(dense(3, 2, 0.0)) is nn.Linear


@pytest.mark.parametrize(("network", "setting"), [("mlp", "dropconnect"), ("residual", "head_dropconnect")])
def test_networks_learn_with_it_and_predict_without_chance(network: str, setting: str) -> None:
    plan = replace(STEADY, epochs=12, patience=12, learning_rate=0.01)
    fitted = fit(job(network, settings={setting: 0.3}, plan=plan))
    assert fitted.best.validation_loss < 0.8
    layers = [each for each in fitted.network.modules() if isinstance(each, DropConnect)]
    assert len(layers) == (2 if network == "mlp" else 1)
    x = torch.randn(5, 4, 16)
    with torch.no_grad():
        assert torch.equal(fitted.network(x), fitted.network(x))


def test_the_first_weights_are_those_of_the_plain_network() -> None:
    networks = []
    for share in (0.0, 0.5):
        torch.manual_seed(3)
        shapes = {"x": Shape(Kind.VECTOR, (3,))}
        networks.append(build("mlp", shapes, 1, {"hidden": (5,), "dropconnect": share}).state_dict())
    assert all(torch.equal(networks[0][name], networks[1][name]) for name in networks[0])
