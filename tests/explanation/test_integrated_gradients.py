"""Integrated Gradients against captum, closed forms and its axioms."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from bioloom.errors import UserError
from bioloom.explanation import Question
from bioloom.explanation.gradients.integrated_gradients import Steps, integrated_gradients
from bioloom.explanation.summary import at_observed
from bioloom.modalities import Signal
from toy_networks import Additive, Conv, Product, Smooth, Two, letters, shuffles, signal

FIXED = Steps(first=64, most=64)


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def captum_mean(
    network: torch.nn.Module, x: torch.Tensor, background: torch.Tensor, target: int
) -> np.ndarray:
    captum = pytest.importorskip("captum.attr")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ways = [
            captum.IntegratedGradients(network).attribute(
                x, baselines=background[:, k], target=target, n_steps=64, method="gausslegendre"
            )
            for k in range(background.shape[1])
        ]
    return torch.stack(ways).mean(dim=0).detach().numpy()


@pytest.mark.parametrize("target", [0, 1])
def test_columns_equal_captum_averaged_over_backgrounds(target: int) -> None:
    x, background, network = randn(4, 6), randn(4, 3, 6, seed=1), Smooth(6)
    question = Question(network, {"table": Signal(x)}, "table", target, background=background)
    found = integrated_gradients(question, steps=FIXED)
    assert np.allclose(found.attribution, captum_mean(network, x, background, target), atol=1e-5)


def test_a_signal_of_numbers_equals_captum() -> None:
    x, network = randn(3, 4, 20), Conv()
    background = randn(3, 2, 4, 20, seed=1)
    question = Question(network, {"trace": Signal(x)}, "trace", 0, background=background)
    found = integrated_gradients(question, steps=FIXED)
    assert np.allclose(found.attribution, captum_mean(network, x, background, 0), atol=1e-5)


def test_letters_carry_what_captum_gives_to_their_position() -> None:
    x, network = letters(3, 20), Conv()
    question = Question(network, {"dna": Signal(x)}, "dna", 0, background=shuffles(x, 3))
    found = integrated_gradients(question, steps=FIXED).attribution
    per_position = captum_mean(network, x, shuffles(x, 3), 0).sum(axis=1)
    assert np.allclose(at_observed(found, x.numpy()), per_position, atol=1e-5)
    assert not found[x.numpy() == 0].any()


def test_subtracting_the_mean_gradient_over_letters_changes_no_position() -> None:
    """The claim of the docstring: x - b adds up to zero over letters, so the correction cancels."""
    weight, x = randn(1, 4, 9), letters(2, 9)
    corrected = weight - weight.mean(dim=1, keepdim=True)
    question = Question(Additive(weight), {"dna": Signal(x)}, "dna", 0, background=shuffles(x, 2))
    other = Question(Additive(corrected), {"dna": Signal(x)}, "dna", 0, background=shuffles(x, 2))
    one, two = integrated_gradients(question).attribution, integrated_gradients(other).attribution
    assert np.allclose(one, two, atol=1e-5)


def test_an_additive_network_has_a_closed_form() -> None:
    weight, x, background = randn(1, 5), randn(3, 5, seed=1), randn(3, 4, 5, seed=2)
    found = integrated_gradients(Question(Additive(weight), {"t": Signal(x)}, "t", 0, background=background))
    assert np.allclose(found.attribution, (weight * (x - background.mean(dim=1))).numpy(), atol=1e-5)
    assert np.abs(found.delta).max() < 1e-5
    assert found.settings["steps"] == [32, 32, 32]


def test_a_product_is_shared_equally_and_what_is_ignored_gets_nothing() -> None:
    """f = x0 x1 from zero: the Shapley value, x0 x1 / 2 each; gradient x input would give x0 x1 twice."""
    x = torch.tensor([[2.0, 3.0, 7.0]])
    question = Question(Product(), {"t": Signal(x)}, "t", 0, background=torch.zeros(1, 1, 3))
    assert integrated_gradients(question).attribution[0].tolist() == pytest.approx([3.0, 3.0, 0.0])


@pytest.mark.parametrize("seed", range(4))
def test_the_sum_is_right_to_one_percent_on_small_networks(seed: int) -> None:
    dna, table = letters(6, 20, seed), randn(6, 3, seed=seed)
    for network, batch, name, background in (
        (Conv(seed=seed), {"dna": Signal(dna)}, "dna", shuffles(dna, 4, seed)),
        (Smooth(3, seed=seed), {"table": Signal(table)}, "table", torch.zeros(6, 1, 3)),
        (Two(), {"dna": Signal(dna), "table": Signal(table)}, "dna", shuffles(dna, 4, seed)),
    ):
        found = integrated_gradients(Question(network, batch, name, 0, background=background))
        sums = found.attribution.reshape(6, -1).sum(axis=1)
        assert np.all(np.abs(found.delta) <= 0.01 * np.abs(sums - found.delta) + 1e-4)


def test_delta_is_the_sum_minus_the_difference_of_outputs() -> None:
    x, network = letters(3, 20), Conv()
    background = shuffles(x, 2)
    question = Question(network, {"dna": Signal(x)}, "dna", 0, background=background)
    found = integrated_gradients(question, steps=Steps(first=2, most=2))
    with torch.no_grad():
        at_background = network(background.flatten(0, 1))[:, 0].view(3, 2).mean(dim=1)
        difference = (network(x)[:, 0] - at_background).numpy()
    assert np.allclose(found.delta, found.attribution.sum(axis=(1, 2)) - difference, atol=1e-5)
    assert np.abs(found.delta).max() > 1e-3  # two steps are too few, and the result says so


def test_more_steps_are_taken_only_by_the_records_that_need_them() -> None:
    """A kink far from the middle needs many steps; a straight line needs none."""

    class Kink(Product):
        def forward(self, x, mask=None):
            return (x[:, 0] + 50 * torch.relu(x[:, 1] - 0.97))[:, None]

    x = torch.tensor([[1.0, 0.5], [1.0, 1.0]])
    question = Question(Kink(), {"t": Signal(x)}, "t", 0, background=torch.zeros(2, 1, 2))
    found = integrated_gradients(question)
    assert found.settings["steps"][0] == 32
    assert found.settings["steps"][1] > 32
    assert abs(found.delta[1]) <= 0.01 * 2.5 + 1e-4


def test_steps_stop_at_the_most_allowed_and_the_gap_is_told() -> None:
    class Jump(Product):
        def forward(self, x, mask=None):
            return torch.sigmoid(1e6 * (x[:, :1] - 0.4711)) + 0 * x[:, :1]

    question = Question(Jump(), {"t": Signal(torch.ones(1, 2))}, "t", 0, background=torch.zeros(1, 1, 2))
    found = integrated_gradients(question, steps=Steps(most=128))
    assert found.settings["steps"] == [96]  # 32, and 32 on each half; each further cut takes 64
    assert abs(found.delta[0]) > 0.5


def test_the_way_a_network_is_written_changes_nothing() -> None:
    x = randn(3, 6)
    maps = [
        integrated_gradients(
            Question(Smooth(6, style), {"t": Signal(x)}, "t", 0, background=torch.zeros(3, 1, 6))
        ).attribution
        for style in ("module", "functional", "reused")
    ]
    assert (maps[0] == maps[1]).all()
    assert (maps[0] == maps[2]).all()


def test_a_record_equal_to_its_background_gets_zeros() -> None:
    x = randn(2, 6)
    found = integrated_gradients(Question(Smooth(6), {"t": Signal(x)}, "t", 0, background=x[:, None]))
    assert not found.attribution.any()
    assert not found.delta.any()


def test_an_output_that_depends_on_nothing_gets_zeros() -> None:
    class Constant(Product):
        def forward(self, x, mask=None):
            return torch.ones(len(x), 1)

    question = Question(Constant(), {"t": Signal(randn(2, 3))}, "t", 0, background=torch.zeros(2, 1, 3))
    assert not integrated_gradients(question).attribution.any()


def test_positions_outside_a_short_record_get_nothing() -> None:
    x = letters(2, 20)
    question = Question(Conv(), {"dna": signal(x, [20, 9])}, "dna", 0, background=shuffles(x, 2))
    found = integrated_gradients(question)
    assert not found.attribution[1, :, 9:].any()
    assert np.all(np.abs(found.delta) < 0.02)


def test_float64_networks_are_explained_in_float64() -> None:
    x = randn(3, 6).double()
    network = Smooth(6).double()
    question = Question(
        network, {"t": Signal(x)}, "t", 0, background=torch.zeros(3, 1, 6, dtype=torch.double)
    )
    found = integrated_gradients(question, steps=Steps(first=512))
    assert found.attribution.dtype == np.float32
    assert np.abs(found.delta).max() < 1e-3


def test_without_a_background_the_question_is_refused() -> None:
    with pytest.raises(UserError, match="none was given"):
        integrated_gradients(Question(Smooth(6), {"t": Signal(randn(2, 6))}, "t", 0))


def test_one_background_given_several_times_is_one() -> None:
    """As tables and graphs give their average record: its way is gone once."""
    x, network = randn(2, 6), Smooth(6)
    asked = Question(network, {"t": Signal(x)}, "t", 0, background=torch.zeros(2, 1, 6))
    found = integrated_gradients(asked)
    again = integrated_gradients(replace(asked, background=torch.zeros(2, 4, 6)))
    assert (again.attribution == found.attribution).all()
    assert again.reference == found.reference == "one background of each record"
