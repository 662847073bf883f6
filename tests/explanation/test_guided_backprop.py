"""Guided Backprop and the deconvolution network: the closed form, captum, and the sanity check that they fail."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from bioloom.explanation import Question
from bioloom.explanation.gradients.guided_backprop import GuidedBackprop, deconvnet, guided_backprop
from bioloom.modalities import Signal
from rule_networks import Made, network
from toy_networks import letters


def asked(made: nn.Module, x: torch.Tensor, output: int = 0) -> Question:
    return Question(made, {"t": Signal(x)}, "t", output)


def rectified(seed: int = 0) -> Made:
    torch.manual_seed(seed)
    layers = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 2)
    return Made(*layers, body=lambda x, a, b, c: c(b(a(x).relu()).relu())).double()


def test_only_positive_slopes_of_active_units_flow_back() -> None:
    made, x = rectified(), torch.randn(3, 6).double()
    one, two, last = made.layers
    active = one(x) > 0, two(one(x).relu()) > 0
    back = last.weight[0].expand(3, -1)
    guided = ((back * active[1]).clamp(min=0) @ two.weight * active[0]).clamp(min=0) @ one.weight
    deconvolved = (back.clamp(min=0) @ two.weight).clamp(min=0) @ one.weight
    assert np.allclose(guided_backprop(asked(made, x)).attribution, guided.detach().numpy(), atol=1e-7)
    assert np.allclose(deconvnet(asked(made, x)).attribution, deconvolved.detach().numpy(), atol=1e-7)


@pytest.mark.parametrize(
    ("method", "name"), [(guided_backprop, "GuidedBackprop"), (deconvnet, "Deconvolution")]
)
def test_of_modules_it_is_what_captum_finds(method, name: str) -> None:
    captum = pytest.importorskip("captum.attr")
    torch.manual_seed(0)
    body = nn.Sequential(
        *(nn.Conv1d(4, 6, 3), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(6, 6, 3), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(42, 5), nn.ReLU(), nn.Linear(5, 2)),
    ).double()
    x = torch.randn(3, 4, 20).double()
    found = method(asked(Made(body, body=lambda t, own: own(t)), x, 1)).attribution
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = getattr(captum, name)(body).attribute(x.clone().requires_grad_(), target=1)
    assert np.allclose(found, expected.detach().numpy(), atol=1e-6)


def test_a_network_without_rectifiers_gets_its_slope() -> None:
    made, x = network("attending"), torch.randn(2, 4, 20).double()
    seen = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(made(seen)[:, 0].sum(), seen)
    found = guided_backprop(asked(made, x))
    assert np.allclose(found.attribution, slope.numpy(), atol=1e-6)
    assert found.settings["rectifiers"] == []


def test_other_rectifiers_keep_their_own_slope() -> None:
    made = Made(body=lambda x: torch.nn.functional.gelu(x * torch.tensor([1.0, -1.0]))).double()
    x = torch.tensor([[0.3, 0.4]]).double()
    seen = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(made(seen)[:, 0].sum(), seen)
    assert np.allclose(guided_backprop(asked(made, x)).attribution, slope.numpy(), atol=1e-7)
    assert guided_backprop(asked(made, x)).settings["rectifiers"] == ["gelu"]


def test_of_letters_the_mean_of_a_position_is_subtracted() -> None:
    found = guided_backprop(asked(network("pooled"), letters(2, 20).double())).attribution
    assert np.abs(found.mean(axis=1)).max() < 1e-7


@pytest.mark.parametrize("method", [guided_backprop, deconvnet])
def test_the_result_carries_its_warning(method) -> None:
    found = method(asked(rectified(), torch.randn(2, 6).double()))
    assert "drawn anew" in found.settings["warning"]
    assert "Adebayo" in (GuidedBackprop.__doc__ or "")


def test_it_fails_the_check_that_others_pass() -> None:
    """With other weights in the last layer the map hardly changes, though the answer does."""
    torch.manual_seed(0)
    layers = nn.Conv1d(4, 32, 7), nn.Linear(32, 16), nn.Linear(16, 2)
    made = Made(*layers, body=lambda x, a, b, c: c(b(a(x).relu().amax(2)).relu())).double()
    x = torch.randn(8, 4, 30).double()

    def maps() -> tuple[np.ndarray, np.ndarray]:
        seen = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(made(seen)[:, 0].sum(), seen)
        return guided_backprop(asked(made, x)).attribution.ravel(), slope.numpy().ravel()

    guided, slope = maps()
    nn.init.normal_(layers[2].weight)
    after, slope_after = maps()
    assert np.corrcoef(guided, after)[0, 1] > np.corrcoef(slope, slope_after)[0, 1] + 0.1
