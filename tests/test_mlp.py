import numpy as np
import torch
from torch import nn

from bioloom.modalities import Kind, Shape
from bioloom.modalities.encoded import ColumnEncoded
from bioloom.models import build
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
