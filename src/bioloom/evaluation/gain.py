"""What the mean of several networks gains over one of them, and what is lost where one is taught to stand for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.evaluation.comparison import Difference, compare
from bioloom.evaluation.intervals import Drawn, rounded
from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.scores import resample
from bioloom.metrics import METRICS
from bioloom.tasks import Task

FAST = "fast"
"""How the network is called in comparisons that learned to say what the mean says."""

MEAN = "member"
"""How the average member is called in comparisons."""


@dataclass(frozen=True)
class Gain:
    """A mean of networks beside its members.

    scores:     of each member by itself, in the deciding metric
    mean:       of these scores
    together:   of the mean of the networks
    difference: how much better it is than the average member, with its interval by test records
    """

    metric: str
    scores: tuple[float, ...]
    mean: float
    together: float
    difference: Difference

    @property
    def text(self) -> str:
        """The finding in one sentence."""
        metric, told = METRICS[self.metric], self.difference
        ends = ""
        if told.low is not None and told.high is not None:
            ends = f", a gain of {told.difference:.2g} ({told.low:.2g} to {told.high:.2g})"
        number = len(self.scores)
        return (
            f"The mean of {number} networks has a {metric.title} of {metric.text(self.together)} on the test records, one "
            f"of them {metric.text(self.mean)} on average{ends}."
        )

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        return {
            "metric": self.metric,
            "members": len(self.scores),
            "scores": [rounded(score) for score in self.scores],
            "mean": rounded(self.mean),
            "together": rounded(self.together),
            "difference": self.difference.to_json(),
            "text": self.text,
        }


def gain(
    task: Task,
    truth: NDArray[np.float32],
    together: NDArray[np.float32],
    members: Mapping[str, NDArray[np.float32]],
    plan: Resampling,
) -> Gain | None:
    """Compare a mean of networks with its average member; None where the deciding metric is not defined for all.

    together, members: (records, targets or classes), predictions of the same test records, as (records, targets) truth
    The interval is that of the difference on resampled test records: the score of the mean less the mean of the scores.
    """
    deciding = replace(task, metrics=(task.primary,))
    resampled = resample(deciding, truth, {"model": together, **members}, plan)
    drawn = [resampled.drawn.get((name, task.primary)) for name in members]
    own = resampled.drawn.get(("model", task.primary))
    known = [each for each in drawn if each is not None]
    if own is None or len(known) < len(drawn) or not known:
        return None
    average = _mean(known)
    found = {("model", task.primary): own, (MEAN, task.primary): average}
    (difference,) = compare(replace(resampled, values={"model": together, MEAN: together}, drawn=found))
    scores = tuple(each.value for each in known)
    return Gain(task.primary, scores, average.value, own.value, difference)


@dataclass(frozen=True)
class Loss:
    """One network that learned to say what a mean of several says, beside that mean.

    score:      of the one network on the test records, in the deciding metric; together: of the mean
    difference: how much better the mean is, with its interval by test records
    """

    metric: str
    score: float
    together: float
    difference: Difference

    @property
    def text(self) -> str:
        """The finding in one sentence."""
        metric, told = METRICS[self.metric], self.difference
        ends = ""
        if told.low is not None and told.high is not None and told.difference is not None:
            lost = (
                f"a loss of {told.difference:.2g}"
                if told.difference > 0
                else f"no loss ({told.difference:.2g})"
            )
            ends = f": {lost}, with a 95 % interval from {told.low:.2g} to {told.high:.2g}"
        return (
            f"The fast network, which learned to say what the mean says, has a {metric.title} of "
            f"{metric.text(self.score)} on the test records, the mean {metric.text(self.together)}{ends}."
        )

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        return {
            "metric": self.metric,
            "score": rounded(self.score),
            "together": rounded(self.together),
            "difference": self.difference.to_json(),
            "text": self.text,
        }


def loss(
    task: Task,
    truth: NDArray[np.float32],
    together: NDArray[np.float32],
    fast: NDArray[np.float32],
    plan: Resampling,
) -> Loss | None:
    """What is lost where one network stands for a mean of several; None where the deciding metric is not defined.

    together, fast: (records, targets or classes), predictions of the same test records, as (records, targets) truth
    """
    deciding = replace(task, metrics=(task.primary,))
    resampled = resample(deciding, truth, {"model": together, FAST: fast}, plan)
    own, other = (resampled.drawn.get((name, task.primary)) for name in ("model", FAST))
    if own is None or other is None:
        return None
    (difference,) = compare(resampled)
    return Loss(task.primary, other.value, own.value, difference)


def _mean(drawn: list[Drawn]) -> Drawn:
    """The average of numbers that were worked out on the same records, draw by draw."""
    return replace(
        drawn[0],
        value=float(np.mean([each.value for each in drawn])),
        draws=np.mean([each.draws for each in drawn], axis=0),
        left_out=np.mean([each.left_out for each in drawn], axis=0),
    )
