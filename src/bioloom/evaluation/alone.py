"""How well one number or word per record predicts the target by itself.

The number is cut into bins (or each word is a bin), the mean of the target in each bin is learned from the
training and validation records and scored on the test records, so that a column of many different words
gains nothing by chance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.evaluation.facts import Facts

BINS = 50
"""Most bins of a column of numbers: a copy of the target keeps a rank correlation above 0.999."""

PER_BIN = 5
"""Records learned from for each bin, so that bins of few records do not only hold noise."""


def strength(column: pd.Series[Any], facts: Facts) -> float:
    """How far a column alone gets from guessing (0) to perfect (1), in the metric that decides; NaN if undefined."""
    some = facts.narrowed()
    truth = some.truth[some.test]
    value = predict_alone(column, some)[some.test]
    score = facts.metric(truth, value)
    possible = facts.metric.gain(facts.metric.best, facts.guessing)
    return facts.metric.gain(score, facts.guessing) / possible if possible > 0 else float("nan")


def predict_alone(column: pd.Series[Any], facts: Facts) -> NDArray[np.float32]:
    """The mean target of each bin of the column, learned outside the test, (records, targets or classes)."""
    learn = ~facts.test
    codes = _bins(column.reset_index(drop=True), learn)
    truth = facts.truth.astype(np.float64)
    if facts.targets.classes:
        classes = np.arange(len(facts.targets.classes))
        truth = np.where(np.isfinite(truth), (truth == classes).astype(np.float64), np.nan)
    means = np.column_stack([_bin_means(codes, truth[:, i], learn) for i in range(truth.shape[1])])
    means = means[:, 1:] if facts.task.name == "binary" else means
    return means.astype(np.float32)


def _bins(column: pd.Series[Any], learn: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The bin of each record; missing cells are a bin of their own."""
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    known = column.notna().to_numpy()
    if np.isfinite(numbers[known]).all() and len(np.unique(numbers[known])) > BINS:
        among = numbers[learn & known]
        bins = min(BINS, max(2, len(among) // PER_BIN))
        edges = np.unique(np.quantile(among, np.arange(1, bins) / bins)) if len(among) else np.empty(0)
        return np.where(known, np.searchsorted(edges, numbers, side="right"), len(edges) + 1)
    codes = pd.factorize(column.astype("string"))[0].astype(np.int64)
    return np.where(codes < 0, codes.max(initial=-1) + 1, codes)


def _bin_means(codes: NDArray[np.int64], truth: NDArray[Any], learn: NDArray[np.bool_]) -> NDArray[Any]:
    """The mean of each record's bin, with one pseudo-record of the overall mean mixed in."""
    known = learn & np.isfinite(truth)
    size = int(codes.max(initial=0)) + 1
    overall = truth[known].mean() if known.any() else 0.0
    sums = np.bincount(codes[known], weights=truth[known], minlength=size)
    counts = np.bincount(codes[known], minlength=size)
    means: NDArray[Any] = ((sums + overall) / (counts + 1))[codes]
    return means
