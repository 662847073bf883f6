"""Metrics where every position of a sequence, or pixel of a picture, has a target: all known places together.

They are those of records with one target, worded for places; draws are of records all the same, because the places of
one record are not independent.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bioloom.metrics.classes import one_class
from bioloom.metrics.classification import CLASSIFICATION, Margins, from_margins, mean_where_there
from bioloom.metrics.metric import PLAIN, Floats, Metric, over_columns, ratio
from bioloom.metrics.regression import REGRESSION

_KNOWN = {metric.name: metric for metric in (*CLASSIFICATION, *REGRESSION)}


def _of_places(name: str, place: str, plain: str = "") -> Metric:
    """A metric of records, worded for places."""
    metric = _KNOWN[name]
    words = plain or metric.plain.replace("records", f"{place}s").replace("record", place)
    return replace(metric, name=f"{place}_{name}", title=f"{metric.title} of {place}s", plain=words)


def _dice(margins: Margins) -> Floats:
    """2 hits / (there + called) of each class but the first (Dice 1945, doi:10.2307/1932409), the mean."""
    return mean_where_there(ratio(2.0 * margins.hits, margins.true + margins.called)[1:])


def _iou(margins: Margins) -> Floats:
    """hits / (there or called) of each class but the first (Jaccard 1912, doi:10.1111/j.1469-8137.1912.tb05611.x)."""
    return mean_where_there(ratio(margins.hits, margins.true + margins.called - margins.hits)[1:])


def _dice_of_the_commonest(truth: Floats) -> float:
    """What always calling the commonest class gives: nothing of the others is found."""
    numbers, counts = np.unique(truth, return_counts=True)
    best = numbers[counts.argmax()]
    others = [number for number in numbers if number > 0]
    share = float(counts.max() / counts.sum())
    return 0.0 if best == 0 or not others else 2 * share / (1 + share) / len(others)


def _iou_of_the_commonest(truth: Floats) -> float:
    dice = _dice_of_the_commonest(truth)
    return dice / (2 - dice)


PLACES = (
    _of_places(
        "accuracy",
        "position",
        "The share of positions named correctly, over all records (Q3, where the classes are helix, strand and coil); "
        "always naming the commonest class already gives the share of that class.",
    ),
    _of_places("macro_f1", "position"),
    _of_places("balanced_accuracy", "position"),
    _of_places("mcc", "position"),
    _of_places("log_loss", "position"),
    _of_places(
        "r2",
        "position",
        "The share of the differences between positions that the predictions explain: 1 is all, 0 is no better than "
        "naming the mean everywhere.",
    ),
    _of_places("rmse", "position"),
    _of_places("mae", "position"),
    _of_places("pearson", "position"),
    Metric(
        name="dice",
        title="Dice",
        plain="How well the predicted areas cover the true ones, twice the overlap divided by both areas together; the mean "
        "over all classes but the background: 0 is no overlap, 1 is the same area.",
        prepare=from_margins(_dice),
        reason=one_class,
        scale=PLAIN,
        chance=over_columns(_dice_of_the_commonest),
    ),
    Metric(
        name="iou",
        title="IoU",
        plain="The overlap of predicted and true areas as a share of what either covers (intersection over union), the mean "
        "over all classes but the background: 0 is no overlap, 1 is the same area.",
        prepare=from_margins(_iou),
        reason=one_class,
        scale=PLAIN,
        chance=over_columns(_iou_of_the_commonest),
    ),
    _of_places("accuracy", "pixel"),
    _of_places("log_loss", "pixel"),
)
