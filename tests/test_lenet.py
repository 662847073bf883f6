import pytest
import torch
from torch.nn import functional

from bioloom.errors import UserError
from bioloom.modalities import Kind, Shape
from bioloom.models import build


def picture(side: int) -> dict[str, Shape]:
    return {"x": Shape(Kind.IMAGE, (1, side, side))}


def test_28_pixels_are_read_as_32_with_a_border() -> None:
    large, small = build("lenet", picture(32), 10, {}), build("lenet", picture(28), 10, {}).eval()
    assert [weights.shape for weights in large.parameters()] == [
        weights.shape for weights in small.parameters()
    ]
    large.load_state_dict(small.state_dict())
    x = torch.rand(2, 1, 28, 28)
    torch.testing.assert_close(small(x), large.eval()(functional.pad(x, (2, 2, 2, 2))))


def test_the_layers_are_those_of_the_paper() -> None:
    torch.manual_seed(0)
    network = build("lenet", picture(32), 10, {}).eval()
    first, second = network.look[0], network.look[3]
    _, dense, _, further, _, last = network.read
    x = torch.rand(3, 1, 32, 32)
    y = functional.avg_pool2d(functional.conv2d(x, first.weight, first.bias).tanh(), 2)
    y = functional.avg_pool2d(functional.conv2d(y, second.weight, second.bias).tanh(), 2)
    assert y.shape == (3, 16, 5, 5)
    expected = last(further(dense(y.flatten(1)).tanh()).tanh())
    torch.testing.assert_close(network(x), expected)


@pytest.mark.parametrize(("side", "settings"), [(12, {}), (16, {"border": 0}), (8, {"border": 4})])
def test_the_smallest_pictures_leave_one_place_and_smaller_ones_are_refused(
    side: int, settings: dict
) -> None:
    network = build("lenet", picture(side), 1, settings)
    assert network.read[1].in_features == 16
    with pytest.raises(UserError, match="too small"):
        build("lenet", picture(side - 1), 1, settings)


def test_other_bends_and_pools_are_settings() -> None:
    network = build("lenet", picture(28), 1, {"activation": "relu", "pool": "largest"})
    names = [type(layer).__name__ for layer in network.look]
    assert names == ["Conv2d", "ReLU", "MaxPool2d", "Conv2d", "ReLU"]
