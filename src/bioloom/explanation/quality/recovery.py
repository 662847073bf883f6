"""Whether maps find a signal that was planted at a known place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import average_precision_score

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Recovery:
    """How well maps find what was planted.

    auprc:   mean over records of the area under the curve of precision and recall of the sizes of a map
    chance:  what maps drawn at random reach: the mean share of planted parts
    records: how many there are with something planted, and something else
    """

    auprc: float
    chance: float
    records: int


def recovery(
    values: NDArray[np.floating], planted: NDArray[np.bool_], filled: NDArray[np.bool_] | None = None
) -> Recovery:
    """Compare the sizes of maps with where a signal was planted, record by record.

    values, planted, filled: (records, parts); parts that are not filled do not count
    NaN where no record has something planted and something else.
    """
    filled = np.ones(planted.shape, dtype=bool) if filled is None else filled
    scores, shares = [], []
    for value, there, part in zip(np.abs(values), planted, filled, strict=True):
        if there[part].any() and not there[part].all():
            scores.append(float(average_precision_score(there[part], value[part])))
            shares.append(float(there[part].mean()))
    if not scores:
        return Recovery(float("nan"), float("nan"), 0)
    return Recovery(float(np.mean(scores)), float(np.mean(shares)), len(scores))
