"""The pictures that a column names, or that columns of pixels hold: each read when it is asked for, facts kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bioloom.data.assets import AssetArray, assets_of
from bioloom.data.columns import as_numbers
from bioloom.data.pictures import Picture, decode, of_rows
from bioloom.data.similarity.pictures import SIDE
from bioloom.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

GREY = np.array([0.299, 0.587, 0.114])
"""How bright red, green and blue look: ITU-R BT.601."""


@dataclass(frozen=True)
class Facts:
    """What is known of a picture without its pixels.

    size:   height, width, channels
    depth:  "uint8", "uint16" or "float32"
    sha256: of the pixels
    small:  (SIDE, SIDE) a small grey copy
    notes:  what was decided on reading
    wrong:  why it cannot be used; empty where it can
    """

    size: tuple[int, int, int] = (0, 0, 0)
    depth: str = ""
    sha256: str = ""
    small: NDArray[np.float32] | None = None
    notes: tuple[str, ...] = ()
    wrong: str = ""


class Gallery:
    """The pictures of some records.

    values: a frame of one column that names files, or of many columns that hold one pixel each
    """

    def __init__(self, values: pd.DataFrame) -> None:
        self.assets: AssetArray | None = None
        self.pixels: NDArray[np.float64] | None = None
        self.count = len(values)
        if values.shape[1] == 1:
            self.assets = assets_of(values.iloc[:, 0])
        else:
            self.pixels = _pixels(values)

    def __len__(self) -> int:
        return self.count

    def picture(self, row: int) -> Picture:
        """The picture of a record. Raises UserError where it cannot be used."""
        if self.assets is not None:
            return decode(self.assets.content(row))
        assert self.pixels is not None
        side = isqrt(self.pixels.shape[1])
        if side**2 != self.pixels.shape[1]:
            raise UserError(f"{self.pixels.shape[1]} columns of pixels make no square.")
        return of_rows(self.pixels[row], (side, side))

    def facts(self, row: int) -> Facts:
        """What is known of the picture of a record."""
        if self.assets is None or not isinstance(self.assets.names[row], str):
            return self._look(row)
        name = self.assets.names[row]
        return self.assets.store.remember(("picture", name), lambda: self._look(row), lambda _: 4 * SIDE**2)

    def _look(self, row: int) -> Facts:
        try:
            picture = self.picture(row)
        except UserError as error:
            return Facts(wrong=error.what[:1].lower() + error.what[1:].rstrip("."))
        pixels = picture.pixels
        told = f"{pixels.shape} {pixels.dtype.str}\n".encode()
        digest = hashlib.sha256(told + pixels.tobytes()).hexdigest()
        size = (pixels.shape[0], pixels.shape[1], pixels.shape[2])
        small = resized(grey(pixels), (SIDE, SIDE))[:, :, 0]
        return Facts(size, str(pixels.dtype), digest, small, picture.notes)

    @cached_property
    def all_facts(self) -> list[Facts]:
        """Of every record."""
        return [self.facts(row) for row in range(len(self))]

    def copies(self) -> NDArray[np.int64]:
        """Numbers that pictures with equal pixels share, (records,)."""
        return pd.factorize(np.array([each.sha256 for each in self.all_facts], dtype=object))[0]

    def small(self) -> NDArray[np.float32]:
        """Small grey copies, (records, SIDE, SIDE)."""
        nothing = np.zeros((SIDE, SIDE), dtype=np.float32)
        found = [nothing if each.small is None else each.small for each in self.all_facts]
        return np.stack(found) if found else np.zeros((0, SIDE, SIDE), dtype=np.float32)


def _pixels(values: pd.DataFrame) -> NDArray[np.float64]:
    """The numbers of all cells, (records, columns), NaN where there is none; at once where all are plain numbers."""
    try:
        return values.to_numpy(dtype=object).astype(np.float64)
    except (TypeError, ValueError):
        pass
    return np.stack([as_numbers(values.iloc[:, place])[0] for place in range(values.shape[1])], axis=1)


# ---- pixels ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frame:
    """The form that all pictures of an input are brought to.

    size:  height, width
    depth: "uint8", "uint16" or "float32"
    fill:  (channels,) what stands where a picture of another shape does not reach
    """

    size: tuple[int, int]
    depth: str
    fill: tuple[float, ...]

    def fit(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """A picture, (height, width, channels), brought to this form, (channels, *size).

        Sizes of nearly the same shape are stretched; others are kept in shape and what is left is filled.
        Raises UserError for another number of channels, unless grey and colour pictures are mixed.
        """
        pixels = with_channels(pixels, len(self.fill))
        if pixels.shape[:2] != self.size:
            pixels = self._placed(pixels)
        if self.depth != "float32":
            highest = np.iinfo(self.depth).max
            pixels = np.clip(np.round(pixels), 0, highest) if pixels.dtype != self.depth else pixels
        return np.ascontiguousarray(pixels.astype(self.depth, copy=False).transpose(2, 0, 1))

    def _placed(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        across, down = self.size[1] / pixels.shape[1], self.size[0] / pixels.shape[0]
        if max(across, down) <= STRETCHED * min(across, down):
            return resized(pixels, self.size)
        scale = min(across, down)
        size = tuple(max(1, round(length * scale)) for length in pixels.shape[:2])
        canvas = np.broadcast_to(np.array(self.fill, dtype=np.float32), (*self.size, len(self.fill))).copy()
        top, left = ((whole - part) // 2 for whole, part in zip(self.size, size, strict=True))
        canvas[top : top + size[0], left : left + size[1]] = resized(pixels, (size[0], size[1]))
        return canvas


STRETCHED = 1.1
"""Pictures whose shape differs by less than this factor are stretched to the common size."""


def with_channels(pixels: NDArray[Any], channels: int) -> NDArray[Any]:
    """The same picture with so many channels: grey is repeated, colour becomes grey. Raises UserError for others."""
    found = pixels.shape[2]
    if found == channels:
        return pixels
    if found == 1 and channels == 3:
        return np.repeat(pixels, 3, axis=2)
    if found == 3 and channels == 1:
        return grey(pixels)
    raise UserError(
        f"A picture has {found} channels, and the others have {channels}.",
        fix="give pictures with the same channels",
    )


def grey(pixels: NDArray[Any]) -> NDArray[Any]:
    """The brightness of a picture, (height, width, 1): of colours as it looks, of other channels their mean."""
    if pixels.shape[2] == 1:
        return pixels
    bright = pixels @ GREY if pixels.shape[2] == 3 else pixels.mean(axis=2)
    if pixels.dtype.kind == "u":
        bright = np.round(bright)
    found: NDArray[Any] = bright.astype(pixels.dtype)[:, :, None]
    return found


def resized(pixels: NDArray[Any], size: tuple[int, int]) -> NDArray[np.float32]:
    """A picture of another size, (*size, channels): a weighted mean of the pixels that each new one covers."""
    from PIL import Image

    channels = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(pixels[:, :, channel], dtype=np.float32)).resize(
                (size[1], size[0]), Image.Resampling.BILINEAR
            )
        )
        for channel in range(pixels.shape[2])
    ]
    return np.stack(channels, axis=2)
