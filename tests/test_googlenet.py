import pytest
import torch
from torch.nn import functional

from bioloom.modalities import Kind, Shape
from bioloom.models import build
from bioloom.models.googlenet import STAGES, Filters, Inception


def picture(side: int) -> dict[str, Shape]:
    return {"x": Shape(Kind.IMAGE, (3, side, side))}


def test_the_number_of_parameters_is_the_published_one() -> None:
    with torch.device("meta"):
        network = build("googlenet", picture(224), 1000, {"norm": "none"})
    assert sum(weights.numel() for weights in network.parameters()) == 6_998_552


def test_channels_after_each_inception_are_those_of_the_paper() -> None:
    channels = [[filters.channels for filters in stage] for stage in STAGES]
    assert channels == [[256, 480], [512, 512, 512, 528, 832], [832, 1024]]


def test_places_after_each_stage_are_those_of_the_paper() -> None:
    with torch.device("meta"):
        network = build("googlenet", picture(224), 1000, {})
        x, places = network.stem(torch.zeros(1, 3, 224, 224)), []
        for stage in network.stages:
            x = stage(x)
            places.append(x.shape[-1])
    assert places == [28, 14, 7]


@pytest.mark.parametrize(("side", "places"), [(28, 4), (32, 4), (1, 1), (65, 3)])
def test_small_pictures_are_halved_three_times(side: int, places: int) -> None:
    network = build("googlenet", picture(side), 2, {}).eval()
    assert network(torch.rand(2, 3, side, side)).shape == (2, 2)
    assert network.features is not None
    assert network.features.shape == (2, 1024, places, places)


def test_an_inception_lays_four_looks_side_by_side() -> None:
    torch.manual_seed(0)
    layer, x = Inception(5, Filters(2, 3, 4, 1, 2, 3), normed=False), torch.randn(2, 5, 7, 7)

    def look(x, path):
        weight, bias = path[0].weight, path[0].bias
        return functional.conv2d(x, weight, bias, padding=weight.shape[-1] // 2).relu()

    sides = [look(look(x, path[0]), path[1]) for path in (layer.three, layer.five)]
    pooled = look(functional.max_pool2d(x, 3, 1, 1), layer.pooled[1])
    torch.testing.assert_close(layer(x), torch.cat([look(x, layer.one), *sides, pooled], dim=1))
