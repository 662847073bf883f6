"""LeNet-5, the first convolutional network in wide use: it read the digits on cheques."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field
from torch import Tensor, nn

from bioloom.modalities import Kind, Shape
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.candidates import Choice, Range, Space
from bioloom.models.pictures import channels_last, refuse_below


@networks.register
class LeNet(Network):
    """Find strokes, then combinations of strokes, and weigh where they stand.

    Convolution (6 filters of 5x5) - tanh - 2x2 pool - convolution (16 of 5x5) - tanh - 2x2 pool - dense 120 - tanh -
    dense 84 - tanh - dense. Height x width x channels of a 32x32 picture: 32x32x1 -> 28x28x6 -> 14x14x6 -> 10x10x16 ->
    5x5x16 -> 400 -> 120 -> 84 -> 10. Smaller pictures get a border of 2 empty pixels, so that 28x28 is read as 32x32.
    61,706 parameters for an input of 32x32x1 and 10 outputs.
    Source: LeCun, Bottou, Bengio, Haffner (1998) Proceedings of the IEEE 86:2278. As in most later descriptions, pools
    have no weights, the second convolution sees all six maps, and the last layer is dense.
    """

    name = "lenet"
    title = "two convolutions and three dense layers (LeNet-5)"
    accepts = frozenset({Kind.IMAGE})
    space: ClassVar[Space] = {
        "settings.activation": Choice(("tanh", "relu")),
        "settings.pool": Choice(("mean", "largest")),
        "rate": Range(0.1, 3.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of LeNet-5."""

        activation: Literal["tanh", "relu"] = Field(
            default="tanh", description="activation function after each layer"
        )
        pool: Literal["mean", "largest"] = Field(
            default="mean", description="what is kept of each 2x2 neighbouring places"
        )
        border: int = Field(
            default=-1,
            ge=-1,
            le=8,
            description="empty pixels around the picture (padding); -1: 2 below 32 pixels, else 0",
        )

    def __init__(self, shape: Shape, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        channels, *sides = shape.sizes
        activation = {"tanh": nn.Tanh, "relu": nn.ReLU}[settings.activation]
        pool = {"mean": nn.AvgPool2d, "largest": nn.MaxPool2d}[settings.pool]
        self.look = nn.Sequential(
            *(nn.Conv2d(channels, 6, 5, padding=settings.border), activation(), pool(2)),
            *(nn.Conv2d(6, 16, 5), activation()),
        )
        self.pool = pool(2)
        height, width = (_left(side, settings.border) for side in sides)
        self.read = nn.Sequential(
            nn.Flatten(),
            *(nn.Linear(16 * height * width, 120), activation()),
            *(nn.Linear(120, 84), activation()),
            nn.Linear(84, n_outputs),
        )
        self.features: Tensor | None = None  # (records, 16, height, width)

    @classmethod
    def complete(cls, settings: Settings, shapes: Shapes) -> Settings:
        """The settings with the border written out that suits the size of the pictures."""
        (shape,) = shapes.values()
        usual = 2 if min(shape.sizes[1:]) < 32 else 0
        return settings.model_copy(update={"border": usual if settings.border < 0 else settings.border})

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights; UserError where the pictures are too small for it."""
        (shape,) = shapes.values()
        settings = cls.complete(settings, shapes)
        refuse_below(16 - 2 * settings.border, shape, cls.name)
        return cls(shape, n_outputs, settings)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, channels, height, width) -> (records, outputs)."""
        self.features = self.look(channels_last(x))
        raw: Tensor = self.read(self.pool(self.features))
        return raw


def _left(side: int, border: int) -> int:
    """Places along a side after both convolutions and pools."""
    return ((side + 2 * border - 4) // 2 - 4) // 2
