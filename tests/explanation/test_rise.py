"""RISE against what its definition says of additive functions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bioloom.explanation import Question
from bioloom.explanation.hiding.rise import Masks, rise
from bioloom.explanation.summary import at_observed
from bioloom.modalities import Signal
from toy_networks import Additive, Conv, Failing, Toy, letters, shuffles, signal


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Both(Toy):
    """1 where two stretches of a signal are both high, else 0: neither alone does anything."""

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        here, there = x[:, 0, 5:8].amin(dim=1), x[:, 0, 30:33].amin(dim=1)
        return (torch.minimum(here, there) > 0.5).to(x.dtype)[:, None]


def masks(count: int, cells: tuple[int, ...], cell: int, *, hard: bool = False, seed: int = 0) -> Masks:
    generator = torch.Generator().manual_seed(seed)
    grid = (torch.rand(count, *(each + 1 for each in cells), generator=generator) < 0.5).double()
    shift = torch.randint(cell, (count, len(cells)), generator=generator)
    return Masks(grid, shift, torch.rand(count if hard else 0, generator=generator).double(), cell)


def test_masks_are_shifted_enlargements_of_their_grids() -> None:
    drawn = masks(5, (3, 4), 6)
    found = drawn.at(torch.arange(5), (18, 22))
    for number in range(5):
        large = F.interpolate(drawn.grid[number][None, None], (24, 30), mode="bilinear", align_corners=False)[
            0, 0
        ]
        top, left = drawn.shift[number].tolist()
        assert torch.equal(found[number], large[top : top + 18, left : left + 22])


@pytest.mark.parametrize("hard", [False, True])
def test_every_place_is_shown_half_of_the_time(hard: bool) -> None:
    shown = masks(20_000, (5,), 4, hard=hard).at(torch.arange(20_000), (20,))
    assert ((shown == 0) | (shown == 1)).all() == hard
    assert torch.allclose(shown.mean(dim=0), torch.full((20,), 0.5).double(), atol=0.02)


def test_of_an_additive_function_the_expected_value_is_found_without_bias() -> None:
    """E value = sum over places j of w_j x_j cov(M_j, M) / E M; the covariance from masks of another seed."""
    weight, x = randn(1, 1, 24), randn(1, 1, 24, seed=1)
    other = masks(40_000, (6,), 4, seed=9).at(torch.arange(40_000), (24,))
    expected = (weight * x)[0, 0].double() @ torch.cov(other.T) / other.mean(dim=0)
    off = []
    for seed in range(8):
        found = rise(Question(Additive(weight), {"s": Signal(x)}, "s", 0, seed=seed), masks=600, cell=4)
        off.append((found.attribution[0, 0] - expected.numpy()) / found.error[0, 0])
    # of 24 places, each with a t of 9 degrees of freedom
    assert np.abs(np.mean(off, axis=0)).max() < 4 / np.sqrt(8)
    assert 0.7 < np.std(off) < 1.6


def test_a_place_that_is_always_shown_alike_gets_its_own_share_only() -> None:
    """Cells of one place and no edges: value = w_j x_j / 2 for each place by itself."""
    weight, x = randn(1, 4, 12), letters(2, 12)
    found = rise(Question(Additive(weight), {"dna": Signal(x)}, "dna", 0), masks=20_000, cell=1)
    value, own = at_observed(found.attribution, x.numpy()), (weight * x).sum(dim=1).numpy()
    assert np.allclose(value, own / 2, atol=0.06)


def test_two_places_that_matter_only_together_are_both_found() -> None:
    x = torch.zeros(1, 1, 40)
    x[0, 0, 5:8] = x[0, 0, 30:33] = 1
    found = rise(Question(Both(), {"s": Signal(x)}, "s", 0), masks=2000, cell=5).attribution[0, 0]
    inside = np.r_[found[5:8], found[30:33]].min()
    assert inside > 2 * max(found[15:25].max(), 0.01)


def test_a_square_of_a_picture_is_found() -> None:
    weight = torch.zeros(1, 3, 14, 14)
    weight[:, :, 8:11, 2:5] = 1
    found = (
        rise(Question(Additive(weight), {"p": Signal(torch.ones(1, 3, 14, 14))}, "p", 0))
        .attribution[0]
        .sum(axis=0)
    )
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert 8 <= row < 11
    assert 2 <= column < 5


def test_the_error_falls_with_more_masks_and_is_told() -> None:
    x = letters(3, 20)
    question = Question(Conv(), {"dna": Signal(x)}, "dna", 0, shuffles(x, 2))
    few, many = rise(question, masks=100), rise(question, masks=1600)
    assert many.error.max() < 0.5 * few.error.max()
    assert len(few.settings["running_error"]) == 9
    assert many.settings["running_error"][-1] < few.settings["running_error"][-1]


def test_empty_places_get_nothing() -> None:
    short = signal(letters(2, 20), [20, 9])
    found = rise(Question(Conv(), {"dna": short}, "dna", 0, shuffles(short.x, 2)), masks=60)
    assert not found.attribution[1, :, 9:].any()
    assert not found.error[1, :, 9:].any()


def test_the_network_is_left_as_it_was_after_an_error() -> None:
    network = Failing()
    network.train()
    with pytest.raises(RuntimeError, match="on purpose"):
        rise(Question(network, {"dna": Signal(letters(20, 20))}, "dna", 0))
    assert network.training
    assert all(weight.requires_grad for weight in network.parameters())
