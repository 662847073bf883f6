"""Occlusion of pictures against a loop that hides square after square."""

from __future__ import annotations

import numpy as np
import torch

from bioloom.explanation import Question
from bioloom.explanation.hiding.patches import hide_squares, squares
from bioloom.modalities import Signal
from toy_networks import Additive


def test_squares_cover_every_pixel_and_stay_inside() -> None:
    for height, width in ((28, 28), (8, 8), (5, 40), (1, 3), (100, 61)):
        laid = squares(height, width)
        cover = np.zeros((height, width))
        for top, left in zip(laid.top.tolist(), laid.left.tolist(), strict=True):
            cover[top : top + laid.size, left : left + laid.size] += 1
            assert top + laid.size <= height
            assert left + laid.size <= width
        assert cover.min() >= 1


def test_it_equals_hiding_one_square_after_another() -> None:
    torch.manual_seed(0)
    x, weight = torch.randn(3, 2, 10, 12), torch.randn(2, 2, 10, 12)
    background = torch.randn(3, 2, 2, 10, 12)
    network = Additive(weight)
    found = hide_squares(Question(network, {"x": Signal(x)}, "x", 1, background)).attribution
    laid, total, cover = squares(10, 12), np.zeros((3, 10, 12)), np.zeros((10, 12))
    for top, left in zip(laid.top.tolist(), laid.left.tolist(), strict=True):
        effect = np.zeros(3)
        for which in range(2):
            hidden = x.clone()
            inside = (slice(None), slice(None), slice(top, top + laid.size), slice(left, left + laid.size))
            hidden[inside] = background[:, which][inside]
            effect += (network(x) - network(hidden))[:, 1].detach().numpy() / 2
        total[:, top : top + laid.size, left : left + laid.size] += effect[:, None, None]
        cover[top : top + laid.size, left : left + laid.size] += 1
    wanted = np.repeat((total / cover)[:, None] / 2, 2, axis=1)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
