"""VGG: nothing but 3x3 convolutions, one on top of the other."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field
from torch import Tensor, nn

from bioloom.modalities import Kind, Shape
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.candidates import Choice, Range, Space
from bioloom.models.pictures import BatchNorm, channels_last, fresh, stem_for

STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""3x3 convolutions of each stage by depth (columns A, B, D and E of the paper's table 1)."""

FILTERS = (64, 128, 256, 512, 512)


@networks.register
class VGG(Network):
    """Two 3x3 convolutions see as far as one of 5x5, with fewer weights and one ReLU more; so make it deep.

    Five stages of 3x3 convolutions (64, 128, 256, 512, 512 filters), each with a norm and ReLU, each stage followed by a
    2x2 max pool as long as there are two places along a side; mean over 7x7 fields; dense 4,096 - ReLU - dropout, twice;
    dense. For pictures of up to 64 pixels the dense layers have 512 units and see each last place.
    138,365,992 parameters for an input of 224x224x3 and 1000 outputs; without norms, as published: depth 11 132,863,336;
    13 133,047,848; 16 138,357,544; 19 143,667,240. Without norms it is hard to train from random weights.
    Source: Simonyan, Zisserman (2014) arXiv:1409.1556.
    """

    name = "vgg"
    title = "11 to 19 layers, of which all convolutions are 3x3 (VGG)"
    accepts = frozenset({Kind.IMAGE})
    learning_rate = 5e-4
    mixed_precision = True
    space: ClassVar[Space] = {
        "settings.depth": Choice((11, 13, 16)),
        "settings.dropout": Range(0.0, 0.7),
        "rate": Range(0.1, 3.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of VGG."""

        depth: Literal[11, 13, 16, 19] = Field(default=16, description="layers with weights")
        norm: Literal["batch", "none"] = Field(
            default="batch", description="what follows each convolution; none as published"
        )
        hidden: int = Field(
            default=0, ge=0, description="units of each dense layer; 0: 4,096, or 512 up to 64 pixels"
        )
        dropout: float = Field(default=0.5, ge=0, lt=1, description="share of features silenced per step")

    def __init__(self, shape: Shape, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        channels, *sides = shape.sizes
        layers: list[nn.Module] = []
        for number, (blocks, filters) in enumerate(zip(STAGES[settings.depth], FILTERS, strict=True)):
            if number > 0:
                layers.append(_pool(min(sides)))
                sides = _pooled(sides)
            for _ in range(blocks):
                layers += [fresh(nn.Conv2d(channels, filters, 3, 1, 1))]
                layers += [BatchNorm(filters)] if settings.norm == "batch" else []
                layers += [nn.ReLU()]
                channels = filters
        self.look = nn.Sequential(*layers)
        height, width = (min(side, 7) for side in _pooled(sides))
        self.pool = nn.Sequential(_pool(min(sides)), nn.AdaptiveAvgPool2d((height, width)))
        self.read = nn.Sequential(
            nn.Flatten(),
            *(nn.Linear(512 * height * width, settings.hidden), nn.ReLU(), nn.Dropout(settings.dropout)),
            *(nn.Linear(settings.hidden, settings.hidden), nn.ReLU(), nn.Dropout(settings.dropout)),
            nn.Linear(settings.hidden, n_outputs),
        )
        self.features: Tensor | None = None  # (records, 512, height, width)

    @classmethod
    def complete(cls, settings: Settings, shapes: Shapes) -> Settings:
        """The settings with the dense layers written out that suit the size of the pictures."""
        (shape,) = shapes.values()
        usual = 4096 if stem_for(shape, "auto") == "large" else 512
        return settings.model_copy(update={"hidden": settings.hidden or usual})

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights."""
        (shape,) = shapes.values()
        return cls(shape, n_outputs, cls.complete(settings, shapes))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, channels, height, width) -> (records, outputs)."""
        self.features = self.look(channels_last(x))
        raw: Tensor = self.read(self.pool(self.features))
        return raw


def _pool(side: int) -> nn.Module:
    return nn.MaxPool2d(2) if side > 1 else nn.Identity()


def _pooled(sides: list[int]) -> list[int]:
    return [side // 2 for side in sides] if min(sides) > 1 else sides
