"""Gradient boosting: many small decision trees, each correcting the ones before it.

Friedman 2001, doi:10.1214/aos/1013203451; grown by scikit-learn's histogram method (as LightGBM, Ke et al. 2017).
What is kept are plain arrays of nodes, so that a stored model needs neither pickle nor scikit-learn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from threadpoolctl import threadpool_limits

from bioloom.models import SimpleModel, TrainingData, simple_models
from bioloom.models.width import is_wide, most_telling
from bioloom.targets import Targets

Floats = NDArray[np.float64]

CELLS = 5_000_000
"""Records times features that are learned from at most (about two seconds); beyond, a random part of the records is."""

THREADS_FROM = 2_000_000
"""Cells from which more than one thread pays."""

TREES = 1_000
"""Trees in all, at most; divided among targets or classes."""

ITERATIONS = 200
"""Trees for one target or class, at most."""

BLIND_ITERATIONS = 50
"""Trees where there is no validation record to say when to stop."""

LEARNING_RATE = 0.1

LEAVES, BINS = 15, 63
"""Leaves of a tree and steps of a feature, at most: on 2,000 records of 340 features four times faster than
scikit-learn's 31 and 255, and no worse."""

PATIENCE = 10
"""Growing stops when so many more trees did not lower the loss of the validation rows."""

LEAF = 20
"""Records in a leaf, at least; fewer where there are fewer than 400 records."""

BLOCK = 1_000_000
"""Pairs of record and tree followed at once: about 30 MB."""


@dataclass(frozen=True)
class _Forest:
    """All trees in one list of nodes.

    feature, threshold: (nodes,) a record goes left where its feature is at most the threshold
    left, right:        (nodes,) numbers of the next nodes; a leaf leads to itself
    missing:            (nodes,) 1 where a missing feature goes left
    value:              (nodes,) what a leaf adds
    root, output:       (trees,) the first node of each tree, and which raw output it adds to
    offset:             (outputs,) raw outputs before any tree
    present:            (classes present,) numbers of the classes that training rows hold; empty for numbers
    classes:            (1,) how many classes there are; 0 for numbers
    records, used:      (1,) records learned from, and features that vary enough to be used
    """

    feature: NDArray[np.int64]
    threshold: Floats
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    missing: NDArray[np.uint8]
    value: Floats
    root: NDArray[np.int64]
    output: NDArray[np.int64]
    offset: Floats
    present: NDArray[np.int64]
    classes: NDArray[np.int64]
    records: NDArray[np.int64]
    used: NDArray[np.int64]


@simple_models.register
class Boosting(SimpleModel):
    """Gradient-boosted trees: finds thresholds and combinations of features that a weighted sum cannot."""

    name = "boosting"
    title = "gradient boosting"

    def __init__(self, forest: _Forest) -> None:
        self.forest = forest

    @classmethod
    def fit(cls, data: TrainingData, targets: Targets, seed: int) -> Self:
        """Grow trees until the loss of the validation rows falls no more; each target on its known records."""
        if targets.classes:
            grown = [_grow_classes(data, seed)]
        else:
            count = data.truth.shape[1]
            grown = [
                _grow_number(data, target, min(ITERATIONS, TREES // count), seed) for target in range(count)
            ]
        return cls(_joined(grown, len(targets.classes)))

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Predictions in the target's units, or probabilities, (records, targets or classes)."""
        raw, classes = self._raw(features), int(self.forest.classes[0])
        if not classes:
            return raw.astype(np.float32)
        probability = np.zeros((len(features), classes), dtype=np.float32)
        probability[:, self.forest.present] = _shares(raw, len(self.forest.present))
        return probability[:, 1:] if classes == 2 else probability

    def _raw(self, features: NDArray[np.float32]) -> Floats:
        """(records, outputs) sums of the leaves that each record falls into."""
        forest = self.forest
        sums = np.tile(forest.offset, (len(features), 1))
        if not len(forest.root):
            return sums
        adds = (forest.output[:, None] == np.arange(len(forest.offset))).astype(np.float64)
        step = max(1, BLOCK // len(forest.root))
        for first in range(0, len(features), step):
            rows = slice(first, first + step)
            sums[rows] += _leaves(forest, features[rows]) @ adds
        return sums

    @property
    def learned_from(self) -> int:
        """Training records on which the trees were grown."""
        return int(self.forest.records[0])

    def describe(self) -> str:
        """How many trees, grown on how many records and features."""
        trees, used = len(self.forest.root), int(self.forest.used[0])
        return (
            f"gradient boosting, {trees:,} trees grown on {self.learned_from:,} records and {used:,} features"
        )

    def state(self) -> dict[str, NDArray[Any]]:
        """All nodes."""
        return asdict(self.forest)

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        return cls(_Forest(**state))


def _shares(raw: Floats, present: int) -> Floats:
    """Probabilities of the classes that training rows hold, (records, present)."""
    if present == 1:
        return np.ones((len(raw), 1))
    if present == 2:
        second = expit(raw[:, 0])
        return np.column_stack([1 - second, second])
    return np.asarray(softmax(raw, axis=1))


def _leaves(forest: _Forest, features: NDArray[np.float32]) -> Floats:
    """The value of the leaf that each record reaches in each tree, (records, trees)."""
    rows = np.arange(len(features))[:, None]
    node = np.broadcast_to(forest.root, (len(features), len(forest.root)))
    holes = bool(np.isnan(features).any())
    while True:
        seen = features[rows, forest.feature[node]]
        goes_left = seen <= forest.threshold[node]
        if holes:
            goes_left |= np.isnan(seen) & (forest.missing[node] == 1)
        following = np.where(goes_left, forest.left[node], forest.right[node])
        if np.array_equal(following, node):
            return np.asarray(forest.value[node])
        node = following


# ---- growing --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Grown:
    """Trees of one fit: by iteration and output the nodes of scikit-learn; features numbered among `columns`."""

    trees: list[list[NDArray[Any]]]
    offset: Floats
    columns: NDArray[np.int64]
    present: NDArray[np.int64]
    records: int


@dataclass(frozen=True)
class _Rows:
    """What one fit learns from and stops by: features (records, features), answers and weights (records,)."""

    features: NDArray[np.float32]
    answer: NDArray[Any]
    weight: NDArray[np.float32]
    validation_features: NDArray[np.float32]
    validation_answer: NDArray[Any]


def _grow_number(data: TrainingData, target: int, iterations: int, seed: int) -> _Grown:
    known, checked = np.isfinite(data.truth[:, target]), np.isfinite(data.validation_truth[:, target])
    rows = _rows(data, known, checked, target)
    offset = np.zeros(1)
    if known.any():
        offset[0] = np.average(rows.answer.astype(np.float64), weights=rows.weight)
    present = np.empty(0, dtype=np.int64)
    if known.sum() < 4 or rows.answer.min() == rows.answer.max():
        return _Grown([], offset, present, present, int(known.sum()))
    return _grow(rows, present, max(20, iterations), seed)


def _grow_classes(data: TrainingData, seed: int) -> _Grown:
    known = np.isfinite(data.truth[:, 0])
    present = np.unique(data.truth[known, 0]).astype(np.int64)
    rows = _rows(data, known, np.isin(data.validation_truth[:, 0], present), 0)
    if len(present) < 2 or known.sum() < 4:
        share = np.array([(rows.answer == label).mean() for label in present])
        offset = np.log(share[1:] / share[:1]) if len(present) == 2 else np.log(share)
        return _Grown([], offset, np.empty(0, dtype=np.int64), present, int(known.sum()))
    iterations = ITERATIONS if len(present) == 2 else min(ITERATIONS, TREES // len(present))
    return _grow(rows, present, max(20, iterations), seed)


def _rows(data: TrainingData, known: NDArray[np.bool_], checked: NDArray[np.bool_], target: int) -> _Rows:
    return _Rows(
        data.features[known],
        data.truth[known, target],
        data.weight[known],
        data.validation_features[checked],
        data.validation_truth[checked, target],
    )


def _grow(rows: _Rows, present: NDArray[np.int64], iterations: int, seed: int) -> _Grown:
    """One fit by scikit-learn, cut back to the trees with the least loss on the validation rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    leaf = min(LEAF, max(2, len(rows.answer) // 20))
    columns = _varying(rows.features, leaf, seed)
    if is_wide(rows.features[:, columns]):
        columns = most_telling(rows.features, rows.answer, columns)
    chosen = _part(len(rows.answer), len(columns), seed)
    learned = np.ascontiguousarray(rows.features[np.ix_(chosen, columns)])
    checks = len(rows.validation_answer) > 0
    kind = HistGradientBoostingClassifier if len(present) else HistGradientBoostingRegressor
    model = kind(
        learning_rate=LEARNING_RATE,
        max_iter=iterations if checks else min(BLIND_ITERATIONS, iterations),
        max_leaf_nodes=LEAVES,
        max_bins=BINS,
        min_samples_leaf=leaf,
        early_stopping=checks,
        n_iter_no_change=PATIENCE,
        random_state=seed,
    )
    weight = rows.weight[chosen] / rows.weight[chosen].mean()
    if is_wide(rows.features) and bool((weight == weight[0]).all()):
        weight = None  # scikit-learn cuts columns into steps much faster without weights
    validation = {}
    if checks:
        validation = {"X_val": rows.validation_features[:, columns], "y_val": rows.validation_answer}
    with threadpool_limits(1 if learned.size < THREADS_FROM else None, "openmp"):
        model.fit(learned, rows.answer[chosen], weight, **validation)
    kept = int(np.argmax(model.validation_score_)) if checks else len(model._predictors)
    trees = [[tree.nodes for tree in iteration] for iteration in model._predictors[:kept]]
    return _Grown(trees, np.ravel(model._baseline_prediction), columns, present, len(chosen))


def _varying(features: NDArray[np.float32], leaf: int, seed: int) -> NDArray[np.int64]:
    """Features that some split could use: at least `leaf` records differ from the usual value."""
    some = np.random.default_rng(seed).permutation(len(features))[:2001]
    usual = np.partition(features[some], len(some) // 2, axis=0)[len(some) // 2]  # the median of most
    varying = np.flatnonzero((features != usual).sum(axis=0) >= leaf)
    return varying if len(varying) else np.zeros(1, dtype=np.int64)


def _part(records: int, columns: int, seed: int) -> NDArray[np.int64]:
    """The records that are learned from, in their order."""
    at_most = max(1_000, CELLS // columns)
    if records <= at_most:
        return np.arange(records)
    return np.sort(np.random.default_rng(seed).choice(records, at_most, replace=False))


# ---- keeping --------------------------------------------------------------------------------------------


def _joined(grown: list[_Grown], classes: int) -> _Forest:
    """All trees of all fits as one list of nodes."""
    nodes, roots, outputs, first, output = [], [], [], 0, 0
    for fit in grown:
        for iteration in fit.trees:
            for place, tree in enumerate(iteration):
                nodes.append(_numbered(tree, fit.columns, first))
                roots.append(first)
                outputs.append(output + place)
                first += len(tree)
        output += len(fit.offset)
    kinds: dict[str, type[Any]] = {
        "feature": np.int64,
        "threshold": np.float64,
        "left": np.int64,
        "right": np.int64,
    }
    kinds |= {"missing": np.uint8, "value": np.float64}
    columns = {
        name: np.concatenate([tree[name] for tree in nodes]) if nodes else np.empty(0, dtype=kind)
        for name, kind in kinds.items()
    }
    return _Forest(
        **columns,
        root=np.array(roots, dtype=np.int64),
        output=np.array(outputs, dtype=np.int64),
        offset=np.concatenate([fit.offset for fit in grown]).astype(np.float64),
        present=grown[0].present,
        classes=np.array([classes]),
        records=np.array([max(fit.records for fit in grown)]),
        used=np.array([max(len(fit.columns) for fit in grown)]),
    )


def _numbered(tree: NDArray[Any], columns: NDArray[np.int64], first: int) -> dict[str, NDArray[Any]]:
    """The nodes of one tree, numbered from `first`, with features by their place in the input."""
    leaf = tree["is_leaf"].astype(bool)
    own = np.arange(len(tree)) + first
    return {
        "feature": np.where(leaf, columns[0], columns[np.where(leaf, 0, tree["feature_idx"])]),
        "threshold": np.where(leaf, 0.0, tree["num_threshold"]).astype(np.float64),
        "left": np.where(leaf, own, tree["left"].astype(np.int64) + first),
        "right": np.where(leaf, own, tree["right"].astype(np.int64) + first),
        "missing": tree["missing_go_to_left"].astype(np.uint8),
        "value": np.where(leaf, tree["value"], 0.0).astype(np.float64),
    }
