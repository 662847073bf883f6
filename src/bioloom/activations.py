"""How raw outputs become predictions: one function for each kind of task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.targets import Targets


def in_units(raw: NDArray[np.float32], targets: Targets) -> NDArray[np.float32]:
    """Numbers in the units of the targets; what a head says of the spread comes after the predictions and is left out."""
    raw = raw[:, : len(targets.scale)]  # what a head says of the spread comes after the predictions
    scale, mean = (
        np.array(each).reshape(-1, *[1] * (raw.ndim - 2)) for each in (targets.scale, targets.mean)
    )
    return np.asarray(raw * scale + mean, dtype=np.float32)


def probability(raw: NDArray[np.float32], _: Targets) -> NDArray[np.float32]:
    """The probability of the positive class: the logistic function of a logit, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * raw)), dtype=np.float32)


def softmax(raw: NDArray[np.float32], _: Targets) -> NDArray[np.float32]:
    """The probability of each class, from logits."""
    shifted = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)


def as_it_is(raw: NDArray[np.float32], targets: Targets) -> NDArray[np.float32]:
    """What a network says, unchanged."""
    return raw[:, : len(targets.names)]
