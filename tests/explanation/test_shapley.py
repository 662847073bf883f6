"""Shapley values against brute force over all coalitions, closed forms and the axioms."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch

from bioloom.errors import UserError
from bioloom.explanation import Question
from bioloom.explanation.hiding import shapley
from bioloom.explanation.hiding.segments import windows
from bioloom.explanation.hiding.shapley import kernel_shap, permutation_shap
from bioloom.explanation.summary import at_observed
from bioloom.modalities import Signal
from toy_networks import Additive, Conv, Failing, Product, Smooth, Toy, letters, shuffles, signal

BOTH = pytest.mark.parametrize("method", [kernel_shap, permutation_shap])


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Largest(Toy):
    """f(x) = the largest of all columns."""

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        return x.amax(dim=1, keepdim=True)


def over_all_orders(network: Toy, x: torch.Tensor, background: torch.Tensor) -> np.ndarray:
    """The definition itself: what each column adds, averaged over every order and background."""
    value = np.zeros(len(x))
    orders = list(permutations(range(len(x))))
    for start in background:
        for order in orders:
            point = start.clone()
            with torch.no_grad():
                before = network(point[None])[0, 0]
                for column in order:
                    point[column] = x[column]
                    after = network(point[None])[0, 0]
                    value[column] += float(after - before)
                    before = after
    return value / len(orders) / len(background)


@pytest.mark.parametrize("network", [Smooth(5), Largest(), Product()])
def test_few_columns_equal_the_mean_over_all_orders(network: Toy) -> None:
    x, background = randn(2, 5), randn(2, 2, 5, seed=1)
    found = kernel_shap(Question(network, {"t": Signal(x)}, "t", 0, background))
    for row in range(2):
        assert np.allclose(
            found.attribution[row], over_all_orders(network, x[row], background[row]), atol=1e-5
        )
    assert not found.error.any()


def test_the_regression_over_all_coalitions_equals_the_exact_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    question = Question(Smooth(9), {"t": Signal(randn(3, 9))}, "t", 0, randn(3, 2, 9, seed=1))
    exact = kernel_shap(question)
    monkeypatch.setattr(shapley, "ALL_OF", 2)
    fitted = kernel_shap(question)
    assert fitted.settings["evaluations"] == exact.settings["evaluations"] == 2 * 2**9
    assert np.allclose(fitted.attribution, exact.attribution, atol=1e-5)
    assert not fitted.error.any()


def test_drawn_coalitions_come_as_near_as_their_error_says(monkeypatch: pytest.MonkeyPatch) -> None:
    question = Question(Largest(), {"t": Signal(randn(40, 9))}, "t", 0, randn(40, 1, 9, seed=1))
    exact = kernel_shap(question).attribution
    monkeypatch.setattr(shapley, "ALL_OF", 2)
    monkeypatch.setattr(shapley, "BUDGET", 150)
    found = kernel_shap(question)
    off = np.abs(found.attribution - exact)
    told = found.error > 1e-6
    assert told.mean() > 0.5
    assert 0.85 < (off[told] <= 2.26 * found.error[told]).mean() <= 1.0  # t of 9 degrees of freedom


def test_random_orders_come_as_near_as_their_error_says() -> None:
    question = Question(Largest(), {"t": Signal(randn(60, 9))}, "t", 0, randn(60, 1, 9, seed=1))
    exact = kernel_shap(question).attribution
    found = permutation_shap(question, pairs=30)
    off, told = np.abs(found.attribution - exact), found.error > 1e-6
    assert 0.9 < (off[told] <= 2.05 * found.error[told]).mean() < 0.99
    assert np.abs((found.attribution - exact).mean()) < 0.01


@BOTH
def test_a_linear_model_has_a_closed_form(method) -> None:
    weight, x, background = randn(1, 14), randn(3, 14, seed=1), randn(3, 4, 14, seed=2)
    found = method(Question(Additive(weight), {"t": Signal(x)}, "t", 0, background))
    assert np.allclose(found.attribution, (weight * (x - background.mean(dim=1))).numpy(), atol=1e-4)


def test_the_factors_of_a_product_share_it_equally_and_the_rest_gets_nothing() -> None:
    question = Question(Product(), {"t": Signal(torch.tensor([[2.0, 3.0, 7.0]]))}, "t", 0)
    assert kernel_shap(question).attribution == pytest.approx(np.array([[3.0, 3.0, 0.0]]))
    # both ways: exact
    assert permutation_shap(question).attribution == pytest.approx(np.array([[3.0, 3.0, 0.0]]))


@BOTH
@pytest.mark.parametrize("columns", [4, 12, 30])
def test_values_add_up_to_the_difference_from_the_backgrounds(method, columns: int) -> None:
    x, background, network = randn(3, columns), randn(3, 2, columns, seed=1), Smooth(columns)
    found = method(Question(network, {"t": Signal(x)}, "t", 1, background))
    with torch.no_grad():
        whole = network(x)[:, 1] - network(background.flatten(0, 1))[:, 1].view(3, 2).mean(dim=1)
    assert np.allclose(found.attribution.sum(axis=1), whole.numpy(), atol=1e-5)
    assert np.abs(found.delta).max() < 1e-5


@BOTH
def test_equal_columns_get_equal_values(method) -> None:
    x = torch.cat([randn(2, 6), randn(2, 6)], dim=1)  # every column twice
    question = Question(Largest(), {"t": Signal(x)}, "t", 0)
    found = method(question)
    close = 1e-5 if method is kernel_shap else 4 * found.error.max() + 1e-6
    assert np.allclose(found.attribution[:, :6], found.attribution[:, 6:], atol=max(close, 0.05))


@BOTH
def test_columns_of_one_category_are_one_player(method) -> None:
    x = randn(2, 5)
    together = method(Question(Product(), {"t": Signal(x)}, "t", 0, together=((0, 1),))).attribution
    assert np.allclose(together[:, :2].sum(axis=1), (x[:, 0] * x[:, 1]).numpy(), atol=1e-5)
    assert np.allclose(together[:, 2:], 0, atol=1e-6)


@BOTH
def test_windows_of_letters_are_hidden_whole_and_empty_places_get_nothing(method) -> None:
    short, network = signal(letters(2, 20), [20, 9]), Conv()
    background = shuffles(short.x, 2)
    question = Question(network, {"dna": short}, "dna", 0, background)
    found = method(question, segments=windows(short.x, 5, whole=True))
    per_position = at_observed(found.attribution, short.x.numpy())
    assert np.allclose(per_position[0, 0:5], per_position[0, 0], atol=1e-6)
    assert not found.attribution[1, :, 9:].any()
    with torch.no_grad():
        plain = network(*short)[:, 0]
        mask = short.mask.repeat_interleave(2, dim=0)
        nothing = network(background.flatten(0, 1) * mask[:, None], mask)[:, 0].view(2, 2).mean(dim=1)
    assert np.allclose(found.attribution.sum(axis=(1, 2)), (plain - nothing).numpy(), atol=1e-5)


def test_too_many_parts_for_the_regression_are_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapley, "MOST_SEGMENTS", 4)
    with pytest.raises(UserError, match="too many") as refusal:
        kernel_shap(Question(Smooth(5), {"t": Signal(randn(1, 5))}, "t", 0))
    assert "permutation_shap" in refusal.value.fix


@BOTH
def test_the_network_is_left_as_it_was_after_an_error(method) -> None:
    network = Failing()
    network.train()
    with pytest.raises(RuntimeError, match="on purpose"):
        method(Question(network, {"dna": Signal(letters(20, 20))}, "dna", 0))
    assert network.training
    assert all(weight.requires_grad for weight in network.parameters())
