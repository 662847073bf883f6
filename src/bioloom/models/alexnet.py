"""AlexNet, the network with which deep learning won the ImageNet challenge of 2012."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field
from torch import Tensor, nn

from bioloom.modalities import Kind, Shape
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.candidates import Choice, Range, Space
from bioloom.models.pictures import channels_last, fresh, refuse_below, stem_for

FILTERS = {1: (64, 192, 384, 256, 256), 2: (96, 256, 384, 384, 256)}
"""Filters of the five convolutions by number of towers."""


@networks.register
class AlexNet(Network):
    """Five convolutions find ever larger patterns; two wide dense layers weigh where they stand.

    Large pictures: convolution 11x11 with stride 4 - pool - 5x5 - pool - 3x3 - 3x3 - 3x3 - pool, each with ReLU and
    each pool 3x3 with stride 2, then a mean over 6x6 fields; dense 4,096 - ReLU - dense 4,096 - ReLU - dense, with
    dropout before each of the first two. Pictures of up to 64 pixels enter through a 3x3 convolution, are pooled 2x2 and
    keep their last places; their dense layers have 512 units.
    61,100,840 parameters for an input of 224x224x3 and 1000 outputs; with two towers, as on the two graphics cards of
    2012 (second, fourth and fifth convolution see half of the channels, the first two are followed by a local response
    normalisation), 60,965,224.
    Sources: Krizhevsky, Sutskever, Hinton (2012) ImageNet classification with deep convolutional neural networks, NIPS;
    one tower: Krizhevsky (2014) arXiv:1404.5997.
    """

    name = "alexnet"
    title = "five convolutions and three wide dense layers (AlexNet)"
    accepts = frozenset({Kind.IMAGE})
    learning_rate = 5e-4
    mixed_precision = True
    space: ClassVar[Space] = {
        "settings.hidden": Choice((128, 512, 2048)),
        "settings.dropout": Range(0.2, 0.7),
        "rate": Range(0.1, 3.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of AlexNet."""

        towers: Literal[1, 2] = Field(default=1, description="2: the form of 2012, computed in two halves")
        stem: Literal["auto", "small", "large"] = Field(
            default="auto", description="large: 11x11 with stride 4; auto: for pictures above 64 pixels"
        )
        hidden: int = Field(
            default=0, ge=0, description="units of each dense layer; 0: 4,096, or 512 with the small stem"
        )
        dropout: float = Field(default=0.5, ge=0, lt=1, description="share of features silenced per step")

    def __init__(self, shape: Shape, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        first, *filters = FILTERS[settings.towers]
        large = settings.stem == "large"
        stem = (
            nn.Conv2d(shape.sizes[0], first, 11, 4, 2) if large else nn.Conv2d(shape.sizes[0], first, 3, 1, 1)
        )
        normed = [nn.LocalResponseNorm(5, alpha=1e-4, k=2.0)] if settings.towers == 2 else []
        pool = (3, 2) if large else (2, 2)  # places that a pool covers, and its stride
        self.look = nn.Sequential(
            *(fresh(stem), nn.ReLU(), *normed, nn.MaxPool2d(*pool)),
            *(
                fresh(nn.Conv2d(first, filters[0], 5, 1, 2, groups=settings.towers)),
                nn.ReLU(),
                *normed,
                nn.MaxPool2d(*pool),
            ),
            *(fresh(nn.Conv2d(filters[0], filters[1], 3, 1, 1)), nn.ReLU()),
            *(fresh(nn.Conv2d(filters[1], filters[2], 3, 1, 1, groups=settings.towers)), nn.ReLU()),
            *(fresh(nn.Conv2d(filters[2], filters[3], 3, 1, 1, groups=settings.towers)), nn.ReLU()),
        )
        height, width = (6, 6) if large else (side // 8 for side in shape.sizes[1:])
        self.pool = nn.Sequential(
            nn.MaxPool2d(*pool), nn.AdaptiveAvgPool2d((6, 6)) if large else nn.Identity()
        )
        self.read = nn.Sequential(
            nn.Flatten(),
            *(nn.Dropout(settings.dropout), nn.Linear(256 * height * width, settings.hidden), nn.ReLU()),
            *(nn.Dropout(settings.dropout), nn.Linear(settings.hidden, settings.hidden), nn.ReLU()),
            nn.Linear(settings.hidden, n_outputs),
        )
        self.features: Tensor | None = None  # (records, 256, height, width)

    @classmethod
    def complete(cls, settings: Settings, shapes: Shapes) -> Settings:
        """The settings with the stem and the dense layers written out that suit the size of the pictures."""
        (shape,) = shapes.values()
        stem = stem_for(shape, settings.stem)
        hidden = settings.hidden or (4096 if stem == "large" else 512)
        return settings.model_copy(update={"stem": stem, "hidden": hidden})

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights; UserError where the pictures are too small for it."""
        (shape,) = shapes.values()
        settings = cls.complete(settings, shapes)
        refuse_below(63 if settings.stem == "large" else 8, shape, cls.name)
        return cls(shape, n_outputs, settings)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, channels, height, width) -> (records, outputs)."""
        self.features = self.look(channels_last(x))
        raw: Tensor = self.read(self.pool(self.features))
        return raw
