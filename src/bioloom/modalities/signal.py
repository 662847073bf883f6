"""Signal: a series of numbers per record, such as a bioreactor over time, a nanopore current or an ECG.

It is never guessed: columns of numbers may be a table as well, so a signal is named, `--input 'hour*=signal'`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from pydantic import Field

from bioloom.data.learned import text_hashes
from bioloom.data.positions import kept_of
from bioloom.data.records import Problem, Records
from bioloom.data.similarity.rows import compare_rows, read_rows, row_families
from bioloom.errors import UserError
from bioloom.modalities import (
    Across,
    Clusters,
    Demo,
    Features,
    Kind,
    Modality,
    ModalitySettings,
    Part,
    Shape,
    Similarity,
    modalities,
)
from bioloom.modalities.series import (
    SeriesEncoded,
    begins_late,
    channels_of,
    no_numbers,
    read_series,
    resampled,
    same_channels,
    unreadable,
)
from bioloom.modalities.series_features import feature_names, features_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.data.leakage import Alike
    from bioloom.modalities import Signal as Batched

LONGEST = 20_000
"""Points that a network is given at most; longer series are to be resampled."""

COMPARED_AT = 16
"""Points, evenly over a series, at which two series are compared."""


@modalities.register
@dataclass(frozen=True)
class Signal(Modality):
    """Series of numbers.

    names:  of the channels
    length: points that a network is given: those of the longest training record, or as many as were asked for
    mean, scale: of each channel over all points of the training records
    points: points to which every series is resampled; 0: as they are
    """

    names: tuple[str, ...]
    length: int
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    points: int = 0

    name = "signal"
    title = "series of numbers"
    kind = Kind.SEQUENCE
    default_network = "residual"
    columns = "many"
    unit = "point"
    on_request = True
    explainers = ("occlusion", "integrated_gradients")
    augmentations: ClassVar[tuple[str, ...]] = ("shift", "noise", "mixing")

    class Settings(ModalitySettings):
        """How series are encoded."""

        points: int = Field(
            default=0,
            ge=0,
            le=LONGEST,
            description="points to which every series is resampled, from its first to its last; 0: as they are",
        )

    @classmethod
    def detect(cls, column: pd.Series[Any]) -> float:
        """Never: a signal is named."""
        del column
        return 0.0

    @classmethod
    def check(cls, values: pd.DataFrame) -> list[Problem]:
        """Records without a series of two points or more are dropped; of words that are no numbers it is said."""
        if not values.shape[1]:
            return []
        column, empty = str(values.columns[0]), unreadable(values)
        message = "there is no series of at least two numbers"
        fix = "give numbers with spaces between them, one number per column, or the name of a file of numbers"
        odd = "something between the numbers is none; it is read as missing, on the straight line between its neighbours"
        found = (
            Problem("signal.empty", "drop", message, fix, column, np.flatnonzero(empty)),
            Problem(
                "signal.words", "note", odd, "correct it", column, np.flatnonzero(no_numbers(values) & ~empty)
            ),
        )
        return [problem for problem in found if len(problem.rows)]

    @classmethod
    def fit(cls, values: pd.DataFrame) -> Self:
        """Learn the length, and the mean and spread of each channel."""
        return cls.fit_as(values, cls.Settings())

    @classmethod
    def fit_as(cls, values: pd.DataFrame, settings: Any) -> Self:
        """The same with settings."""
        series = read_series(values)
        same_channels(values, series)
        longest = max((each.shape[1] for each in series), default=0)
        if not longest:
            raise UserError("There is no series to learn from.", where=f"column {values.columns[0]}")
        if longest > LONGEST and not settings.points:
            raise UserError(
                f"A series has {longest:,} points; a network is given {LONGEST:,} at most.",
                where=f"column {values.columns[0]}",
                fix="resample them, such as --set encoding.signal.points=1000",
            )
        whole = np.concatenate([each for each in series if each.shape[1]], axis=1).astype(np.float64)
        scale = np.nan_to_num(np.nanstd(whole, axis=1))
        return cls(
            names=channels_of(values),
            length=settings.points or longest,
            mean=tuple(np.nan_to_num(np.nanmean(whole, axis=1)).tolist()),
            scale=tuple(np.where(scale > 0, scale, 1.0).tolist()),
            points=settings.points,
        )

    def state(self) -> dict[str, Any]:
        """What was learned, as JSON."""
        return {
            "names": list(self.names),
            "length": self.length,
            "mean": list(self.mean),
            "scale": list(self.scale),
            "points": self.points,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(
            tuple(state["names"]),
            int(state["length"]),
            tuple(state["mean"]),
            tuple(state["scale"]),
            int(state["points"]),
        )

    @property
    def shape(self) -> Shape:
        """(channels, points)."""
        return Shape(Kind.SEQUENCE, (len(self.names), self.length))

    @property
    def channels(self) -> tuple[str, ...]:
        """What was measured."""
        return self.names

    def encode(self, values: pd.DataFrame) -> SeriesEncoded:
        """Standardised numbers; what is longer than any training record is cut around its centre."""
        series = [self._seen(each) for each in read_series(values)]
        found = np.zeros((len(series), *self.shape.sizes), dtype=np.float32)
        for row, each in enumerate(series):
            found[row, :, : each.shape[1]] = each
        return SeriesEncoded(found, np.array([each.shape[1] for each in series], dtype=np.int32))

    def _seen(self, series: NDArray[np.float32]) -> NDArray[np.float32]:
        """One series as a network sees it, (channels, points)."""
        if len(series) != len(self.names):
            raise UserError(
                f"A series has {len(series)} channels, and the model learned from {len(self.names)}: "
                f"{', '.join(self.names)}.",
                fix="give series of the same channels",
            )
        kept = self._shown(series)
        mean, scale = np.array(self.mean)[:, None], np.array(self.scale)[:, None]
        known = np.nan_to_num((kept - mean) / scale)  # a channel that was not measured is at its mean
        return np.asarray(known, dtype=np.float32)

    def _shown(self, series: NDArray[np.float32]) -> NDArray[np.float32]:
        """The points of a series that a network sees, the same of which targets at every point are kept."""
        if self.points:
            return resampled(series, self.points)
        return series[:, kept_of(series.shape[1], self.length)]

    @property
    def keeps_places(self) -> bool:
        """Not where series are resampled."""
        return not self.points

    def notes(self, values: pd.DataFrame) -> list[Problem]:
        """Series that are resampled, cut, or begin with missing numbers."""
        column = str(values.columns[0])
        found, late = self._notes_on_length(values, column), np.flatnonzero(begins_late(values))
        if len(late):
            message = "the first numbers are missing; these points keep their places and take the first known number"
            fix = "fill them in, or leave out the columns that few records have"
            found.append(Problem("signal.late", "note", message, fix, column, late))
        return found

    def _notes_on_length(self, values: pd.DataFrame, column: str) -> list[Problem]:
        lengths = np.array([each.shape[1] for each in read_series(values)], dtype=np.int64)
        if self.points:
            rows = np.flatnonzero(lengths != self.points)
            message = f"the series is resampled to {self.points:,} points, on straight lines between its own"
            return [Problem("signal.resampled", "note", message, "", column, rows)] if len(rows) else []
        rows = np.flatnonzero(lengths > self.length)
        message = f"the series is longer than the {self.length:,} points of the longest training record; its middle is kept"
        fix = "train on series as long as those to predict"
        return [Problem("signal.cut", "note", message, fix, column, rows)] if len(rows) else []

    @classmethod
    def positions(cls, values: pd.DataFrame) -> NDArray[np.int64]:
        """Points of each series, (records,)."""
        return np.array([each.shape[1] for each in read_series(values)], dtype=np.int64)

    @classmethod
    def _compared(cls, values: pd.DataFrame) -> pd.DataFrame:
        """Each series at 16 points of each channel, and its length."""
        series = read_series(values)
        rows = [
            [*np.nan_to_num(resampled(each, COMPARED_AT)).ravel(), each.shape[1]]
            if each.shape[1]
            else [0.0] * (COMPARED_AT * len(each) + 1)
            for each in series
        ]
        return pd.DataFrame(np.array(rows, dtype=np.float64).reshape(len(rows), -1))

    @classmethod
    def clusters(cls, values: pd.DataFrame, similarity: Similarity | None = None) -> Clusters:
        """Group series that are alike at each of 16 points, and all that they link.

        Correlation would call most smooth curves alike, such as growth in a bioreactor; the distance at each point, in
        standard deviations of all records, does not. See `bioloom.data.similarity.rows` for how near is near.
        """
        frame = cls._compared(values)
        rows = read_rows(frame, _tolerance(similarity or Similarity()))
        if rows.tolerance is None:
            return Clusters(cls.copies(values), "equal series")
        told = f"series within {rows.tolerance:g} standard deviations at each of {COMPARED_AT} points"
        return Clusters(row_families(frame, rows), told)

    @classmethod
    def alike(cls, values: pd.DataFrame, across: Across) -> Alike:
        """A series of the other side that is equal or near at each of 16 points."""
        frame = cls._compared(values)
        found = compare_rows(frame, across.queries, across.targets, _tolerance(across.similarity))
        return replace(
            found, notion=f"at {COMPARED_AT} points of each series: {found.notion}" if found.notion else ""
        )

    @classmethod
    def copies(cls, values: pd.DataFrame) -> NDArray[np.int64]:
        """Numbers that equal series share."""
        return pd.factorize(np.array(_digests(values), dtype=object))[0].astype(np.int64)

    def hashes(self, values: pd.DataFrame) -> NDArray[np.uint64]:
        """Equal for equal series, however they were written."""
        return text_hashes(np.array(_digests(values), dtype=object))

    def features(self, values: pd.DataFrame) -> Features:
        """Moments, slopes, spectrum and means of eighths of each channel, in standard deviations of training."""
        encoded = self.encode(values)
        rows = [
            features_of(row[:, :length]) for row, length in zip(encoded.values, encoded.lengths, strict=True)
        ]
        names = feature_names(self.names)
        found = np.array(rows, dtype=np.float32).reshape(len(rows), len(names))
        return Features(found, names, "mean, spread, slope, spectrum and means of eighths of each channel")

    def parts(self, values: pd.DataFrame) -> list[Part]:
        """The points."""
        (length,) = self.encode(values).lengths
        return [Part(f"point {number + 1}", (number,)) for number in range(int(length))]

    def background(self, signal: Batched, seed: int, count: int) -> Tensor:
        """The mean of each channel in training, level over time; which is 0 as networks see it."""
        return signal.x.new_zeros(len(signal.x), count, *signal.x.shape[1:])

    def draw(self, values: pd.DataFrame, attribution: NDArray[np.float32], label: str) -> Figure:
        """Each channel over time, and below it what each point contributes."""
        from bioloom.figures.series import attributed_series

        (series,) = read_series(values)
        shown = self._shown(series)
        return attributed_series(shown, attribution[:, : shown.shape[1]], names=self.names, label=label)

    @classmethod
    def demo(cls, n: int, seed: int) -> Demo:
        """Noisy recordings of 60 to 80 points; where a bump comes early its height decides the label."""
        random = np.random.default_rng(seed)
        lengths, cells = random.integers(60, 81, n), []
        parts = np.zeros((n, int(lengths.max())), dtype=bool)
        high = random.permutation(np.resize([0.0, 1.0], n))
        for row, length in enumerate(lengths.tolist()):
            centre, points = int(random.integers(15, 30)), np.arange(length)
            bump = (1.0 + 2.0 * high[row]) * np.exp(-0.5 * ((points - centre) / 3.0) ** 2)
            drift = 0.5 * np.sin(points / random.uniform(8, 15) + random.uniform(0, 6))
            series = bump + drift + random.normal(0, 0.2, length)
            cells.append(" ".join(f"{number:.3f}" for number in series))
            parts[row, centre - 5 : centre + 6] = True
        records = Records(
            ids=np.array([f"demo{number + 1}" for number in range(n)], dtype=object),
            inputs={"current": pd.DataFrame({"current": np.array(cells, dtype=object)})},
            targets=pd.DataFrame({"event": np.where(high > 0, "strong", "weak")}),
            lines=np.arange(n, dtype=np.int64) + 2,
        )
        return Demo(records, "current", parts, "binary")


def _tolerance(similarity: Similarity) -> float | None:
    """How far apart near series may be, in standard deviations; None is for the data to say."""
    identity = similarity.identity
    return None if identity is None else min(round(1 - identity, 12), 0.5)


def _digests(values: pd.DataFrame) -> list[str]:
    """A text for each series, the same for equal ones."""
    return [
        hashlib.sha256(str(each.shape).encode() + each.tobytes()).hexdigest() for each in read_series(values)
    ]
