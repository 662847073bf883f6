"""The score as a function of likeness: does it hold for records unlike the training records?

One number over all test records hides that those most like a training record are answered best. Scored in
bins of identity to the nearest training record, the same predictions show what new records can expect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.scores import resample
from bioloom.metrics import METRICS
from bioloom.tasks import Task

FEWEST = 10
"""Fewer records than this are scored together with a neighbouring bin."""

EDGES = (0.4, 0.6, 0.8)
"""Between unrelated, remote, related and close: below 0.4 proteins may be unrelated (Rost 1999)."""


@dataclass(frozen=True)
class Likeness:
    """How alike each test record is to the nearest learned record.

    identity: (test records,) share of equal letters or columns, NaN where not known
    unlike:   (test records,) True where nothing in common was found, so that there is no number: below 40 %;
              None where all are known
    distance: (test records,) positions that differ, for variants of one parent; None for anything else
    """

    identity: NDArray[np.float32]
    unlike: NDArray[np.bool_] | None = None
    distance: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Bin:
    """The deciding metric on the test records of one bin.

    low, high: the bounds of the bin, low included and high not (the last bin includes its high): shares, or
               numbers of positions
    low95, high95: the 95 % interval; undefined says why there is no value or no interval
    """

    label: str
    low: float
    high: float
    n: int
    value: float | None
    low95: float | None
    high95: float | None
    undefined: str | None


@dataclass(frozen=True)
class IdentityCurve:
    """The score by likeness, from the least to the most alike records.

    notion:   what is on the axis, in words; text: what it shows, in one sentence
    guessing: what guessing gives on all test records
    """

    metric: str
    notion: str
    bins: tuple[Bin, ...]
    text: str
    guessing: float

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json, under "identity"."""
        return {
            "metric": self.metric,
            "notion": self.notion,
            "bins": [asdict(each) for each in self.bins],
            "text": self.text,
            "guessing": self.guessing if np.isfinite(self.guessing) else None,
        }


def identity_curve(
    task: Task, truth: NDArray[np.float32], value: NDArray[np.float32], likeness: Likeness, plan: Resampling
) -> IdentityCurve | None:
    """The deciding metric in bins of likeness to the nearest learned record, with 95 % intervals.

    truth: (test records, targets), unknown ones NaN; value: (test records, targets or classes)
    None where the likeness of no record is known.
    """
    ranges = _by_distance(likeness.distance) if likeness.distance is not None else _by_identity(likeness)
    ranges = _merged([each for each in ranges if len(each.rows)])
    if not ranges:
        return None
    bins = tuple(_scored(each, (truth, value), task, plan) for each in ranges)
    notion = (
        "positions at which a test record differs from the nearest record the model learned from"
        if likeness.distance is not None
        else "identity of a test record to the nearest record the model learned from"
    )
    guessing = METRICS[task.primary].chance(truth.astype(np.float64))
    return IdentityCurve(task.primary, notion, bins, _sentence(bins, task.primary), float(guessing))


@dataclass(frozen=True)
class _Range:
    """A bin before it is scored: bounds, unit, and the test records in it."""

    low: float
    high: float
    rows: NDArray[np.int64]
    positions: bool

    @property
    def label(self) -> str:
        if self.positions:
            first, last = int(self.low), int(self.high) - 1
            unit = "position differs" if (first, last) == (1, 1) else "positions differ"
            return f"{first} {unit}" if first == last else f"{first} to {last} positions differ"
        if self.low <= 0 and self.high >= 1:
            return "any identity"
        if self.low <= 0:
            return f"below {100 * self.high:.0f} %"
        if self.high >= 1:
            return f"{100 * self.low:.0f} % and above"
        return f"{100 * self.low:.0f} to {100 * self.high:.0f} %"


def _by_identity(likeness: Likeness) -> list[_Range]:
    """The four usual bins, from the least alike on."""
    identity = np.asarray(likeness.identity, dtype=np.float64)
    if likeness.unlike is not None:
        identity = np.where(likeness.unlike & np.isnan(identity), 0.0, identity)
    bounds = (0.0, *EDGES, 1.0)
    place = np.searchsorted(EDGES, identity, side="right")
    place = np.where(np.isnan(identity), -1, place)
    return [
        _Range(bounds[number], bounds[number + 1], np.flatnonzero(place == number), positions=False)
        for number in range(len(bounds) - 1)
    ]


def _by_distance(distance: NDArray[np.int64]) -> list[_Range]:
    """One bin per number of positions where there are four or fewer, else thirds; from the most distant on."""
    if not len(distance):
        return []
    seen = np.unique(distance)
    starts = seen if len(seen) <= 4 else np.unique(np.quantile(distance, [0, 1 / 3, 2 / 3], method="higher"))
    ends = [*starts[1:].tolist(), int(seen[-1]) + 1]
    ranges = [
        _Range(low, high, np.flatnonzero((distance >= low) & (distance < high)), positions=True)
        for low, high in zip(starts.tolist(), ends, strict=True)
    ]
    return ranges[::-1]


def _merged(ranges: list[_Range]) -> list[_Range]:
    """Bins with too few records join the smaller of their neighbours, until none has too few or one is left."""
    while len(ranges) > 1:
        sizes = [len(each.rows) for each in ranges]
        small = int(np.argmin(sizes))
        if sizes[small] >= FEWEST:
            break
        beside = [place for place in (small - 1, small + 1) if 0 <= place < len(ranges)]
        other = min(beside, key=lambda place: sizes[place])
        first, second = sorted((small, other))
        ranges = [*ranges[:first], _joined(ranges[first], ranges[second]), *ranges[second + 1 :]]
    return ranges


def _joined(one: _Range, other: _Range) -> _Range:
    rows = np.sort(np.concatenate([one.rows, other.rows]))
    return replace(one, low=min(one.low, other.low), high=max(one.high, other.high), rows=rows)


def _scored(
    each: _Range, tested: tuple[NDArray[np.float32], NDArray[np.float32]], task: Task, plan: Resampling
) -> Bin:
    truth, value = (array[each.rows] for array in tested)
    groups = None if plan.groups is None else np.asarray(plan.groups)[each.rows]
    scores = resample(
        replace(task, metrics=(task.primary,)),
        truth,
        {"model": value},
        Resampling(len(each.rows), groups, plan.draws, plan.seed),
    ).scores("model")
    score = scores[task.primary]
    return Bin(
        each.label, each.low, each.high, len(each.rows), score.value, score.low, score.high, score.undefined
    )


def _sentence(bins: Sequence[Bin], metric: str) -> str:
    """What the curve shows, for people."""
    title = METRICS[metric].title
    known = [each for each in bins if each.value is not None]
    if len(bins) == 1:
        return f"The test records are too similarly alike to training records, or too few, to compare ({bins[0].label})."
    if len(known) < 2:
        return f"The {title} is not defined in enough bins to compare them."
    far, near = known[0], known[-1]
    assert far.value is not None
    assert near.value is not None
    figures = (
        f"{far.value:.3f} for the least alike ({far.label}, {far.n:,} records) and {near.value:.3f} for the most "
        f"alike ({near.label}, {near.n:,} records)"
    )
    return f"{_trend(far, near, metric)}: {title} {figures}."


def _trend(far: Bin, near: Bin, metric: str) -> str:
    """Whether the two ends differ by more than their intervals; overlapping intervals claim nothing."""
    gain = METRICS[metric].gain
    if far.low95 is None or far.high95 is None or near.low95 is None or near.high95 is None:
        return "Without intervals nothing can be said about a fall"
    if far.low95 <= near.high95 and near.low95 <= far.high95:
        return "The score does not clearly depend on likeness to the training records"
    assert far.value is not None
    assert near.value is not None
    if gain(near.value, far.value) > 0:
        return "The score falls for records unlike the training records"
    return "The score is better for records unlike the training records"
