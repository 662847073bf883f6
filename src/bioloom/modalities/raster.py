"""Compact storage of pictures, and its expansion into batches on the device: pixels at rest as they were measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bioloom.data.mapped import let_go
from bioloom.modalities import Encoded, Kind, Resident, Shape, Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True)
class PictureEncoded(Encoded):
    """Pictures, one or two bytes (or a float32) per pixel and channel.

    pixels: (records, channels, height, width) uint8, uint16 or float32
    mean:   (channels,) float32, of the training pictures
    spread: (channels,) float32
    """

    pixels: NDArray[Any]
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]

    @property
    def shape(self) -> Shape:  # type: ignore[override]
        """(channels, height, width)."""
        return Shape(Kind.IMAGE, tuple(map(int, self.pixels.shape[1:])))

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, index: NDArray[np.int64]) -> PictureEncoded:
        """The chosen records, in the order of the index."""
        return PictureEncoded(self.pixels[index], self.mean, self.spread)

    def on(self, device: str) -> ResidentPictures:
        """The same records with their storage on a device (no copy on the CPU)."""
        import torch

        pixels = np.require(self.pixels, requirements=["C", "W"])
        if pixels.dtype == np.uint16:  # of which torch can choose records as whole numbers with a sign only
            pixels = pixels.view(np.int16)
        return ResidentPictures(
            torch.from_numpy(pixels).to(device),
            torch.from_numpy(self.mean).to(device)[:, None, None],
            torch.from_numpy(self.spread).to(device)[:, None, None],
            self.pixels,
        )

    def told(self, index: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        """Pixels as they are stored, and what they are standardised by."""
        yield from (self.mean, self.spread, self.pixels[index])
        let_go(self.pixels)


@dataclass(frozen=True)
class ResidentPictures(Resident):
    """Pictures on a device; pixels of 16 bits lie there as whole numbers with a sign.

    source: the pixels as they were given; of a mapped file the memory is given back after each batch
    """

    pixels: Tensor
    mean: Tensor
    spread: Tensor
    source: NDArray[Any]

    def batch(self, index: Tensor) -> Signal:
        """The pictures at an integer index as numbers in standard deviations, (batch, channels, height, width)."""
        import torch

        x = self.pixels.index_select(0, index)
        let_go(self.source)
        if x.dtype == torch.int16:
            x = x.int().bitwise_and(0xFFFF)
        return Signal((x.float() - self.mean) / self.spread)
