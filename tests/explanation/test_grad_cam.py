"""Grad-CAM by hand: contributions of places that can be worked out on paper."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bioloom.explanation import Question
from bioloom.explanation.maps.grad_cam import GradCam, on_pixels
from bioloom.modalities import Signal
from bioloom.models.ensemble import Ensemble
from toy_networks import Additive, Toy


class Averaged(Toy):
    """Two maps of 2 x 2 places: sums of blocks of 2 x 2 pixels, and the same cubed; their means weighed."""

    def __init__(self, weight: tuple[float, float] = (1.0, -0.5)) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.features: Tensor | None = None

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        sums = nn.functional.avg_pool2d(x, 2) * 4
        self.features = torch.cat([sums, sums**3], dim=1)
        return (self.features.mean(dim=(2, 3)) @ self.weight + 7.0)[:, None]


def picture() -> Tensor:
    x = torch.zeros(1, 1, 4, 4)
    x[0, 0, 0, 0], x[0, 0, 3, 2] = 1.0, 2.0
    return x


def test_places_contribute_what_their_maps_and_weights_say() -> None:
    found = GradCam.explain(Question(Averaged(), {"x": Signal(picture())}, "x", 0)).attribution
    # maps: [[1, 0], [0, 2]] and [[1, 0], [0, 8]]; each place counts a quarter of its weight
    value = torch.tensor([[[[1 / 4 - 1 / 8, 0.0], [0.0, 2 / 4 - 8 / 8]]]])
    np.testing.assert_allclose(found, on_pixels(value, (4, 4)).numpy(), atol=1e-6)


def test_contributions_add_up_to_the_output_less_its_bias() -> None:
    x = torch.randn(5, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    network = Averaged()
    found = GradCam.explain(Question(network, {"x": Signal(x)}, "x", 0)).attribution
    np.testing.assert_allclose(found.sum(axis=(1, 2, 3)), network(x)[:, 0].detach().numpy() - 7.0, rtol=1e-4)


def test_spreading_keeps_the_sum_and_the_place() -> None:
    value = torch.zeros(1, 1, 3, 3)
    value[0, 0, 2, 0] = 6.0
    spread = on_pixels(value, (12, 12))
    assert float(spread.sum()) == pytest.approx(6.0, rel=1e-5)
    assert float(spread[0, 0, 7:, :5].sum()) > 4.5


def test_of_several_networks_the_mean_is_taken() -> None:
    one, other = Averaged((1.0, 0.0)), Averaged((3.0, 0.0))
    asked = Question(one, {"x": Signal(picture())}, "x", 0)
    together = Question(Ensemble([one, other]), asked.batch, "x", 0)
    np.testing.assert_allclose(
        GradCam.explain(together).attribution, 2 * GradCam.explain(asked).attribution, rtol=1e-5
    )


def test_a_network_without_maps_is_looked_at_where_the_picture_comes_in() -> None:
    x, weight = torch.randn(2, 3, 4, 4), torch.randn(1, 3, 4, 4)
    found = GradCam.explain(Question(Additive(weight), {"x": Signal(x)}, "x", 0)).attribution
    np.testing.assert_allclose(found, (x * weight).numpy(), rtol=1e-5)


def test_the_network_is_left_as_it_was() -> None:
    network = Averaged()
    GradCam.explain(Question(network, {"x": Signal(picture())}, "x", 0))
    assert network.features is None
    assert network.weight.requires_grad
    assert network.weight.grad is None
