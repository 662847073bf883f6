"""What probabilities and predicted numbers are worth on test records, in one block of the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioloom.evaluation.calibration import Calibration, Operating, precision_at
from bioloom.evaluation.intervals import rounded
from bioloom.evaluation.percent import percent
from bioloom.evaluation.reliability import Reliability, reliability
from bioloom.evaluation.resampling import Resampling
from bioloom.evaluation.spread import Spread, spread
from bioloom.targets import Targets


@dataclass(frozen=True)
class Assessment:
    """Calibration of a model: how it was made, and how it holds on test records.

    calibration: temperature and threshold; None for numbers
    reliability: stated probabilities against what happened; None for numbers
    spreads:     by target, predicted against measured numbers; empty for classes
    precision:   the share of positive calls that would be right at the stated prevalence; None where none is stated
    operating:   the cost and prevalence that were stated
    """

    calibration: Calibration | None
    reliability: Reliability | None
    spreads: tuple[Spread, ...] = ()
    precision: float | None = None
    operating: Operating = Operating()  # noqa: RUF009 - frozen

    @property
    def text(self) -> str:
        """The main statement, in one or two sentences."""
        parts = [each.text for each in (self.reliability, *self.spreads[:3]) if each is not None]
        if self.precision is not None and np.isfinite(self.precision):
            parts.append(
                f"Where {100 * (self.operating.prevalence or 0):.3g} % of all records are positive, "
                f"{percent(self.precision)} of positive calls would be right."
            )
        return " ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json under "calibration"."""
        content: dict[str, Any] = {"text": self.text}
        if self.calibration is not None and self.reliability is not None:
            content |= {"fitted": self.calibration.to_json(), "probability": self.reliability.to_json()}
            content["operating"] = {"cost": self.operating.cost, "prevalence": self.operating.prevalence}
            defined = self.precision is not None and np.isfinite(self.precision)
            content["precision_at_prevalence"] = rounded(self.precision) if defined else None
        return content | {"numbers": [each.to_json() for each in self.spreads]}


def assess(
    truth: NDArray[np.floating],
    value: NDArray[np.floating],
    targets: Targets,
    plan: Resampling,
    made: tuple[Calibration, Operating] | None = None,
) -> Assessment:
    """Hold predictions of test records, (records, targets or classes), against their truths, (records, targets).

    made: how probabilities were calibrated, and the stated cost and prevalence; not needed for numbers
    """
    if not targets.classes:
        codes = plan.codes if plan.grouped else None
        pairs = zip(truth.T, value.T, targets.names, strict=True)
        return Assessment(None, None, tuple(spread(*pair, codes) for pair in pairs))
    calibration, operating = made or (Calibration(reason="not asked for"), Operating())
    found = reliability(truth[:, 0], value, targets.classes, plan.seed)
    precision = None
    if value.shape[1] == 1 and operating.prevalence is not None:
        precision = _precision(truth[:, 0], value[:, 0] >= calibration.threshold, operating.prevalence)
    return Assessment(calibration, found, (), precision, operating)


def _precision(truth: NDArray[np.floating], called: NDArray[np.bool_], prevalence: float) -> float:
    positive, negative = truth == 1, truth == 0
    if not positive.any() or not negative.any():
        return float("nan")
    return precision_at(float(called[positive].mean()), float((~called[negative]).mean()), prevalence)
