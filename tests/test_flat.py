"""Layers with channels last against those of torch, whose parameters they share."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bioloom.models.flat import Conv1d, MaxPool1d


@pytest.mark.parametrize("settings", [{}, {"padding": "same"}, {"padding": 3, "dilation": 2}, {"stride": 3}])
def test_the_convolution_gives_the_numbers_and_gradients_of_torch(settings: dict[str, object]) -> None:
    torch.manual_seed(0)
    theirs = nn.Conv1d(4, 10, 5, **settings)
    ours = Conv1d(4, 10, 5, **settings)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(7, 4, 20)
    expected = [x.clone().requires_grad_() for _ in range(2)]
    results = [layer(each) for layer, each in zip((theirs, ours), expected, strict=True)]
    torch.testing.assert_close(results[1], results[0])
    for result in results:
        result.square().sum().backward()
    torch.testing.assert_close(expected[1].grad, expected[0].grad)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


@pytest.mark.parametrize("positions", [16, 18])
def test_the_pool_is_that_of_torch(positions: int) -> None:
    x = torch.randn(5, 10, positions)
    assert torch.equal(MaxPool1d(4)(x), nn.MaxPool1d(4)(x))


def test_the_next_layer_finds_channels_last() -> None:
    x = Conv1d(4, 10, 5)(torch.randn(7, 4, 20))
    for flat in (x, torch.relu(x), MaxPool1d(4)(x)):
        assert flat.unsqueeze(2).is_contiguous(memory_format=torch.channels_last)
