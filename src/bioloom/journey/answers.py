"""Answers that are written token by token: from a column of texts to what a network learns from."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.answers import SAID, longest_of, tokens_of
from bioloom.errors import UserError
from bioloom.modalities import Encoded
from bioloom.modalities.encoded import NumberedEncoded
from bioloom.targets import Targets


def answers_of(labels: pd.DataFrame, task: str) -> tuple[Targets, NDArray[np.float32], Encoded]:
    """The tokens of all answers, the best that could be said of each record, and the answers as networks are told them.

    As with classes, which tokens there are is taken from all records: they are but numbered here.
    Raises UserError for several columns of answers.
    """
    if len(labels.columns) != 1:
        raise UserError(
            f"Only one column of answers can be written, and {len(labels.columns)} are named.",
            where="--target",
            fix="name one column, or train a model for each",
        )
    column = labels.iloc[:, 0]
    tokens = tokens_of(column)
    targets = Targets(task, (str(column.name),), tokens=tokens, longest=longest_of(column, tokens))
    truth = targets.truth(labels)
    grid = np.nan_to_num(truth[:, SAID:]).astype(np.int16)
    lengths = (grid > 0).sum(axis=1).astype(np.int32)
    return targets, truth, NumberedEncoded(grid, lengths, len(tokens))
