"""Is a new record like those the model learned from? Where it is not, a prediction is a guess beyond the data.

A record lies far out where its distance to the nearest training record, in the simple features, or the distance
of one feature from its range in training, is larger than for nearly all validation records, which the network was
not fitted to (after a similarity split these are other families). The p value is conformal (Bates et al. 2023,
doi:10.1214/22-AOS2244): of records like the validation records, at most the share p lies as far out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bioloom.modalities import Features

Floats = NDArray[np.float32]

RECORDS = 2_000
"""Training records that distances are measured to, and held-out records that calibrate them, at most."""

FITTED = 5_000
"""Training records from which the axes are found, at most."""

AXES, AXIS_NUMBERS = 32, 120_000
"""Axes of the space of distances, and numbers that all of them hold together, at most: half a megabyte."""

LEVEL = 0.01
"""A record is flagged where its p value is at most this."""

FEWEST = 20
"""With fewer validation records than this, a fifth of the training records is held out in their place."""

CLEARLY = 1.5
"""With fewer than 99 held-out records no p value is as small as 0.01; then a record is flagged where it lies so many
times farther out than all of them."""

OBVIOUS = 2.0
"""A feature so many times farther outside its range than nearly all held-out records is reason enough."""

BLOCK = 2_000_000
"""Records times features worked on at once."""


@dataclass(frozen=True)
class DomainAnswer:
    """Which records are unlike the training records, and why.

    flag: (records,) True where the prediction should not be trusted
    p:    (records,) the share of held-out records that lie as far out
    why:  (records,) in words; empty where there is no flag
    """

    flag: NDArray[np.bool_]
    p: NDArray[np.float64]
    why: NDArray[np.object_]


@dataclass(frozen=True)
class _Space:
    """What is kept of the training and held-out records.

    mean, scale: (features,) of the training rows; of one that never varies there, a spread that stands in for it
    plain:       (features,) 1 where it means something by itself, such as length, and is held against its range;
                 words of letters are too many for that, and count by their distance only
    varies:      (features,) 1 where it varies in training; only these count for the distance
    low, high:   (features,) the range of the training rows; 0 where none has a value
    axes:        (features, axes) from standardised features to the space of distances
    references:  (at most 2,000, axes + 1) training records in that space; last, how far off the axes they lie
    unit:        (2,) distance, and spreads outside the range, that 99 % of held-out records stay below
    held_out:    (at most 2,000,) how far out held-out records lie in these units, sorted
    """

    plain: NDArray[np.uint8]
    mean: Floats
    scale: Floats
    varies: NDArray[np.uint8]
    low: Floats
    high: Floats
    axes: Floats
    references: Floats
    unit: Floats
    held_out: Floats

    def place(self, values: Floats) -> Floats:
        """Records (records, features) in the space of distances."""
        standard = np.nan_to_num((values - self.mean) / self.scale) * self.varies
        on = standard @ self.axes
        off = np.sqrt(np.maximum((standard**2).sum(axis=1) - (on**2).sum(axis=1), 0))
        return np.column_stack([on, off]).astype(np.float32)

    def distance(self, values: Floats) -> Floats:
        """To the nearest of the training records, (records,)."""
        points = self.place(values)
        square = (
            (points**2).sum(axis=1)[:, None]
            + (self.references**2).sum(axis=1)
            - 2 * points @ self.references.T
        )
        return np.asarray(np.sqrt(np.maximum(square.min(axis=1), 0)), dtype=np.float32)

    def outside(self, values: Floats) -> Floats:
        """How many spreads each plain feature lies outside its range in training, (records, features)."""
        beyond = np.maximum(np.maximum(self.low - values, values - self.high), 0)
        return np.asarray(np.nan_to_num(beyond / self.scale) * self.plain, dtype=np.float32)

    def limits(self) -> tuple[float, float]:
        """How far out a record must lie to be flagged, and the distance that belongs to it."""
        few = len(self.held_out) < 1 / LEVEL - 1
        reach = CLEARLY * self.held_out[-1] if few else _tail(self.held_out)
        return float(reach), float(reach * self.unit[0])


@dataclass(frozen=True)
class Domain:
    """The region of inputs that the training records fill, its edge measured on held-out records.

    names: of the features
    units: by feature, what 0 and 1 of it are in the user's own units, for words; features not named are shown as is
    """

    names: tuple[str, ...]
    space: _Space
    units: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        features: Features,
        train: NDArray[np.int64],
        validation: NDArray[np.int64],
        seed: int,
        units: Mapping[str, tuple[float, float]] | None = None,
    ) -> Self:
        """Learn the region from the rows `train`, and from the rows `validation` how far out is usual.

        features: simple features of all records, (records, features), and their names
        """
        random = np.random.default_rng(seed)
        train = random.permutation(train)
        held_out = random.permutation(validation)[:RECORDS]
        if len(held_out) < FEWEST:
            held_out, train = np.split(train, [min(RECORDS, len(train) // 5)])
        with threadpool_limits(1, "blas"):  # the matrices are narrow: a second thread only waits
            space = _space(features, train, held_out, random)
        return cls(tuple(features.names), space, dict(units or {}))

    def judge(self, values: Floats) -> DomainAnswer:
        """Which of these records, (records, features), are unlike the training records, and why."""
        space, rows = self.space, max(1, BLOCK // max(1, values.shape[1], len(self.space.references)))
        flag, p = np.zeros(len(values), dtype=bool), np.ones(len(values))
        why = np.full(len(values), "", dtype=object)
        if not len(space.held_out):
            return DomainAnswer(flag, p, why)
        reach, _ = space.limits()
        for first in range(0, len(values), rows):
            block = values[first : first + rows]
            distance, outside = space.distance(block), space.outside(block)
            far = _far(distance, outside, space.unit)
            beyond = len(space.held_out) - np.searchsorted(space.held_out, far, side="left")
            p[first : first + rows] = (1 + beyond) / (1 + len(space.held_out))
            few = len(space.held_out) < 1 / LEVEL - 1
            flag[first : first + rows] = far > reach if few else p[first : first + rows] <= LEVEL
            for row in np.flatnonzero(flag[first : first + rows]):
                why[first + row] = self._reason(block[row], outside[row], float(distance[row]))
        return DomainAnswer(flag, p, why)

    def _reason(self, values: Floats, outside: Floats, distance: float) -> str:
        """The features that lie farthest outside their range, or the distance where that says more."""
        beyond = sorted(np.flatnonzero(outside > 0).tolist(), key=lambda place: float(-outside[place]))
        told = "; ".join(self._told(place, values) for place in beyond[:2])
        by_range, by_distance = outside.max(initial=0) / self.space.unit[1], distance / self.space.unit[0]
        if told and (by_range >= by_distance or by_range >= OBVIOUS):
            return told
        _, usual = self.space.limits()
        far = f"unlike any training record (distance {_number(distance)}; held-out records at most {_number(usual)})"
        return f"{far}; {told}" if by_range >= 1 else far

    def _told(self, place: int, values: Floats) -> str:
        name = self.names[place]
        zero, one = self.units.get(name, (0.0, 1.0))
        value, low, high = (
            zero + (one - zero) * float(each[place]) for each in (values, self.space.low, self.space.high)
        )
        span = f"always {_number(low)}" if low == high else f"{_number(low)} to {_number(high)}"
        return f"{name} {_number(value)}; training records have {span}"

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything learned, as arrays; names and units as JSON text in bytes."""
        words = json.dumps({"names": self.names, "units": self.units})
        return asdict(self.space) | {"words": np.frombuffer(words.encode(), dtype=np.uint8)}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        words = json.loads(np.asarray(state["words"], dtype=np.uint8).tobytes())
        space = _Space(**{key: value for key, value in state.items() if key != "words"})
        units = {name: (float(zero), float(one)) for name, (zero, one) in words["units"].items()}
        return cls(tuple(words["names"]), space, units)


def _space(
    features: Features, train: NDArray[np.int64], held_out: NDArray[np.int64], random: np.random.Generator
) -> _Space:
    """Axes from some training rows, references from others, and the usual distance of held-out rows."""
    values, width = features.values, features.values.shape[1]
    plain = [not name.rpartition(": ")[2].startswith("kmer ") for name in features.names]
    bare = _Space(
        np.array(plain, dtype=np.uint8),
        *_summary(values, train),
        axes=np.zeros((width, 0), dtype=np.float32),
        references=np.zeros((0, 1), dtype=np.float32),
        unit=np.ones(2, dtype=np.float32),
        held_out=np.empty(0, dtype=np.float32),
    )
    some = values[train[:FITTED]]
    standard = np.nan_to_num((some - bare.mean) / bare.scale) * bare.varies
    axes = _axes(standard, min(AXES, max(1, AXIS_NUMBERS // width)), random)
    placed = _replaced(bare, axes=axes)
    space = _replaced(placed, references=placed.place(values[train[:RECORDS]]))
    if not len(held_out):
        return space
    distance, outside = space.distance(values[held_out]), space.outside(values[held_out])
    size = float(np.sqrt((space.references**2).sum(axis=1).mean()))
    unit = np.array(
        [
            max(_tail(distance), 1e-3 * size, 1e-9),
            max(_tail(outside.max(axis=1, initial=0)), 1.0),
        ],
        dtype=np.float32,
    )
    return _replaced(space, unit=unit, held_out=np.sort(_far(distance, outside, unit)))


def _replaced(space: _Space, **arrays: Any) -> _Space:
    return _Space(**{**asdict(space), **arrays})


def _far(distance: Floats, outside: Floats, unit: Floats) -> Floats:
    """How far out records lie: 1 is what 99 % of held-out records stay below, (records,)."""
    return np.asarray(
        np.maximum(distance / unit[0], outside.max(axis=1, initial=0) / unit[1]), dtype=np.float32
    )


def _tail(values: Floats) -> float:
    return float(np.quantile(values, 1 - LEVEL, method="higher"))


def _summary(
    values: Floats, rows: NDArray[np.int64]
) -> tuple[Floats, Floats, NDArray[np.uint8], Floats, Floats]:
    """Mean, spread, whether it varies, and range of each feature over some rows; missing values take no part.

    A feature that never varies gets a twentieth of its size as spread, or the median spread of the others.
    """
    step = max(1, BLOCK // max(1, len(rows)))  # copies of all features of a million rows would be large
    starts = range(0, max(values.shape[1], 1), step)
    blocks = [_measured(values[rows, first : first + step]) for first in starts]
    mean, scale, low, high = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    varies = scale > 1e-6 * np.maximum(np.abs(mean), 1e-30)
    usual = float(np.median(scale[varies])) if varies.any() else 1.0
    scale = np.where(varies, scale, np.maximum(0.05 * np.abs(mean), usual))
    return (
        mean.astype(np.float32),
        scale.astype(np.float32),
        varies.astype(np.uint8),
        low.astype(np.float32),
        high.astype(np.float32),
    )


def _measured(learned: Floats) -> tuple[NDArray[np.floating], ...]:
    """Mean, standard deviation, least and largest value of each feature; (features,) each."""
    known = np.isfinite(learned)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, learned, 0).astype(np.float64).sum(axis=0) / count
    scale = np.sqrt((np.where(known, learned - mean, 0) ** 2).sum(axis=0) / count)
    empty = ~known.any(axis=0)
    low = np.where(known, learned, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, learned, -np.inf).max(axis=0, initial=-np.inf)
    return mean, scale, np.where(empty, 0, low), np.where(empty, 0, high)


def _axes(standard: Floats, count: int, random: np.random.Generator) -> Floats:
    """The principal axes, (features, count at most), by a randomised search (Halko et al. 2011, doi:10.1137/090771806)."""
    count = min(count, *standard.shape)
    basis = random.normal(size=(standard.shape[1], min(count + 10, *standard.shape)))
    for _ in range(3):
        basis, _ = np.linalg.qr(standard.T @ (standard @ basis))
    _, _, turned = np.linalg.svd(standard @ basis, full_matrices=False)
    return np.asarray(basis @ turned.T[:, :count], dtype=np.float32)


def _number(value: float) -> str:
    """Three significant digits, as people write them: 300, 0.81, 1,250."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
