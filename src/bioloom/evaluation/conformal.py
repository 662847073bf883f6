"""How far a single prediction may be off: intervals and sets of classes with a promised share of hits.

Split conformal prediction (Vovk et al. 2005; Lei et al. 2018, doi:10.1080/01621459.2017.1307116): the errors on
records that took no part in fitting the weights say how large the next error may be, whatever the model is.

A model that says of each record how far off it expects to be (its reach) gets intervals in proportion to it, wider
where the model knows less: errors are counted in reaches (Lei et al. 2018, section 5.2). With a reach to either side,
such as the distance from a median to its quantiles, these are conformalised quantiles (Romano, Patterson and Candes 2019,
arXiv:1905.03222) in the form that stretches them (Kivaranovic, Johnson and Leeb 2020, arXiv:1905.10634).

The promise holds on average over new records that are exchangeable with the calibration records: drawn from the
same source, in the same way, in any order. It does not hold for each kind of record by itself, nor for records
of another laboratory, species or year. Validation rows chose when training stopped, so their errors are a little
too small; the coverage on the test rows, which chose nothing, is reported beside every promise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bioloom.data.wording import listed
from bioloom.evaluation.conformity import from_spread, quantile, sides
from bioloom.evaluation.intervals import FEW_UNITS, Drawn, Interval, resampled_interval, rounded, wilson
from bioloom.evaluation.percent import percent
from bioloom.evaluation.resampling import Resampling

Floats = NDArray[np.float64]

LEVELS = (0.95, 0.90, 0.80)
"""Levels that are stepped down to, where there are too few calibration records for the one asked for."""

DEFAULT_LEVEL = 0.90

TOLD = 3
"""Targets that the sentence names, at most."""


@dataclass(frozen=True)
class Conformal:
    """How wide prediction intervals are, or how many classes a set holds, calibrated on validation rows.

    level:    the promised share of hits
    half:     regression: half the width of the interval, by target, in its units, or in reaches. Classification: by class, the
              largest 1 - probability at which it is still in the set. Infinite where there are too few calibration
              records of that target or class; such a class is in every set
    names:    the targets of a regression, or the classes
    classes:  how many classes there are; 0 for numbers
    records, groups: calibration records, and groups of them (0 where records are independent)
    reason:   why the level is not the one asked for, or why there is none; empty otherwise
    scaled:   whether the width goes with what the model says of each record
    constant: by target, what is added to the spread of several networks to give the reach; empty where the reach is
              what a network itself expects, or where all intervals are as wide
    """

    level: float
    half: tuple[float, ...]
    names: tuple[str, ...]
    classes: int
    records: int
    groups: int
    reason: str = ""
    scaled: bool = False
    constant: tuple[float, ...] = ()

    def reach(
        self, own: NDArray[np.floating] | None, spread: NDArray[np.floating] | None
    ) -> NDArray[np.floating] | None:
        """By what the intervals of some records are scaled, (records, 2 x targets); None where they are as wide as others.

        own: how far off the network expects to be, (records, 2 x targets); spread: of its members, (records, targets)
        """
        if not self.scaled:
            return None
        return from_spread(spread, np.array(self.constant)) if self.constant and spread is not None else own

    @classmethod
    def fit(cls, given: Calibrating, level: float = DEFAULT_LEVEL) -> Self:
        """Take the error that `level` of the calibration records stay below, corrected for their number.

        Where these are too few for the level (it needs 19 for 95 %, 9 for 90 %), the next lower level is taken. A target
        of which too few truths are known for any level has no ends, and lowers the promise of no other.
        """
        errors, codes = given.errors(), given.codes()
        tried = [level, *(each for each in LEVELS if each < level)]
        halves = {each: np.array([quantile(column, codes, each) for column in errors.T]) for each in tried}
        promised = _level({each: np.isfinite(half) for each, half in halves.items()}, bool(given.classes))
        half = halves[promised]
        groups = 0 if codes is None else len(np.unique(codes))
        reason = _reason(given, half, (level, promised, tried[-1]))
        return cls(
            level=promised,
            half=tuple(map(float, half)),
            names=given.names,
            classes=given.classes,
            records=len(given.value),
            groups=groups,
            reason=reason,
            scaled=given.reach is not None,
        )

    def interval(
        self, value: NDArray[np.floating], reach: NDArray[np.floating] | None = None
    ) -> tuple[Floats, Floats]:
        """Lower and upper ends around predictions (records, targets), in the target's units.

        reach: (records, 2 x targets) where the intervals are scaled: how far below predictions the model expects the
        truth, then how far above
        """
        below, above = (1.0, 1.0) if reach is None else sides(reach)
        half = np.array(self.half)
        return np.asarray(value - half * below, np.float64), np.asarray(value + half * above, np.float64)

    def sets(self, probability: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which classes a record may belong to, (records, classes), from (records, 1 or classes) probabilities.

        Never empty: the likeliest class is always in, which can only raise the share of hits.
        """
        share = _all_classes(probability)
        held: NDArray[np.bool_] = 1 - share <= np.array(self.half)
        held[np.arange(len(share)), share.argmax(axis=1)] = True
        return held

    def coverage(
        self,
        truth: NDArray[np.floating],
        value: NDArray[np.floating],
        plan: Resampling,
        reach: NDArray[np.floating] | None = None,
    ) -> Coverage:
        """How often the promise was kept on test rows, with a 95 % interval (by group where there are groups).

        truth (records, targets), unknown ones NaN; value (records, targets or classes) as predicted; reach as in `interval`
        """
        return self.counted(*self.held(truth, value, reach), plan)

    def held(
        self,
        truth: NDArray[np.floating],
        value: NDArray[np.floating],
        reach: NDArray[np.floating] | None = None,
    ) -> tuple[Floats, Floats]:
        """Which truths lie inside, 1 or 0 or NaN where unknown, and how large the interval or set is, (records, targets).

        For classes the first column is of all records, and the others of the records of each class.
        """
        if self.classes:
            held = self.sets(value)
            known = np.isfinite(truth[:, 0])
            own = np.where(known, truth[:, 0], 0).astype(np.int64)
            inside = np.where(known, held[np.arange(len(held)), own], np.nan)[:, None]
            of_class = np.where(truth == np.arange(self.classes), inside, np.nan)
            size = held.sum(axis=1, dtype=np.float64)[:, None]
            return np.column_stack([inside, of_class]), np.repeat(size, 1 + self.classes, axis=1)
        low, high = self.interval(value, reach)
        inside = np.where(np.isfinite(truth), (truth >= low) & (truth <= high), np.nan)
        return inside, high - low

    def counted(self, inside: Floats, size: Floats, plan: Resampling) -> Coverage:
        """How often the promise was kept; see `held`, whose answers from several splits may be joined."""
        known = np.isfinite(inside)
        means = [
            float(column[rows].mean()) if rows.any() else np.nan
            for column, rows in zip(size.T, known.T, strict=True)
        ]
        shares = tuple(_share(column, plan) for column in inside.T)
        names = ("", *self.names) if self.classes else self.names
        return Coverage(self, names, shares, tuple(means))

    def to_json(self) -> dict[str, Any]:
        """As it is stored with the model; an infinite width is null."""
        return {
            "level": self.level,
            "half": [each if np.isfinite(each) else None for each in self.half],
            "names": list(self.names),
            "classes": self.classes,
            "records": self.records,
            "groups": self.groups,
            "reason": self.reason,
            **({"scaled": True} if self.scaled else {}),
            **({"constant": list(self.constant)} if self.constant else {}),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        half = tuple(np.inf if each is None else float(each) for each in content["half"])
        constant = tuple(map(float, content.get("constant", ())))  # of formats before 3 there is none
        return cls(**{**content, "half": half, "names": tuple(content["names"]), "constant": constant})


@dataclass(frozen=True)
class Calibrating:
    """Calibration rows: the validation part of the split.

    value:   (records, targets or classes) as predicted, in the target's units or as probabilities
    truth:   (records, targets); unknown ones NaN, class numbers for classes
    names:   the targets of a regression, or the classes
    classes: how many classes there are; 0 for numbers
    groups:  (records,) whose records resemble each other, or None where records are independent
    reach:   (records, 2 x targets), above 0, how far below and then how far above the predictions the model expects the
             truths; None where it says nothing
    """

    value: NDArray[np.floating]
    truth: NDArray[np.floating]
    names: tuple[str, ...] = ()
    classes: int = 0
    groups: NDArray[Any] | None = None
    reach: NDArray[np.floating] | None = None

    def errors(self) -> Floats:
        """Absolute residuals, (records, targets), in reaches if any; or 1 - the probability of the true class, in its column.

        Each class by itself, so that the promise holds for rare classes too (label-conditional: Vovk 2012; the score
        is LAC: Sadinle, Lei and Wasserman 2019, doi:10.1080/01621459.2017.1395341).
        """
        if not self.classes:
            error = np.asarray(self.truth, np.float64) - self.value
            below, above = (1.0, 1.0) if self.reach is None else sides(self.reach)
            return np.abs(error) / np.where(error < 0, below, above)
        known = np.isfinite(self.truth[:, 0])
        own = np.where(known, self.truth[:, 0], 0).astype(np.int64)
        share = _all_classes(self.value)[np.arange(len(own)), own]
        of_class = known[:, None] & (own[:, None] == np.arange(self.classes))
        return np.where(of_class, (1 - share)[:, None], np.nan)

    def codes(self) -> NDArray[np.int64] | None:
        """The group of each record as a number; None where every record stands for itself."""
        plan = Resampling(len(self.value), self.groups)
        return plan.codes if plan.grouped else None


@dataclass(frozen=True)
class Coverage:
    """How often intervals or sets held the truth of test records, and how large they were.

    names:  the targets; for classes "" for all records together, then the classes
    shares: of each, the share of records whose truth was held
    size:   of each, the width in its units; for classes, the mean number of classes in a set
    """

    conformal: Conformal
    names: tuple[str, ...]
    shares: tuple[Share, ...]
    size: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json under "uncertainty"."""
        targets = [
            {"name": name, "size": rounded(size) if np.isfinite(size) else None} | share.to_json()
            for name, share, size in zip(self.names, self.shares, self.size, strict=True)
        ]
        kind = "sets" if self.conformal.classes else "intervals"
        return {"kind": kind, "text": self.text, "coverage": targets} | self.conformal.to_json()

    @property
    def text(self) -> str:
        """What was promised and what was found, in one or two sentences."""
        kept = self.conformal
        able = np.isfinite(kept.half)
        if not able.any():
            nothing = "set of classes holds them all" if kept.classes else "interval has no ends"
            return f"No promise can be made about a single prediction ({kept.reason}), so every {nothing}."
        places = [place for place in range(len(self.names)) if kept.classes or able[place]]
        told = "; ".join(map(self._told, places[:TOLD]))
        more = len(places) - TOLD
        told += f"; {more} more {'classes' if kept.classes else 'targets'} in the table" if more > 0 else ""
        promise = f"was promised to hold the truth for {percent(kept.level)} of new records"
        what = "set of classes" if kept.classes else "interval around each prediction"
        each = ", of each class by itself" if kept.classes else ""
        less = f" {kept.reason}." if kept.reason else ""
        return f"The {what} {promise}{each}; on the test records it does so for {told}.{less}"

    def _told(self, place: int) -> str:
        share, size = self.shares[place], self.size[place]
        if not np.isfinite(share.value):
            return "an unknown share, because no truth is known"
        low, high = share.interval.low, share.interval.high
        among = f" of {self.names[place]}" if len(self.names) > 1 and self.names[place] else ""
        span = "" if low is None or high is None else f" ({percent(low, 1)} to {percent(high, 1)})"
        wide = f"{size:.3g} {'class' if size == 1 else 'classes'} on average"
        if not self.conformal.classes:
            wide = f"{size:.4g} wide{' on average' if self.conformal.scaled else ''}"
        if not np.isfinite(size):
            wide = "some of them without ends, because a fold had too few validation records for the promise"
        return f"{percent(share.value, 1)}{among}{span}, {wide}"


@dataclass(frozen=True)
class Share:
    """A share of test records with its 95 % interval; NaN where no truth is known."""

    value: float
    n: int
    interval: Interval

    def to_json(self) -> dict[str, Any]:
        """Value, interval, how it was found, and the number of records."""
        low, high = rounded(self.interval.low), rounded(self.interval.high)
        value = rounded(self.value) if np.isfinite(self.value) else None
        content = {"value": value, "low": low, "high": high, "n": self.n, "interval": self.interval.method}
        return content | ({"undefined": self.interval.reason} if self.interval.reason else {})


def _share(inside: Floats, plan: Resampling) -> Share:
    """The share of records that are inside, by Wilson, or resampled by group; unknown ones (NaN) left out."""
    known = np.isfinite(inside)
    n, hits = int(known.sum()), float(np.nansum(inside))
    if not n:
        return Share(float("nan"), 0, wilson(0, 0))
    groups = None if plan.groups is None else np.asarray(plan.groups)[known]
    plan = replace(plan, records=n, groups=groups)
    if not plan.grouped:
        return Share(hits / n, n, wilson(hits, n))
    kept = inside[known]
    left_out = plan.leave_one_out() if 1 < plan.units < FEW_UNITS else ()
    draws, left = (
        np.concatenate([np.empty(0), *(kept @ counts / counts.sum(axis=0) for counts in blocks)])
        for blocks in (plan.bootstrap(), left_out)
    )
    found = resampled_interval(Drawn(hits / n, draws, left, plan.units, True))
    if found.low is not None and found.high is not None:
        found = replace(found, low=max(0.0, found.low), high=min(1.0, found.high))
    return Share(hits / n, n, found)


def _all_classes(probability: NDArray[np.floating]) -> Floats:
    """(records, classes) also for two classes, of which only the second is predicted."""
    share = np.asarray(probability, dtype=np.float64)
    return np.column_stack([1 - share, share]) if share.shape[1] == 1 else share


def _level(ends: Mapping[float, NDArray[np.bool_]], classes: bool) -> float:
    """The first level at which all targets that have ends at the lowest have them; of classes, any.

    ends: by level, the highest first, which targets or classes have ends
    """
    able = list(ends.values())[-1]
    return next(
        level for level, enough in ends.items() if (enough >= able).all() or (classes and enough.any())
    )


def _reason(given: Calibrating, half: Floats, levels: tuple[float, float, float]) -> str:
    """Why less is promised than was asked for, or nothing of some targets or classes; empty where all is as asked.

    levels: asked for, promised, and the lowest there is
    """
    asked, promised, lowest = levels
    able, codes = np.isfinite(half), given.codes()
    what = "validation record" if codes is None else "group of validation records"
    several = "validation records" if codes is None else "groups of validation records"
    units = _units(given.errors()[:, able] if able.any() else given.errors(), codes)
    few = f"{units:,} {what if units == 1 else several} {'is' if units == 1 else 'are'} too few"
    if not able.any():
        return f"{few} for any promise; {_needed(lowest)} are needed"
    reasons = []
    if promised < asked:
        reasons.append(
            f"The promise is lower than asked for: {few} for {percent(asked)}, which needs {_needed(asked)}"
        )
    if not able.all():
        lacking = [name for name, each in zip(given.names, able, strict=True) if not each]
        one = len(lacking) == 1
        if given.classes:
            so = f"are of {listed(lacking)}, so every set holds {'it' if one else 'them'}"
        else:
            so = f"have a known {listed(lacking)}, so {'its' if one else 'their'} intervals have no ends"
        reasons.append(f"Too few {several} {so}")
    return ". ".join(reasons)


def _units(errors: Floats, codes: NDArray[np.int64] | None) -> int:
    """Exchangeable units of the target with the fewest."""
    counts = []
    for column in errors.T:
        known = np.isfinite(column)
        counts.append(int(known.sum()) if codes is None else len(np.unique(codes[known])))
    return min(counts, default=0)


def _needed(level: float) -> int:
    """How many exchangeable units a level needs: 19 for 95 %, 9 for 90 %."""
    return int(np.ceil(level / (1 - level) - 1e-9))
