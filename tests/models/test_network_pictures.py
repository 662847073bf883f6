import pytest
import torch
from torch import nn

from bioloom.errors import UserError
from bioloom.modalities import Kind, Shape
from bioloom.models.pictures import BatchNorm, channels_last, fresh, refuse_below, stem_for


def picture(height: int, width: int) -> Shape:
    return Shape(Kind.IMAGE, (3, height, width))


def test_while_learning_the_norm_is_that_of_torch() -> None:
    torch.manual_seed(0)
    ours, torchs = BatchNorm(4), nn.BatchNorm2d(4)
    for x in (torch.randn(3, 4, 2, 2), torch.randn(1, 4, 2, 1), torch.randn(2, 4, 1, 1)):
        assert torch.equal(ours(x), torchs(x))


def test_predictions_use_the_mean_of_all_batches_at_first_and_of_the_last_hundred_later() -> None:
    torch.manual_seed(0)
    norm, seen = BatchNorm(2), []
    for number in range(150):
        x = torch.randn(8, 2, 3, 3) + number
        norm(x)
        seen.append(x.mean(dim=(0, 2, 3)))
        if number == 40:
            torch.testing.assert_close(norm.running_mean, torch.stack(seen).mean(dim=0))
    expected = torch.stack(seen[:100]).mean(dim=0)
    for mean in seen[100:]:
        expected = 0.99 * expected + 0.01 * mean
    torch.testing.assert_close(norm.running_mean, expected, rtol=1e-4, atol=1e-4)
    told = norm.eval()(x).mean(dim=(0, 2, 3))
    torch.testing.assert_close(told, (seen[-1] - expected) / norm.running_var.sqrt(), rtol=1e-3, atol=1e-3)


def test_one_record_with_one_place_is_normed_as_when_predicting() -> None:
    norm = BatchNorm(4)
    norm(torch.randn(8, 4, 3, 3) * 5 + 2)
    x = torch.randn(1, 4, 1, 1)
    learning, before = norm(x), norm.running_mean.clone()
    assert torch.equal(learning, norm.eval()(x))
    assert torch.equal(norm.running_mean, before)


def test_pictures_of_up_to_64_pixels_keep_their_size_in_the_first_layer() -> None:
    assert [stem_for(picture(*sides), "auto") for sides in ((64, 64), (65, 65), (224, 40))] == [
        "small",
        "large",
        "small",
    ]
    assert stem_for(picture(28, 28), "large") == "large"


def test_pictures_that_are_too_small_are_refused_with_the_size_that_fits() -> None:
    refuse_below(8, picture(8, 90), "alexnet")
    with pytest.raises(UserError, match=r"7x90 pixels are too small .*\"alexnet\", which needs at least 8x8"):
        refuse_below(8, picture(7, 90), "alexnet")


def test_fresh_weights_keep_the_size_of_signals_through_ten_layers() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 32, 16, 16)
    for _ in range(10):
        x = fresh(nn.Conv2d(32, 32, 3, padding=1, padding_mode="circular"))(x).relu()
    assert 0.3 < x.square().mean() < 3


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_one_channel_too_go_on_with_channels_last(channels: int) -> None:
    x = torch.rand(2, channels, 5, 7)
    found = channels_last(x)
    assert torch.equal(found, x)
    after = nn.Conv2d(channels, 8, 3)(found)
    assert after.is_contiguous(memory_format=torch.channels_last)
