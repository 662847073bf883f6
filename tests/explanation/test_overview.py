"""What an explanation says in words: no more than its numbers do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bioloom.explanation.overview import Explained, columns, sequences


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


def test_positions_that_never_vary_are_left_out_and_counted():
    letters = np.random.default_rng(0).integers(0, 4, size=(12, 30))
    letters[:, :20] = 1
    x = (np.arange(4)[:, None] == letters[:, None]).astype(np.float32)
    attribution = np.ones_like(x)
    attribution[:, :, 5:11] = 50  # where every record has the same letter
    explained = Explained(x=x, mask=None, attribution=attribution, names=tuple("ACGT"), effect="Change of y")
    text = sequences(replace(explained, still=tuple(range(20)))).text
    assert "20 positions are the same in all training records and left out" in text
    assert "6–11" not in text
    assert "6–11" in sequences(explained).text  # these few records may agree where those of training did not
