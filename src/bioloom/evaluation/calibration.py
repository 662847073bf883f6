"""From raw outputs to probabilities that mean what they say, and to calls at a stated cost.

Temperature scaling (Guo et al. 2017, arXiv:1706.04599): all logits are divided by one positive number, chosen on
the validation rows. It changes how sure a model is, never which of two records it puts first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_expit, log_softmax, softmax

Floats = NDArray[np.float64]

FEWEST = 30
"""With fewer validation records, or fewer than 5 of a class called positive, nothing is fitted."""

FEWEST_OF_A_CLASS = 5

TEMPERATURES = (0.05, 20.0)
"""The range that is searched; a temperature of 1 changes nothing, larger ones make a model less sure."""


SMALLEST = 1e-7
"""Probabilities below this are taken for it; float32 tells them apart no better."""


@dataclass(frozen=True)
class Operating:
    """What a call costs, and where the model will be used.

    cost:       how much worse a missed positive is than a false alarm; 1 where they are equally bad
    prevalence: the share of positives where the model will be used; None where it is as in the data
    """

    cost: float | None = None
    prevalence: float | None = None

    @property
    def stated(self) -> bool:
        """Whether anything was stated; otherwise records are called at 0.5."""
        return self.cost is not None or self.prevalence is not None


@dataclass(frozen=True)
class Calibration:
    """How raw outputs become probabilities and calls.

    temperature: raw outputs are divided by it
    threshold:   probability from which a record is called positive; 0.5 unless a cost or prevalence is stated
    records:     validation records it was fitted on
    before, after: their mean log-loss without and with the temperature; None where nothing was fitted
    reason:      why the temperature or the threshold was not fitted; empty otherwise
    """

    temperature: float = 1.0
    threshold: float = 0.5
    records: int = 0
    before: float | None = None
    after: float | None = None
    reason: str = ""

    @classmethod
    def fit(cls, given: Validation, operating: Operating | None = None) -> Self:
        """Choose the temperature with the least log-loss on validation rows, and the cheapest threshold there.

        Where these rows are too few, or hold one class, the temperature stays 1 and the threshold 0.5.
        """
        given, operating = given.known(), operating or Operating()
        reason = given.too_few()
        if reason:
            return cls(records=len(given.label), reason=reason)
        temperature, before, after = _temperature(given)
        threshold, reason = 0.5, ""
        if operating.stated and given.raw.shape[1] == 1:
            threshold = _threshold(expit(given.raw[:, 0] / temperature), given, operating)
        elif operating.stated:
            reason = "a threshold needs two classes"
        return cls(temperature, threshold, len(given.label), before, after, reason)

    def apply(self, raw: NDArray[np.floating]) -> NDArray[np.float32]:
        """Probabilities from raw logits: (records, 1) of the positive class, or (records, classes)."""
        cooled = np.asarray(raw, dtype=np.float64) / self.temperature
        return (expit(cooled) if cooled.shape[1] == 1 else softmax(cooled, axis=1)).astype(np.float32)

    def correct(self, probability: NDArray[np.floating]) -> NDArray[np.float32]:
        """The same for a model that gives probabilities, (records, 1) or (records, classes), rather than logits."""
        return self.apply(logits(probability))

    def to_json(self) -> dict[str, Any]:
        """As it is stored with the model."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**content)


@dataclass(frozen=True)
class Validation:
    """Validation rows.

    raw:    (records, 1) logits of the positive class, or (records, classes)
    label:  (records,) class numbers, NaN where unknown
    weight: (records,)
    """

    raw: NDArray[np.floating]
    label: NDArray[np.floating]
    weight: NDArray[np.floating]

    def known(self) -> Validation:
        """The rows whose class is known, in double precision."""
        rows = np.isfinite(self.label)
        return Validation(
            self.raw[rows].astype(np.float64),
            self.label[rows].astype(np.int64),
            self.weight[rows].astype(np.float64),
        )

    def too_few(self) -> str:
        """Why nothing can be fitted on these rows; empty where it can."""
        counts = np.unique(self.label, return_counts=True)[1]
        if len(self.label) < FEWEST:
            return f"{len(self.label)} validation records are too few; {FEWEST} are needed"
        if len(counts) < 2 or (self.raw.shape[1] == 1 and counts.min() < FEWEST_OF_A_CLASS):
            return f"the validation records hold fewer than {FEWEST_OF_A_CLASS} of one class"
        return ""


def logits(probability: NDArray[np.floating]) -> Floats:
    """Probabilities as raw logits, (records, 1) of the positive class or (records, classes); none is infinite."""
    inside = np.clip(np.asarray(probability, dtype=np.float64), SMALLEST, 1 - SMALLEST)
    return np.asarray(np.log(inside) - (np.log1p(-inside) if inside.shape[1] == 1 else 0.0))


def _temperature(given: Validation) -> tuple[float, float, float]:
    """The temperature with the least weighted loss, and the log-loss without and with it.

    Labels are softened to (n + 1) / (n + classes) for a class of n records, and 1 / (n + classes) for each other
    class (Platt 1999): a few records that happen to be told apart without error do not prove certainty.
    """
    share, label = given.weight / given.weight.sum(), given.label.astype(np.int64)
    classes = max(2, given.raw.shape[1])
    size = np.bincount(label, given.weight, minlength=classes)[label][:, None]
    own = np.arange(classes) == label[:, None]
    soft = np.where(own, size + 1, 1) / (size + classes)  # (records, classes)

    def loss(logarithm: float, goal: NDArray[Any]) -> float:
        cooled = given.raw / np.exp(logarithm)
        if cooled.shape[1] == 1:
            logs = np.column_stack([log_expit(-cooled[:, 0]), log_expit(cooled[:, 0])])
        else:
            logs = log_softmax(cooled, axis=1)
        return float(-share @ (goal * logs).sum(axis=1))

    limits = tuple(np.log(TEMPERATURES))
    found = minimize_scalar(loss, args=(soft,), bounds=limits, method="bounded", options={"xatol": 1e-6})
    place = float(found.x) if found.fun < loss(0.0, soft) else 0.0
    return float(np.exp(place)), loss(0.0, own), loss(place, own)


def _threshold(probability: Floats, given: Validation, operating: Operating) -> float:
    """The threshold that would have cost least on the validation rows, reweighted to the stated prevalence.

    Of several equally cheap ones the middle of the widest stretch that touches the best is taken.
    """
    positive = given.label == 1
    weight = given.weight.copy()
    if operating.prevalence is not None:
        weight[positive] *= operating.prevalence / weight[positive].sum()
        weight[~positive] *= (1 - operating.prevalence) / weight[~positive].sum()
    order = np.argsort(-probability, kind="stable")
    missed = np.where(positive, weight, 0) * (1.0 if operating.cost is None else operating.cost)
    alarms = np.where(positive, 0, weight)
    # the cost of calling the k records with the highest probabilities positive, k = 0 ... n
    cost = missed.sum() + np.concatenate([[0.0], np.cumsum((alarms - missed)[order])])
    edges = np.concatenate([[1.0], probability[order], [0.0]])
    possible = np.flatnonzero(edges[:-1] > edges[1:])  # records of equal probability are called together
    best = int(possible[np.argmin(cost[possible])])
    return float((edges[best] + edges[best + 1]) / 2)


def precision_at(sensitivity: float, specificity: float, prevalence: float) -> float:
    """The share of positive calls that would be right at a prevalence (Bayes' rule); NaN where nothing is called."""
    right, wrong = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    return right / (right + wrong) if right + wrong > 0 else float("nan")
