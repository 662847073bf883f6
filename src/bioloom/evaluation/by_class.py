"""How well each class is told by itself, with intervals: a mean over classes hides the one that matters.

Asked where there are three classes or more, and where every place of a record has a class. Draws are of whole records or
groups, as for every other score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.evaluation.intervals import (
    FEW_UNITS,
    Drawn,
    Interval,
    Score,
    no_interval,
    resampled_interval,
    wilson,
)
from bioloom.evaluation.resampling import Resampling
from bioloom.metrics import METRICS, Pairs
from bioloom.metrics.classes import no_class
from bioloom.metrics.classification import Margins, from_margins
from bioloom.metrics.metric import Floats, ratio


@dataclass(frozen=True)
class Measure:
    """One way to look at a class.

    top, bottom: margins -> (classes, draws), what the score is a ratio of
    lacking: why it is not defined where the bottom is 0
    share:   whether it is a share of records, for which Wilson's interval holds
    """

    top: Callable[[Margins], Floats]
    bottom: Callable[[Margins], Floats]
    lacking: str
    share: bool = True


MEASURES = {
    "sensitivity": Measure(lambda m: m.hits, lambda m: m.true, "none of the test records is of this class"),
    "precision": Measure(
        lambda m: m.hits, lambda m: m.called, "none of the test records is predicted to be of this class"
    ),
    "f1": Measure(
        lambda m: 2.0 * m.hits,
        lambda m: m.true + m.called,
        "this class is neither there nor predicted",
        share=False,
    ),
}
"""By the metric whose name and format they share; F1 of pixels is the Dice coefficient of the class."""


def class_scores(
    truth: NDArray[np.float32], value: NDArray[np.float32], names: Sequence[str], plan: Resampling
) -> dict[str, dict[str, Score]]:
    """The share of each class that is found, the share of its calls that are right, and the balance of both.

    truth: (records, 1, *places) class numbers, NaN where unknown; value: (records, classes, *places) probabilities
    names: of the classes, in order of their number
    `n` of a score counts what it is worked out on: records or places of the class, called so, or either.
    Empty where no record has a class, or some predictions are not finite.
    """
    pairs = Pairs(truth, value)
    if no_class(pairs) is not None:
        return {}
    estimate = from_margins(_stacked)(pairs)
    whole = estimate(np.ones((len(truth), 1)))
    draws = _over(estimate, plan.bootstrap())
    left_out = _over(estimate, plan.leave_one_out()) if plan.units < FEW_UNITS else None
    found: dict[str, dict[str, Score]] = {name: {} for name in names}
    rows = [(name, measure) for measure in MEASURES for name in names]
    for row, (name, measure) in enumerate(rows):
        top, bottom = (float(part[row, 0]) for part in np.split(whole, 2))
        drawn = _drawn(row, (draws, left_out), plan, measure)
        independent = truth.ndim == 2 and not plan.grouped
        found[name][measure] = _score(MEASURES[measure], (top, bottom), drawn, independent)
    return found


def _stacked(margins: Margins) -> Floats:
    """The tops of all measures and classes, then the bottoms, (2 * measures * classes, draws)."""
    tops = [measure.top(margins) for measure in MEASURES.values()]
    return np.concatenate([*tops, *(measure.bottom(margins) for measure in MEASURES.values())])


def _over(estimate: Callable[[Floats], Floats], blocks: Any) -> Floats:
    """The scores in each draw, (measures * classes, draws)."""
    return np.concatenate([ratio(*np.split(estimate(weights), 2)) for weights in blocks], axis=1)


def _drawn(row: int, drawn: tuple[Floats, Floats | None], plan: Resampling, measure: str) -> Drawn:
    """One score in all draws; its value is put in later."""
    draws, left_out = drawn
    beside = np.empty(0) if left_out is None else left_out[row]
    return Drawn(float("nan"), draws[row], beside, plan.units, plan.grouped, METRICS[measure].scale)


def _score(measure: Measure, ratio_of: tuple[float, float], drawn: Drawn, independent: bool) -> Score:
    top, bottom = ratio_of
    count = round(bottom)
    if not count:
        return Score(None, None, None, 0, "none", f"not defined, because {measure.lacking}")
    value = top / bottom
    interval = wilson(top, bottom) if independent and measure.share else _resampled(drawn, value)
    reason = None if interval.reason is None else f"no interval, because {interval.reason}"
    return Score(value, interval.low, interval.high, count, interval.method, reason)


def _resampled(drawn: Drawn, value: float) -> Interval:
    found = resampled_interval(replace(drawn, value=value))
    if found.low is None or found.high is None:
        return found
    if np.isclose(found.low, found.high, rtol=1e-6, atol=1e-12):
        return no_interval("every resampling gives the same value")
    return replace(found, low=max(found.low, 0.0), high=min(found.high, 1.0))
