"""LIME against closed forms, scikit-learn and its own definition of a local fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from bioloom.explanation import Question
from bioloom.explanation.hiding.lime import fit, lime
from bioloom.explanation.summary import at_observed
from bioloom.modalities import Signal
from toy_networks import Additive, Conv, Failing, Product, Smooth, letters, shuffles, signal


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_weights_of_a_linear_model_are_found() -> None:
    weight, x, background = randn(1, 5), randn(3, 5, seed=1), randn(3, 1, 5, seed=2)
    found = lime(Question(Additive(weight), {"t": Signal(x)}, "t", 0, background))
    assert np.allclose(found.attribution, (weight * (x - background[:, 0])).numpy(), atol=1e-5)
    assert np.allclose(found.fit, 1.0, atol=1e-6)


def test_columns_of_one_category_are_hidden_together_and_share_one_number() -> None:
    weight, x = randn(1, 5), randn(3, 5, seed=1)
    question = Question(Additive(weight), {"t": Signal(x)}, "t", 0, together=((1, 3, 4),))
    found = lime(question).attribution
    expected = (weight * x).numpy()
    assert np.allclose(found[:, [0, 2]], expected[:, [0, 2]], atol=1e-5)
    assert np.allclose(found[:, [1, 3, 4]].sum(axis=1), expected[:, [1, 3, 4]].sum(axis=1), atol=1e-5)
    assert (found[:, 1] == found[:, 4]).all()


def test_windows_of_letters_get_what_they_add_in_an_additive_model() -> None:
    weight, x = randn(1, 4, 20), letters(2, 20)
    found = lime(Question(Additive(weight), {"dna": Signal(x)}, "dna", 0))
    per_position = at_observed(found.attribution, x.numpy())
    sums = (weight * x).sum(dim=1).numpy()
    for start in range(0, 20, 3):
        assert np.allclose(
            per_position[:, start : start + 3].sum(axis=1), sums[:, start : start + 3].sum(axis=1), atol=1e-4
        )


def test_a_product_fits_worse_than_a_sum_and_says_so() -> None:
    x = torch.tensor([[2.0, 3.0, 7.0]])
    found = lime(Question(Product(), {"t": Signal(x)}, "t", 0))
    assert 0.3 < found.fit[0] < 0.95
    assert abs(found.attribution[0, 2]) < 0.3
    assert found.attribution[0, 0] == pytest.approx(found.attribution[0, 1], rel=0.15)


def test_the_regression_equals_scikit_learn_with_weights() -> None:
    random = np.random.default_rng(0)
    z, weight = (random.random((60, 4)) < 0.5).astype(float), random.random(60)
    said = z @ np.array([[1.0, -2.0, 0.0, 3.0], [0.5, 0.5, -1.0, 0.0]]).T + random.normal(size=(60, 2))
    found = fit(torch.tensor(z), torch.tensor(said.T), torch.tensor(weight), 0.7)
    oracle = Ridge(alpha=0.7).fit(z, said, sample_weight=weight)
    assert np.allclose(found.coefficient.numpy(), oracle.coef_, atol=1e-9)


def test_the_local_fit_equals_leaving_out_one_variant_at_a_time() -> None:
    random = np.random.default_rng(1)
    z, weight = (random.random((40, 3)) < 0.5).astype(float), random.random(40)
    said = z @ np.array([1.0, -2.0, 0.0]) + random.normal(size=40)
    found = fit(torch.tensor(z), torch.tensor(said)[None], torch.tensor(weight), 0.3).left_out[0]
    missed = []
    for row in range(40):
        rest = np.arange(40) != row
        line = Ridge(alpha=0.3).fit(z[rest], said[rest], sample_weight=weight[rest])
        missed.append(said[row] - line.predict(z[row : row + 1])[0])
    mean = np.average(said, weights=weight)
    expected = 1 - np.sum(weight * np.square(missed)) / np.sum(weight * (said - mean) ** 2)
    assert float(found) == pytest.approx(expected, abs=1e-9)


def test_an_answer_that_never_changes_has_no_fit_and_no_numbers() -> None:
    found = lime(Question(Additive(torch.zeros(1, 5)), {"t": Signal(randn(2, 5))}, "t", 0))
    assert np.isnan(found.fit).all()
    assert np.abs(found.attribution).max() < 1e-9


def test_empty_places_get_nothing_and_change_nothing() -> None:
    short = signal(letters(2, 20), [20, 9])
    found = lime(Question(Conv(), {"dna": short}, "dna", 0, shuffles(letters(2, 20), 2)))
    assert not found.attribution[1, :, 9:].any()


def test_the_network_is_left_as_it_was_after_an_error() -> None:
    network = Failing()
    network.train()
    with pytest.raises(RuntimeError, match="on purpose"):
        lime(Question(network, {"dna": Signal(letters(2, 20))}, "dna", 0))
    assert network.training
    assert all(weight.requires_grad for weight in network.parameters())


def test_another_seed_draws_other_variants() -> None:
    x = randn(2, 6)
    one, two = (lime(Question(Smooth(6), {"t": Signal(x)}, "t", 0, seed=seed)) for seed in (0, 1))
    assert not np.array_equal(one.attribution, two.attribution)
    assert np.allclose(one.attribution, two.attribution, atol=0.2)
