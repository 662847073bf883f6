"""How well each feature of a record is restored, beside the simple model, with intervals from the same draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.evaluation.intervals import rounded
from bioloom.evaluation.resampling import Resampling

Floats = NDArray[np.float64]

DRAWS = 400
"""Draws for the intervals of single features; fewer than for the score, because there may be thousands of features."""

SHOWN = 8
"""Features that a report names at each end."""


@dataclass(frozen=True)
class FeatureScores:
    """For each feature, in the order of the input.

    explained: by model, (features,) share of the differences between test records that is restored; NaN where a feature
               does not differ between them
    low, high: (features,) 95 % interval of the network's
    error:     (features,) root of the mean squared error of the network, in units of the training spread
    """

    names: tuple[str, ...]
    explained: Mapping[str, Floats]
    low: Floats
    high: Floats
    error: Floats

    def frame(self) -> pd.DataFrame:
        """As written to features.csv."""
        titles = {"model": "network", "simple": "principal components"}
        columns: dict[str, Any] = {"feature": list(self.names), "explained": self.explained["model"]}
        columns |= {"low": self.low, "high": self.high, "error": self.error}
        columns |= {titles.get(role, role): each for role, each in self.explained.items() if role != "model"}
        return pd.DataFrame(columns)

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json: how many there are, and those that are restored best and worst."""
        known = np.flatnonzero(np.isfinite(self.explained["model"]))
        order = known[np.argsort(-self.explained["model"][known], kind="stable")]
        shown = order if len(order) <= 2 * SHOWN else np.concatenate([order[:SHOWN], order[-SHOWN:]])
        return {
            "file": "features.csv",
            "count": len(self.names),
            "constant": len(self.names) - len(known),
            "shown": [self._row(int(place)) for place in shown],
            "left_out": len(order) - len(shown),
        }

    def _row(self, place: int) -> dict[str, Any]:
        simple = self.explained.get("simple")
        values = {
            "explained": self.explained["model"][place],
            "low": self.low[place],
            "high": self.high[place],
            "simple": np.nan if simple is None else simple[place],
        }
        told = {name: rounded(float(value)) if np.isfinite(value) else None for name, value in values.items()}
        return {"feature": self.names[place], **told}


def feature_scores(
    truth: NDArray[np.float32],
    values: Mapping[str, NDArray[np.float32]],
    names: tuple[str, ...],
    plan: Resampling,
) -> FeatureScores:
    """Each feature by itself. truth, values: (test records, features); unknown truths are NaN."""
    known = np.isfinite(truth)
    centre = np.where(known, truth, 0.0).sum(axis=0, dtype=np.float64) / np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, truth - centre, 0.0)  # (records, features)
    once = np.ones((len(truth), 1))
    explained = {
        role: _explained(centred, _squares(truth, value, known), known, once)[:, 0]
        for role, value in values.items()
    }
    errors = _squares(truth, values["model"], known)
    fewer = Resampling(plan.records, plan.groups, min(plan.draws, DRAWS), plan.seed)
    drawn = np.concatenate(
        [_explained(centred, errors, known, weights) for weights in fewer.bootstrap()], axis=1
    )
    with np.errstate(all="ignore"):
        low, high = _quantiles(drawn)
    return FeatureScores(
        names, explained, low, high, np.sqrt(errors.sum(axis=0) / np.maximum(known.sum(axis=0), 1))
    )


def _squares(truth: NDArray[np.float32], value: NDArray[np.float32], known: NDArray[np.bool_]) -> Floats:
    return np.where(known, truth.astype(np.float64) - value, 0.0) ** 2


def _explained(centred: Floats, errors: Floats, known: NDArray[np.bool_], weights: Floats) -> Floats:
    """1 - squared errors / squared distances from the mean, (features, draws); NaN where nothing differs."""
    counts = known.astype(np.float64).T @ weights
    around = (centred**2).T @ weights - (centred.T @ weights) ** 2 / np.maximum(counts, 1)
    left = np.full(around.shape, np.nan)
    np.divide(errors.T @ weights, around, out=left, where=around > 1e-9 * np.maximum(counts, 1))
    return 1.0 - left


def _quantiles(drawn: Floats) -> tuple[Floats, Floats]:
    """Ends of 95 % intervals, (features,), NaN where a feature is not defined in most draws."""
    defined = np.isfinite(drawn).mean(axis=1) > 0.9
    ends = np.full((2, len(drawn)), np.nan)
    if defined.any():
        ends[:, defined] = np.nanquantile(drawn[defined], (0.025, 0.975), axis=1)
    return ends[0], ends[1]
