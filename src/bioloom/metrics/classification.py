"""How well classes, or their probabilities, are predicted; two classes or more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioloom.metrics.classes import (
    Classes,
    called_positive,
    classes_of,
    negatives,
    no_class,
    none_of,
    one_called,
    one_class,
    positive_at_all,
    positives,
)
from bioloom.metrics.metric import (
    FISHER,
    MEAN,
    PLAIN,
    Estimate,
    Floats,
    Metric,
    Pairs,
    always,
    by_value,
    mean_of,
    over_columns,
    ratio,
)

SURE = 1e-7
"""Probabilities closer than this to 0 or 1 are moved to it in the log-loss; the resolution of float32."""


@dataclass(frozen=True)
class Margins:
    """For each class and draw, how many records are hit, are there, and are called: (classes, draws)."""

    hits: Floats
    true: Floats
    called: Floats


def from_margins(formula: Callable[[Margins], Floats]) -> Callable[[Pairs], Estimate]:
    """A metric that needs only, for each class, how many are hit, are there, and are called."""

    def prepare(pairs: Pairs) -> Estimate:
        classes = classes_of(pairs)
        numbers = np.arange(classes.probability.shape[1])
        there = classes.truth[:, None] == numbers  # (records, classes)
        named = classes.called[:, None] == numbers
        columns = np.hstack([there & named, there, named]).astype(np.float64)
        return classes.over_sums(columns, lambda sums: formula(Margins(*np.split(sums, 3))))

    return prepare


def mean_where_there(values: Floats) -> Floats:
    """The mean over classes, leaving out those that are NaN."""
    there = np.isfinite(values)
    return ratio(np.where(there, values, 0.0).sum(axis=0), there.sum(axis=0).astype(np.float64))


def _accuracy(margins: Margins) -> Floats:
    return ratio(margins.hits.sum(axis=0), margins.true.sum(axis=0))


def _error_rate(margins: Margins) -> Floats:
    return 1.0 - _accuracy(margins)


def _balanced_accuracy(margins: Margins) -> Floats:
    several = (margins.true > 0).sum(axis=0) > 1
    return np.where(several, mean_where_there(ratio(margins.hits, margins.true)), np.nan)


def _macro_f1(margins: Margins) -> Floats:
    return mean_where_there(ratio(2.0 * margins.hits, margins.true + margins.called))


def _mcc(margins: Margins) -> Floats:
    """Matthews correlation for any number of classes (Gorodkin 2004, doi:10.1016/j.compbiolchem.2004.09.006)."""
    n = margins.true.sum(axis=0)
    shared = margins.hits.sum(axis=0) * n - (margins.true * margins.called).sum(axis=0)
    alone = (n**2 - (margins.true**2).sum(axis=0)) * (n**2 - (margins.called**2).sum(axis=0))
    return ratio(shared, np.sqrt(alone))


def _sensitivity(margins: Margins) -> Floats:
    return ratio(margins.hits[1], margins.true[1])


def _specificity(margins: Margins) -> Floats:
    return ratio(margins.hits[0], margins.true[0])


def _precision(margins: Margins) -> Floats:
    return ratio(margins.hits[1], margins.called[1])


def _f1(margins: Margins) -> Floats:
    return ratio(2.0 * margins.hits[1], margins.true[1] + margins.called[1])


def _share(
    succeeded: Callable[[Classes], NDArray[np.bool_]], tried: Callable[[Classes], int]
) -> Callable[[Pairs], tuple[int, int]]:
    def counts(pairs: Pairs) -> tuple[int, int]:
        classes = classes_of(pairs)
        return int(succeeded(classes).sum()), int(tried(classes))

    return counts


def _both_positive(classes: Classes) -> NDArray[np.bool_]:
    return np.asarray((classes.truth == 1) & (classes.called == 1))


def _both_negative(classes: Classes) -> NDArray[np.bool_]:
    return np.asarray((classes.truth == 0) & (classes.called == 0))


def _area(positive: NDArray[np.bool_], score: Floats) -> Estimate:
    """Share of pairs of a positive and a negative that are in the right order; ties count half."""
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    is_positive = positive[order][:, None]

    def estimate(weights: Floats) -> Floats:
        sorted_weights = weights[order]
        above = by_value(sorted_weights * is_positive, starts)
        negatives = by_value(sorted_weights * ~is_positive, starts)
        below = np.cumsum(negatives, axis=0)
        total = below[-1] * above.sum(axis=0)
        below -= 0.5 * negatives
        return ratio(np.einsum("nd,nd->d", above, below), total)

    return estimate


def _positive_and_score(pairs: Pairs) -> tuple[NDArray[np.bool_], Floats]:
    classes = classes_of(pairs)
    return classes.truth == 1, classes.probability[:, 1]


def _roc_auc(pairs: Pairs) -> Estimate:
    classes = classes_of(pairs)
    return classes.over_known(_area(classes.truth == 1, classes.probability[:, 1]))


def _macro_roc_auc(pairs: Pairs) -> Estimate:
    """The mean over the classes that occur, each against all others."""
    classes = classes_of(pairs)
    areas = [_area(classes.truth == k, classes.probability[:, k]) for k in np.unique(classes.truth)]
    return classes.over_known(lambda weights: mean_where_there(np.stack([area(weights) for area in areas])))


def _average_precision(pairs: Pairs) -> Estimate:
    """Precision at each threshold, weighted by the positives it adds: a step function, not trapezoids."""
    classes = classes_of(pairs)
    score = -classes.probability[:, 1]
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
    is_positive = (classes.truth == 1)[order][:, None]

    def estimate(weights: Floats) -> Floats:
        sorted_weights = weights[order]
        added = by_value(sorted_weights * is_positive, starts)
        called = np.cumsum(by_value(sorted_weights, starts), axis=0)
        hits = np.cumsum(added, axis=0)
        precision = np.divide(hits, called, out=np.zeros_like(hits), where=called > 0)
        return ratio(np.einsum("nd,nd->d", added, precision), hits[-1])

    return classes.over_known(estimate)


def _log_loss(pairs: Pairs) -> Estimate:
    classes = classes_of(pairs)
    right = classes.probability[np.arange(len(classes.truth)), classes.truth]
    losses = -np.log(np.clip(right, SURE, 1.0))
    if classes.record is None:
        return classes.over_known(mean_of(losses))
    columns = np.column_stack([losses, np.ones_like(losses)])
    return classes.over_sums(columns, lambda sums: ratio(sums[0], sums[1]))


def _brier(pairs: Pairs) -> Estimate:
    classes = classes_of(pairs)
    return classes.over_known(mean_of((classes.probability[:, 1] - classes.truth) ** 2))


def _shares(truth: Floats) -> Floats:
    """How often each class that occurs does so, as shares."""
    _, counts = np.unique(truth, return_counts=True)
    return np.asarray(counts / counts.sum())


def _even(truth: Floats) -> float:
    return float(1.0 / len(_shares(truth)))


def _entropy(truth: Floats) -> float:
    return float(-(_shares(truth) * np.log(_shares(truth))).sum())


CLASSIFICATION = (
    Metric(
        name="roc_auc",
        title="ROC AUC",
        plain="The chance that a positive record gets a higher score than a negative one: 0.5 is a "
        "coin toss, 1 is always.",
        prepare=_roc_auc,
        reason=one_class,
        chance=always(0.5),
        ordered=_positive_and_score,
    ),
    Metric(
        name="average_precision",
        title="average precision",
        plain="How pure the list of top-scored records is, averaged over how far down one reads; "
        "a guess gives the share of positives, 1 means all positives come first.",
        prepare=_average_precision,
        reason=none_of("no record is positive", positives),
        chance=over_columns(np.mean),
    ),
    Metric(
        name="mcc",
        title="Matthews correlation",
        plain="Agreement of predicted and true classes that common classes cannot inflate: 0 is a "
        "guess, 1 is perfect, below 0 is the wrong way round.",
        prepare=from_margins(_mcc),
        reason=one_called,
        scale=FISHER,
        chance=always(0.0),
        range=(-1.0, 1.0),
    ),
    Metric(
        name="balanced_accuracy",
        title="balanced accuracy",
        plain="The share of records named correctly, each class counting the same however rare it is; "
        "a guess among two classes gives 0.5, among k classes 1/k.",
        prepare=from_margins(_balanced_accuracy),
        reason=one_class,
        chance=over_columns(_even),
    ),
    Metric(
        name="accuracy",
        title="accuracy",
        plain="The share of records named correctly; always naming the commonest class already gives "
        "the share of that class.",
        prepare=from_margins(_accuracy),
        reason=no_class,
        chance=over_columns(lambda truth: _shares(truth).max()),
        counts=_share(lambda classes: classes.truth == classes.called, lambda classes: len(classes.truth)),
    ),
    Metric(
        name="error_rate",
        title="error rate",
        plain="The share of records named wrongly; always naming the commonest class already gets it down "
        "to the share of all others.",
        prepare=from_margins(_error_rate),
        reason=no_class,
        chance=over_columns(lambda truth: 1.0 - _shares(truth).max()),
        best=0.0,
        higher_is_better=False,
        counts=_share(lambda classes: classes.truth != classes.called, lambda classes: len(classes.truth)),
    ),
    Metric(
        name="sensitivity",
        title="sensitivity",
        plain="The share of the true positives that are found (also called recall).",
        prepare=from_margins(_sensitivity),
        reason=none_of("no record is positive", positives),
        chance=over_columns(np.mean),
        counts=_share(_both_positive, positives),
    ),
    Metric(
        name="specificity",
        title="specificity",
        plain="The share of the true negatives that are left alone.",
        prepare=from_margins(_specificity),
        reason=none_of("no record is negative", negatives),
        chance=over_columns(lambda truth: 1.0 - truth.mean()),
        counts=_share(_both_negative, negatives),
    ),
    Metric(
        name="precision",
        title="precision",
        plain="The share of the records called positive that are; it falls where positives are rarer "
        "than in these records.",
        prepare=from_margins(_precision),
        reason=none_of("no record is predicted to be positive", called_positive),
        chance=over_columns(np.mean),
        counts=_share(_both_positive, called_positive),
    ),
    Metric(
        name="f1",
        title="F1",
        plain="The balance of precision and sensitivity in one number: 1 only if every positive is "
        "found and nothing else is called positive.",
        prepare=from_margins(_f1),
        reason=none_of("no record is positive, or predicted to be", positive_at_all),
        scale=PLAIN,
        chance=over_columns(np.mean),
    ),
    Metric(
        name="log_loss",
        title="log-loss",
        plain="How far the predicted probabilities are from what happened, punishing sure mistakes "
        "hardest; 0 is perfect, and a guess gives the entropy of the classes.",
        prepare=_log_loss,
        reason=no_class,
        scale=MEAN,
        chance=over_columns(_entropy),
        best=0.0,
        range=(0.0, np.inf),
        higher_is_better=False,
    ),
    Metric(
        name="brier",
        title="Brier score",
        plain="The mean squared distance of the predicted probability from what happened (0 or 1); "
        "0 is perfect, and naming the share of positives each time gives share x (1 - share).",
        prepare=_brier,
        reason=no_class,
        scale=MEAN,
        chance=over_columns(np.var),
        best=0.0,
        higher_is_better=False,
    ),
    Metric(
        name="macro_f1",
        title="macro F1",
        plain="The balance of precision and sensitivity of each class, averaged over classes, so that "
        "rare classes count as much as common ones.",
        prepare=from_margins(_macro_f1),
        reason=one_class,
        scale=PLAIN,
        chance=over_columns(_even),
    ),
    Metric(
        name="macro_roc_auc",
        title="macro ROC AUC",
        plain="The ROC AUC of each class against all others, averaged over classes: 0.5 is a guess, "
        "1 is perfect.",
        prepare=_macro_roc_auc,
        reason=one_class,
        chance=always(0.5),
    ),
)
