import pytest
import torch
from torch import nn

from bioloom.errors import UserError
from bioloom.modalities import Kind, Shape
from bioloom.models import build


def picture(side: int, channels: int = 3) -> dict[str, Shape]:
    return {"x": Shape(Kind.IMAGE, (channels, side, side))}


@pytest.mark.parametrize(("towers", "count"), [(1, 61_100_840), (2, 60_965_224)])
def test_the_numbers_of_parameters_are_the_published_ones(towers: int, count: int) -> None:
    with torch.device("meta"):
        network = build("alexnet", picture(224), 1000, {"towers": towers})
    assert sum(weights.numel() for weights in network.parameters()) == count


def test_each_tower_sees_only_its_half_of_the_channels() -> None:
    network = build("alexnet", picture(16), 1, {"towers": 2, "hidden": 4})
    second = next(layer for layer in network.look if isinstance(layer, nn.Conv2d) and layer.in_channels == 96)
    x = torch.randn(1, 96, 5, 5)
    other = x.clone()
    other[:, :48] = 0
    same = torch.isclose(second(x), second(other), atol=1e-6).all(dim=(0, 2, 3))
    assert same.tolist() == [False] * 128 + [True] * 128


@pytest.mark.parametrize(("side", "places"), [(224, 13), (63, 3), (64, 16), (28, 7), (8, 2)])
def test_the_last_maps_have_the_places_of_the_paper_or_a_quarter_of_a_small_side(
    side: int, places: int
) -> None:
    with torch.device("meta"):
        network = build("alexnet", picture(side), 1, {"stem": "large" if side in (224, 63) else "auto"})
        network(torch.zeros(1, 3, side, side))
    assert network.features is not None
    assert network.features.shape == (1, 256, places, places)


@pytest.mark.parametrize(("side", "settings"), [(7, {}), (62, {"stem": "large"})])
def test_smaller_pictures_are_refused(side: int, settings: dict) -> None:
    with pytest.raises(UserError, match=f"at least {side + 1}x{side + 1}"):
        build("alexnet", picture(side), 1, settings)
