"""What the answers tell beyond the score: each part by its name in `result.json`, or None where there is nothing to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bioloom.evaluation.assessment import Assessment
from bioloom.evaluation.bounds import Bounds
from bioloom.evaluation.capacity import Capacity
from bioloom.evaluation.ceiling import Ceiling, ClassCeiling
from bioloom.evaluation.conformal import Coverage
from bioloom.evaluation.curve import Curve
from bioloom.evaluation.decomposition import Decomposition
from bioloom.evaluation.folds import FoldScores
from bioloom.evaluation.gain import Gain, Loss
from bioloom.evaluation.identity import IdentityCurve
from bioloom.evaluation.pretrained import Pretrained
from bioloom.evaluation.variance import VarianceComponents


@dataclass(frozen=True)
class Evidence:
    """Everything that is known about a score besides its value and interval.

    folds:       the score in each fold of a cross-validation
    variance:    how much of the uncertainty is the test records, how much the seed
    identity:    the score by likeness to the nearest training record
    ceiling:     the best score that the noise of the measurements allows
    curve:       the score by number of training records, and what twice as many would add
    calibration: whether probabilities, or numbers, can be taken at their word
    uncertainty: how often prediction intervals hold the measurement
    bounds:      what can be guaranteed about the error on new records
    decomposition: how much of the error is the same in every training, and how much is another one each time
    capacity:    the score by size of the network
    ensemble:    what the mean of several networks gains over one of them
    pretrained:  what learning without labels first is worth
    distilled:   what is lost where one network that learned from their mean stands for it
    """

    folds: FoldScores | None = None
    variance: VarianceComponents | None = None
    identity: IdentityCurve | None = None
    ceiling: Ceiling | ClassCeiling | None = None
    curve: Curve | None = None
    calibration: Assessment | None = None
    uncertainty: Coverage | None = None
    bounds: Bounds | None = None
    decomposition: Decomposition | None = None
    capacity: Capacity | None = None
    ensemble: Gain | None = None
    distilled: Loss | None = None
    pretrained: Pretrained | None = None

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json; parts with nothing to say are missing."""
        parts = {
            "folds": self.folds,
            "variance": self.variance,
            "identity": self.identity,
            "ceiling": self.ceiling,
            "learning_curve": self.curve,
            "calibration": self.calibration,
            "uncertainty": self.uncertainty,
            "bounds": self.bounds,
            "bias_variance": self.decomposition,
            "capacity": self.capacity,
            "ensemble": self.ensemble,
            "distilled": self.distilled,
            "pretrained": self.pretrained,
        }
        return {name: part.to_json() for name, part in parts.items() if part is not None}
