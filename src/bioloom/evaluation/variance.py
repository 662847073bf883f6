"""Where the uncertainty of a score comes from: which records were tested, and luck of the training.

The interval of a score speaks of other test records and one training. Another training with another seed gives
another score on the same records; both parts are worked out here and set beside each other, as standard deviations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bioloom.evaluation.distributions import chi_square_quantile
from bioloom.evaluation.intervals import FEWEST_UNITS, LEVEL, rounded
from bioloom.evaluation.resampling import Resampling
from bioloom.metrics import METRICS, Pairs

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class VarianceComponents:
    """Standard deviations of the score of one training.

    scores:    of each training on the same test records
    data:      had other test records of the same kind been drawn; None where there are too few to say
    seeds:     had the seed been another; None with a single training; seeds_low, seeds_high: its 95 % interval
    total:     both at once; their common part (a training lucky on these very records) is counted once
    undefined: why a part is missing; None where none is
    """

    metric: str
    scores: tuple[float, ...]
    n: int
    data: float | None
    seeds: float | None
    seeds_low: float | None
    seeds_high: float | None
    total: float | None
    text: str
    undefined: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As it stands in result.json."""
        parts = ("data", "seeds", "seeds_low", "seeds_high", "total")
        return {
            "metric": self.metric,
            "scores": [rounded(score) for score in self.scores],
            "n": self.n,
            **{name: rounded(getattr(self, name)) for name in parts},
            "text": self.text,
        } | ({"undefined": self.undefined} if self.undefined else {})


def variance_components(
    metric: str, truth: NDArray[Any], values: NDArray[Any], plan: Resampling
) -> VarianceComponents | None:
    """Split the variance of a score into that of the test records and that of the trainings.

    truth: (records, targets); values: (trainings, records, targets or classes) from different seeds;
    plan: how the test records, or their groups, are resampled. None where the metric is not defined.
    data: mean bootstrap variance of each training's score. seeds: variance of the scores over trainings, unbiased
    (divisor trainings - 1), its interval by chi-square, which takes scores of trainings as normal.
    """
    pairs = [Pairs(truth, value) for value in values]
    if not pairs or any(METRICS[metric].reason(each) is not None for each in pairs):
        return None
    estimates = [METRICS[metric].prepare(each) for each in pairs]
    whole = np.ones((len(truth), 1))
    scores = np.array([float(estimate(whole)[0]) for estimate in estimates])
    data, common = _of_data(estimates, plan)
    seeds, low, high = _of_seeds(scores)
    total = None
    if data is not None and seeds is not None:
        total = float(np.sqrt(max(data**2 + seeds**2 - common, data**2, seeds**2)))
    return VarianceComponents(
        metric, tuple(scores.tolist()), len(truth), data, seeds, low, high, total,
        text=_sentence(metric, data, seeds, len(scores)), undefined=_missing(data, seeds, plan),
    )  # fmt: skip


def _of_data(estimates: list[Any], plan: Resampling) -> tuple[float | None, float]:
    """Standard deviation over test records, and the variance that trainings do not share between draws."""
    if plan.units < FEWEST_UNITS:
        return None, 0.0
    with threadpool_limits(1, "blas"):
        blocks = [np.stack([estimate(weights) for estimate in estimates]) for weights in plan.bootstrap()]
    draws = np.concatenate(blocks, axis=1)  # (trainings, draws)
    draws = draws[:, np.isfinite(draws).all(axis=0)]
    if draws.shape[1] < 2:
        return None, 0.0
    covariance = np.atleast_2d(np.cov(draws)) * plan.units / (plan.units - 1)  # as draws spread too little
    own = float(np.diag(covariance).mean())
    trainings = len(covariance)
    shared = (
        (covariance.sum() - np.trace(covariance)) / (trainings * (trainings - 1)) if trainings > 1 else own
    )
    return float(np.sqrt(own)), max(0.0, own - float(shared))


def _of_seeds(scores: Floats) -> tuple[float | None, float | None, float | None]:
    count = len(scores)
    if count < 2:
        return None, None, None
    spread = float(scores.std(ddof=1))
    reach = chi_square_quantile([0.5 + LEVEL / 2, 0.5 - LEVEL / 2], count - 1)
    low, high = spread * np.sqrt((count - 1) / reach)
    return spread, float(low), float(high)


def _missing(data: float | None, seeds: float | None, plan: Resampling) -> str | None:
    if seeds is None:
        return "one training cannot show how far trainings differ"
    return None if data is not None else f"{plan.units} independent test units are too few"


def _sentence(metric: str, data: float | None, seeds: float | None, trainings: int) -> str:
    title = METRICS[metric].title
    if seeds is None:
        return f"One training cannot show how far the {title} would move with another seed."
    told = (
        f"Over {trainings} trainings the {title} moves by {METRICS[metric].text(seeds)} (standard deviation)"
    )
    if data is None:
        return f"{told}; there are too few test records to say how far other records would move it."
    records = METRICS[metric].text(data)
    if seeds > 2 * data:
        return (
            f"{told}, more than other test records would move it ({records}): a mean of several moves less."
        )
    if data > 2 * seeds:
        return f"{told}, less than other test records would move it ({records}): more test records would help most."
    return f"{told}, about as far as other test records would move it ({records})."
