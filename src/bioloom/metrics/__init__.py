"""How good predictions are: one entry per metric, each carrying everything about itself.

metric          the contract: a metric is a function of how often each record counts
regression      spearman, r2, pearson, rmse, mae
classification  roc_auc, average_precision, mcc, balanced_accuracy, accuracy, sensitivity, ...
"""

from __future__ import annotations

from bioloom.metrics.classification import CLASSIFICATION
from bioloom.metrics.metric import Metric, Pairs
from bioloom.metrics.regression import REGRESSION

__all__ = ["METRICS", "Metric", "Pairs"]

METRICS: dict[str, Metric] = {entry.name: entry for entry in (*REGRESSION, *CLASSIFICATION)}
"""All metrics by name; tasks name the ones they report."""
