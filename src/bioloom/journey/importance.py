"""How much a model needs each column of a table: what its predictions lose when the column is shuffled between records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from bioloom.data.columns import as_numbers, kind_of
from bioloom.data.records import take_rows
from bioloom.evaluation.intervals import Drawn, Score, resampled_interval
from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.scores import resample
from bioloom.explanation.dependence import CELLS
from bioloom.metrics import METRICS
from bioloom.tasks import task
from bioloom.trained import Model

LONGEST_NAME = 28
"""Letters of the names of columns that figures have room for."""

GOES_ALONG = 0.8
"""Rank correlation from which columns are shuffled together too."""


@dataclass(frozen=True)
class Effort:
    """How much is asked.

    rows:     test records at most
    columns:  columns at most; of more, those that attributions found strongest
    repeats:  shuffles of each column
    followed: columns whose partial dependence is shown; 0 for none
    draws:    for intervals, fewer than for the score, because there is one for each column
    widest:   tables of more columns are left out: attributions tell of all columns at once
    """

    rows: int
    columns: int
    repeats: int
    followed: int
    draws: int = 400
    widest: int = 300


EFFORTS = {
    "fast": Effort(rows=400, columns=12, repeats=2, followed=0, draws=200),
    "normal": Effort(rows=2000, columns=30, repeats=5, followed=3),
    "thorough": Effort(rows=5000, columns=60, repeats=10, followed=3),
}
"""What a run asks by itself, by budget."""

ASKED = replace(EFFORTS["normal"], followed=4, widest=1_000_000)
"""What is asked where a user asks for it by name."""


@dataclass(frozen=True)
class Unseen:
    """Records that the model did not learn from.

    frames: by input, (records, columns); truth: (records, targets), unknown ones NaN
    groups: what is drawn together for intervals; None where records are independent
    part:   "test", or "validation" where there is no test
    """

    frames: Mapping[str, pd.DataFrame]
    truth: NDArray[np.float32]
    groups: NDArray[Any] | None
    seed: int
    part: str = "test"

    def some(self, most: int) -> Unseen:
        """So many of them at most, drawn at random but the same each time."""
        if len(self.truth) <= most:
            return self
        rows = np.sort(np.random.default_rng(self.seed).permutation(len(self.truth))[:most])
        frames = {name: take_rows(frame, rows) for name, frame in self.frames.items()}
        return replace(
            self,
            frames=frames,
            truth=self.truth[rows],
            groups=None if self.groups is None else self.groups[rows],
        )


@dataclass(frozen=True)
class Importance:
    """How much worse the model predicts when some columns are shuffled between records.

    columns: shuffled together
    score:   by how much the metric gets worse, with its interval; below 0 where it gets better by chance
    chance:  standard error of its value by the draw of shuffles
    """

    columns: tuple[str, ...]
    score: Score
    chance: float

    @property
    def name(self) -> str:
        """How figures call it."""
        whole = " + ".join(self.columns)
        return whole if len(whole) <= LONGEST_NAME else f"{self.columns[0]} + {len(self.columns) - 1} more"


@dataclass(frozen=True)
class Asked:
    """One table of a model, and what is asked about it."""

    model: Model
    unseen: Unseen
    input: str
    columns: tuple[str, ...]
    effort: Effort

    @property
    def frame(self) -> pd.DataFrame:
        """The table."""
        return self.unseen.frames[self.input]

    def values(self, frame: pd.DataFrame) -> NDArray[np.float32]:
        """Predictions for rows of the table; other inputs are those of the records, over and over."""
        times = len(frame) // len(self.frame)
        frames = {
            name: frame if name == self.input else pd.concat([other] * times, ignore_index=True)
            for name, other in self.unseen.frames.items()
        }
        return self.model.values(frames)


def importances(asked: Asked) -> list[Importance]:
    """Shuffle each column between records, and columns that go along with each other together; the worst loss first.

    importance = metric with all columns in place - mean over shuffles of the metric with the column shuffled (with the sign
    turned where lower is better), on records that the model did not learn from, with the metric that decides. A category is
    one column, however it is encoded. The interval is that of bootstrap draws of records, or groups of them, the same for
    both sides of the difference.

    Cost: shuffles x columns predictions of every record. It tells what this model needs, not what the target depends on:
    of two columns that say the same, each may look needless, so they are shuffled together as well (rank correlation from
    0.8). Do not use it for a model that predicts no better than guessing.
    Source: Breiman 2001, Machine Learning 45:5; Fisher, Rudin & Dominici 2019, JMLR 20:177.
    """
    own = task(asked.model.targets.task)
    metric = METRICS[own.primary]
    sets = [*((name,) for name in asked.columns), *_going_along(asked.frame, asked.columns)]
    values = {"": asked.values(asked.frame)} | _all_shuffled(asked, sets)
    unseen = asked.unseen
    plan = Resampling(len(unseen.truth), unseen.groups, asked.effort.draws, unseen.seed)
    drawn = resample(replace(own, metrics=(own.primary,)), unseen.truth, values, plan).drawn
    sign = 1 if metric.higher_is_better else -1
    found = [_importance(columns, asked, drawn, sign) for columns in sets]
    return sorted(found, key=lambda each: -(-np.inf if each.score.value is None else each.score.value))


def _key(columns: tuple[str, ...], number: int) -> str:
    return "\x1f".join((*columns, str(number)))


def _importance(
    columns: tuple[str, ...], asked: Asked, drawn: Mapping[tuple[str, str], Drawn], sign: int
) -> Importance:
    metric, count = task(asked.model.targets.task).primary, len(asked.unseen.truth)
    plain = drawn.get(("", metric))
    each = [drawn.get((_key(columns, number), metric)) for number in range(asked.effort.repeats)]
    known = [one for one in each if one is not None]
    if plain is None or len(known) < len(each):
        reason = f"{METRICS[metric].title} is not defined"
        return Importance(columns, Score(None, None, None, count, "none", reason), float("nan"))
    mean = replace(
        plain,
        value=float(np.mean([one.value for one in known])),
        draws=np.mean([one.draws for one in known], axis=0),
        left_out=np.mean([one.left_out for one in known], axis=0),
    )
    lost = plain.minus(mean)
    lost = replace(lost, value=sign * lost.value, draws=sign * lost.draws, left_out=sign * lost.left_out)
    interval = resampled_interval(lost)
    score = Score(lost.value, interval.low, interval.high, count, interval.method, interval.reason)
    chance = (
        float(np.std([one.value for one in known], ddof=1) / len(known) ** 0.5)
        if len(known) > 1
        else float("nan")
    )
    return Importance(columns, score, chance)


def _all_shuffled(asked: Asked, sets: Sequence[tuple[str, ...]]) -> dict[str, NDArray[np.float32]]:
    """Predictions with each set of columns shuffled, by `_key`; many tables are asked about at once, which costs less."""
    wanted = [(columns, number) for columns in sets for number in range(asked.effort.repeats)]
    count, found = len(asked.frame), {}
    together = max(1, CELLS // max(asked.frame.size, 1))
    for start in range(0, len(wanted), together):
        some = wanted[start : start + together]
        said = asked.values(pd.concat([_shuffled(asked, *each) for each in some], ignore_index=True))
        for place, each in enumerate(some):
            found[_key(*each)] = said[place * count : (place + 1) * count]
    return found


def _shuffled(asked: Asked, columns: tuple[str, ...], number: int) -> pd.DataFrame:
    """The table with these columns moved together between its rows."""
    order = np.random.default_rng([asked.unseen.seed, number]).permutation(len(asked.frame))
    frame = asked.frame.reset_index(drop=True)
    for name in columns:
        frame[name] = asked.frame[name].iloc[order].reset_index(drop=True)
    return frame


def _going_along(frame: pd.DataFrame, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Groups of columns of numbers in which each goes along with each other one (complete linkage)."""
    numeric = [name for name in columns if kind_of(frame[name]) == "number"]
    if len(numeric) < 2:
        return []
    ranks = pd.DataFrame({name: as_numbers(frame[name])[0] for name in numeric}).rank()
    apart = 1 - ranks.corr().abs().fillna(0).to_numpy()
    pairs = np.array([apart[i, j] for i, j in combinations(range(len(numeric)), 2)]).clip(0, 1)
    group = fcluster(linkage(pairs, "complete"), 1 - GOES_ALONG, "distance")
    found = [tuple(np.array(numeric, dtype=object)[group == number]) for number in np.unique(group)]
    return [each for each in found if len(each) > 1]
