"""What learning without labels first is worth: the same network with the same seed, with and without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.data.wording import counted
from bioloom.evaluation.comparison import Difference, compare
from bioloom.evaluation.intervals import Score, decimals
from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.scores import resample
from bioloom.metrics import METRICS
from bioloom.tasks import Task


@dataclass(frozen=True)
class Pretrained:
    """One network that began with what it had learned without labels, beside one that began at random.

    with_, without: the metric that decides, on the same test records
    difference: paired; positive: better with it
    """

    with_: Score
    without: Score
    difference: Difference
    text: str

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        told: Mapping[str, Any] = {"with": self.with_.to_json(), "without": self.without.to_json()}
        return {
            "metric": self.difference.metric,
            **told,
            "difference": self.difference.to_json(),
            "text": self.text,
        }


def pretrained(
    task: Task,
    truth: NDArray[np.float32],
    values: tuple[NDArray[np.float32], NDArray[np.float32]],
    plan: Resampling,
) -> Pretrained:
    """Compare predictions of test records with and without learning first; values: (with, without)."""
    resampled = resample(task, truth, {"model": values[0], "scratch": values[1]}, plan)
    (difference,) = compare(resampled)
    metric = difference.metric
    own, other = resampled.scores("model")[metric], resampled.scores("scratch")[metric]
    return Pretrained(own, other, difference, _text(difference, own, other, len(truth)))


def _text(found: Difference, own: Score, other: Score, records: int) -> str:
    metric = METRICS[found.metric]
    figures = f"{metric.title} is {metric.text(own.value)} with it and {metric.text(other.value)} without"
    if found.difference is None or found.low is None or found.high is None:
        return (
            f"Whether learning without labels first helps cannot be said: {figures}, and {found.undefined}."
        )
    digits = decimals(found.low, found.high)
    span = f"{found.difference:z.{digits}f} ({found.low:z.{digits}f} to {found.high:z.{digits}f})"
    apart = f"a gain of {span} on {counted(records, 'test record')}"
    if found.wins:
        return f"Learning without labels first helps: {figures}, {apart}."
    if found.loses:
        return f"Learning without labels first does harm here: {figures}, {apart}."
    return f"Learning without labels first does not help for sure: {figures}, {apart}."
