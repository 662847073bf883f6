"""Under- and overfitting: the score on training and on test records, by the size of the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bioloom.evaluation.intervals import Score, rounded
from bioloom.metrics import METRICS


@dataclass(frozen=True)
class Size:
    """A network of one size.

    value:      of the setting that decides the size
    parameters: numbers that training chooses
    fitted:     the score on training records; score: on test records
    """

    value: Any
    parameters: int
    fitted: float
    score: Score

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        return {
            "value": self.value,
            "parameters": self.parameters,
            "fitted": rounded(self.fitted) if self.fitted == self.fitted else None,
            "score": self.score.to_json(),
        }


@dataclass(frozen=True)
class Capacity:
    """The capacity curve, from the smallest network to the largest."""

    metric: str
    setting: str
    sizes: tuple[Size, ...]

    @property
    def text(self) -> str:
        """Which size is best on the test records, and whether larger ones only remember more."""
        metric = METRICS[self.metric]
        defined = [size for size in self.sizes if size.score.value is not None]
        if not defined:
            return f"{metric.title} is not defined for any of these sizes."
        best = max(defined, key=lambda size: metric.gain(size.score.value or 0.0, 0.0))
        text = (
            f"On the test records {metric.title} is highest, {metric.text(best.score.value)}, with {self.setting} "
            f"{best.value} ({best.parameters:,} parameters)"
        )
        text = text if metric.higher_is_better else text.replace("highest", "lowest")
        largest = defined[-1]
        if largest is best:
            return f"{text}, the largest network tried."
        if metric.gain(largest.fitted, best.fitted) > 0:
            return f"{text}; larger networks fit the training records better and new ones no better."
        return f"{text}; larger networks do no better."

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        return {
            "metric": self.metric,
            "setting": self.setting,
            "sizes": [size.to_json() for size in self.sizes],
            "text": self.text,
        }


def capacity_curve(metric: str, setting: str, sizes: Sequence[Size]) -> Capacity | None:
    """Order networks by their number of parameters; None where fewer than two were tried."""
    if len(sizes) < 2:
        return None
    return Capacity(metric, setting, tuple(sorted(sizes, key=lambda size: size.parameters)))
