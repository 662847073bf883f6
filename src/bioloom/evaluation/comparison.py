"""Is the model better than a simpler one? The difference on the same test records, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bioloom.evaluation.intervals import Drawn, resampled_interval, rounded
from bioloom.evaluation.scores import Resampled
from bioloom.metrics import METRICS

RIVALS = ("simple", "boosting", "forest", "nearest")
"""Baselines a network has to beat; at equal scores the first is named."""


@dataclass(frozen=True)
class Difference:
    """How much better the model is than a baseline; positive means that the model is better.

    metric:     the first metric of the task that is defined for both
    low, high:  95 % interval of the difference; None where there is none, and `undefined` says why
    """

    metric: str
    against: str
    difference: float | None
    low: float | None
    high: float | None
    undefined: str | None = None

    @property
    def wins(self) -> bool:
        """Whether the model is better for sure: the whole interval is above 0."""
        return self.low is not None and self.low > 0

    @property
    def loses(self) -> bool:
        """Whether the baseline is better for sure: the whole interval is below 0."""
        return self.high is not None and self.high < 0

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        content: dict[str, Any] = {
            "metric": self.metric,
            "against": self.against,
            "difference": rounded(self.difference),
            "low": rounded(self.low),
            "high": rounded(self.high),
        }
        return content | ({"undefined": self.undefined} if self.undefined else {})


def compare(resampled: Resampled, model: str = "model") -> tuple[Difference, ...]:
    """The model against every other model that was scored with it, on the metric that decides.

    Where the deciding metric is not defined for a baseline (a constant prediction has no correlation), the
    next metric of the task is taken; the difference names the metric it is in.
    """
    others = [name for name in resampled.values if name != model]
    return tuple(_difference(resampled, model, other) for other in others)


def _difference(resampled: Resampled, model: str, against: str) -> Difference:
    for name in resampled.task.metrics:
        own, other = resampled.drawn.get((model, name)), resampled.drawn.get((against, name))
        if own is not None and other is not None:
            better = own.minus(other) if METRICS[name].higher_is_better else other.minus(own)
            return _with_interval(name, against, better)
    reason = "no metric of the task is defined for both"
    return Difference(resampled.task.primary, against, None, None, None, reason)


def _with_interval(metric: str, against: str, better: Drawn) -> Difference:
    interval = resampled_interval(better)
    value = better.value if np.isfinite(better.value) else None
    reason = None if interval.reason is None else f"no interval, because {interval.reason}"
    return Difference(metric, against, value, interval.low, interval.high, reason)
