"""Principal components: the best that a weighted sum of the inputs can do with so many numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from bioloom.models import SimpleModel, TrainingData, simple_models
from bioloom.targets import Targets

Floats = NDArray[np.float32]
Wide = NDArray[np.float64]

DEFAULT = 2
"""Components where nobody says how many."""


@simple_models.register
class PrincipalComponents(SimpleModel):
    """Describe a record by a few weighted sums of its features, and what is predicted by weighted sums of those.

    Where features themselves are predicted, no other weighted sums of that number lose less on the training records
    (Eckart and Young 1936, doi:10.1007/BF02288367): the baseline of an autoencoder (Baldi and Hornik 1989,
    doi:10.1016/0893-6080(89)90014-2). With unknown truths, or weights, each target is fitted to the components by least
    squares over the records where it is known.

    mean:  (features,) of the training records
    axes:  (components, features) orthonormal, the one with the largest variance first
    slope: (components, targets); intercept: (targets,)
    """

    name = "pca"
    title = "principal components"

    def __init__(self, mean: Floats, axes: Floats, slope: Floats, intercept: Floats) -> None:
        self.mean, self.axes, self.slope, self.intercept = mean, axes, slope, intercept

    @classmethod
    def fit(cls, data: TrainingData, targets: Targets, seed: int) -> Self:
        """Take as many components as the network has numbers for a record; nothing else is chosen."""
        x = data.features.astype(np.float64)
        share = data.weight.astype(np.float64) / data.weight.sum(dtype=np.float64)
        mean = share @ x
        centred = (x - mean) * np.sqrt(share)[:, None]
        axes = _axes(centred, min(data.size or DEFAULT, *x.shape))
        slope, intercept = _least_squares((x - mean) @ axes.T, data.truth, data.weight)
        return cls(*(each.astype(np.float32) for each in (mean, axes, slope, intercept)))

    def compress(self, features: Floats) -> Floats:
        """The components of records, (records, components)."""
        return np.asarray((features - self.mean) @ self.axes.T, dtype=np.float32)

    def predict(self, features: Floats) -> Floats:
        """(records, targets)."""
        return np.asarray(self.compress(features) @ self.slope + self.intercept, dtype=np.float32)

    def describe(self) -> str:
        """How many components of how many features."""
        return f"{len(self.axes):,} principal components of {len(self.mean):,} features"

    def state(self) -> dict[str, NDArray[Any]]:
        """Mean, axes, slope and intercept."""
        return {"mean": self.mean, "axes": self.axes, "slope": self.slope, "intercept": self.intercept}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        return cls(
            *(np.asarray(state[name], dtype=np.float32) for name in ("mean", "axes", "slope", "intercept"))
        )


def _axes(centred: Wide, count: int) -> Wide:
    """The first right singular vectors of centred records, (count, features), each with its largest entry positive.

    From the products of features, or of records where these are fewer; only so many vectors are worked out.
    """
    records, features = centred.shape
    square = centred.T @ centred if features <= records else centred @ centred.T
    values, vectors = eigh(square, subset_by_index=(len(square) - count, len(square) - 1))
    axes = vectors.T[::-1] if features <= records else (centred.T @ vectors[:, ::-1]).T
    lengths = np.linalg.norm(axes, axis=1, keepdims=True)
    axes = np.divide(
        axes, lengths, out=np.zeros_like(axes), where=lengths > 1e-9 * np.sqrt(max(values[-1], 0.0))
    )
    largest = axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)]
    return np.asarray(axes * np.where(largest < 0, -1.0, 1.0)[:, None])


def _least_squares(scores: Wide, truth: Floats, weight: Floats) -> tuple[Wide, Wide]:
    """Slopes (components, targets) and intercepts (targets,), over the records where a target is known."""
    known = np.isfinite(truth)
    columns = np.column_stack([scores, np.ones(len(scores))])
    solved = np.zeros((columns.shape[1], truth.shape[1]))
    patterns, which = np.unique(known, axis=1, return_inverse=True)
    for number, rows in enumerate(patterns.T):
        targets = np.flatnonzero(which.reshape(-1) == number)
        root = np.sqrt(weight[rows].astype(np.float64))[:, None]
        if rows.any():
            solved[:, targets] = np.linalg.lstsq(
                columns[rows] * root, truth[rows][:, targets] * root, rcond=None
            )[0]
    return solved[:-1], solved[-1]
