"""How well an explanation points at what the model uses: measured beside every picture, on a few of its records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd

from bioloom.data.records import take_rows
from bioloom.errors import UserError
from bioloom.explanation import Explanation, Target
from bioloom.explanation.quality.compare import MEMBERS
from bioloom.explanation.quality.masking import Ground, by_part
from bioloom.explanation.quality.measures import agreement, better, insertion_and_deletion, random_map
from bioloom.models.ensemble import members_of
from bioloom.trained import Asked, Model
from bioloom.trained.explaining import explain_each, posed
from bioloom.training.device import session

RECORDS = 8
"""Records on which an explanation is measured, spread over those that are explained."""

REFERENCES = 2
"""Backgrounds of each of them."""

OF_MEMBERS = 4
"""Records that each network of a mean explains by itself."""


@dataclass(frozen=True)
class Pointing:
    """How well an explanation points, on so many records.

    insertion, deletion: the answer while parts are put back into nothing, and taken away, the strongest first: areas under
        the curves, on a scale on which nothing is 0 and whole records are 1 on average
    members: how alike the maps of the networks of a mean are (Spearman's correlation), each explained by itself; NaN where
        there is one network
    ahead: how much insertion less deletion is above that of a map drawn at random: mean, and 95 % interval over records
    """

    records: int
    insertion: float
    deletion: float
    ahead: tuple[float, float, float]
    members: float = float("nan")

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
            "like_other_members": self.members,
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
    alike = _between_members(model, few, asked, [output for output, _ in found])
    with session(model.threads):
        question = posed(model, few, replace(asked, references=REFERENCES), background=True)
        assert question.background is not None
        measured = []
        for (output, explanation), members in zip(found, alike, strict=True):
            ground = Ground(replace(question, output=output), question.background)
            own = by_part(explanation.attribution[rows], ground.x.cpu().numpy(), ground.letters)
            inserted, deleted = insertion_and_deletion(ground, own, seed=asked.seed)
            chance = insertion_and_deletion(ground, random_map(ground.filled, asked.seed), seed=asked.seed)
            ahead = better(inserted - deleted, chance[0] - chance[1], seed=asked.seed)
            measured.append(Pointing(len(inserted), _mean(inserted), _mean(deleted), ahead, members))
    return measured


def _between_members(
    model: Model, frames: Mapping[str, pd.DataFrame], asked: Asked, outputs: Sequence[int | Target]
) -> list[float]:
    """How alike the maps of the networks of a mean are, for each output: each explains a few records by itself.

    Networks that learned the same from other random beginnings may name other parts (Reynolds & Pan 2025: half of the size
    of an attribution, in the median), and no measure of a single map shows that.
    """
    networks = members_of(model.network)[:MEMBERS]
    unknown = [float("nan")] * len(outputs)
    if len(networks) < 2:
        return unknown
    few = {name: take_rows(frame, np.arange(min(OF_MEMBERS, len(frame)))) for name, frame in frames.items()}
    try:
        each = [explain_each(replace(model, network=network), few, asked, outputs) for network in networks]
    except UserError:  # such as one whose training records of another class are not known well enough
        return unknown
    question = posed(model, few, asked, background=False)
    ground = Ground(question, question.batch[asked.input].x[:, None])
    x = ground.x.cpu().numpy()
    maps = [[by_part(of.attribution, x, ground.letters) for of in found] for found in each]
    return [
        float(np.mean([agreement(one, other, ground.filled) for one, other in combinations(of_output, 2)]))
        for of_output in zip(*maps, strict=True)
    ]


def _mean(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    return float(values.mean()) if len(values) else float("nan")
