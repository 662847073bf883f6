"""The default for targets at every pixel of a picture: a U-Net."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from bioloom.modalities import Kind
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.candidates import DEFAULT, Candidate, Choice, Range, Space
from bioloom.models.pictures import BatchNorm, channels_last, fresh


class Look(nn.Sequential):
    """Two 3x3 convolutions that keep the size of the picture, each with a norm and ReLU."""

    def __init__(self, channels: int, filters: int, normed: bool) -> None:
        layers: list[nn.Module] = []
        for before in (channels, filters):
            layers.append(fresh(nn.Conv2d(before, filters, 3, padding=1, bias=not normed)))
            layers += [BatchNorm(filters), nn.ReLU()] if normed else [nn.ReLU()]
        super().__init__(*layers)


class Up(nn.Module):
    """Twice the height and width at half the channels, beside what was seen at that size on the way down."""

    def __init__(self, channels: int, normed: bool) -> None:
        super().__init__()
        self.grow = nn.ConvTranspose2d(channels, channels // 2, 2, stride=2)
        self.look = Look(channels, channels // 2, normed)

    def forward(self, x: Tensor, beside: Tensor) -> Tensor:
        """(records, channels, h, w), (records, channels / 2, 2 h, 2 w) -> (records, channels / 2, 2 h, 2 w)."""
        found: Tensor = self.look(torch.cat([beside, self.grow(x)], dim=1))
        return found


@networks.register
class UNet(Network):
    """Step back from a picture to see what is where, return to every pixel, and answer for each.

    Down: two 3x3 convolutions, then four times a 2x2 max pool and two 3x3 convolutions with twice the channels. Up, as
    often: a 2x2 transposed convolution doubles height and width and halves the channels, what was seen at that size on
    the way down is laid beside it, and two 3x3 convolutions read both. A 1x1 convolution answers. Borders are padded, so
    that the answer is as large as the picture; pictures of any size are filled up with zeros to a multiple of 16 and cut
    again.
    1,942,289 parameters for an input of 128x128x1 and 1 output. With width 64 and without norms, as published,
    31,030,658 for one channel and two outputs.
    Source: Ronneberger, Fischer, Brox (2015) U-Net, arXiv:1505.04597 (there without padding: 572 pixels give 388).
    """

    name = "unet"
    title = "an answer at every pixel of a picture (U-Net)"
    accepts = frozenset({Kind.IMAGE})
    default_for = frozenset({Kind.IMAGE})
    mixed_precision = True
    everywhere = True
    candidates = (
        DEFAULT,
        Candidate(
            "small", {"width": 8, "levels": 3}, {"weight_decay": 0.1}, why="few records, or small pictures"
        ),
        Candidate("wide", {"width": 32}, rate=0.7, why="many records and many patterns"),
    )
    space: ClassVar[Space] = {
        "settings.width": Choice((8, 16, 24, 32)),
        "settings.levels": Range(2, 5, step=1),
        "settings.dropout": Range(0.0, 0.5),
        "training.weight_decay": Range(1e-3, 0.3, log=True),
        "rate": Range(0.25, 3.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of the U-Net."""

        width: int = Field(default=16, ge=1, description="channels at full size; 64 as published")
        levels: int = Field(default=4, ge=1, le=6, description="times that height and width are halved")
        norm: Literal["batch", "none"] = Field(
            default="batch", description="what follows each convolution; none as published"
        )
        dropout: float = Field(
            default=0.1, ge=0, lt=1, description="share of channels silenced at the smallest size"
        )

    def __init__(self, channels: int, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        widths = [settings.width * 2**level for level in range(settings.levels + 1)]
        normed = settings.norm == "batch"
        self.down = nn.ModuleList(
            Look(before, width, normed) for before, width in zip([channels, *widths], widths, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout2d(settings.dropout)
        self.up = nn.ModuleList(Up(width, normed) for width in reversed(widths[1:]))
        self.head = nn.Conv2d(settings.width, n_outputs, 1)
        self.multiple = 2**settings.levels
        self.features: Tensor | None = None  # (records, channels, height, width)

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights."""
        (shape,) = shapes.values()
        return cls(shape.sizes[0], n_outputs, settings)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, channels, height, width) -> (records, outputs, height, width)."""
        height, width = x.shape[2:]
        x = functional.pad(x, (0, -width % self.multiple, 0, -height % self.multiple))
        x, seen = channels_last(x), list[Tensor]()
        for number, look in enumerate(self.down):
            x = look(x if number == 0 else self.pool(x))
            seen.append(x)
        x = self.dropout(seen.pop())
        for up in self.up:
            x = up(x, seen.pop())
        self.features = x[:, :, :height, :width]
        raw: Tensor = self.head(self.features)
        return raw
