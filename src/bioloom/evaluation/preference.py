"""Is a candidate better than the default by more than luck? Asked on validation records, before any test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bioloom.evaluation.distributions import normal_quantile, normal_share
from bioloom.evaluation.intervals import rounded
from bioloom.evaluation.resampling import Resampling
from bioloom.metrics import METRICS, Pairs

ONE_STANDARD_ERROR = float(normal_share(-1.0))
"""How often a difference of nothing is above one standard error by luck: 0.159."""


@dataclass(frozen=True)
class Preference:
    """Which candidate is taken, and why.

    chosen:         name of the candidate; that of the default where none is better by enough
    best:           the best other candidate; None where there is none
    difference:     by how much it is better than the default, positive being better
    standard_error: of that difference, on the same validation records; None where there are too few
    needed:         the difference that luck alone would give the best of so many candidates now and then
    tried:          other candidates that were tried in all
    """

    chosen: str
    best: str | None
    difference: float | None
    standard_error: float | None
    needed: float | None
    tried: int

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        numbers = ("difference", "standard_error", "needed")
        return {
            "chosen": self.chosen,
            "best": self.best,
            **{name: rounded(getattr(self, name)) for name in numbers},
            "tried": self.tried,
        }


def prefer(
    metric: str, truth: NDArray[Any], values: Mapping[str, NDArray[Any] | None], plan: Resampling, tried: int
) -> Preference:
    """Take the best candidate if it is better than the default, which is the first, by more than luck explains.

    One other candidate has to be better by one standard error of the difference, as in the rule of one standard error
    (Breiman et al. 1984); the best of several has to be better by as much as the best of so many equal ones would be
    as rarely (Bonferroni): 1.6 standard errors for 3, 2.1 for 8.
    truth:  (records, targets) of validation records
    values: by name, (records, targets or classes); None where the training failed
    plan:   how these records, or their groups, are resampled
    tried:  candidates besides the default that were tried in all, those that were given up early included
    """
    default, *others = values
    known = {name: value for name, value in values.items() if value is not None}
    scores = {name: METRICS[metric](truth, value) for name, value in known.items()}
    scores = {name: score for name, score in scores.items() if np.isfinite(score)}
    best = max(
        (name for name in others if name in scores),
        key=lambda name: METRICS[metric].gain(scores[name], 0.0),
        default=None,
    )
    if best is None or default not in scores:
        return Preference(best or default, best, None, None, None, tried)
    difference = METRICS[metric].gain(scores[best], scores[default])
    error = _standard_error(metric, truth, (known[best], known[default]), plan)
    if error is None:
        return Preference(default, best, difference, None, None, tried)
    needed = error * -float(normal_quantile(ONE_STANDARD_ERROR / max(1, tried)))
    chosen = best if difference > needed else default
    return Preference(chosen, best, difference, error, needed, tried)


def _standard_error(
    metric: str, truth: NDArray[Any], values: tuple[NDArray[Any], NDArray[Any]], plan: Resampling
) -> float | None:
    """Of the difference of two scores on the same records, by the bootstrap; None with fewer than three units."""
    if plan.units < 3:
        return None
    first, second = (METRICS[metric].prepare(Pairs(truth, value)) for value in values)
    with threadpool_limits(1, "blas"):
        drawn = np.concatenate([first(counts) - second(counts) for counts in plan.bootstrap()])
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < 2:
        return None
    return float(drawn.std(ddof=1) * np.sqrt(plan.units / (plan.units - 1)))  # as draws spread too little
