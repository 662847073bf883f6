"""ZFNet, AlexNet corrected after a look at what its layers see; the winner of 2013."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field
from torch import Tensor, nn

from bioloom.modalities import Kind, Shape
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.candidates import Choice, Range, Space
from bioloom.models.pictures import channels_last, fresh, refuse_below, stem_for


@networks.register
class ZFNet(Network):
    """AlexNet with smaller first filters and smaller steps, so that fine detail is not lost at once.

    Large pictures: convolution 7x7 with stride 2 (96 filters) - pool - local response normalisation - 5x5 with stride 2
    (256) - pool - local response normalisation - 3x3 (384) - 3x3 (384) - 3x3 (256) - pool, each with ReLU and each pool
    3x3 with stride 2: 224 -> 110 -> 55 -> 26 -> 13 -> 6 places along a side; dense 4,096 - ReLU - dense 4,096 - ReLU -
    dense, with dropout before the last two. Pictures of up to 64 pixels enter through a 3x3 convolution with stride 1,
    the second has stride 1 too, pools are 2x2, and dense layers have 512 units.
    62,357,608 parameters for an input of 224x224x3 and 1000 outputs.
    Source: Zeiler, Fergus (2013) Visualizing and understanding convolutional networks, arXiv:1311.2901.
    """

    name = "zfnet"
    title = "AlexNet with finer first layers (ZFNet)"
    accepts = frozenset({Kind.IMAGE})
    learning_rate = 5e-4
    mixed_precision = True
    space: ClassVar[Space] = {
        "settings.hidden": Choice((128, 512, 2048)),
        "settings.dropout": Range(0.2, 0.7),
        "rate": Range(0.1, 3.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of ZFNet."""

        stem: Literal["auto", "small", "large"] = Field(
            default="auto", description="large: 7x7 with stride 2; auto: for pictures above 64 pixels"
        )
        hidden: int = Field(
            default=0, ge=0, description="units of each dense layer; 0: 4,096, or 512 with the small stem"
        )
        dropout: float = Field(default=0.5, ge=0, lt=1, description="share of features silenced per step")

    def __init__(self, shape: Shape, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        channels, *sides = shape.sizes
        large = settings.stem == "large"
        first = nn.Conv2d(channels, 96, 7, 2, 1) if large else nn.Conv2d(channels, 96, 3, 1, 1)
        second = nn.Conv2d(96, 256, 5, 2) if large else nn.Conv2d(96, 256, 5, 1, 2)
        # places that a pool covers, its stride, empty places at the ends
        pool = (3, 2, 1) if large else (2, 2)
        self.look = nn.Sequential(
            *(fresh(first), nn.ReLU(), nn.MaxPool2d(*pool), nn.LocalResponseNorm(5, alpha=1e-4, k=2.0)),
            *(fresh(second), nn.ReLU(), nn.MaxPool2d(*pool), nn.LocalResponseNorm(5, alpha=1e-4, k=2.0)),
            *(fresh(nn.Conv2d(256, 384, 3, 1, 1)), nn.ReLU()),
            *(fresh(nn.Conv2d(384, 384, 3, 1, 1)), nn.ReLU()),
            *(fresh(nn.Conv2d(384, 256, 3, 1, 1)), nn.ReLU()),
        )
        self.pool = nn.MaxPool2d(*pool[:2])
        height, width = (_left(side, large) for side in sides)
        self.read = nn.Sequential(
            nn.Flatten(),
            *(nn.Linear(256 * height * width, settings.hidden), nn.ReLU(), nn.Dropout(settings.dropout)),
            *(nn.Linear(settings.hidden, settings.hidden), nn.ReLU(), nn.Dropout(settings.dropout)),
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
        refuse_below(53 if settings.stem == "large" else 8, shape, cls.name)
        return cls(shape, n_outputs, settings)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, channels, height, width) -> (records, outputs)."""
        self.features = self.look(channels_last(x))
        raw: Tensor = self.read(self.pool(self.features))
        return raw


def _left(side: int, large: bool) -> int:
    """Places along a side after the last pool."""
    if not large:
        return side // 8
    pooled = _halved((side - 5) // 2 + 1)
    return (_halved((pooled - 5) // 2 + 1) - 3) // 2 + 1


def _halved(side: int) -> int:
    """Places after a 3x3 pool with stride 2 and a border of 1."""
    return (side - 1) // 2 + 1
