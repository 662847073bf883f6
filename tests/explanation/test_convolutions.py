"""Convolutions along sequences run as those of pictures: the same numbers, for every way of calling them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bioloom.explanation.flat import FlatMode, channels_last, flat

CALLS = {
    "plain": {},
    "padded": {"padding": 2},
    "even and as long as before": {"kernel_size": 7, "padding": "same", "dilation": 2},
    "strided and dilated": {"stride": 2, "dilation": 3, "padding": 3},
    "in groups, without bias": {"groups": 2, "bias": False},
}


@pytest.mark.parametrize("name", list(CALLS))
def test_a_convolution_says_the_same_and_so_does_its_slope(name: str) -> None:
    torch.manual_seed(0)
    layer = nn.Conv1d(4, 6, **{"kernel_size": 5, **CALLS[name]})
    x = torch.randn(3, 4, 30, requires_grad=True)
    plain = layer(x)
    with flat(layer) as mode:
        assert isinstance(mode, FlatMode)
        told = layer(x)
    assert told.shape == plain.shape
    assert torch.allclose(told, plain, atol=1e-5)
    (one,), (other,) = (torch.autograd.grad(y.sin().sum(), x) for y in (plain, told))
    assert torch.allclose(one, other, atol=1e-5)


def test_double_precision_and_other_networks_are_left_alone() -> None:
    layer, x = nn.Conv1d(4, 6, 5).double(), torch.randn(3, 4, 30).double()
    with flat(layer):
        assert torch.equal(layer(x), nn.functional.conv1d(x, layer.weight, layer.bias))
    with flat(nn.Linear(3, 2)) as mode:
        assert mode is None


@pytest.mark.parametrize("layer", [nn.Conv1d(4, 6, 5), nn.Conv2d(4, 6, (1, 5))])
def test_gradients_lie_in_memory_as_what_they_are_gradients_of(layer: nn.Module) -> None:
    """Those of a mean over places come with places last, and all behind would read them across."""
    x = torch.randn(3, 4, 30) if isinstance(layer, nn.Conv1d) else torch.randn(3, 4, 1, 30)
    x = x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x
    seen: list[torch.Tensor] = []
    with flat(layer):
        maps = layer(x.requires_grad_())
        bent = torch.relu(maps)
        bent.register_hook(seen.append)
        bent.flatten(2).mean(dim=2).sum().backward()
    assert [channels_last(each) for each in (maps, bent, *seen)] == [True] * 3
