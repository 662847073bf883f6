"""Series of numbers as they stand in tables and files, and how they are stored for a network.

One series per record, of one channel or several, in one of three forms:

* columns that hold one number each: the columns are the points in time, in their order;
* columns that hold several numbers each, with spaces, commas or semicolons between them: each column is a channel;
* one column of names of files (.npy, or text such as .csv): rows of a file are points in time, columns are channels.

A number that is missing, between two that are known, lies on the straight line between them; those behind the last known
one do not count. Those before the first do not count either in cells and files. Where columns are the points, each column is
the same moment for all records: points before the first known one stay, and take its number.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bioloom.data.assets import AssetDtype, assets_of
from bioloom.data.columns import as_numbers
from bioloom.data.positions import numbers_of, words_of
from bioloom.errors import UserError
from bioloom.modalities import Encoded, Kind, Resident, Shape, Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

Series = "NDArray[np.float32]"
"""(channels, points), NaN where a number is missing."""

MISSING = frozenset(("", "?", "-", ".", "na", "n/a", "nan", "none", "null"))
"""What stands for a missing number between others, in small letters."""

TIME = ("time", "t", "hours", "hour", "minutes", "minute", "seconds", "second", "days", "day")
"""Names of a first column of a file that says when, and is no channel."""


def is_wide(values: pd.DataFrame) -> bool:
    """Whether each column holds one number of each record, so that the columns are the points."""
    if values.shape[1] < 2 or any(isinstance(kind, AssetDtype) for kind in values.dtypes):
        return False
    first = values.head(50)
    return all(not as_numbers(first[name])[1].any() for name in first.columns)


def channels_of(values: pd.DataFrame) -> tuple[str, ...]:
    """What the channels are called."""
    if is_wide(values):
        return ("value",)
    if isinstance(values.dtypes.iloc[0], AssetDtype):
        return _of_file(values.iloc[:, 0], 0)[1] if len(values) else ("value",)
    return tuple(map(str, values.columns))


def read_series(values: pd.DataFrame) -> list[NDArray[np.float32]]:
    """The series of each record, (channels, points); without points where nothing can be read."""
    if is_wide(values):
        return [_trimmed(row[None], start=0) for row in _wide(values)]
    if isinstance(values.dtypes.iloc[0], AssetDtype):
        return [_trimmed(_of_file(values.iloc[:, 0], row)[0]) for row in range(len(values))]
    columns = [numbers_of(values[name]) for name in values.columns]
    return [_trimmed(_stacked(list(cells))) for cells in zip(*columns, strict=True)]


def _stacked(cells: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Channels below each other; shorter ones end with missing numbers."""
    found = np.full((len(cells), max(map(len, cells))), np.nan, dtype=np.float32)
    for channel, cell in enumerate(cells):
        found[channel, : len(cell)] = cell
    return found


def _of_file(column: pd.Series[Any], row: int) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """The series of a file, (channels, points), and the names of its channels; empty where it cannot be read."""
    nothing = np.zeros((1, 0), dtype=np.float32), ("value",)
    if pd.isna(column.iloc[row]):
        return nothing
    content = assets_of(column).content(row)
    try:
        if isinstance(content, np.ndarray):
            return _of_array(content)
        if content.startswith(b"\x93NUMPY"):
            return _of_array(np.load(io.BytesIO(content), allow_pickle=False))
        return _of_text(content.decode("utf-8-sig"))
    except (ValueError, UnicodeDecodeError, OSError, pd.errors.ParserError):
        return nothing


def _of_array(array: NDArray[Any]) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    table = np.atleast_2d(array.astype(np.float32).T) if array.ndim <= 2 else np.zeros((1, 0), np.float32)
    return table, _numbered(len(table))


def _of_text(text: str) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    frame = pd.read_csv(io.StringIO(text), sep=None, engine="python", header=None, dtype=str, comment="#")
    numbers = frame.apply(lambda column: as_numbers(column)[0])
    headed = bool(np.isnan(numbers.iloc[0].to_numpy(dtype=float)).all()) and len(frame) > 1
    names = [str(cell).strip() for cell in frame.iloc[0]] if headed else list(_numbered(frame.shape[1]))
    table = numbers.iloc[1:] if headed else numbers
    if headed and len(names) > 1 and names[0].lower() in TIME:
        names, table = names[1:], table.iloc[:, 1:]
    return table.to_numpy(dtype=np.float32).T, tuple(names)


def _numbered(count: int) -> tuple[str, ...]:
    return ("value",) if count == 1 else tuple(f"channel {number + 1}" for number in range(count))


def _wide(values: pd.DataFrame) -> NDArray[np.float32]:
    """Columns of one number each, (records, points)."""
    return np.column_stack([as_numbers(values[name])[0] for name in values.columns]).astype(np.float32)


def begins_late(values: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows of columns of one number whose first points are missing, (records,); in other forms there is none."""
    if not is_wide(values):
        return np.zeros(len(values), dtype=bool)
    known = np.isfinite(_wide(values))
    return np.asarray(known.any(axis=1) & ~known[:, 0])


def _trimmed(series: NDArray[np.float32], start: int | None = None) -> NDArray[np.float32]:
    """From the first point at which a channel is known to the last one; what is missing between is interpolated.

    start: the point to begin with, whether it is known or not; None for the first known one
    """
    known = np.flatnonzero(np.isfinite(series).any(axis=0))
    if not len(known):
        return series[:, :0]
    cut = series[:, known[0] if start is None else start : known[-1] + 1]
    return np.stack([_filled(channel) for channel in cut])


def _filled(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without gaps: straight lines between known points, level beyond them; NaN where nothing is known."""
    known = np.isfinite(channel)
    if known.all() or not known.any():
        return channel
    places = np.arange(len(channel))
    return np.interp(places, places[known], channel[known]).astype(np.float32)


def resampled(series: NDArray[np.float32], points: int) -> NDArray[np.float32]:
    """The series at so many points, evenly from its first to its last, on straight lines between its own."""
    own = np.arange(series.shape[1])
    wanted = np.linspace(0, max(series.shape[1] - 1, 0), points)
    return np.stack([np.interp(wanted, own, channel) for channel in series]).astype(np.float32)


def unreadable(values: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows with fewer than two points, (records,)."""
    if is_wide(values):
        return np.asarray(np.isfinite(_wide(values)).sum(axis=1) < 2)
    return np.array([series.shape[1] < 2 for series in read_series(values)], dtype=bool)


def no_numbers(values: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows in which something filled in is no number and no sign for a missing one, (records,); of files not looked at."""
    if isinstance(values.dtypes.iloc[0], AssetDtype):
        return np.zeros(len(values), dtype=bool)
    if is_wide(values):
        odd = [as_numbers(values[name])[1] for name in values.columns]
    else:
        odd = [_odd_words(values[name]) for name in values.columns]
    return np.asarray(np.any(np.stack(odd), axis=0))


def _odd_words(column: pd.Series[Any]) -> NDArray[np.bool_]:
    """Cells with a word that is no number, although it does not stand for a missing one, (records,)."""
    found = np.zeros(len(column), dtype=bool)
    for row, numbers in enumerate(numbers_of(column)):
        if not np.isfinite(numbers).all():
            words = words_of(str(column.iloc[row]))
            odd = [word for word, number in zip(words, numbers, strict=True) if not np.isfinite(number)]
            found[row] = any(word.lower() not in MISSING for word in odd)
    return found


def same_channels(values: pd.DataFrame, series: list[NDArray[np.float32]]) -> None:
    """UserError where records differ in the number of channels."""
    counts = {each.shape[0] for each in series if each.shape[1]}
    if len(counts) > 1:
        raise UserError(
            f"The series have different numbers of channels: {', '.join(map(str, sorted(counts)))}.",
            where=f"columns: {', '.join(map(str, values.columns[:5]))}",
            fix="give files with the same columns in each",
        )


@dataclass(frozen=True)
class SeriesEncoded(Encoded):
    """Standardised series, (records, channels, points) float32, zeros behind the end; lengths (records,)."""

    values: NDArray[np.float32]
    lengths: NDArray[np.int32]

    @property
    def shape(self) -> Shape:  # type: ignore[override]
        """(channels, points)."""
        return Shape(Kind.SEQUENCE, (self.values.shape[1], self.values.shape[2]))

    def __len__(self) -> int:
        return len(self.values)

    def take(self, index: NDArray[np.int64]) -> SeriesEncoded:
        """The chosen records, in the order of the index."""
        return SeriesEncoded(self.values[index], self.lengths[index])

    def on(self, device: str) -> ResidentSeries:
        """The same records with their storage on a device (no copy on the CPU)."""
        import torch

        full = bool((self.lengths == self.values.shape[2]).all())
        values = torch.from_numpy(np.require(self.values, requirements=["C", "W"])).to(device)
        lengths = None if full else torch.from_numpy(self.lengths.copy()).to(device)
        return ResidentSeries(values, lengths)

    def told(self, index: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        """The numbers and the lengths."""
        yield from (self.values[index], self.lengths[index])


@dataclass(frozen=True)
class ResidentSeries(Resident):
    """Series on a device; lengths are None where every record fills all points."""

    values: Tensor
    lengths: Tensor | None

    def batch(self, index: Tensor) -> Signal:
        """The records at an integer index, (batch, channels, points)."""
        import torch

        x = self.values.index_select(0, index)
        if self.lengths is None:
            return Signal(x)
        points = torch.arange(x.shape[2], device=x.device)
        return Signal(x, points < self.lengths.index_select(0, index)[:, None])
