"""How good any model could be: the noise of the measurement sets a ceiling to every score.

A measurement repeated on the same input gives another number. No model can predict that part, so the best R² is
1 - noise variance / total variance, and the best Pearson correlation its square root. Three kinds of evidence:

repeats  records that are exact copies of each other: the variance within copies
errors   a standard error of each record: its mean square
counts   reads of each record: squared residuals grow with 1 / reads, and what they lose at infinite reads is noise

A score above the ceiling is a warning: the target is smoother than its own errors allow, as a table is that a model
has filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.evaluation.distributions import normal_quantile
from bioloom.evaluation.intervals import FEW_UNITS, FEWEST_UNITS, LEVEL, Drawn, resampled_interval, rounded
from bioloom.evaluation.resampling import Resampling
from bioloom.metrics.metric import CUBE_ROOT, LOGIT, PLAIN, Scale

Floats = NDArray[np.float64]

SOURCES = {
    "repeats": "repeated measurements",
    "errors": "the standard error of each record",
    "counts": "the reads of each record",
}

FEWEST_REPEATS = 10
"""Degrees of freedom within copies below which their variance says too little to set a ceiling."""


@dataclass(frozen=True)
class Noise:
    """The variance of the measurement itself, in squared units of the target.

    source:   "repeats", "errors" or "counts"
    n:        records it was worked out on
    draws:    (draws,) on bootstrap draws of the records or their groups
    left_out: (units,) with each record or group left out; empty where there are 200 or more
    plan:     how the records were drawn; copies of each other travel together
    """

    variance: float
    source: str
    n: int
    draws: Floats
    left_out: Floats
    plan: Resampling


@dataclass(frozen=True)
class Ceiling:
    """The best reachable scores.

    r2, pearson: of a perfect model on noisy measurements; low, high: 95 % interval of r2
    reached:     R² of the model; explained: reached / r2, the share of what can be explained that is
    above:       whether the model scores higher than the ceiling allows: the interval of its R² minus the
                 ceiling lies above 0
    excess, excess_low, excess_high: R² of the model minus the ceiling
    """

    noise: float
    source: str
    n: int
    r2: float
    low: float | None
    high: float | None
    pearson: float
    reached: float
    explained: float | None
    explained_low: float | None
    explained_high: float | None
    excess: float
    excess_low: float | None
    excess_high: float | None
    text: str

    @property
    def above(self) -> bool:
        """Whether the model scores higher than its target's own noise allows, for sure."""
        return self.excess_low is not None and self.excess_low > 0

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        words = {"source": self.source, "n": self.n, "above": self.above, "text": self.text}
        numbers = {name: value for name, value in vars(self).items() if name not in words}
        return {name: rounded(value) for name, value in numbers.items()} | words


@dataclass(frozen=True)
class ClassCeiling:
    """The best accuracy where records with the same input carry different labels.

    n: repeated records; accuracy: what always naming the commonest label of each input would get right on them
    """

    accuracy: float
    low: float | None
    high: float | None
    n: int
    conflicting: int
    text: str

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        numbers = {name: rounded(getattr(self, name)) for name in ("accuracy", "low", "high")}
        return vars(self) | numbers | {"source": "labels"}


# ---- the noise ------------------------------------------------------------------------------------------


def noise_from_repeats(truth: Floats, copies: NDArray[np.int64], plan: Resampling) -> Noise | None:
    """Variance within records that are copies of each other; None where there are too few of them.

    truth: (records,); copies: (records,) the same number for copies of each other, -1 for none.
    Groups of the plan should hold all copies of a record; without groups, copies are the groups.
    """
    known = np.isfinite(truth) & (copies >= 0)
    _, inverse, counts = np.unique(copies[known], return_inverse=True, return_counts=True)
    freedom = float((counts - 1).sum())
    if freedom < FEWEST_REPEATS:
        return None
    values = truth[known] - truth[known].mean()
    means = np.bincount(inverse, values) / counts
    squares = np.bincount(inverse, (values - means[inverse]) ** 2)  # (copies,)
    first = np.flatnonzero(known)[np.unique(copies[known], return_index=True)[1]]
    top, bottom = np.zeros(len(truth)), np.zeros(len(truth))
    top[first], bottom[first] = squares, counts - 1  # each set of copies travels with its first record
    plan = plan if plan.grouped else _by_copies(copies, plan)
    draws, left_out = _ratio(top, bottom, plan)
    n = int(counts[counts > 1].sum())
    return Noise(float(squares.sum() / freedom), "repeats", n, draws, left_out, plan)


def _by_copies(copies: NDArray[np.int64], plan: Resampling) -> Resampling:
    """The plan with copies of each other as groups; a record without copies is a group of its own."""
    alone = int(copies.max(initial=-1)) + 1 + np.arange(len(copies))
    return Resampling(plan.records, np.where(copies >= 0, copies, alone), plan.draws, plan.seed)


def noise_from_errors(error: Floats, plan: Resampling) -> Noise | None:
    """Mean squared standard error; error: (records,), not finite or negative ones take no part."""
    known = np.isfinite(error) & (error >= 0)
    if not known.any() or not (error[known] > 0).any():
        return None
    square = np.where(known, error, 0.0) ** 2
    draws, left_out = _ratio(square, known.astype(np.float64), plan)
    return Noise(float(square[known].mean()), "errors", int(known.sum()), draws, left_out, plan)


def error_from_bounds(lower: Floats, upper: Floats, level: float = LEVEL) -> Floats:
    """The standard error behind an interval of each record, (records,); NaN where the bounds are swapped."""
    width = upper - lower
    return np.asarray(np.where(width >= 0, width, np.nan) / (2 * normal_quantile(0.5 + level / 2)))


def noise_from_counts(truth: Floats, value: Floats, counts: Floats, plan: Resampling) -> Noise | None:
    """What the squared residuals of a model lose when reads go to infinity.

    truth, value, counts: (records,). Squared residuals are a line a + b / reads with a, b >= 0: a is what the
    model does not know (and noise that no reads remove), b / reads the counting noise. None where b is 0.
    Lines are fitted with weights 1 / (squared fitted value), since squares spread in proportion to their mean.
    """
    known = np.isfinite(truth) & np.isfinite(value) & (counts > 0)
    if known.sum() < 4 * FEWEST_UNITS:
        return None
    inverse = np.where(known, 1 / np.where(counts > 0, counts, 1.0), 0.0)
    square = np.where(known, truth - value, 0.0) ** 2
    first = _line(inverse, square, known[:, None].astype(np.float64))
    fitted = first[0] + first[1] * inverse
    weight = np.where(known & (fitted > 0), 1 / np.maximum(fitted, 1e-300) ** 2, 0.0)
    _, slope = _line(inverse, square, weight[:, None])
    if not slope[0] > 0:
        return None

    def estimate(weights: Floats) -> Floats:
        _, slopes = _line(inverse, square, weight[:, None] * weights)
        return np.asarray(slopes * (inverse @ weights) / np.maximum(known @ weights, 1))

    variance = float(slope[0] * inverse[known].mean())
    return Noise(variance, "counts", int(known.sum()), *_resampled(estimate, plan), plan)


def _line(x: Floats, y: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Level and slope of the weighted least-squares line with neither below 0, for each draw; (draws,) each."""
    n, sum_x, sum_y = weights.sum(axis=0), x @ weights, y @ weights
    xx, xy = (x * x) @ weights, (x * y) @ weights
    around = n * xx - sum_x**2
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(around > 1e-12 * n * xx, (n * xy - sum_x * sum_y) / around, 0.0)
        level = (sum_y - slope * sum_x) / n
        level_alone, slope_alone = sum_y / n, xy / xx
    slope_only, level_only = level < 0, slope < 0
    slope = np.where(slope_only, slope_alone, np.where(level_only, 0.0, slope))
    level = np.where(slope_only, 0.0, np.where(level_only, level_alone, level))
    return np.asarray(level), np.asarray(slope)


def _ratio(top: Floats, bottom: Floats, plan: Resampling) -> tuple[Floats, Floats]:
    """The ratio of two sums over records in each draw and with each unit left out; NaN where nothing was drawn."""

    def estimate(weights: Floats) -> Floats:
        below = bottom @ weights
        return np.asarray((top @ weights) / np.where(below > 0, below, np.nan))

    return _resampled(estimate, plan)


def _resampled(estimate: Callable[[Floats], Floats], plan: Resampling) -> tuple[Floats, Floats]:
    """An estimate on each draw, (draws,), and with each unit left out, (units,) or empty where these are many."""
    draws = np.concatenate([estimate(weights) for weights in plan.bootstrap()])
    if plan.units >= FEW_UNITS:
        return draws, np.empty(0)
    return draws, np.concatenate([estimate(weights) for weights in plan.leave_one_out()])


# ---- the ceiling ----------------------------------------------------------------------------------------


def noise_ceiling(noise: Noise, truth: Floats, value: Floats) -> Ceiling | None:
    """The best R² and correlation on these records, and how much of it the model reaches.

    truth, value: (records,) the test records, which are those that the noise was worked out on: they are resampled
    as it was. None where every true value is the same.
    """
    known = np.isfinite(truth) & np.isfinite(value)
    if not known.any() or np.ptp(truth[known]) == 0:
        return None
    share, unexplained = _shares(noise, truth, value, known)
    r2, reached = max(0.0, 1 - share.value), 1 - unexplained.value
    most, least = _ends(share)
    low, high = (None if end is None else float(np.clip(1 - end, 0, 1)) for end in (least, most))
    explained: Ends = (None, None)
    if low is not None and low > 0:
        explained = _ends(_combined(lambda noisy, wrong: (1 - wrong) / (1 - noisy), share, unexplained))
    excess = _combined(lambda noisy, wrong: noisy - wrong, share, unexplained)
    excess_low, excess_high = _ends(excess)
    found = Ceiling(
        noise=noise.variance, source=noise.source, n=noise.n, r2=r2, low=low, high=high, pearson=float(np.sqrt(r2)),
        reached=reached, explained=reached / r2 if r2 > 0 else None,
        explained_low=explained[0], explained_high=explained[1],
        excess=excess.value, excess_low=excess_low, excess_high=excess_high, text="",
    )  # fmt: skip
    return replace(found, text=_sentence(found))


Ends = tuple[float | None, float | None]


def _shares(noise: Noise, truth: Floats, value: Floats, known: NDArray[np.bool_]) -> tuple[Drawn, Drawn]:
    """Noise, and squared errors of the model, as shares of the total variance."""
    plan = noise.plan
    (whole,), (whole_errors,) = _moments(truth, value, known, np.ones((len(truth), 1)))
    blocks = [_moments(truth, value, known, weights) for weights in plan.bootstrap()]
    totals, errors = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    left = [np.empty(0), np.empty(0)]
    if plan.units < FEW_UNITS:
        blocks = [_moments(truth, value, known, weights) for weights in plan.leave_one_out()]
        left = [np.concatenate(parts) for parts in zip(*blocks, strict=True)]
    totals, left[0] = (np.where(each > 0, each, np.nan) for each in (totals, left[0]))

    def share(of: tuple[float, Floats, Floats], scale: Scale) -> Drawn:
        point, draws, left_out = of
        return Drawn(
            float(point / whole), draws / totals, left_out / left[0], plan.units, plan.grouped, scale
        )

    return (
        share((noise.variance, noise.draws, noise.left_out), CUBE_ROOT),
        share((float(whole_errors), errors, left[1]), PLAIN),
    )


def _combined(how: Callable[[Any, Any], Any], first: Drawn, second: Drawn) -> Drawn:
    """A number made of two others that were worked out on the same draws; not finite where it is not defined."""
    with np.errstate(divide="ignore", invalid="ignore"):
        made = [how(getattr(first, name), getattr(second, name)) for name in ("value", "draws", "left_out")]
    return replace(first, value=made[0], draws=made[1], left_out=made[2], scale=PLAIN)


def _ends(drawn: Drawn) -> Ends:
    interval = resampled_interval(drawn)
    return interval.low, interval.high


def _moments(
    truth: Floats, value: Floats, known: NDArray[np.bool_], weights: Floats
) -> tuple[Floats, Floats]:
    """Total variance and mean squared error in each draw, (draws,) each."""
    centred = np.where(known, truth - truth[known].mean(), 0.0)
    square = np.where(known, truth - value, 0.0) ** 2
    n = np.maximum(known @ weights, 1)
    return (centred**2) @ weights / n - (centred @ weights / n) ** 2, square @ weights / n


def _sentence(found: Ceiling) -> str:
    span = "" if found.low is None else f" ({found.low:.3f} to {found.high:.3f})"
    told = f"Judged by {SOURCES[found.source]}, the measurement allows an R² of at most {found.r2:.3f}{span}"
    if found.above:
        return (
            f"{told}, but the model reaches {found.reached:.3f}: the target is smoother than its own error allows, "
            "so the numbers may come from a model rather than a measurement, or the errors are too large."
        )
    if found.r2 == 0:
        return f"{told}: its noise is as large as all differences between records, so nothing can be learned."
    if found.reached <= 0:
        return f"{told}; the model, at {found.reached:.3f}, explains none of that."
    explained = found.reached / found.r2
    if explained >= 1:
        return f"{told}; the model, at {found.reached:.3f}, is there, and only better measurements can show more."
    return f"{told}; the model, at {found.reached:.3f}, explains {100 * explained:.0f} % of what can be explained."


# ---- classes --------------------------------------------------------------------------------------------


def class_ceiling(truth: Floats, copies: NDArray[np.int64], plan: Resampling) -> ClassCeiling | None:
    """The best accuracy that conflicting labels of the same input allow; None without enough repeated records.

    truth: (records,) class numbers, unknown NaN; copies: (records,) as for repeats. An upper limit: the commonest
    label is chosen after looking, which flatters inputs with few copies.
    """
    known = np.isfinite(truth) & (copies >= 0)
    sets = list(_label_counts(truth[known], copies[known]))
    if sum(int(counts.sum()) - 1 for counts in sets) < FEWEST_REPEATS:
        return None
    best = np.array([counts.max() for counts in sets], dtype=np.float64)
    sizes = np.array([counts.sum() for counts in sets], dtype=np.float64)
    accuracy, conflicting = float(best.sum() / sizes.sum()), int((best < sizes).sum())
    draws, left_out = _ratio(best, sizes, Resampling(len(sets), None, plan.draws, plan.seed))
    low, high = _ends(Drawn(accuracy, draws, left_out, len(sets), False, LOGIT))
    inputs = f"{conflicting:,} of {len(sets):,} repeated inputs carry different labels"
    text = f"{inputs}, so no model can name more than {100 * accuracy:.1f} % of such records correctly."
    if not conflicting:
        text = (
            f"All copies of {len(sets):,} repeated inputs agree: labels set no ceiling that these could show."
        )
    return ClassCeiling(accuracy, low, high, int(sizes.sum()), conflicting, text)


def _label_counts(labels: Floats, copies: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    order = np.argsort(copies, kind="stable")
    starts = np.flatnonzero(np.diff(copies[order])) + 1
    for each in np.split(labels[order], starts):
        if len(each) > 1:
            yield np.unique(each, return_counts=True)[1]
