"""Models that only remember answers: what a network that writes them has to beat.

Answers are (records, 3 + longest) numbers, as in `bioloom.data.answers`; these models give no probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bioloom.data.answers import SAID
from bioloom.models import SimpleModel, TrainingData, simple_models
from bioloom.targets import Targets

BLOCK = 4_000_000
"""Likenesses held at once: 16 MB of float32."""


def _said(tokens: NDArray[Any]) -> NDArray[np.float32]:
    """Answers with what is said before them: no probabilities, and how many tokens."""
    count = (tokens > 0).sum(axis=1)
    unknown = np.full(len(tokens), np.nan)
    return np.column_stack([unknown, unknown, count, tokens]).astype(np.float32)


def _known(data: TrainingData) -> NDArray[np.bool_]:
    return np.isfinite(data.truth[:, 0])


@simple_models.register
class CommonestAnswer(SimpleModel):
    """The answer that is most frequent; where hardly any occurs twice, the most frequent token at each place."""

    name = "commonest_answer"
    title = "the commonest answer"

    def __init__(self, answer: NDArray[np.int16]) -> None:
        self.answer = answer

    @classmethod
    def fit(cls, data: TrainingData, targets: Targets, seed: int) -> Self:
        """Count the answers of the training records, each by its weight."""
        known = _known(data)
        answers, weight = data.truth[known, SAID:].astype(np.int16), data.weight[known]
        different, place = np.unique(answers, axis=0, return_inverse=True)
        if len(different) * 2 <= len(answers):
            return cls(different[np.bincount(place.ravel(), weights=weight).argmax()])
        columns = [np.bincount(column, weights=weight).argmax() for column in answers.T]
        return cls(np.array(columns, dtype=np.int16))

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same answer for each record."""
        return _said(np.repeat(self.answer[None], len(features), axis=0))

    def describe(self) -> str:
        """What it is."""
        return "the commonest answer of the training records"

    def state(self) -> dict[str, NDArray[Any]]:
        """The answer."""
        return {"answer": self.answer}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        return cls(state["answer"])


@simple_models.register
class NearestAnswer(SimpleModel):
    """The answer of the training record that is most alike, by the distance of standardised features."""

    name = "nearest_answer"
    title = "the answer of the nearest training record"

    def __init__(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.points, self.answers = state["points"], state["answers"]
        self.mean, self.scale = state["mean"], state["scale"]

    @classmethod
    def fit(cls, data: TrainingData, targets: Targets, seed: int) -> Self:
        """Remember the training records whose answer is known."""
        known = _known(data)
        features = data.features[known]
        mean, scale = features.mean(axis=0), features.std(axis=0)
        scale[scale == 0] = 1.0
        points = ((features - mean) / scale).astype(np.float32)
        answers = data.truth[known, SAID:].astype(np.int16)
        return cls({"points": points, "answers": answers, "mean": mean, "scale": scale})

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """The answer of the nearest record for each; of equally near ones that of the first."""
        half = np.einsum("nf,nf->n", self.points, self.points) / 2
        rows, nearest = max(1, BLOCK // max(len(half), 1)), []
        for first in range(0, len(features), rows):
            points = (features[first : first + rows] - self.mean) / self.scale
            nearest.append((points @ self.points.T - half).argmax(axis=1))
        return _said(self.answers[np.concatenate(nearest or [np.zeros(0, dtype=np.int64)])])

    def describe(self) -> str:
        """How much is remembered."""
        return f"the answer of the nearest of {len(self.points):,} training records"

    def state(self) -> dict[str, NDArray[Any]]:
        """All that is remembered."""
        return {"points": self.points, "answers": self.answers, "mean": self.mean, "scale": self.scale}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        return cls(state)
