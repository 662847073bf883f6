"""GoogLeNet: filters of several sizes side by side, and 1x1 convolutions that keep them cheap."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple, Self

import torch
from pydantic import Field
from torch import Tensor, nn

from bioloom.modalities import Kind
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.candidates import Range, Space
from bioloom.models.pictures import BatchNorm, channels_last, fresh, stem_for


class Filters(NamedTuple):
    """Filters of an inception: 1x1; 1x1 before 3x3, 3x3; 1x1 before 5x5, 5x5; 1x1 after the pool."""

    one: int
    before_three: int
    three: int
    before_five: int
    five: int
    after_pool: int

    @property
    def channels(self) -> int:
        """Channels of all four ways together."""
        return self.one + self.three + self.five + self.after_pool


STAGES = (
    (Filters(64, 96, 128, 16, 32, 32), Filters(128, 128, 192, 32, 96, 64)),
    (
        Filters(192, 96, 208, 16, 48, 64),
        Filters(160, 112, 224, 24, 64, 64),
        Filters(128, 128, 256, 24, 64, 64),
        Filters(112, 144, 288, 32, 64, 64),
        Filters(256, 160, 320, 32, 128, 128),
    ),
    (Filters(256, 160, 320, 32, 128, 128), Filters(384, 192, 384, 48, 128, 128)),
)
"""Inceptions 3a-3b, 4a-4e and 5a-5b of the paper's table 1."""


class Inception(nn.Module):
    """Look at the same place in four ways, and lay what is seen side by side."""

    def __init__(self, channels: int, filters: Filters, normed: bool) -> None:
        super().__init__()
        self.one = _convolution(channels, filters.one, 1, normed)
        self.three = nn.Sequential(
            _convolution(channels, filters.before_three, 1, normed),
            _convolution(filters.before_three, filters.three, 3, normed),
        )
        self.five = nn.Sequential(
            _convolution(channels, filters.before_five, 1, normed),
            _convolution(filters.before_five, filters.five, 5, normed),
        )
        self.pooled = nn.Sequential(
            nn.MaxPool2d(3, 1, 1), _convolution(channels, filters.after_pool, 1, normed)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(records, channels, height, width) -> (records, channels of all four, height, width)."""
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pooled(x)], dim=1)


@networks.register
class GoogLeNet(Network):
    """See details and surroundings at once: 1x1, 3x3 and 5x5 filters side by side, nine times over.

    Convolution 7x7 with stride 2 (64 filters) - pool - 1x1 (64) - 3x3 (192) - pool - two inceptions - pool - five
    inceptions - pool - two inceptions - mean over all places - dropout - dense; each convolution with a norm and ReLU,
    each pool 3x3 with stride 2. A 1x1 convolution mixes channels at each place and makes them fewer before the dear 3x3
    and 5x5 ones. Pictures of up to 64 pixels enter through a 3x3 convolution with stride 1 and without the first pool.
    7,005,832 parameters for an input of 224x224x3 and 1000 outputs; without norms, as published, 6,998,552. The two
    side exits that helped gradients in 2014 are left out: norms do that now.
    Sources: Szegedy et al. (2014) Going deeper with convolutions, arXiv:1409.4842; 1x1 convolutions, Lin et al. (2013)
    arXiv:1312.4400; norms, Ioffe, Szegedy (2015) arXiv:1502.03167.
    """

    name = "googlenet"
    title = "filters of several sizes side by side (GoogLeNet, inception)"
    accepts = frozenset({Kind.IMAGE})
    learning_rate = 1e-3
    mixed_precision = True
    space: ClassVar[Space] = {"settings.dropout": Range(0.0, 0.6), "rate": Range(0.1, 3.0, log=True)}

    class Settings(NetworkSettings):
        """Settings of GoogLeNet."""

        norm: Literal["batch", "none"] = Field(
            default="batch", description="what follows each convolution; none as published"
        )
        stem: Literal["auto", "small", "large"] = Field(
            default="auto",
            description="large: 7x7 with stride 2 and a pool; auto: for pictures above 64 pixels",
        )
        dropout: float = Field(default=0.4, ge=0, lt=1, description="share of features silenced per step")

    def __init__(self, channels: int, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        normed = settings.norm == "batch"
        self.stem = nn.Sequential(
            *_stem(channels, settings.stem, normed),
            _convolution(64, 64, 1, normed),
            _convolution(64, 192, 3, normed),
        )
        channels = 192
        stages = []
        for stage in STAGES:
            layers: list[nn.Module] = [nn.MaxPool2d(3, 2, 1)]
            for filters in stage:
                layers.append(Inception(channels, filters, normed))
                channels = filters.channels
            stages.append(nn.Sequential(*layers))
        self.stages = nn.Sequential(*stages)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(settings.dropout),
            nn.Linear(channels, n_outputs),
        )
        self.features: Tensor | None = None  # (records, 1024, height, width)

    @classmethod
    def complete(cls, settings: Settings, shapes: Shapes) -> Settings:
        """The settings with the stem written out that suits the size of the pictures."""
        (shape,) = shapes.values()
        return settings.model_copy(update={"stem": stem_for(shape, settings.stem)})

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights."""
        (shape,) = shapes.values()
        return cls(shape.sizes[0], n_outputs, cls.complete(settings, shapes))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, channels, height, width) -> (records, outputs)."""
        x = channels_last(x)
        self.features = self.stages(self.stem(x))
        raw: Tensor = self.head(self.features)
        return raw


def _stem(channels: int, kind: str, normed: bool) -> list[nn.Module]:
    if kind == "small":
        return [_convolution(channels, 64, 3, normed)]
    return [_convolution(channels, 64, 7, normed, stride=2), nn.MaxPool2d(3, 2, 1)]


def _convolution(channels: int, filters: int, size: int, normed: bool, stride: int = 1) -> nn.Sequential:
    """A convolution that keeps the size of the picture (or divides it by the stride), a norm and ReLU."""
    look = fresh(nn.Conv2d(channels, filters, size, stride, size // 2, bias=not normed))
    return nn.Sequential(look, *([BatchNorm(filters)] if normed else []), nn.ReLU())
