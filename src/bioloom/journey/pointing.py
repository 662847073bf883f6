"""How well an explanation points at what the model uses: measured beside every picture, on a few of its records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bioloom.data.records import take_rows
from bioloom.explanation import Explanation, Target
from bioloom.explanation.masking import Ground, by_part
from bioloom.explanation.quality import better, insertion_and_deletion, random_map
from bioloom.trained import Asked, Model
from bioloom.trained.explaining import posed
from bioloom.training.device import session

RECORDS = 8
"""Records on which an explanation is measured, spread over those that are explained."""

REFERENCES = 2
"""Backgrounds of each of them."""


@dataclass(frozen=True)
class Pointing:
    """How well an explanation points, on so many records.

    insertion, deletion: the answer while parts are put back into nothing, and taken away, the strongest first: areas under
        the curves, on a scale on which nothing is 0 and whole records are 1 on average
    ahead: how much insertion less deletion is above that of a map drawn at random: mean, and 95 % interval over records
    """

    records: int
    insertion: float
    deletion: float
    ahead: tuple[float, float, float]

    @property
    def document(self) -> dict[str, float | int | None]:
        """As JSON; None where a number is not defined."""
        mean, low, high = self.ahead
        plain = {
            "insertion": self.insertion,
            "deletion": self.deletion,
            "ahead_of_random": mean,
            "ahead_low": low,
            "ahead_high": high,
        }
        return {
            "records": self.records,
            **{name: value if np.isfinite(value) else None for name, value in plain.items()},
        }


def pointing(
    model: Model,
    frames: Mapping[str, pd.DataFrame],
    asked: Asked,
    found: Sequence[tuple[int | Target, Explanation]],
) -> list[Pointing]:
    """Measure explanations of the same records, each with the number that it explains."""
    count = len(found[0][1].attribution)
    rows = np.unique(np.linspace(0, count - 1, min(RECORDS, count)).round().astype(np.int64))
    few = {name: take_rows(frame, rows) for name, frame in frames.items()}
    with session(model.threads):
        question = posed(model, few, replace(asked, references=REFERENCES), background=True)
        assert question.background is not None
        measured = []
        for output, explanation in found:
            ground = Ground(replace(question, output=output), question.background)
            own = by_part(explanation.attribution[rows], ground.x.cpu().numpy(), ground.letters)
            inserted, deleted = insertion_and_deletion(ground, own, seed=asked.seed)
            chance = insertion_and_deletion(ground, random_map(ground.filled, asked.seed), seed=asked.seed)
            ahead = better(inserted - deleted, chance[0] - chance[1], seed=asked.seed)
            measured.append(Pointing(len(inserted), _mean(inserted), _mean(deleted), ahead))
    return measured


def _mean(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    return float(values.mean()) if len(values) else float("nan")
