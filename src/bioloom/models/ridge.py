"""Ridge regression in closed form: a weighted sum of simple features, kept small by a penalty.

Hoerl and Kennard 1970, doi:10.1080/00401706.1970.10488634. One eigendecomposition serves all penalties;
it is of features x features or of records x records, whichever is smaller.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bioloom.models import SimpleModel, TrainingData, simple_models
from bioloom.models.width import is_wide
from bioloom.targets import Targets, known_together

Floats = NDArray[np.float64]

PENALTIES = np.logspace(-5, 2, 15)
"""Penalties tried, per unit of weight: for standardised features 1 halves the slope of a single one."""

WIDE_PENALTIES = np.logspace(2.5, 5, 6)
"""Tried besides these where features are very many, because all of them together weigh as much as their number."""

DEFAULT = 0.01
"""The penalty per unit of weight where there is no validation record to choose by."""

LARGEST = 4096
"""Where both records and features are more than this, only the features that vary most are used."""

BLOCK = 4096
"""Rows or columns turned to float64 at once."""


@simple_models.register
class Ridge(SimpleModel):
    """Linear regression on standardised features; each target has its own penalty.

    slope:     (features, targets) per unit of each feature
    intercept: (targets,)
    penalty:   (targets,) as added to the sum of squared errors, on standardised features
    """

    name = "ridge"
    title = "ridge regression"

    def __init__(self, slope: NDArray[np.float32], intercept: Floats, penalty: Floats) -> None:
        self.slope, self.intercept, self.penalty = slope, intercept, penalty

    @classmethod
    def fit(cls, data: TrainingData, targets: Targets, seed: int) -> Self:
        """Solve for every penalty, keep for each target the one with the least error on validation rows."""
        features, count = data.features.shape[1], data.truth.shape[1]
        slope, intercept, penalty = np.zeros((features, count)), np.zeros(count), np.zeros(count)
        for columns, rows in known_together(data.truth):
            if len(rows):
                path = _Path(data.features[rows], data.truth[np.ix_(rows, columns)], data.weight[rows])
                chosen = path.choose(data.validation_features, data.validation_truth[:, columns])
                slope[:, columns], intercept[columns], penalty[columns] = chosen
        return cls(slope.astype(np.float32), intercept, penalty)

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Predictions in the target's units, (records, targets)."""
        return np.asarray(features @ self.slope + self.intercept, dtype=np.float32)

    def describe(self) -> str:
        """The number of features used, and the penalty."""
        used = int((self.slope != 0).any(axis=1).sum())
        low, high = self.penalty.min(), self.penalty.max()
        penalty = f"penalty {low:.3g}" if low == high else f"penalties {low:.3g} to {high:.3g}"
        return f"ridge regression on {used:,} features, {penalty}"

    def state(self) -> dict[str, NDArray[Any]]:
        """Slopes, intercepts and penalties."""
        return {"slope": self.slope, "intercept": self.intercept, "penalty": self.penalty}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        return cls(np.asarray(state["slope"], dtype=np.float32), state["intercept"], state["penalty"])


class _Path:
    """The solutions for all penalties, for targets that are known for the same records.

    features (records, features), truth (records, targets), weight (records,)
    """

    def __init__(
        self, features: NDArray[np.float32], truth: NDArray[np.float32], weight: NDArray[np.float32]
    ) -> None:
        self.features, self.total = features, float(weight.sum(dtype=np.float64))
        self.root = np.sqrt(weight.astype(np.float64))
        share = weight / self.total
        self.mean, self.scale = _mean_and_scale(features, share)
        self.used = _used(self.scale, len(features))
        self.centre = share @ truth.astype(np.float64)  # (targets,)
        response = (truth - self.centre) * self.root[:, None]
        self.primal = len(features) >= len(self.used)
        if self.primal:
            square, right = self._features_by_features(response)
        else:
            square, right = self._records_by_records(), response
        values, self.vectors = _eigen(square)
        self.values = np.maximum(values, 0.0)
        self.right = self.vectors.T @ right  # (eigenvalues, targets)

    def _rows(self) -> Iterator[tuple[slice, Floats]]:
        """Standardised and weighted features by blocks of records."""
        for first in range(0, len(self.features), BLOCK):
            rows = slice(first, first + BLOCK)
            standard = (self.features[rows][:, self.used] - self.mean[self.used]) / self.scale[self.used]
            yield rows, standard * self.root[rows, None]

    def _columns(self) -> Iterator[tuple[NDArray[np.int64], Floats]]:
        """The same by blocks of features."""
        for first in range(0, len(self.used), BLOCK):
            used = self.used[first : first + BLOCK]
            standard = (self.features[:, used] - self.mean[used]) / self.scale[used]
            yield used, standard * self.root[:, None]

    def _features_by_features(self, response: Floats) -> tuple[Floats, Floats]:
        square = np.zeros((len(self.used), len(self.used)))
        right = np.zeros((len(self.used), response.shape[1]))
        for rows, block in self._rows():
            square += block.T @ block
            right += block.T @ response[rows]
        return square, right

    def _records_by_records(self) -> Floats:
        square = np.zeros((len(self.features), len(self.features)))
        for _, block in self._columns():
            square += block @ block.T
        return square

    def solve(self, penalty: Floats) -> tuple[Floats, Floats]:
        """Slopes (features, targets) and intercepts (targets,) for one penalty per target."""
        inner = self.vectors @ (self.right / (self.values[:, None] + penalty))
        slope = np.zeros((len(self.scale), len(self.centre)))
        if self.primal:
            slope[self.used] = inner / self.scale[self.used, None]
        else:
            for used, block in self._columns():
                slope[used] = block.T @ inner / self.scale[used, None]
        return slope, self.centre - self.mean @ slope

    def choose(
        self, features: NDArray[np.float32], truth: NDArray[np.float32]
    ) -> tuple[Floats, Floats, Floats]:
        """Slopes, intercepts and penalties that err least on validation rows, target by target."""
        known = np.isfinite(truth)
        tried = np.concatenate([PENALTIES, WIDE_PENALTIES]) if is_wide(self.features) else PENALTIES
        errors = np.full((len(tried), truth.shape[1]), np.inf)
        for i, penalty in enumerate(tried):
            slope, intercept = self.solve(np.full(truth.shape[1], penalty * self.total))
            errors[i] = (np.where(known, features @ slope + intercept - truth, 0.0) ** 2).sum(axis=0)
        best = tried[errors.argmin(axis=0)]
        chosen = np.where(known.any(axis=0), best, DEFAULT) * self.total
        return (*self.solve(chosen), chosen)


def _eigen(square: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues and eigenvectors; threads only wait for each other on small matrices, so one does those."""
    with threadpool_limits(1 if len(square) < 2000 else None, "blas"):
        values, vectors = np.linalg.eigh(square)
    return values, vectors


def _mean_and_scale(features: NDArray[np.float32], share: NDArray[Any]) -> tuple[Floats, Floats]:
    """Weighted mean and standard deviation of each feature; 0 marks a constant one."""
    mean = np.zeros(features.shape[1])
    square = np.zeros(features.shape[1])
    for first in range(0, len(features), BLOCK):
        mean += share[first : first + BLOCK] @ features[first : first + BLOCK].astype(np.float64)
    for first in range(0, len(features), BLOCK):
        square += share[first : first + BLOCK] @ (features[first : first + BLOCK] - mean) ** 2
    scale = np.sqrt(square)
    return mean, np.where(scale > 1e-6 * np.maximum(np.abs(mean), 1e-30), scale, 0.0)


def _used(scale: Floats, records: int) -> NDArray[np.int64]:
    """Which features vary; at most 4096 where there are more records than that too."""
    varying = np.flatnonzero(scale > 0)
    if min(records, len(varying)) <= LARGEST:
        return varying
    return np.sort(varying[np.argsort(-scale[varying], kind="stable")[:LARGEST]])
