from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from bioloom.modalities import Encoded, Kind, Resident, Shape, Signal
from bioloom.models import build
from bioloom.models.resnet import Block, Bottleneck
from bioloom.training.loop import fit
from simulated import STEADY, job

PUBLISHED = {18: 11_689_512, 34: 21_797_672, 50: 25_557_032, 101: 44_549_160, 152: 60_192_808}


def picture(size: int, channels: int = 3) -> dict[str, Shape]:
    return {"x": Shape(Kind.IMAGE, (channels, size, size))}


@pytest.mark.parametrize(("depth", "count"), PUBLISHED.items())
def test_the_published_depths_have_the_published_numbers_of_parameters(depth: int, count: int) -> None:
    with torch.device("meta"):
        network = build("resnet", picture(224), 1000, {"depth": depth})
    assert sum(weights.numel() for weights in network.parameters()) == count


@pytest.mark.parametrize("depth", [8, 14, 20, 110, 18, 34, 50, 101, 152])
def test_the_depth_is_the_number_of_layers_with_weights(depth: int) -> None:
    with torch.device("meta"):
        network = build("resnet", picture(32), 2, {"depth": depth, "width": 8})
    layers = [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and "shortcut" not in name
    ]
    assert len(layers) == depth


SMALL_STEM = [(5, "auto", 5), (16, "auto", 8), (28, "small", 7)]
POOLED_STEM = [(28, "auto", 7), (32, "auto", 8), (55, "auto", 14), (64, "auto", 8), (96, "pooled", 12)]
LARGE_STEM = [(96, "auto", 12), (128, "auto", 8), (28, "large", 7)]


@pytest.mark.parametrize(("size", "stem", "places"), [*SMALL_STEM, *POOLED_STEM, *LARGE_STEM])
def test_the_stem_follows_the_size_of_the_picture_unless_it_is_set(size: int, stem: str, places: int) -> None:
    network = build("resnet", picture(size), 2, {"width": 8, "stem": stem}).eval()
    network(torch.zeros(1, 3, size, size))
    assert network.features is not None
    assert network.features.shape == (1, 32, places, places)


def test_the_places_of_a_large_picture_are_those_of_the_paper() -> None:
    with torch.device("meta"):
        network = build("resnet", picture(224), 2, {"depth": 18, "width": 64})
        x, places = network.stem(torch.zeros(1, 3, 224, 224)), []
        for stage in network.stages:
            x = stage(x)
            places.append(x.shape[-1])
    assert places == [56, 28, 14, 7]


def test_the_stem_is_written_out_so_that_a_stored_network_stays_what_it_is() -> None:
    network = type(build("resnet", picture(28), 1, {}))
    settings = network.Settings()
    assert network.complete(settings, picture(12)).stem == "small"
    assert network.complete(settings, picture(28)).stem == "pooled"
    assert network.complete(settings, picture(224)).stem == "large"
    assert network.complete(settings.model_copy(update={"stem": "large"}), picture(28)).stem == "large"


@pytest.mark.parametrize("size", [1, 2, 5, 9])
def test_the_smallest_pictures_are_read(size: int) -> None:
    network = build("resnet", picture(size, 1), 2, {"width": 8}).eval()
    assert network(torch.rand(3, 1, size, size)).shape == (3, 2)


def test_a_block_adds_its_change_to_what_it_was_given() -> None:
    block = Block(4, 4, stride=1).eval()
    x = torch.randn(2, 4, 6, 6)
    first, second = block.change[0].weight, block.change[3].weight
    scale = 1 / (1 + block.change[1].eps) ** 0.5  # a fresh norm divides by the square root of 1 + epsilon
    change = (
        functional.conv2d((functional.conv2d(x, first, padding=1) * scale).relu(), second, padding=1) * scale
    )
    torch.testing.assert_close(block(x), (x + change).relu())


def test_a_bottleneck_narrows_and_widens_again() -> None:
    block = Bottleneck(16, 8, stride=2)
    shapes = [tuple(module.weight.shape) for module in block.change if isinstance(module, nn.Conv2d)]
    assert shapes == [(8, 16, 1, 1), (8, 8, 3, 3), (32, 8, 1, 1)]
    assert block(torch.zeros(2, 16, 7, 7)).shape == (2, 32, 4, 4)


def test_gradients_stay_finite_through_fifty_layers() -> None:
    torch.manual_seed(0)
    network = build("resnet", picture(32), 2, {"depth": 50, "width": 8})
    network(torch.randn(4, 3, 32, 32)).square().sum().backward()
    assert all(weights.grad is not None and weights.grad.isfinite().all() for weights in network.parameters())


def test_a_single_record_that_has_shrunk_to_one_place_can_be_learned_from() -> None:
    network = build("resnet", picture(4), 1, {"width": 8}).train()
    assert network(torch.rand(1, 3, 4, 4)).isfinite().all()


class Pixels(Encoded):
    """Pictures in memory, (records, channels, height, width) float32."""

    def __init__(self, values: torch.Tensor) -> None:
        self.values, self.shape = values, Shape(Kind.IMAGE, tuple(values.shape[1:]))

    def __len__(self) -> int:
        return len(self.values)

    def take(self, index: np.ndarray) -> Pixels:
        return Pixels(self.values[torch.from_numpy(index)])

    def on(self, device: str) -> Resident:
        pixels = self.values

        class There(Resident):
            def batch(self, index: torch.Tensor) -> Signal:
                return Signal(pixels[index])

        return There()


def test_a_training_that_was_stopped_ends_with_the_same_norms_and_weights(tmp_path: Path) -> None:
    values = torch.rand(41, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    changes = {
        "settings": {"width": 4},
        "inputs": {"x": Pixels(values)},
        "truth": values.mean(dim=(1, 2, 3))[:, None].numpy(),
        "weight": np.ones(41, dtype=np.float32),
        "train": np.arange(33),  # a last batch of one record
        "validation": np.arange(33, 41),
        "plan": replace(STEADY, epochs=3, batch_size=16),
    }
    unbroken = fit(job("resnet", **changes)).network.state_dict()
    fit(job("resnet", **changes), checkpoint=tmp_path / "checkpoint", until=1)
    resumed = fit(job("resnet", **changes), checkpoint=tmp_path / "checkpoint")
    assert resumed.resumed == 1
    found = resumed.network.state_dict()
    assert all(torch.equal(found[name], weights) for name, weights in unbroken.items())


def test_a_depth_of_the_paper_is_as_wide_as_there_and_others_are_narrower() -> None:
    resnet = type(build("resnet", picture(28), 1, {}))
    widths = {
        depth: resnet.complete(resnet.Settings(depth=depth), picture(28)).width for depth in (8, 14, 18, 50)
    }
    assert widths == {8: 32, 14: 32, 18: 64, 50: 64}
    assert resnet.complete(resnet.Settings(depth=18, width=16), picture(28)).width == 16
