"""Answers that were written token by token, as columns of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bioloom.data.answers import SAID, texts_of
from bioloom.metrics.answers import whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.targets import Targets


def written_table(targets: Targets, value: NDArray[np.float32]) -> pd.DataFrame:
    """The answer of each record and the nats per token that it was written with, empty where there is none.

    value: (records, 3 + longest), see `bioloom.data.answers`
    """
    known = np.isfinite(value[:, 2])
    texts = np.array(texts_of(np.nan_to_num(value[:, SAID:]), targets.tokens), dtype=object)
    texts[~known] = None
    return pd.DataFrame({targets.names[0]: texts, "nats_per_token": value[:, 0]})


def written_columns(
    targets: Targets, value: NDArray[np.float32], truth: NDArray[np.float32] | None
) -> dict[str, Any]:
    """As written to predictions.csv: the true answer, the one that was written, whether they are the same, and the nats per
    token of the true one."""
    (name,) = targets.names
    written = np.nan_to_num(value[:, SAID:])
    predicted = {f"{name} predicted": texts_of(written, targets.tokens)}
    if truth is None:
        return predicted
    true = np.nan_to_num(truth[:, SAID:])
    right = ["yes" if each else "no" for each in whole(written, true)[0]]
    known = {name: texts_of(true, targets.tokens)}
    return known | predicted | {"right": right, "nats_per_token": value[:, 0]}
