"""The model that never looks: the mean of each target, or how often each class occurs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bioloom.models import SimpleModel, TrainingData, simple_models
from bioloom.targets import Targets


@simple_models.register
class Trivial(SimpleModel):
    """Predicts the same for every record; whatever learned anything must beat it.

    answer: (targets or classes,) what it always says
    """

    name = "trivial"
    title = "always the same answer"

    def __init__(self, answer: NDArray[np.float32]) -> None:
        self.answer = answer

    @classmethod
    def fit(cls, data: TrainingData, targets: Targets, seed: int) -> Self:
        """The weighted mean of known training truths; for classes, their shares."""
        known = np.isfinite(data.truth)
        weights = known * data.weight[:, None].astype(np.float64)  # (records, targets)
        if not targets.classes:
            totals = weights.sum(axis=0)
            sums = (np.where(known, data.truth, 0.0) * weights).sum(axis=0)
            return cls((sums / np.where(totals > 0, totals, 1.0)).astype(np.float32))
        numbers = np.arange(len(targets.classes))
        counts = ((data.truth == numbers) * weights).sum(axis=0)  # (classes,)
        shares = counts / max(counts.sum(), 1e-12)
        return cls((shares[1:] if targets.task == "binary" else shares).astype(np.float32))

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same row for every record, (records, targets or classes)."""
        return np.tile(self.answer, (len(features), 1))

    def describe(self) -> str:
        """The answer, where it is short."""
        if len(self.answer) > 4:
            return "the training mean or class shares, whatever the input"
        return f"always {', '.join(f'{number:.3g}' for number in self.answer)}"

    def state(self) -> dict[str, NDArray[Any]]:
        """The answer."""
        return {"answer": self.answer}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        return cls(np.asarray(state["answer"], dtype=np.float32))
