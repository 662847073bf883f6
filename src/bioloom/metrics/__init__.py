"""How good predictions are: one entry per metric, each carrying everything about itself.

metric          the contract: a metric is a function of how often each record counts
regression      spearman, r2, pearson, concordance, rmse, mae
classification  roc_auc, average_precision, mcc, balanced_accuracy, accuracy, error_rate, ...
places          position_accuracy, dice, iou, ...: where every position or pixel has a target
likelihood      nats, perplexity, next_right: of language models
classes         which records have a class, and why a metric of classes may not be defined
measure         numbers that are not a function of weights, such as predictive information: how reports write them
"""

from __future__ import annotations

from bioloom.metrics.answers import ANSWERS
from bioloom.metrics.classification import CLASSIFICATION
from bioloom.metrics.likelihood import LIKELIHOOD
from bioloom.metrics.measure import MEASURES, Measure
from bioloom.metrics.metric import Metric, Pairs
from bioloom.metrics.places import PLACES
from bioloom.metrics.regression import REGRESSION

__all__ = ["MEASURES", "METRICS", "Measure", "Metric", "Pairs", "described"]

METRICS: dict[str, Metric] = {
    entry.name: entry for entry in (*REGRESSION, *CLASSIFICATION, *PLACES, *LIKELIHOOD, *ANSWERS)
}
"""All metrics by name; tasks name the ones they report."""


def described(name: str) -> Metric | Measure | None:
    """How reports write the number of that name; None for a number that bioloom does not know."""
    return METRICS.get(name) or MEASURES.get(name)
