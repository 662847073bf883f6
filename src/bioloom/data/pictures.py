"""Pictures: PNG, JPEG, TIFF and other files, or arrays, read into pixels as they were measured.

Whole numbers of 8 or 16 bits stay what they are, float32 too; nothing is stretched or made prettier. What a file says
about itself (palette, orientation, channels, depth of a stack) is followed.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from bioloom.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    from bioloom.data.stores import Content

LARGEST = 2**26
"""Pixels of a picture, all channels and pages together: 8192 x 8192. Larger ones are slides, to be cut into tiles."""

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM")
"""Formats that pillow may open; it knows more, some of which run other programs."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".pgm", ".ppm")
"""The endings of their names, in small letters."""

PAGES_AS_CHANNELS = 4
"""So many pages of a TIFF that does not say what they are count as channels, more as a stack in depth."""

MOST_CHANNELS = 16
"""An axis of an array that does not say what it is counts as channels up to this length."""

_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")

_GREY = ("1", "L", "LA", "La")
_SIXTEEN = ("I;16", "I;16L", "I;16B", "I;16N")


@dataclass(frozen=True)
class Picture:
    """A picture as measured.

    pixels: (height, width, channels) uint8, uint16 or float32; grey pictures have one channel, also where a file
            repeats it for red, green and blue
    notes:  what was decided on reading, such as how a stack became a picture
    """

    pixels: NDArray[Any]
    notes: tuple[str, ...] = ()


def decode(content: Content) -> Picture:
    """Read a picture. Raises UserError, without a place, where the content is no picture, broken or too large."""
    if not isinstance(content, bytes):
        return _of_array(np.asarray(content), _guessed_axes(np.asarray(content).shape))
    if not content:
        raise UserError("The file is empty.")
    if content.startswith(_TIFF):
        found = _tiff(content)
        if found is not None:
            return found
    return _of_array(*_opened(content))


def of_rows(values: NDArray[Any], size: tuple[int, int]) -> Picture:
    """A grey picture whose pixels stand in one row, line by line. values: (height x width,)"""
    return _of_array(values.reshape(size), "YX")


# ---- TIFF ------------------------------------------------------------------------------------------------------


def _tiff(content: bytes) -> Picture | None:
    """The first series of a TIFF; None where pillow knows better: palettes, and compression that needs its libraries."""
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(content), _multifile=False) as file:
            if not file.series:
                raise UserError("The TIFF holds no picture.")
            series = file.series[0]
            _refuse_large(series.shape)
            if file.pages[0].photometric == tifffile.PHOTOMETRIC.PALETTE:  # type: ignore[union-attr]
                return None
            pixels, axes = series.asarray(), series.axes
    except (ValueError, KeyError, NotImplementedError):  # a compression of which only pillow has the library
        return None
    except (tifffile.TiffFileError, struct.error, zlib.error, EOFError, OSError, IndexError) as error:
        raise UserError(f"The TIFF is damaged ({str(error)[:80]}).") from None
    return _of_array(pixels, axes)


# ---- everything that pillow reads ------------------------------------------------------------------------------


def _opened(content: bytes) -> tuple[NDArray[Any], str]:
    """Pixels and what their axes are, as tifffile names them."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pillow, on sizes that are checked here, and on damaged tags
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                _refuse_large((*image.size, len(image.getbands())))
                return _pixels(ImageOps.exif_transpose(image))
    except UnidentifiedImageError:
        raise UserError("This is no picture, or of a format that is not read.") from None
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        struct.error,
        zlib.error,
        Image.DecompressionBombError,
    ) as error:
        raise UserError(f"The picture is damaged or cut off ({str(error)[:80]}).") from None


def _pixels(image: Image) -> tuple[NDArray[Any], str]:
    if image.mode in _GREY:
        return np.asarray(image.convert("L")), "YX"
    if image.mode in _SIXTEEN:
        return np.asarray(image).astype(np.uint16), "YX"
    if image.mode in ("I", "F"):
        return np.asarray(image), "YX"
    return np.asarray(image.convert("RGB")), "YXS"


# ---- arrays ----------------------------------------------------------------------------------------------------


def _guessed_axes(shape: tuple[int, ...]) -> str:
    """What the axes of an array are: height and width, and channels where one axis is much shorter than the others."""
    if len(shape) == 2:
        return "YX"
    if len(shape) == 3:
        if shape[0] < min(shape[1:]) and shape[0] <= MOST_CHANNELS:
            return "CYX"
        if shape[2] <= MOST_CHANNELS:
            return "YXS"
        raise UserError(
            f"An array of the shape {' x '.join(map(str, shape))} is no picture: "
            f"no axis has {MOST_CHANNELS} channels or fewer.",
            fix="give arrays of height x width, or of height x width x channels",
        )
    return "Q" * (len(shape) - 2) + "YX"


def _of_array(pixels: NDArray[Any], axes: str) -> Picture:
    """An array with named axes as a picture: Y and X, channels (C, S), and a stack of anything else."""
    if pixels.ndim != len(axes) or "Y" not in axes or "X" not in axes or 0 in pixels.shape:
        raise UserError(f"An array of the shape {' x '.join(map(str, pixels.shape))} is no picture.")
    _refuse_large(pixels.shape)
    pixels, notes = _numbers(pixels), []
    unnamed = [axis for axis in axes if axis not in "YXCS"]
    pages = prod(pixels.shape[axes.index(axis)] for axis in unnamed)
    if pages > 1 and not (
        set(unnamed) <= set("QI") and pages <= PAGES_AS_CHANNELS and not set("CS") & set(axes)
    ):
        notes.append(f"a stack of {pages} pages became one picture: the brightest value of each pixel")
        pixels = pixels.max(axis=tuple(place for place, axis in enumerate(axes) if axis not in "YXCS"))
        axes = "".join(axis for axis in axes if axis in "YXCS")
    order = [axes.index("Y"), axes.index("X")]
    others = [place for place in range(len(axes)) if place not in order]
    pixels = pixels.transpose(*order, *others).reshape(*(pixels.shape[place] for place in order), -1)
    if pixels.shape[2] == 3 and (pixels == pixels[:, :, :1]).all():  # grey, stored as red, green and blue
        pixels = pixels[:, :, :1]
    return Picture(np.ascontiguousarray(pixels), tuple(notes))


def _numbers(pixels: NDArray[Any]) -> NDArray[Any]:
    """Pixels as uint8, uint16 or float32. Raises UserError for complex numbers, text and what is no number."""
    if pixels.dtype == bool:
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype in (np.uint8, np.uint16):
        return pixels
    if pixels.dtype.kind not in "iuf":
        raise UserError(f"Pixels of the type {pixels.dtype} are not read.")
    if not np.isfinite(pixels).all():
        raise UserError("The picture holds pixels that are no numbers (NaN or infinite).")
    low, high = pixels.min(), pixels.max()
    if low >= 0 and high <= 65535 and (pixels.dtype.kind in "iu" or (pixels == np.round(pixels)).all()):
        return pixels.astype(np.uint8 if high <= 255 else np.uint16)
    return pixels.astype(np.float32)


def _refuse_large(shape: tuple[int, ...]) -> None:
    if prod(shape) > LARGEST:
        raise UserError(
            f"The picture is too large ({' x '.join(map(str, shape))} pixels): cut it into tiles first."
        )
