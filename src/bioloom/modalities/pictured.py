"""What is wrong with pictures, told row by row, and columns of numbers that are the pixels of pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bioloom.data.records import Problem
from bioloom.data.wording import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.modalities.gallery import Facts

COLOURS = {1: ("grey",), 3: ("red", "green", "blue")}
"""What the channels of usual pictures are called."""

LARGEST = 128
"""Pixels of height and width of larger pictures, unless the recipe asks for another size."""

FEWEST_PIXELS = 64
"""Columns of numbers that may be pixels: a picture of 8 x 8."""

LOOKED_AT = 500
"""Rows that are looked at to tell pixels from other numbers."""

BESIDE = 8
"""So many columns at most stand beside pixels: labels, names, parts of a split."""


def unusable(facts: Sequence[Facts], column: str) -> list[Problem]:
    """One problem for each reason, with all rows that it holds for."""
    reasons: dict[str, list[int]] = {}
    for row, each in enumerate(facts):
        if each.wrong:
            reasons.setdefault(each.wrong, []).append(row)
    found = [
        Problem(
            "image.unreadable", "drop", reason, "repair or replace these files, or leave the rows out", column,
            np.array(rows, dtype=np.int64),
        )
        for reason, rows in reasons.items()
    ]  # fmt: skip
    return found + _other_channels(facts, column)


def _other_channels(facts: Sequence[Facts], column: str) -> list[Problem]:
    """Pictures whose channels cannot be brought to those of the others; grey and colour go together."""
    makes = ["" if each.wrong else _make(each.size[2]) for each in facts]
    usual = Counter(make for make in makes if make).most_common(1)
    rows = [row for row, make in enumerate(makes) if make and make != usual[0][0]]
    if not rows:
        return []
    message = f"the picture has {makes[rows[0]]}, and most have {usual[0][0]}"
    fix = "give pictures with the same channels"
    return [Problem("image.channels", "drop", message, fix, column, np.array(rows, dtype=np.int64))]


def _make(channels: int) -> str:
    return "grey or colours" if channels in COLOURS else f"{channels} channels"


def noted(facts: Sequence[Facts], column: str) -> list[Problem]:
    """What was decided on reading, and pixels of several types."""
    said: dict[str, list[int]] = {}
    for row, each in enumerate(facts):
        for note in each.notes:
            said.setdefault(note, []).append(row)
    depths = Counter(each.depth for each in facts if not each.wrong)
    if len(depths) > 1:
        told = ", ".join(f"{counted(count, 'picture')} of {depth}" for depth, count in sorted(depths.items()))
        fewest = min(depths, key=lambda depth: depths[depth])
        rows = [row for row, each in enumerate(facts) if each.depth == fewest]
        said[f"pixels differ in type ({told}), so that brightness may not be comparable"] = rows
    return [
        Problem("image.read", "note", note, "", column, np.array(rows, dtype=np.int64))
        for note, rows in said.items()
    ]


def of_size(facts: Sequence[Facts], column: str) -> list[Problem]:
    """Pictures of several sizes, and those that are made smaller."""
    sizes = {row: each.size[:2] for row, each in enumerate(facts) if not each.wrong}
    counts, found = Counter(sizes.values()), list[Problem]()
    if len(counts) > 1:
        usual = counts.most_common(1)[0][0]
        rows = np.array([row for row, size in sizes.items() if size != usual], dtype=np.int64)
        least, most = ("{} x {}".format(*size) for size in (min(counts), max(counts)))
        message = (
            f"pictures are of {len(counts):,} sizes, from {least} to {most} pixels; all are brought to one"
        )
        found.append(Problem("image.sizes", "note", message, "", column, rows))
    large = np.array([row for row, size in sizes.items() if max(size) > LARGEST], dtype=np.int64)
    if len(large):
        message = f"pictures of more than {LARGEST} pixels are made smaller, unless encoding.image.size asks for more"
        fix = "where what matters is small, ask for more: --set encoding.image.size=224, which takes longer"
        found.append(Problem("image.large", "note", message, fix, column, large))
    return found


def pixel_columns(table: pd.DataFrame) -> tuple[str, ...]:
    """The columns of whole numbers from 0 to 255 of which the table is made up, where they make square pictures.

    Columns that would be neighbours in the picture must resemble each other, as pixels do and other numbers do not.
    """
    if not any(side**2 <= len(table.columns) <= side**2 + BESIDE for side in _sides(len(table.columns))):
        return ()
    names = [name for name in table.columns if _of_pixels(table[name])]
    side = isqrt(len(names))
    if len(names) < FEWEST_PIXELS or side**2 != len(names) or len(table.columns) - len(names) > BESIDE:
        return ()
    some = table[names].iloc[:: max(1, len(table) // LOOKED_AT)].astype(np.float64).to_numpy()
    return tuple(map(str, names)) if _resembles_pictures(some.reshape(-1, side, side)) else ()


def _sides(columns: int) -> range:
    return range(isqrt(FEWEST_PIXELS), isqrt(max(columns, 0)) + 1)


def _of_pixels(cells: pd.Series[Any]) -> bool:
    numbers = pd.to_numeric(cells, errors="coerce")
    if numbers.isna().any():
        return False
    return bool((numbers >= 0).all() and (numbers <= 255).all() and (numbers == numbers.round()).all())


def _resembles_pictures(pixels: NDArray[np.float64]) -> bool:
    """Whether pixels, (records, side, side), correlate more with the one below than with one anywhere."""
    if len(pixels) < 8 or pixels.max() < 16:
        return False
    anywhere = np.random.default_rng(0).permutation(pixels.shape[1] * pixels.shape[2])
    flat = pixels.reshape(len(pixels), -1)
    below = _correlation(pixels[:, :-1].reshape(len(pixels), -1), pixels[:, 1:].reshape(len(pixels), -1))
    return below > 0.2 and below > 2 * _correlation(flat, flat[:, anywhere])


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The mean correlation of columns, of those that vary."""
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    scale = np.sqrt((one**2).sum(axis=0) * (other**2).sum(axis=0))
    varying = scale > 0
    return float(((one * other).sum(axis=0)[varying] / scale[varying]).mean()) if varying.any() else 0.0
