"""What a model says about records, beside what is true where that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.evaluation.placed import cells, letters
from bioloom.evaluation.told import written_columns
from bioloom.targets import Targets


@dataclass(frozen=True)
class Predictions:
    """One row per record, in the order of the records.

    ids:    (records,)
    value:  (records, targets or classes) in the target's units, or probabilities
    truth:  (records, targets), unknown ones NaN; None where no label was given
    spread: (records, targets or classes) how far repeated trainings differ; None for a single training
    lengths: (records,) positions of each record, where every position has a target; values are then (records, targets or
            classes, positions)
    """

    targets: Targets
    ids: NDArray[np.object_]
    value: NDArray[np.float32]
    truth: NDArray[np.float32] | None = None
    spread: NDArray[np.float32] | None = None
    lengths: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def called(self, threshold: float = 0.5) -> NDArray[np.int64]:
        """The number of the class each record is called, (records,)."""
        return self.targets.called(self.value, threshold)

    def frame(self) -> pd.DataFrame:
        """As written to predictions.csv: id, truth where known, prediction, probabilities, spread."""
        columns: dict[str, Any] = {"id": self.ids}
        if self.lengths is not None:
            return pd.DataFrame(columns | self._at_positions(self.lengths))
        if self.value.ndim == 4:
            return pd.DataFrame(columns | self._at_pixels())
        if self.targets.classes:
            columns |= self._class_columns()
        elif self.targets.tokens:
            columns |= written_columns(self.targets, self.value, self.truth)
        else:
            for i, name in enumerate(self.targets.names):
                if self.truth is not None:
                    columns[name] = self.truth[:, i]
                columns[f"{name} predicted"] = self.value[:, i]
        if self.spread is not None:
            for i, name in enumerate(self.targets.column_names()):
                columns[f"{name} spread"] = self.spread[:, i]
        return pd.DataFrame(columns)

    def _at_positions(self, lengths: NDArray[np.int64]) -> dict[str, Any]:
        """One cell for each record, which holds what is said of each of its positions, and how much of it is right."""
        (name,) = self.targets.names
        columns: dict[str, Any] = {}
        if self.truth is not None and self.targets.classes:
            columns[name] = letters(self.targets, self.truth[:, 0], lengths)
        elif self.truth is not None:
            columns[name] = cells(self.targets, self.truth, lengths)
        columns[f"{name} predicted"] = cells(self.targets, self.value, lengths)
        if self.truth is not None and self.targets.classes:
            known = np.isfinite(self.truth[:, 0])
            right = (self.value.argmax(axis=1) == self.truth[:, 0]) & known
            columns["correct"] = right.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        return columns

    def _at_pixels(self) -> dict[str, Any]:
        """How much of each picture is right, and the Dice of each class but the first; the masks themselves are files."""
        if self.truth is None:
            return {}
        called, truth = self.value.argmax(axis=1), self.truth[:, 0]
        known = np.isfinite(truth)
        columns: dict[str, Any] = {
            "correct": ((called == truth) & known).sum(axis=(1, 2)) / np.maximum(known.sum(axis=(1, 2)), 1)
        }
        for number, name in enumerate(self.targets.classes[1:], start=1):
            here, there = (called == number) & known, truth == number
            both, either = (here & there).sum(axis=(1, 2)), here.sum(axis=(1, 2)) + there.sum(axis=(1, 2))
            dice = np.full(len(both), np.nan)
            np.divide(2 * both, either, out=dice, where=either > 0)
            columns[f"Dice of {name}"] = dice
        return columns

    def _class_columns(self) -> dict[str, Any]:
        names = np.array([*self.targets.classes, None], dtype=object)
        (target,) = self.targets.names
        columns: dict[str, Any] = {}
        if self.truth is not None:
            known = np.isfinite(self.truth[:, 0])
            columns[target] = names[np.where(known, self.truth[:, 0], -1).astype(np.int64)]
        columns[f"{target} predicted"] = names[self.called()]
        return columns | {name: self.value[:, i] for i, name in enumerate(self.targets.column_names())}
