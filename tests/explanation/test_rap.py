"""Relative attributing propagation: the sum is kept through every layer, and both signs appear."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from bioloom.explanation import Question
from bioloom.explanation.propagation.rap import rap
from bioloom.modalities import Signal
from rule_networks import KINDS, Made, network
from toy_networks import Additive, letters

KEPT = [kind for kind in KINDS if kind not in ("responding", "encoder")]


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def relevance(made: nn.Module, x: torch.Tensor, output: int = 0) -> np.ndarray:
    return rap(Question(made, {"t": Signal(x)}, "t", output)).attribution


@pytest.mark.parametrize("kind", KEPT)
def test_the_whole_output_arrives_on_many_kinds_of_networks(kind: str) -> None:
    made = network(kind, bias=False)
    for x in (letters(3, 20).double(), randn(3, 4, 20)):
        found = relevance(made, x, 1)
        answer = made(x)[:, 1].detach().numpy()
        size = np.abs(found).sum(axis=(1, 2)) + np.abs(answer)
        assert np.abs(found.sum(axis=(1, 2), dtype=np.float64) - answer).max() < 1e-6 * size.max()


@pytest.mark.parametrize("kind", ["plain", "pooled", "averaged", "normed", "beside", "transposed"])
def test_biases_and_norms_take_nothing(kind: str) -> None:
    made, x = network(kind), letters(3, 20).double()
    answer = made(x)[:, 0].detach().numpy()
    assert np.allclose(relevance(made, x).sum(axis=(1, 2)), answer, rtol=1e-5)


def test_one_layer_is_shared_by_size() -> None:
    weight, x = torch.tensor([[1.0, -2.0, 0.5]]).double(), torch.tensor([[1.0, 1.0, -2.0]]).double()
    answer = 1 - 2 - 1  # the constant 0.5 that the network adds keeps its share
    assert np.allclose(relevance(Additive(weight), x)[0], np.array([1, 2, 1]) / 4 * answer)


def test_a_hidden_layer_is_what_the_formula_says() -> None:
    torch.manual_seed(0)
    first, last = nn.Linear(4, 3).double(), nn.Linear(3, 1).double()
    nn.init.constant_(first.bias, 2.0)  # all are active
    x = torch.rand(1, 4).double()
    made = Made(first, last, body=lambda t, a, b: b(a(t).relu()))
    hidden, answer = first(x).relu(), float(made(x).detach())
    size = (last.weight * hidden).abs()
    arrived = (size / size.sum() * answer)[0]
    positive, negative = (x * first.weight).clamp(min=0), (-x * first.weight).clamp(min=0)
    above, below = positive.sum(1), negative.sum(1)
    shares = positive / above[:, None] + negative / (above + below)[:, None]
    found = (shares * arrived[:, None]).sum(0)
    expected = found - (found.sum() - answer) / 4
    assert np.allclose(relevance(made, x)[0], expected.detach().numpy(), atol=1e-7)


def test_both_signs_appear() -> None:
    found = relevance(network("pooled"), randn(4, 4, 20).abs())
    assert found.max() > 0 > found.min()


def test_the_output_that_is_asked_about_is_explained() -> None:
    made, x = network("plain"), letters(2, 20).double()
    assert not np.allclose(relevance(made, x, 0), relevance(made, x, 1))


def test_inputs_of_both_signs_are_not_counted_twice() -> None:
    made = Made(nn.Linear(5, 4), nn.Linear(4, 1), body=lambda t, a, b: b(a(t).relu())).double()
    x = randn(6, 5)
    found = rap(Question(made, {"t": Signal(x)}, "t", 0))
    assert np.allclose(found.attribution.sum(axis=1), made(x)[:, 0].detach().numpy(), rtol=1e-4)
    assert found.settings["arrives"] == pytest.approx(1.0, rel=1e-5)
    assert found.delta is None
