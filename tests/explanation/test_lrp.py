"""Layer-wise relevance propagation: closed forms of each rule, sums that are kept, and input times gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bioloom.errors import UserError
from bioloom.explanation import Question
from bioloom.explanation.propagation.lrp import Composite, composites, lrp
from bioloom.explanation.rules.layer_rules import alpha_beta, box, epsilon, flat, gamma, w_square, z_plus
from bioloom.modalities import Signal
from rule_networks import KINDS, Made, network
from toy_networks import Additive, letters

KEPT = [kind for kind in KINDS if kind not in ("responding", "encoder")]
"""Kinds that without biases add nothing constant to a signal: GELU and the norms of torch's encoder do."""


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def relevance(made: torch.nn.Module, x: torch.Tensor, composite, output: int = 0) -> np.ndarray:
    return lrp(Question(made, {"t": Signal(x)}, "t", output), composite=composite).attribution


def of_layer(rule, w: torch.Tensor, x: torch.Tensor, bias: torch.Tensor | None = None) -> np.ndarray:
    """One dense layer, of which the sum of all outputs is explained."""
    both = torch.cat([w, torch.zeros(1, w.shape[1])]).double()
    layer = nn.Linear(w.shape[1], len(both), bias=bias is not None).double()
    with torch.no_grad():
        layer.weight.copy_(both)
        if bias is not None:
            layer.bias.copy_(torch.cat([bias, torch.zeros(1)]))
    made = Made(layer, body=lambda t, own: own(t).sum(1, keepdim=True))
    return relevance(made, x, Composite(rule, rule, rule))


@pytest.mark.parametrize("kind", KEPT)
def test_without_biases_lrp_0_hands_on_the_whole_output(kind: str) -> None:
    made, x = network(kind, bias=False), letters(3, 20).double()
    found = relevance(made, x, "zero", 1)
    expected = made(x)[:, 1].detach().numpy()
    assert (
        np.abs(found.sum(axis=(1, 2), dtype=np.float64) - expected).max()
        < 1e-6 * np.abs(expected).max() + 1e-7
    )


@pytest.mark.parametrize(
    "kind", ["plain", "pooled", "averaged", "normed", "residual", "dilated", "beside", "transposed"]
)
def test_of_rectified_networks_lrp_0_is_input_times_gradient(kind: str) -> None:
    """With biases too: they keep their share. Weights of norms are drawn into the layers before them."""
    made, x = network(kind), randn(3, 4, 20)
    seen = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(made(seen)[:, 0].sum(), seen)
    assert np.allclose(relevance(made, x, "zero"), (x * slope).numpy(), atol=1e-7)


@pytest.mark.parametrize("kind", ["plain", "pooled", "averaged"])
def test_z_plus_of_positive_inputs_is_positive_and_keeps_the_output(kind: str) -> None:
    # negative activations: relevance is still kept, but not positive everywhere
    if kind in (
        "dilated",
        "beside",
    ):
        pytest.skip("holds for rectified networks")
    made, x = network(kind, bias=False), letters(3, 20).double()
    answer = made(x)[:, 0].detach().numpy()
    found = relevance(made, x, "z_plus") * np.sign(answer)[:, None, None]
    assert found.min() >= 0
    assert np.allclose(found.sum(axis=(1, 2)), np.abs(answer), rtol=1e-5)


W = torch.tensor([[1.0, -2.0, 3.0], [2.0, 1.0, -1.0]])
X = torch.tensor([[1.0, 2.0, 0.5]]).double()  # z = -1.5, 3.5


def test_epsilon_keeps_a_part_of_small_outputs() -> None:
    found = of_layer(epsilon(0.5), W, X)[0]
    contributions = (W * X).numpy()
    assert np.allclose(found, contributions[0] * (-1.5 / -2.0) + contributions[1] * (3.5 / 4.0))


def test_the_share_of_a_bias_stays_with_it() -> None:
    found = of_layer(epsilon(0), W, X, bias=torch.tensor([1.0, -1.0]))
    assert np.allclose(found[0], (W * X).sum(0).numpy())


def test_gamma_favours_what_agrees_with_the_output() -> None:
    contributions = (W * X).numpy()
    up = contributions[1] + 0.5 * contributions[1].clip(min=0)
    down = contributions[0] + 0.5 * contributions[0].clip(max=0)
    found = of_layer(gamma(0.5), W, X)[0]
    assert np.allclose(found, up / up.sum() * 3.5 + down / down.sum() * -1.5)
    assert np.allclose(of_layer(gamma(0), W, X), of_layer(epsilon(0), W, X))


@pytest.mark.parametrize("x", [X, torch.tensor([[1.0, -2.0, 0.5]]).double()])
def test_alpha_beta_treats_both_signs_apart(x: torch.Tensor) -> None:
    contributions = (W * x).numpy()
    z = contributions.sum(axis=1)
    positive, negative = contributions.clip(min=0), contributions.clip(max=0)
    shares = [
        each / np.where(total := each.sum(axis=1, keepdims=True), total, 1) for each in (positive, negative)
    ]
    expected = ((2 * shares[0] - shares[1]) * z[:, None]).sum(axis=0)
    assert np.allclose(of_layer(alpha_beta(2, 1), W, x)[0], expected)
    assert np.allclose(of_layer(z_plus, W, x)[0], (shares[0] * z[:, None]).sum(axis=0))


def test_rules_that_do_not_look_at_the_input() -> None:
    """They give relevance also to inputs of 0."""
    x = torch.tensor([[0.0, 2.0, 0.0]]).double()  # z = -4, 2
    square = W.square() / W.square().sum(1, keepdim=True)
    z = torch.tensor([-4.0, 2.0])
    assert np.allclose(of_layer(w_square, W, x)[0], (square * z[:, None]).sum(0).numpy())
    assert np.allclose(of_layer(flat, W, x)[0], [-2 / 3] * 3)


def test_a_box_keeps_the_output_and_reaches_zeros() -> None:
    x = torch.tensor([[1.0, 0.0, 0.0]]).double()
    terms = W * x - W.clamp(min=0) * 0 - W.clamp(max=0) * 1
    expected = (terms / terms.sum(1, keepdim=True) * (W * x).sum(1, keepdim=True)).sum(0)
    assert np.allclose(of_layer(box(0.0, 1.0), W, x)[0], expected.numpy())
    assert np.allclose(of_layer(box(None, None), W, x)[0], expected.numpy())


def test_gates_are_held_fixed_and_signals_take_all() -> None:
    def body(x: torch.Tensor) -> torch.Tensor:
        return (x[:, :1] * torch.sigmoid(x[:, 1:2])) * torch.ones(1, 2)

    x = torch.tensor([[2.0, 1.0]]).double()
    found = relevance(Made(body=body), x, "zero")
    assert np.allclose(found[0], [2 / (1 + np.exp(-1)), 0])


def test_of_two_signals_each_takes_half() -> None:
    x = torch.tensor([[2.0, 3.0]]).double()
    assert np.allclose(relevance(Made(body=lambda t: t[:, :1] * t[:, 1:]), x, "zero"), [[3.0, 3.0]])


def test_a_norm_is_drawn_into_the_layer_before_it() -> None:
    """z+ of the two together differs from z+ of the layer alone where the norm turns a sign round."""
    made = network("normed")
    look, norm, dense, after, last = made.layers
    x = letters(2, 20).double()

    def drawn(layer: nn.Module, own: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
        scale = own.weight / (own.running_var + own.eps).sqrt()
        bias = own.bias + (layer.bias - own.running_mean) * scale
        return layer.weight * scale.view(-1, *[1] * (layer.weight.dim() - 1)), bias

    w1, b1 = drawn(look, norm)
    w2, b2 = drawn(dense, after)

    def body(t: torch.Tensor) -> torch.Tensor:
        t = F.conv1d(t, w1.detach(), b1.detach(), padding="same").relu()
        return last(F.linear(t.flatten(1), w2.detach(), b2.detach()).relu())

    for composite in ("z_plus", "epsilon_alpha2_beta1", "gamma"):
        expected = relevance(Made(last, body=lambda t, _: body(t)), x, composite)
        assert np.allclose(relevance(made, x, composite), expected, atol=1e-7)


@pytest.mark.parametrize("name", list(composites()))
def test_every_composite_explains_letters_numbers_and_pictures(name: str) -> None:
    for x in (letters(2, 20).double(), randn(2, 4, 20)):
        found = lrp(Question(network("plain"), {"t": Signal(x)}, "t", 0), composite=name)
        assert np.isfinite(found.attribution).all()
        assert found.attribution.any()
        assert found.settings["composite"] == name
    picture = Made(
        nn.Conv2d(3, 4, 3), nn.Linear(4, 2), body=lambda t, look, last: last(look(t).relu().mean((2, 3)))
    )
    found = relevance(picture.double(), randn(2, 3, 8, 8), name)
    assert np.isfinite(found).all()


def test_the_settings_say_how_much_arrives() -> None:
    x = randn(3, 5)
    found = lrp(Question(Additive(randn(1, 5, seed=1)), {"t": Signal(x)}, "t", 0), composite="zero")
    answers = (x @ randn(1, 5, seed=1).T)[:, 0]
    assert found.settings["arrives"] == pytest.approx(float((answers / (answers + 0.5)).median()), rel=1e-5)
    assert found.delta is None


def test_an_unknown_composite_is_refused() -> None:
    with pytest.raises(UserError, match="epsilon_plus"):
        lrp(Question(network("plain"), {"t": Signal(randn(2, 4, 20))}, "t", 0), composite="epsilon_pluss")


def test_relevance_is_that_of_zennit() -> None:
    composed = pytest.importorskip("zennit.composites", exc_type=ImportError)
    rules = pytest.importorskip("zennit.rules", exc_type=ImportError)
    types = pytest.importorskip("zennit.types", exc_type=ImportError)
    body = nn.Sequential(
        *(nn.Conv1d(4, 6, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(6, 6, 3), nn.ReLU()),
        *(nn.AvgPool1d(2), nn.Flatten(), nn.Linear(24, 5), nn.ReLU(), nn.Linear(5, 1)),
    ).double()
    x = randn(3, 4, 20)
    made = Made(body, body=lambda t, own: own(t))
    plus, two_one = rules.ZPlus(zero_params="bias"), rules.AlphaBeta(2, 1, zero_params="bias")
    for name, rule in (
        ("epsilon_plus", plus),
        ("epsilon_alpha2_beta1", two_one),
        ("gamma", rules.Gamma(0.25)),
    ):
        dense = rules.Gamma(0.25) if name == "gamma" else rules.Epsilon(1e-6)
        layers = [*composed.layer_map_base(), (types.Convolution, rule), (nn.Linear, dense)]
        found = relevance(made, x, name)
        seen = x.clone().requires_grad_()
        with composed.LayerMapComposite(layers).context(body) as changed:
            answer = changed(seen)
            (expected,) = torch.autograd.grad(answer, seen, answer.detach())
        assert np.allclose(found, expected.numpy(), atol=1e-5)
