"""What the measurements themselves allow, and whether a few of them decide the score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioloom.data.wording import counted
from bioloom.evaluation.ceiling import SOURCES, Ceiling, ClassCeiling
from bioloom.evaluation.checks import Answer, Severity, check, percent
from bioloom.evaluation.facts import Facts
from bioloom.metrics import METRICS

FAR_BELOW = 0.5
"""Share of what can be explained below which there is much left to learn."""

SURE_LABELS = 0.95
"""Share of repeated records that can be named correctly, below which the labels hold every model back."""

WORST = 0.01
"""Share of the test records that is left out, those with the largest errors."""

MUCH = 0.25
"""Share of the squared error that these must carry: of normal errors the largest hundredth carries 8 %, and in a test
of fewest records the largest one about 12 %."""

FEWEST_FOR_OUTLIERS = 50


@check(
    "data.too_smooth",
    question="Is the score higher than the noise of the measurements allows?",
    fix="find out how the target was made: a table that a model has filled in or smoothed can be predicted better than "
    "any measurement, and the score then says how well that model was imitated; give the raw measurements, or correct "
    "their standard errors",
)
def too_smooth(facts: Facts) -> Answer | None:
    """No model predicts noise, so a target that is predicted beyond its own errors holds less noise than they say."""
    found = facts.evidence.ceiling
    if not isinstance(found, Ceiling):
        return None
    source = SOURCES[found.source]
    if not found.above:
        return Answer("ok", f"No: judged by {source}, nothing is predicted that a measurement cannot hold.")
    return Answer(
        "warning",
        f"Yes: R² is {found.reached:.3f}, which is {found.excess_low:.3f} to {found.excess_high:.3f} more than a perfect "
        f"model would reach judged by {source}; the target may be the output of a model rather than a measurement.",
    )


@check(
    "skill.ceiling",
    question="How much of the reachable score is reached?",
    fix="far below the ceiling, other inputs, more records or another network can help; at the ceiling only better "
    "measurements can: more reads, more replicates",
)
def ceiling(facts: Facts) -> Answer | None:
    """The noise of the measurement sets the best score that any model can have."""
    found = facts.evidence.ceiling
    if isinstance(found, ClassCeiling):
        return Answer("ok" if found.accuracy >= SURE_LABELS else "note", found.text)
    if found is None or found.above:
        return None
    if found.r2 == 0:
        return Answer("problem", found.text)
    far = found.reached / found.r2 < FAR_BELOW
    return Answer("note" if far else "ok", found.text)


@check(
    "data.outliers",
    question="Do a few test records decide the score?",
    fix="look at these records: where the measurement failed, leave them out for a reason that does not look at the "
    "prediction; where it did not, the model misses a kind of record",
    labels=True,
)
def outliers(facts: Facts) -> Answer | None:
    """One failed measurement can cost more squared error than all others together."""
    if facts.targets.classes:
        return None
    pairs = zip(facts.truth[facts.test].T, facts.value.T, facts.targets.names, strict=True)
    found = [each for truth, value, name in pairs if (each := _without_worst(truth, value, name)) is not None]
    if not found:
        return None
    worst = max(found, key=lambda each: (each.carried >= MUCH, each.moved))
    among = f" of {worst.name}" if len(facts.targets.names) > 1 else ""
    where = "" if facts.scored is None else " in the first fold"
    told = (
        f"{counted(worst.count, 'test record')} of {worst.known:,}{where} {'carries' if worst.count == 1 else 'carry'} "
        f"{percent(worst.carried)} of the squared error{among}: R² is {worst.r2:.3f}, and {worst.without:.3f} "
        f"without {'it' if worst.count == 1 else 'them'}"
    )
    few = worst.moved <= 0.1 or worst.carried < MUCH
    severity: Severity = "ok" if few else "note" if worst.moved <= 0.3 else "warning"
    return Answer(severity, f"{told}.")


@dataclass(frozen=True)
class _Worst:
    """What leaving out the worst predicted records does to R² of one target.

    count:   how many of the known records are left out
    carried: their share of the squared error
    """

    name: str
    known: int
    count: int
    carried: float
    r2: float
    without: float

    @property
    def moved(self) -> float:
        return self.without - self.r2


def _without_worst(truth: NDArray[np.float32], value: NDArray[np.float32], name: str) -> _Worst | None:
    """Of one target, (records,) each; None where there are too few records, or R² is not defined."""
    known = np.isfinite(truth)
    if known.sum() < FEWEST_FOR_OUTLIERS:
        return None
    truth, value = truth[known].astype(np.float64), value[known].astype(np.float64)
    square, count = (truth - value) ** 2, max(1, round(WORST * len(truth)))
    kept = np.argsort(square, kind="stable")[:-count]
    carried = float(1 - square[kept].sum() / max(square.sum(), 1e-300))
    r2, without = (METRICS["r2"](truth[rows, None], value[rows, None]) for rows in (slice(None), kept))
    return _Worst(name, len(truth), count, carried, r2, without) if np.isfinite([r2, without]).all() else None
