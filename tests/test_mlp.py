import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import nn

from bioloom.modalities import Kind, Shape
from bioloom.modalities.encoded import ColumnEncoded
from bioloom.models import build
from bioloom.models.mlp import ACTIVATIONS
from bioloom.tasks import TASKS
from bioloom.training.loop import fit, predict
from simulated import STEADY, job


def test_hidden_layers_are_as_wide_as_asked() -> None:
    network = build("mlp", {"x": Shape(Kind.VECTOR, (3,))}, 2, {"hidden": (5, 4)})
    dense = [module for module in network.modules() if isinstance(module, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in dense] == [(3, 5), (5, 4), (4, 2)]


def test_without_hidden_layers_it_is_linear() -> None:
    network = build("mlp", {"x": Shape(Kind.VECTOR, (3,))}, 1, {"hidden": ()})
    x = torch.randn(8, 3)
    middle = network((x[:4] + x[4:]) / 2)
    torch.testing.assert_close(middle, (network(x[:4]) + network(x[4:])) / 2)


REFERENCES = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.1 * z),
    "elu": lambda z: np.where(z > 0, z, np.exp(z) - 1),
    "maxout": lambda z: np.maximum(z[:, 0::2], z[:, 1::2]),
    "gelu": lambda z: z * norm.cdf(z),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_their_formulas(name: str) -> None:
    z = np.random.default_rng(0).normal(0, 2, (9, 6))
    found = ACTIVATIONS[name]()(torch.tensor(z)).numpy()
    np.testing.assert_allclose(found, REFERENCES[name](z), atol=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_two_layers_learn_exclusive_or_with_every_activation(name: str) -> None:
    x, y = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), torch.tensor([[0.0], [1], [1], [0]])
    torch.manual_seed(0)
    network = build("mlp", {"x": Shape(Kind.VECTOR, (2,))}, 1, {"hidden": (4,), "activation": name})
    optimiser = torch.optim.Adam(network.eval().parameters(), lr=0.05)
    for _ in range(400):
        optimiser.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(network(x), y).backward()
        optimiser.step()
    assert ((network(x) > 0) == (y > 0.5)).all()


def test_a_maxout_unit_has_weights_for_each_of_its_sums() -> None:
    settings = {"hidden": (5,), "activation": "maxout"}
    network = build("mlp", {"x": Shape(Kind.VECTOR, (3,))}, 2, settings)
    assert sum(weights.numel() for weights in network.parameters()) == (3 + 1) * 10 + (5 + 1) * 2


def test_gradients_vanish_through_many_sigmoids_but_not_through_rectified_units() -> None:
    torch.manual_seed(0)
    share = {}
    for name in ("sigmoid", "relu"):
        settings = {"hidden": (16,) * 10, "activation": name}
        network = build("mlp", {"x": Shape(Kind.VECTOR, (4,))}, 1, settings).eval()
        for module in network.modules():
            if isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        network(torch.randn(64, 4)).sum().backward()
        size = [
            weights.grad.norm()
            for weights in network.parameters()
            if weights.grad is not None and weights.ndim > 1
        ]
        share[name] = float(size[0] / size[-1])
    assert share["sigmoid"] < 1e-4
    assert share["relu"] > 1e-2


def test_it_learns_exclusive_or_which_no_linear_model_can() -> None:
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 40, dtype=np.float32)
    truth = np.array([0, 1, 1, 0] * 40, dtype=np.float32)[:, None]
    plan = STEADY.__class__(**{**STEADY.__dict__, "epochs": 30, "patience": 30, "learning_rate": 0.01})
    changes = {
        "inputs": {"x": ColumnEncoded(corners)},
        "truth": truth,
        "weight": np.ones(160, dtype=np.float32),
        "train": np.arange(120),
        "validation": np.arange(120, 160),
        "task": TASKS["binary"],
        "plan": plan,
    }
    right = {
        name: ((predict(fit(job(name, **changes)).network, changes["inputs"]) > 0) == (truth > 0.5)).mean()
        for name in ("mlp", "linear")
    }
    assert right["mlp"] == 1.0
    assert right["linear"] <= 0.75
