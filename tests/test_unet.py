import pytest
import torch

from bioloom.modalities import Kind, Shape
from bioloom.models import build


def picture(height: int, width: int, channels: int = 1) -> dict[str, Shape]:
    return {"x": Shape(Kind.IMAGE, (channels, height, width))}


def both_looks(channels: int, filters: int) -> int:
    return 9 * channels * filters + filters + 9 * filters * filters + filters


def test_the_number_of_parameters_is_the_published_one() -> None:
    with torch.device("meta"):
        network = build("unet", picture(572, 572), 2, {"width": 64, "norm": "none"})
    down = sum(both_looks(a, b) for a, b in ((1, 64), (64, 128), (128, 256), (256, 512), (512, 1024)))
    up = sum(4 * 2 * n * n + n + both_looks(2 * n, n) for n in (512, 256, 128, 64))
    count = sum(weights.numel() for weights in network.parameters())
    assert count == down + up + 64 * 2 + 2 == 31_030_658


@pytest.mark.parametrize(("height", "width"), [(1, 1), (16, 16), (17, 33), (28, 28), (31, 64)])
def test_the_answer_is_as_large_as_the_picture(height: int, width: int) -> None:
    network = build("unet", picture(height, width, 3), 2, {"width": 4}).eval()
    assert network(torch.rand(3, 3, height, width)).shape == (3, 2, height, width)
    assert network.features is not None
    assert network.features.shape == (3, 4, height, width)


def test_a_picture_is_filled_up_with_zeros_at_its_far_edges() -> None:
    network = build("unet", picture(16, 16), 1, {"width": 4, "levels": 2}).eval()
    x = torch.rand(1, 1, 16, 16)
    x[:, :, 13:], x[:, :, :, 15:] = 0, 0
    torch.testing.assert_close(network(x[:, :, :13, :15]), network(x)[:, :, :13, :15])


def test_what_moves_in_the_picture_moves_in_the_answer() -> None:
    torch.manual_seed(0)
    network = build("unet", picture(64, 64), 1, {"width": 4, "levels": 2}).eval()
    x = torch.zeros(1, 1, 64, 64)
    x[0, 0, 28:34, 29:35] = torch.rand(6, 6)
    moved = x.roll((4, -8), dims=(2, 3))  # a multiple of 2 x 2 pools
    torch.testing.assert_close(
        network(moved)[0, 0, 20:48, 16:40], network(x).roll((4, -8), dims=(2, 3))[0, 0, 20:48, 16:40]
    )


def test_edges_of_shapes_are_learned_at_every_pixel() -> None:
    torch.manual_seed(0)
    network = build("unet", picture(12, 12), 1, {"width": 4, "levels": 2, "dropout": 0})
    x = torch.zeros(24, 1, 12, 12)
    for each in x:
        top, left = torch.randint(0, 7, (2,)).tolist()
        each[0, top : top + 5, left : left + 5] = 1
    truth = (torch.nn.functional.avg_pool2d(x, 3, 1, 1) * 9 == 4).float()  # the corners of each square
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(60):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(x), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    found = network(x) > 0
    assert (found == truth.bool()).float().mean() > 0.99
    assert found.any()
