"""What is predicted: one row per task, carrying everything about itself.

A task says how a raw output is scored during training, how it becomes a prediction in the target's units, and
which metrics are reported; how labels become numbers is in `bioloom.targets`. Losses use tensor methods only,
so that this module (and everything that only looks at data) works without torch.

Conventions: raw outputs and truths are (records, outputs); a mask is True where a target is known;
a loss is the weighted mean over known targets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bioloom.errors import UserError, did_you_mean
from bioloom.targets import Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass(frozen=True)
class Task:
    """One kind of prediction.

    name:     what users type
    title:    how reports call it
    loss:     (raw, standardised truth, mask, weight) -> mean loss
    activate: (raw, targets) -> predictions in the target's units, (records, targets or classes)
    metrics:  what is reported, the first being the one that decides
    simple:   name of the simple model to compare with
    """

    name: str
    title: str
    loss: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
    activate: Callable[[NDArray[np.float32], Targets], NDArray[np.float32]]
    metrics: tuple[str, ...]
    simple: str

    @property
    def primary(self) -> str:
        """The metric that decides."""
        return self.metrics[0]


def _mean_where(values: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    weights = mask * weight[:, None]  # (records, targets)
    return (values * weights).sum() / weights.sum().clamp(min=1e-12)


def squared_error(raw: Tensor, truth: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    """Mean squared error over known targets."""
    return _mean_where((raw - truth.where(mask, raw.detach())).square(), mask, weight)


def binary_cross_entropy(raw: Tensor, truth: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy of a logit, -[y log p + (1 - y) log(1 - p)], in a form that cannot overflow."""
    softplus = raw.logaddexp(raw.new_zeros(()))  # log(1 + exp(raw)) = -log(1 - p)
    return _mean_where(softplus - raw * truth.where(mask, raw.new_zeros(())), mask, weight)


def cross_entropy(raw: Tensor, truth: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy of logits over classes, -log softmax(raw)[class]."""
    label = truth.where(mask, truth.new_zeros(())).long()  # (records, 1)
    return _mean_where(-raw.log_softmax(dim=1).gather(1, label), mask, weight)


def _in_units(raw: NDArray[np.float32], targets: Targets) -> NDArray[np.float32]:
    return np.asarray(raw * np.array(targets.scale) + np.array(targets.mean), dtype=np.float32)


def _probability(raw: NDArray[np.float32], _: Targets) -> NDArray[np.float32]:
    # the logistic function without overflow
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * raw)), dtype=np.float32)


def _softmax(raw: NDArray[np.float32], _: Targets) -> NDArray[np.float32]:
    shifted = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            name="regression",
            title="regression (predict a number)",
            loss=squared_error,
            activate=_in_units,
            metrics=("spearman", "r2", "pearson", "concordance", "rmse", "mae"),
            simple="ridge",
        ),
        Task(
            name="binary",
            title="binary classification (predict one of two classes)",
            loss=binary_cross_entropy,
            activate=_probability,
            metrics=(
                "roc_auc", "average_precision", "mcc", "balanced_accuracy", "accuracy", "error_rate",
                "sensitivity", "specificity", "precision", "f1", "log_loss", "brier",
            ),
            simple="logistic",
        ),
        Task(
            name="multiclass",
            title="classification (predict one of several classes)",
            loss=cross_entropy,
            activate=_softmax,
            metrics=("balanced_accuracy", "macro_f1", "accuracy", "error_rate", "mcc", "macro_roc_auc", "log_loss"),
            simple="logistic",
        ),
    )
}  # fmt: skip


def task(name: str) -> Task:
    """The task of that name."""
    if name not in TASKS:
        raise UserError(
            f'There is no task called "{name}".{did_you_mean(name, TASKS)}',
            fix=f"use one of: {', '.join(TASKS)}",
        )
    return TASKS[name]
