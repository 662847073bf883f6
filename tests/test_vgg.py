import pytest
import torch
from torch import nn

from bioloom.modalities import Kind, Shape
from bioloom.models import build

PUBLISHED = {11: 132_863_336, 13: 133_047_848, 16: 138_357_544, 19: 143_667_240}


def picture(side: int, channels: int = 3) -> dict[str, Shape]:
    return {"x": Shape(Kind.IMAGE, (channels, side, side))}


@pytest.mark.parametrize(("depth", "count"), PUBLISHED.items())
def test_the_numbers_of_parameters_are_the_published_ones(depth: int, count: int) -> None:
    with torch.device("meta"):
        network = build("vgg", picture(224), 1000, {"depth": depth, "norm": "none"})
    assert sum(weights.numel() for weights in network.parameters()) == count
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    assert len(layers) == depth


@pytest.mark.parametrize(("side", "places"), [(1, 1), (2, 1), (28, 1), (32, 2), (64, 4), (224, 14)])
def test_sides_are_halved_as_long_as_there_are_two_places(side: int, places: int) -> None:
    with torch.device("meta"):
        network = build("vgg", picture(side, 1), 3, {"depth": 11, "hidden": 4})
        assert network(torch.zeros(2, 1, side, side)).shape == (2, 3)
    assert network.features is not None
    assert network.features.shape[-1] == places


def test_two_small_filters_see_as_far_as_one_of_five_by_five() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 1, 9, 9, requires_grad=True)
    network = nn.Sequential(nn.Conv2d(1, 3, 3, 1, 1), nn.Conv2d(3, 1, 3, 1, 1))
    network(x)[0, 0, 4, 4].backward()
    assert x.grad is not None
    rows, columns = torch.nonzero(x.grad[0, 0], as_tuple=True)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 6, 2, 6)
