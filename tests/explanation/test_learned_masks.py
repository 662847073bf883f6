"""Learned masks: the areas they promise, planted places, and networks left as they were."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bioloom.explanation import Question
from bioloom.explanation.hiding.learned_masks import (
    Sparseness,
    _bumps,
    extremal_perturbation,
    meaningful_perturbation,
)
from bioloom.explanation.summary import at_observed
from bioloom.modalities import Signal
from toy_networks import Additive, Conv, Failing, letters, shuffles, signal

BOTH = pytest.mark.parametrize("method", [meaningful_perturbation, extremal_perturbation])


def planted(*size: int, where: tuple[slice, ...]) -> Question:
    """A sum over some places with a little of everything else, for inputs of ones."""
    weight = 0.03 * torch.randn(1, 1, *size, generator=torch.Generator().manual_seed(0))
    weight[(0, 0, *where)] = 1
    x = torch.ones(1, 1, *size)
    return Question(Additive(weight), {"s": Signal(x)}, "s", 0, torch.zeros(1, 1, 1, *size))


@BOTH
def test_a_planted_stretch_is_marked(method) -> None:
    found = method(planted(50, where=(slice(20, 30),)), rounds=150).attribution[0, 0]
    assert found[20:30].mean() > 5 * np.delete(found, slice(17, 33)).mean()


@BOTH
def test_a_planted_square_is_marked(method) -> None:
    found = method(planted(14, 14, where=(slice(8, 12), slice(2, 6))), rounds=100).attribution[0, 0]
    outside = np.ones((14, 14), dtype=bool)
    outside[5:, :9] = False
    assert found[8:12, 2:6].mean() > 5 * max(found[outside].mean(), 0)


def test_what_is_deleted_is_what_holds_more_of_the_output_than_of_the_area() -> None:
    question = planted(50, where=(slice(20, 30),))
    few = meaningful_perturbation(question, sparseness=Sparseness(area=6.0)).settings["area_found"]
    usual = meaningful_perturbation(question).settings["area_found"]
    assert usual[0] == pytest.approx(0.2, abs=0.02)
    assert few[0] < 0.02


def test_attributions_of_a_deleted_part_add_up_to_what_its_loss_costs() -> None:
    question = planted(50, where=(slice(20, 30),))
    found = meaningful_perturbation(question).attribution
    assert found.sum() == pytest.approx(10.0, abs=0.3)


def test_masks_have_the_sizes_that_were_asked_for_and_larger_ones_keep_more() -> None:
    x = letters(2, 60)
    question = Question(Conv(positions=60), {"dna": Signal(x)}, "dna", 0, shuffles(x, 2))
    areas = (0.1, 0.3, 0.6)
    found = extremal_perturbation(question, areas=areas)
    assert np.allclose(found.settings["area_found"], areas, atol=0.04)
    linear = planted(50, where=(slice(10, 30),))
    kept = [extremal_perturbation(linear, areas=(area,)).attribution.sum() for area in areas]
    assert kept == sorted(kept)


def test_the_smooth_maximum_of_one_cell_is_its_bump() -> None:
    cells = torch.zeros(1, 1, 31)
    cells[0, 0, 15] = 1
    found = _bumps(cells)[0, 0]
    assert torch.allclose(found[14:17], torch.ones(3), atol=1e-4)
    assert torch.allclose(found, found.flip(0), atol=1e-6)
    assert float(found[15 + 6]) < 0.05
    assert torch.allclose(_bumps(torch.ones(1, 1, 31)), torch.ones(31), atol=0.05)


@BOTH
def test_a_record_that_lowers_the_output_gets_negative_numbers(method) -> None:
    question = planted(30, where=(slice(10, 20),))
    question.network.weight.data *= -1
    found = method(question, rounds=80).attribution
    assert found[0, 0, 12:18].max() < -0.1


@BOTH
def test_empty_places_get_nothing(method) -> None:
    short = signal(letters(2, 20), [20, 9])
    found = method(Question(Conv(), {"dna": short}, "dna", 0, shuffles(short.x, 2)), rounds=10)
    assert not found.attribution[1, :, 9:].any()
    assert at_observed(found.attribution, short.x.numpy())[1, :9].any()


@BOTH
def test_the_network_is_left_as_it_was_after_an_error(method) -> None:
    network = Failing()
    network.train()
    with pytest.raises(RuntimeError, match="on purpose"):
        method(Question(network, {"dna": Signal(letters(2, 20))}, "dna", 0))
    assert network.training
    assert all(weight.requires_grad and weight.grad is None for weight in network.parameters())
