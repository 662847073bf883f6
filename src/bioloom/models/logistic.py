"""Logistic regression: class probabilities from a weighted sum of simple features, kept small by a penalty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax
from threadpoolctl import threadpool_limits

from bioloom.models import SimpleModel, TrainingData, simple_models
from bioloom.models.width import is_wide
from bioloom.targets import Targets

Floats = NDArray[np.float64]

PENALTIES = (1.0, 0.1, 0.01, 0.001, 0.0001)
"""Penalties tried per unit of weight, on standardised features; from strong to weak, each starts at the last."""

WIDE_PENALTIES = (1_000.0, 100.0, 10.0)
"""Tried before these where features are very many: together they could tell any records apart."""

DEFAULT = 0.01
"""The penalty where there is no validation record to choose by."""

STEPS = 200
"""Most steps of the optimiser (L-BFGS) for one penalty."""


@simple_models.register
class Logistic(SimpleModel):
    """Logistic regression on standardised features, for two classes or more.

    slope:     (features, classes) per unit of each feature; for two classes (features, 1)
    intercept: (classes,)
    present:   (classes,) numbers of the classes that training rows hold; others get probability 0
    classes:   (1,) how many classes there are
    penalty:   (1,) half of it times the squared slopes is added to the summed cross-entropy
    """

    name = "logistic"
    title = "logistic regression"

    def __init__(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.slope, self.intercept = state["slope"], state["intercept"]
        self.present, self.classes, self.penalty = state["present"], state["classes"], state["penalty"]

    @classmethod
    def fit(cls, data: TrainingData, targets: Targets, seed: int) -> Self:
        """Follow the penalties from strong to weak while the log-loss of the validation rows falls."""
        known = np.isfinite(data.truth[:, 0])
        path = _Path(data.features[known], data.truth[known, 0].astype(np.int64), data.weight[known])
        classes = np.array([len(targets.classes)])
        can_choose = np.isfinite(data.validation_truth[:, 0]).any()
        best, best_loss = None, np.inf
        tried = (WIDE_PENALTIES if is_wide(data.features) else ()) + PENALTIES
        for penalty in tried if can_choose else (DEFAULT,):
            model = cls(path.solve(penalty) | {"present": path.present, "classes": classes})
            loss = model._loss(data.validation_features, data.validation_truth[:, 0])
            if best is None or loss < best_loss:
                best, best_loss = model, loss
            elif loss > 1.02 * best_loss:
                break  # weaker penalties only fit more noise, and take longest
        assert best is not None
        return best

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities: of the positive class (records, 1), or of each class (records, classes)."""
        probability = self._probability(features)
        return probability[:, 1:] if self.classes[0] == 2 else probability

    def _probability(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(records, classes), also for two."""
        raw = _raw(features, self.slope, self.intercept)[:, : len(self.present)]
        probability = np.zeros((len(features), self.classes[0]), dtype=np.float32)
        probability[:, self.present] = np.exp(log_softmax(raw, axis=1))
        return probability

    def _loss(self, features: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
        known = np.isfinite(truth)
        if not known.any():
            return 0.0
        chosen = self._probability(features[known])[np.arange(known.sum()), truth[known].astype(np.int64)]
        return float(-np.log(np.maximum(chosen, 1e-7)).mean())

    def describe(self) -> str:
        """The number of features used, and the penalty."""
        used = int((self.slope != 0).any(axis=1).sum())
        return f"logistic regression on {used:,} features, penalty {self.penalty[0]:.3g}"

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything learned."""
        names = ("slope", "intercept", "present", "classes", "penalty")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        return cls(state)


class _Path:
    """Solutions for weaker and weaker penalties, each found from the one before.

    features (records, features), labels (records,), weight (records,)
    """

    def __init__(
        self, features: NDArray[np.float32], labels: NDArray[np.int64], weight: NDArray[np.float32]
    ) -> None:
        self.mean, self.scale = features.mean(axis=0), features.std(axis=0)
        self.scale[self.scale <= 1e-6 * np.abs(self.mean)] = np.inf  # a constant feature takes no part
        self.features = (features - self.mean) / self.scale
        self.present, self.labels = np.unique(labels, return_inverse=True)
        self.total = float(weight.sum(dtype=np.float64))
        self.share = weight.astype(np.float64) / self.total
        columns = max(1, len(self.present) if len(self.present) != 2 else 1)
        self.solution = np.zeros((features.shape[1] + 1, columns))  # slopes, then the intercept

    def solve(self, penalty: float) -> dict[str, NDArray[Any]]:
        """Slopes and intercepts in the units of the features, for a penalty per unit of weight."""
        if len(self.present) > 1:
            with threadpool_limits(1, "blas"):  # the matrices are narrow: a second thread only waits
                found = minimize(
                    self._cost,
                    self.solution.ravel(),
                    args=(penalty,),
                    jac=True,
                    method="L-BFGS-B",
                    options={"maxiter": STEPS, "gtol": 1e-5, "ftol": 1e-9},
                )
            self.solution = found.x.reshape(self.solution.shape)
        slope = self.solution[:-1] / self.scale[:, None]
        return {
            "slope": slope.astype(np.float32),
            "intercept": self.solution[-1] - self.mean @ slope,
            "penalty": np.array([penalty * self.total]),
        }

    def _cost(self, flat: Floats, penalty: float) -> tuple[float, Floats]:
        """Weighted mean cross-entropy with its penalty, and the gradient."""
        solution = flat.reshape(self.solution.shape)
        slope, intercept = solution[:-1], solution[-1]
        log_probability = log_softmax(_raw(self.features, slope.astype(np.float32), intercept), axis=1)
        rows = np.arange(len(self.labels))
        cost = -self.share @ log_probability[rows, self.labels] + 0.5 * penalty * np.sum(slope**2)
        error = np.exp(log_probability)
        error[rows, self.labels] -= 1.0
        error *= self.share[:, None]
        error = error[:, -slope.shape[1] :]  # of two classes, the second
        gradient = self.features.T @ error.astype(np.float32) + penalty * slope
        return float(cost), np.vstack([gradient, error.sum(axis=0)]).ravel()


def _raw(features: NDArray[np.float32], slope: NDArray[np.float32], intercept: Floats) -> Floats:
    """Logits (records, classes); with one column of slopes, the first of two classes has logit 0."""
    raw = (features @ slope).astype(np.float64) + intercept
    return np.column_stack([np.zeros(len(raw)), raw]) if raw.shape[1] == 1 else raw
