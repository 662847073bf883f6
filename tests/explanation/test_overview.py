"""What an explanation says in words: no more than its numbers do."""

from __future__ import annotations

import numpy as np

from bioloom.explanation.overview import Explained, columns


def told(*sizes: float) -> str:
    attribution = np.tile(np.array(sizes, dtype=np.float32), (6, 1))
    names = tuple("abcde"[: len(sizes)])
    explained = Explained(
        x=np.ones_like(attribution), mask=None, attribution=attribution, names=names, effect="Change of y"
    )
    return columns(explained).text


def test_columns_that_move_nothing_are_not_named():
    assert told(5, -3, 0.1, 0) == "The columns that move the prediction most are a, b."
    assert told(0.01, 0, -5) == "The column that moves the prediction most by far is c."
    assert told(0, 0) == "No column moves the prediction."


def test_at_most_three_columns_are_named():
    assert told(1, 2, 3, 4, 5) == "The columns that move the prediction most are e, d, c."
