"""The default for pictures: a residual network of any published depth, narrow and shallow for small pictures."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from bioloom.modalities import Kind, Shape
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.candidates import DEFAULT, Candidate, Choice, Range, Space
from bioloom.models.pictures import SMALL, BatchNorm, channels_last, fresh

TINY = 16
"""Pictures of so many pixels at most are not made smaller before the first stage."""

PLACES = 7
"""Places along a side that stages leave at least, so that it can still be told where something was seen."""

STAGES = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""Blocks of each stage by depth, as for ImageNet; any other depth is 6 n + 2, three stages of n blocks, as for CIFAR."""


class Block(nn.Module):
    """ReLU(x + change(x)): two 3x3 convolutions; a 1x1 convolution brings x to the size of the change."""

    growth = 1

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            *_convolution(channels, width, 3, stride), nn.ReLU(), *_convolution(width, width, 3, 1)
        )
        self.shortcut = _shortcut(channels, width * self.growth, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(records, channels, height, width) -> (records, width x growth, height / stride, width / stride)."""
        return functional.relu(self.shortcut(x) + self.change(x))


class Bottleneck(Block):
    """The same with a 1x1 convolution to fewer channels, a 3x3 one there, and a 1x1 one to four times as many."""

    growth = 4

    def __init__(self, channels: int, width: int, stride: int) -> None:
        nn.Module.__init__(self)
        self.change = nn.Sequential(
            *(*_convolution(channels, width, 1, 1), nn.ReLU()),
            *(*_convolution(width, width, 3, stride), nn.ReLU()),
            *_convolution(width, width * self.growth, 1, 1),
        )
        self.shortcut = _shortcut(channels, width * self.growth, stride)


@networks.register
class ResNet(Network):
    """Look at a picture in small steps, each of which only corrects what was seen before.

    Stem; stages of residual blocks, each at half the height and width of the one before (as long as seven places are
    left along a side) and twice its channels; mean over all places; dense. Depths 8, 14, 20, ... have three stages of
    two-layer blocks, as for CIFAR; depths 18 to 152 four, as for ImageNet. Pictures of up to 16 pixels enter through a
    3x3 convolution that keeps their size, those of up to 64 through one that is followed by a 3x3 max pool with stride
    2, larger ones through one of 7x7 with stride 2 and that pool.
    306,913 parameters for an input of 28x28x1 and 1 output. Depths 18 to 152 are as wide as published, others half as wide;
    for 224x224x3 and 1,000 outputs: depth 18 11,689,512; 34 21,797,672; 50 25,557,032; 101 44,549,160; 152 60,192,808.
    Source: He, Zhang, Ren, Sun (2016) Deep residual learning, arXiv:1512.03385; wider and shallower for small
    pictures, Zagoruyko, Komodakis (2016) arXiv:1605.07146.
    """

    name = "resnet"
    title = "residual network, 8 to 152 layers deep (ResNet)"
    accepts = frozenset({Kind.IMAGE})
    default_for = frozenset({Kind.IMAGE})
    mixed_precision = True
    passes = 1 / 3  # longer was no better on validation pictures: it then learns them by heart
    candidates = (
        DEFAULT,
        Candidate(
            "small", {"width": 16, "dropout": 0.2}, {"weight_decay": 0.1}, why="few records, or much noise"
        ),
        Candidate("deep", {"depth": 14}, why="what matters has many parts"),
        Candidate("wide", {"width": 64}, rate=0.7, why="many records and many patterns"),
    )
    space: ClassVar[Space] = {
        "settings.depth": Choice((8, 14, 20)),
        "settings.width": Choice((16, 24, 32, 48, 64)),
        "settings.dropout": Range(0.0, 0.5),
        "training.weight_decay": Range(1e-3, 0.3, log=True),
        "rate": Range(0.25, 3.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of the residual network."""

        depth: Literal[8, 14, 20, 32, 44, 56, 110, 18, 34, 50, 101, 152] = Field(
            default=8,
            description="layers with weights: three stages of blocks up to 14, 20, ... 110; four for 18 to 152",
        )
        width: int = Field(
            default=0,
            ge=0,
            description="channels of the first stage; 0: 64, as published, for depths 18 to 152, else 32",
        )
        stem: Literal["auto", "small", "pooled", "large"] = Field(
            default="auto",
            description="small: 3x3; pooled: with a pool; large: 7x7 with stride 2 and a pool; auto: by size",
        )
        dropout: float = Field(
            default=0.0, ge=0, lt=1, description="share of features silenced before the last layer"
        )

    def __init__(self, shape: Shape, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        width, depth = settings.width, settings.depth
        channels, *sides = shape.sizes
        side = min(sides) // {"small": 1, "pooled": 2, "large": 4}[settings.stem]
        block = Bottleneck if depth in (50, 101, 152) else Block
        self.stem = _stem(channels, width, settings.stem)
        stages: list[nn.Module] = []
        channels = width
        for number, blocks in enumerate(STAGES.get(depth, ((depth - 2) // 6,) * 3)):
            halved = number > 0 and side // 2 >= PLACES
            side //= 2 if halved else 1
            strides = [2 if halved else 1] + [1] * (blocks - 1)
            stage = list[nn.Module]()
            for stride in strides:
                stage.append(block(channels, width * 2**number, stride))
                channels = width * 2**number * block.growth
            stages.append(nn.Sequential(*stage))
        self.stages = nn.Sequential(*stages)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(settings.dropout),
            nn.Linear(channels, n_outputs),
        )
        self.features: Tensor | None = None  # (records, channels, height, width)

    @classmethod
    def complete(cls, settings: Settings, shapes: Shapes) -> Settings:
        """The settings with the width of that depth and the stem that suits the size of the pictures written out."""
        (shape,) = shapes.values()
        small = "small" if min(shape.sizes[1:]) <= TINY else "pooled"
        usual = small if min(shape.sizes[1:]) <= SMALL else "large"
        stem = usual if settings.stem == "auto" else settings.stem
        width = settings.width or (64 if settings.depth in STAGES else 32)
        return settings.model_copy(update={"stem": stem, "width": width})

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights."""
        (shape,) = shapes.values()
        return cls(shape, n_outputs, cls.complete(settings, shapes))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, channels, height, width) -> (records, outputs)."""
        x = channels_last(x)
        self.features = self.stages(self.stem(x))
        raw: Tensor = self.head(self.features)
        return raw


def _convolution(channels: int, filters: int, size: int, stride: int) -> tuple[nn.Module, nn.Module]:
    return fresh(nn.Conv2d(channels, filters, size, stride, size // 2, bias=False)), BatchNorm(filters)


def _shortcut(channels: int, filters: int, stride: int) -> nn.Module:
    same = channels == filters and stride == 1
    return nn.Identity() if same else nn.Sequential(*_convolution(channels, filters, 1, stride))


def _stem(channels: int, width: int, kind: str) -> nn.Sequential:
    size, stride = (7, 2) if kind == "large" else (3, 1)
    pool = [] if kind == "small" else [nn.MaxPool2d(3, 2, 1)]
    return nn.Sequential(*_convolution(channels, width, size, stride), nn.ReLU(), *pool)
