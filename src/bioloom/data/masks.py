"""Targets with a class at every pixel: masks, pictures whose values are the numbers of classes, one for each record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bioloom.data.assets import AssetDtype, assets_of
from bioloom.data.pictures import decode
from bioloom.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

MOST_CLASSES = 50
"""Different values that the masks of a data set may have: a photograph has more."""

STRETCHED = 1.1
"""Masks are brought to the form of the pictures in the same way: stretched where their shapes differ by less than this."""


def are_files(column: pd.Series[Any]) -> bool:
    """Whether cells name files, as masks do."""
    return isinstance(column.dtype, AssetDtype)


def read_mask(column: pd.Series[Any], row: int) -> NDArray[np.int64] | None:
    """The values of a mask, (height, width); None where there is none, or it is no mask of one channel."""
    try:
        pixels = decode(assets_of(column).content(row)).pixels
    except UserError:
        return None
    if pixels.shape[2] > 1 and (pixels != pixels[:, :, :1]).any():
        return None
    values = pixels[:, :, 0]
    return values.astype(np.int64) if (values == np.round(values)).all() else None


def other_form(column: pd.Series[Any], pictures: pd.Series[Any]) -> NDArray[np.int64]:
    """Rows whose mask is not as high for its width as their picture, by more than a rounded pixel.

    Pictures that cannot be read are not looked at.
    """
    files, found = assets_of(pictures), []
    for row in range(len(column)):
        mask = read_mask(column, row)
        try:
            height, width = decode(files.content(row)).pixels.shape[:2]
        except UserError:
            continue
        if mask is not None and abs(mask.shape[0] * width - mask.shape[1] * height) > max(height, width):
            found.append(row)
    return np.array(found, dtype=np.int64)


def mask_classes(column: pd.Series[Any]) -> tuple[str, ...]:
    """The values that occur in the masks, as texts in order of their number; UserError where they are too many."""
    values: set[int] = set()
    for row in range(len(column)):
        mask = read_mask(column, row)
        values |= set() if mask is None else set(np.unique(mask).tolist())
        if len(values) > MOST_CLASSES:
            raise UserError(
                f'The pictures of "{column.name}" hold more than {MOST_CLASSES} different values, and are no masks.',
                where="--target",
                fix="give masks whose values are the numbers of classes, such as 0 and 1, saved as PNG and not as JPEG",
            )
    return tuple(str(value) for value in sorted(values))


def mask_grid(column: pd.Series[Any], classes: tuple[str, ...], size: tuple[int, int]) -> NDArray[np.float16]:
    """The class number of every pixel, (records, 1, *size), NaN where it is unknown; the nearest pixel is taken."""
    known = np.array([int(name) for name in classes])
    grid = np.full((len(column), 1, *size), np.nan, dtype=np.float16)
    for row in range(len(column)):
        mask = read_mask(column, row)
        if mask is None:
            continue
        numbers = np.searchsorted(known, mask).clip(max=len(known) - 1)
        there = np.where(known[numbers] == mask, numbers, np.nan)
        grid[row, 0] = _placed(there, size)
    return grid


def _placed(mask: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """A mask at another size, placed as pictures are."""
    across, down = size[1] / mask.shape[1], size[0] / mask.shape[0]
    inner = size
    if max(across, down) > STRETCHED * min(across, down):
        scale = min(across, down)
        inner = (max(1, round(mask.shape[0] * scale)), max(1, round(mask.shape[1] * scale)))
    canvas = np.full(size, np.nan)
    top, left = ((whole - part) // 2 for whole, part in zip(size, inner, strict=True))
    rows = ((np.arange(inner[0]) + 0.5) * mask.shape[0] / inner[0]).astype(np.int64)
    columns = ((np.arange(inner[1]) + 0.5) * mask.shape[1] / inner[1]).astype(np.int64)
    canvas[top : top + inner[0], left : left + inner[1]] = mask[np.ix_(rows, columns)]
    return canvas
