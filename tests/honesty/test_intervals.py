"""A 95 % interval holds the true value in 93 to 97 % of repeated studies; also where records come in groups.

The true values are closed forms of the bivariate normal distribution, or come from a million records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from bioloom.evaluation.comparison import compare
from bioloom.evaluation.intervals import Score, delong, wilson
from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.scores import resample
from bioloom.metrics import METRICS
from bioloom.tasks import TASKS

Study = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""truth, predictions of the model, predictions of a baseline; each (records, 1)"""

LOW, HIGH = 0.93, 0.97

RHO, POORER = 0.7, 0.4

TRUE = {
    "pearson": RHO,
    "spearman": 6 / np.pi * np.arcsin(RHO / 2),
    "r2": 2 * RHO - 1,
    "rmse": np.sqrt(2 - 2 * RHO),
    "mae": np.sqrt((2 - 2 * RHO) * 2 / np.pi),
    "difference": 6 / np.pi * (np.arcsin(RHO / 2) - np.arcsin(POORER / 2)),
}


def numbers(random: np.random.Generator, n: int, groups: int) -> Study:
    """Truth and predictions of unit variance that correlate by RHO; half of the variance is shared in a group."""

    def noise() -> NDArray[np.float64]:
        shared = np.repeat(random.normal(size=groups), n // groups)
        share = 0.5 if groups < n else 0.0
        return np.sqrt(share) * shared + np.sqrt(1 - share) * random.normal(size=n)

    truth = noise()
    predictions = [rho * truth + np.sqrt(1 - rho**2) * noise() for rho in (RHO, POORER)]
    return truth[:, None], predictions[0][:, None], predictions[1][:, None]


def two_classes(random: np.random.Generator, n: int, groups: int) -> Study:
    """A score that is shifted by 1.5 standard deviations for the positives, which are 40 %."""
    truth = (random.random(n) < 0.4).astype(float)

    def probability(shift: float) -> NDArray[np.float64]:
        return 1 / (1 + np.exp(-(1.3 * (shift * truth + random.normal(size=n)) - 1)))

    return truth[:, None], probability(1.5)[:, None], probability(0.8)[:, None]


def coverage(
    study: Callable[[np.random.Generator, int, int], Study],
    sizes: tuple[int, int],
    true: dict[str, float],
    repetitions: int,
    by_row: bool = False,
) -> dict[str, float]:
    """How often the interval of each metric, and of the difference, holds the true value."""
    n, groups = sizes
    base = TASKS["regression" if study is numbers else "binary"]
    task = replace(base, metrics=tuple(name for name in true if name in METRICS))
    labels = None if by_row or groups == n else np.repeat(np.arange(groups), n // groups)
    random, held = np.random.default_rng(0), Counter[str]()
    for repetition in range(repetitions):
        truth, model, baseline = (part.astype(np.float32) for part in study(random, n, groups))
        plan = Resampling(n, labels, 60 if n < 200 else 400, repetition)  # the jackknife needs no draws
        drawn = resample(task, truth, {"model": model, "simple": baseline}, plan)
        for name, score in drawn.scores("model").items():
            held[name] += holds(score, true[name])
        (difference,) = compare(drawn)
        held["difference"] += holds(difference, true.get("difference", np.nan))
    return {name: held[name] / repetitions for name in true}


def holds(found: Score | object, true: float) -> bool:
    low, high = found.low, found.high  # type: ignore[attr-defined]
    return low is not None and low <= true <= high


@pytest.mark.parametrize(
    ("n", "groups", "names"),
    [(40, 40, list(TRUE)), (120, 30, list(TRUE)), (220, 220, ["spearman", "mae", "difference"])],
    ids=["few records", "groups", "many records"],
)
def test_intervals_of_numbers_hold_the_true_value(n: int, groups: int, names: list[str]) -> None:
    found = coverage(numbers, (n, groups), {name: TRUE[name] for name in names}, 1600 if n < 200 else 800)
    assert all(LOW <= share <= HIGH for share in found.values()), found


def test_drawing_rows_where_there_are_groups_is_far_too_sure() -> None:
    found = coverage(numbers, (200, 10), {"spearman": TRUE["spearman"], "mae": TRUE["mae"]}, 150, by_row=True)
    assert max(found.values()) < 0.85


def test_intervals_of_classes_hold_the_true_value() -> None:
    truth, model, _ = two_classes(np.random.default_rng(99), 1_000_000, 0)
    names = ("roc_auc", "average_precision", "mcc", "balanced_accuracy", "f1", "log_loss", "brier")
    true = {name: METRICS[name](truth, model) for name in names}
    found = coverage(two_classes, (90, 90), true, 600)
    assert all(LOW <= share <= HIGH for share in found.values()), found


def test_wilson_holds_the_true_share() -> None:
    """Worked out exactly, for all counts; averaged over shares, as single ones swing with the counts."""
    shares, trials = np.linspace(0.05, 0.95, 181), 60
    ends = [wilson(k, trials) for k in range(trials + 1)]
    inside = np.array([[end.low <= share <= end.high for end in ends] for share in shares])
    chances = stats.binom.pmf(np.arange(trials + 1), trials, shares[:, None])
    assert LOW <= float((inside * chances).sum(axis=1).mean()) <= HIGH


def test_delong_holds_the_true_area() -> None:
    random, positive = np.random.default_rng(1), np.arange(100) < 30
    true = stats.norm.cdf(1.2 / np.sqrt(2))
    intervals = [delong(positive, 1.2 * positive + random.normal(size=100)) for _ in range(2000)]
    assert LOW <= np.mean([end.low <= true <= end.high for end in intervals]) <= HIGH


def test_an_area_near_one_is_held_too() -> None:
    random, positive = np.random.default_rng(2), np.arange(40) < 15
    true = stats.norm.cdf(4 / np.sqrt(2))
    intervals = [delong(positive, 4 * positive + random.normal(size=40)) for _ in range(1000)]
    assert np.mean([end.low <= true <= end.high for end in intervals]) >= LOW
