"""Simulated studies of which the truth is known: numbers, two and three classes, single records or groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bioloom.metrics import METRICS

Floats = NDArray[np.float64]

RHO, POORER = 0.7, 0.4
"""Correlation of truth and prediction for the model and for the baseline; all have unit variance."""

SHARED = 0.5
"""Share of the variance that records of a group have in common."""

MANY = 2_000_000
"""Records from which true values are worked out where there is no closed form."""


@dataclass(frozen=True)
class Size:
    """How many records a study has, and in how many groups they come; as many groups as records means none."""

    records: int
    groups: int

    @property
    def labels(self) -> NDArray[np.int64] | None:
        """The group of each record; None where records are independent."""
        if self.groups == self.records:
            return None
        return np.repeat(np.arange(self.groups), self.records // self.groups)

    def text(self) -> str:
        """As a table writes it."""
        return f"{self.records} records" + (f" in {self.groups} groups" if self.groups < self.records else "")


@dataclass(frozen=True)
class Study:
    """A kind of data: its task, and how truth and the predictions of two models are drawn, (records, 1 or classes)."""

    task: str
    draw: Callable[[np.random.Generator, Size], tuple[Floats, Floats, Floats]]
    metrics: tuple[str, ...]


def noise(random: np.random.Generator, size: Size) -> Floats:
    """Standard normal numbers, half of whose variance is shared within a group, (records,)."""
    own = random.normal(size=size.records)
    if size.labels is None:
        return own
    return np.asarray(
        np.sqrt(SHARED) * random.normal(size=size.groups)[size.labels] + np.sqrt(1 - SHARED) * own
    )


def numbers(random: np.random.Generator, size: Size) -> tuple[Floats, Floats, Floats]:
    """Truth and predictions that are bivariate normal."""
    truth = noise(random, size)
    model, poorer = (rho * truth + np.sqrt(1 - rho**2) * noise(random, size) for rho in (RHO, POORER))
    return truth[:, None], model[:, None], poorer[:, None]


def two_classes(random: np.random.Generator, size: Size) -> tuple[Floats, Floats, Floats]:
    """40 % positives; a score that is shifted for them by 1.5 or 0.8 standard deviations, as a probability."""
    truth = (noise(random, size) > 0.2533471).astype(float)  # the upper 40 % of a normal distribution

    def probability(shift: float) -> Floats:
        return 1 / (1 + np.exp(-(1.3 * (shift * truth + noise(random, size)) - 1)))

    return truth[:, None], probability(1.5)[:, None], probability(0.8)[:, None]


def three_classes(random: np.random.Generator, size: Size) -> tuple[Floats, Floats, Floats]:
    """Half, 30 % and 20 % of the records; the score of the true class is raised by 1.5 or 0.8."""
    truth = np.digitize(noise(random, size), [0.0, 0.8416212])

    def probability(shift: float) -> Floats:
        raw = np.column_stack([noise(random, size) for _ in range(3)])
        raw[np.arange(size.records), truth] += shift
        share = np.exp(1.3 * raw)
        return np.asarray(share / share.sum(axis=1, keepdims=True))

    return truth[:, None].astype(float), probability(1.5), probability(0.8)


STUDIES = {
    "numbers": Study(
        "regression", numbers, ("spearman", "pearson", "concordance", "r2", "rmse", "mae")
    ),
    "two classes": Study(
        "binary", two_classes,
        ("roc_auc", "average_precision", "mcc", "balanced_accuracy", "accuracy", "sensitivity", "precision", "f1",
         "log_loss", "brier"),
    ),
    "three classes": Study(
        "multiclass", three_classes, ("balanced_accuracy", "macro_f1", "accuracy", "mcc", "macro_roc_auc", "log_loss")
    ),
}  # fmt: skip


@cache
def true_values(name: str) -> dict[str, float]:
    """What each metric would be on endless records, and the difference of the two models in the first of them."""
    study = STUDIES[name]
    if name == "numbers":
        spearman, poorer = (6 / np.pi * np.arcsin(rho / 2) for rho in (RHO, POORER))
        error = 2 - 2 * RHO
        return {
            "spearman": spearman, "pearson": RHO, "concordance": RHO, "r2": 1 - error, "rmse": np.sqrt(error),
            "mae": np.sqrt(error * 2 / np.pi), "difference": spearman - poorer,
        }  # fmt: skip
    truth, model, poorer = study.draw(np.random.default_rng(99), Size(MANY, MANY))
    true = {metric: METRICS[metric](truth, model) for metric in study.metrics}
    return true | {"difference": true[study.metrics[0]] - METRICS[study.metrics[0]](truth, poorer)}
