import pytest
import torch
from torch import nn

from bioloom.errors import UserError
from bioloom.modalities import Kind, Shape
from bioloom.models import build


def picture(side: int, channels: int = 3) -> dict[str, Shape]:
    return {"x": Shape(Kind.IMAGE, (channels, side, side))}


def test_the_places_along_a_side_are_those_of_the_paper() -> None:
    with torch.device("meta"):
        network = build("zfnet", picture(224), 1000, {})
        x, sides = torch.zeros(1, 3, 224, 224), []
        for layer in [*network.look, network.pool]:
            x = layer(x)
            if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
                sides.append(x.shape[-1])
    assert sides == [110, 55, 26, 13, 13, 13, 13, 6]


def test_dense_layers_fit_whatever_the_pools_leave() -> None:
    for side, stem in (
        (53, "large"),
        (54, "large"),
        (97, "large"),
        (8, "small"),
        (29, "small"),
        (64, "small"),
    ):
        with torch.device("meta"):
            network = build("zfnet", picture(side), 2, {"stem": stem, "hidden": 4})
            assert network(torch.zeros(3, 3, side, side)).shape == (3, 2)


@pytest.mark.parametrize(("side", "settings"), [(7, {}), (52, {"stem": "large"})])
def test_smaller_pictures_are_refused(side: int, settings: dict) -> None:
    with pytest.raises(UserError, match=f"at least {side + 1}x{side + 1}"):
        build("zfnet", picture(side), 1, settings)
