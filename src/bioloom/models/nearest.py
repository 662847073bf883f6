"""The label of the most similar training record: a model that only remembers.

Where it does as well as a network, the test asks for memory rather than for understanding; where it does
far better than it should, copies of training records are in the test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bioloom.models import SimpleModel, TrainingData, simple_models
from bioloom.targets import Targets, known_together

BLOCK = 16_000_000
"""Similarities held at once: 64 MB of float32, however many records there are."""

TIE = 2e-6
"""Similarities closer than this are equal up to rounding; float32 sums of 640 products err by less."""


@dataclass(frozen=True)
class _Memory:
    """What is remembered.

    columns:  (used,) numbers of the features that are compared
    features: (records, used) as given, in the smallest type that holds them
    answers:  (records, targets) values, NaN where unknown; for classes (records, classes) marks of 0 and 1
    weight:   (records,)
    prior:    (classes,) shares of the classes, one pseudo-record of which is mixed in; empty for numbers
    mean, scale: (features,) of the standardised distance; empty where cosine similarity is used
    aligned:  (1,) whether the features are letters at aligned positions
    binary:   (1,) whether only the second class is given
    """

    columns: NDArray[np.int64]
    features: NDArray[np.float32] | NDArray[np.uint8]
    answers: NDArray[np.float32]
    weight: NDArray[np.float32]
    prior: NDArray[np.float32]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    aligned: NDArray[np.uint8]
    binary: NDArray[np.uint8]


@simple_models.register
class Nearest(SimpleModel):
    """Predicts the mean over the nearest training records; where several are equally near, all of them count.

    Aligned positions are compared by their letters (Hamming distance), other shares between 0 and 1, such as
    k-mers, by cosine similarity, and anything else by distance of standardised columns.
    Class probabilities include one pseudo-record with the training shares, so that none is exactly 0.
    """

    name = "nearest"
    title = "nearest training record"

    def __init__(self, memory: _Memory) -> None:
        self.memory = memory
        self._points = self._place(memory.features)

    @classmethod
    def fit(cls, data: TrainingData, targets: Targets, seed: int) -> Self:
        """Remember the training records whose truth is known."""
        known = np.isfinite(data.truth).any(axis=1)
        columns, aligned = _compared(data.features[known])
        features, truth, weight = data.features[np.ix_(known, columns)], data.truth[known], data.weight[known]
        prior = np.empty(0, dtype=np.float32)
        if targets.classes:
            truth = (truth == np.arange(len(targets.classes))).astype(np.float32)
            prior = np.average(truth, axis=0, weights=weight).astype(np.float32)
        mean = scale = np.empty(0, dtype=np.float32)
        if features.min(initial=0) < 0 or features.max(initial=1) > 1:
            mean, scale = features.mean(axis=0), features.std(axis=0)
            scale[scale == 0] = 1.0
        relative = (weight / weight.mean()).astype(np.float32)
        binary = np.array([targets.task == "binary"], dtype=np.uint8)
        whole = np.round(features).clip(0, 1).astype(np.uint8)
        kept = whole if np.array_equal(whole, features) else features
        marks = np.array([aligned], dtype=np.uint8)
        return cls(_Memory(columns, kept, truth, relative, prior, mean, scale, marks, binary))

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean answer of the nearest records, (records, targets or classes)."""
        answers = self.memory.answers
        found = np.empty((len(features), answers.shape[1]), dtype=np.float32)
        for columns, known in known_together(answers):
            found[:, columns] = self._search(features, known, answers[np.ix_(known, columns)])
        return found[:, 1:] if self.memory.binary[0] else found

    def _search(
        self, features: NDArray[np.float32], known: NDArray[np.int64], answers: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The weighted mean answer of the nearest among the known records, block by block."""
        points, weight = self._points[known], self.memory.weight[known]
        half_square = np.einsum("nf,nf->n", points, points) / 2 if len(self.memory.mean) else 0.0
        sums = np.column_stack([answers * weight[:, None], weight])  # (known, targets + 1)
        rows = max(1, BLOCK // max(len(points), 1))
        parts = []
        for first in range(0, len(features), rows):
            likeness = self._place(features[first : first + rows, self.memory.columns]) @ points.T
            likeness -= half_square  # nearest in distance = largest product less half the square
            best = likeness.max(axis=1, keepdims=True)
            nearest = likeness >= best - TIE * np.maximum(1.0, np.abs(best))
            parts.append(nearest.astype(np.float32) @ sums)
        totals = np.concatenate(parts) if parts else np.empty((0, sums.shape[1]), dtype=np.float32)
        prior, mass = (self.memory.prior, 1.0) if len(self.memory.prior) else (np.float32(0), 0.0)
        return np.asarray((totals[:, :-1] + prior) / (totals[:, -1:] + mass), dtype=np.float32)

    def _place(self, given: NDArray[np.float32] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Where records lie: standardised columns, or rows of length 1."""
        features = given.astype(np.float32, copy=False)
        if len(self.memory.mean):
            return np.asarray((features - self.memory.mean) / self.memory.scale, dtype=np.float32)
        length = np.sqrt(np.einsum("nf,nf->n", features, features))
        return np.asarray(features / np.where(length > 0, length, 1)[:, None], dtype=np.float32)

    @property
    def learned_from(self) -> int:
        """Training records that are remembered."""
        return len(self.memory.features)

    def describe(self) -> str:
        """How many records are remembered, and how they are compared."""
        records, columns = self.memory.features.shape
        notion = "cosine similarity"
        if len(self.memory.mean):
            notion = "distance of standardised columns"
        elif self.memory.aligned[0]:
            notion = "Hamming distance"
        return f"nearest of {records:,} training records by {notion} on {columns:,} features"

    def state(self) -> dict[str, NDArray[Any]]:
        """All remembered records."""
        return asdict(self.memory)

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        return cls(_Memory(**state))


def _compared(features: NDArray[np.float32]) -> tuple[NDArray[np.int64], bool]:
    """Which features are compared, and whether they are letters at aligned positions.

    Columns of 0 and 1 (but for the odd mixture of letters) that add up to the same number in every record, one
    per position, say all about the record; words of letters beside them would only break ties at random.
    """
    marks = ((features == 0) | (features == 1)).mean(axis=0) >= 0.99
    marks &= features.max(axis=0, initial=0) == 1
    counts = features[:, marks].sum(axis=1)
    usual = np.median(counts) if len(counts) else 0
    aligned = usual >= 4 and np.isclose(counts, usual).mean() >= 0.95 and features.min(initial=0) >= 0
    return np.flatnonzero(marks) if aligned else np.arange(features.shape[1]), bool(aligned)
