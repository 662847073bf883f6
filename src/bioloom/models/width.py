"""More features than records: what simple models do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDE = 4_000
"""Features from which a table may be called wide; it is where it also has four times as many as records."""

KEPT = 1_000
"""Features of a wide table on which trees are boosted: with all of them a run would take many minutes."""


def is_wide(features: NDArray[np.float32]) -> bool:
    """Whether features, (records, features), are very many for so few records."""
    records, columns = features.shape
    return bool(columns > max(WIDE, 4 * records))


def most_telling(
    features: NDArray[np.float32], answer: NDArray[Any], columns: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The columns that go most with the answer, each by itself, in their order.

    features, answer: of the training records alone; of classes the one that a column tells best counts
    """
    asked = answer.astype(np.float64)
    classes = np.unique(asked)
    sides = (asked[:, None] == classes).astype(np.float64) if len(classes) <= 50 else asked[:, None]
    sides = sides - sides.mean(axis=0)
    sides /= np.maximum(np.sqrt((sides**2).sum(axis=0)), 1e-12)
    chosen = features[:, columns]
    centred = chosen - chosen.mean(axis=0)
    length = np.maximum(np.sqrt((centred**2).sum(axis=0)), 1e-12)
    likeness = np.abs(sides.T.astype(np.float32) @ centred).max(axis=0) / length
    return np.sort(columns[np.argsort(-likeness, kind="stable")[:KEPT]])
