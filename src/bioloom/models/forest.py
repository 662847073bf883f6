"""Random forest: many deep decision trees, each grown on a bootstrap sample with few features tried at each split.

Breiman 2001, doi:10.1023/A:1010933404324; grown by scikit-learn. With more features than records it is hard to beat on
abundances of taxa (Pasolli et al. 2016, doi:10.1371/journal.pcbi.1004977). What is kept are plain arrays of nodes, so
that a stored model needs neither pickle nor scikit-learn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bioloom.models import SimpleModel, TrainingData, simple_models
from bioloom.targets import Targets

Floats = NDArray[np.float64]

TREES = 500
"""Trees in all; divided among targets."""

RECORDS = 4_000
"""Records that are learned from at most; beyond, a random part of them is."""

CELLS = 2_000_000
"""Records times features from which fewer trees are grown, down to a fifth."""

BLOCK = 1_000_000
"""Pairs of record and tree followed at once: about 30 MB."""


@dataclass(frozen=True)
class _Trees:
    """All trees in one list of nodes.

    feature, threshold: (nodes,) a record goes left where its feature is at most the threshold
    left, right: (nodes,) numbers of the next nodes; a leaf leads to itself
    value:       (nodes, outputs) what a leaf says: shares of classes, or the target of its tree in its own column
    root:        (trees,) the first node of each tree
    trees:       (outputs,) how many trees speak of each output; 0 where `constant` does
    constant:    (outputs,) what is said where no tree was grown
    present:     (classes present,) numbers of the classes that training rows hold; empty for numbers
    classes, records, used: (1,) classes in all, 0 for numbers; records learned from; features given
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float32]
    root: NDArray[np.int32]
    trees: NDArray[np.int64]
    constant: Floats
    present: NDArray[np.int64]
    classes: NDArray[np.int64]
    records: NDArray[np.int64]
    used: NDArray[np.int64]


@simple_models.register
class Forest(SimpleModel):
    """The mean of many decision trees, each of which saw other records and other features."""

    name = "forest"
    title = "random forest"

    def __init__(self, trees: _Trees) -> None:
        self.trees = trees

    @classmethod
    def fit(cls, data: TrainingData, targets: Targets, seed: int) -> Self:
        """Grow the trees; nothing is chosen on validation rows, because a forest hardly needs settings."""
        if targets.classes:
            return cls(_joined([_classes(data, seed)], len(targets.classes)))
        count = data.truth.shape[1]
        return cls(_joined([_number(data, target, count, seed) for target in range(count)], 0))

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Predictions in the target's units, or probabilities, (records, targets or classes)."""
        told, classes = self._mean(features), int(self.trees.classes[0])
        if not classes:
            return told.astype(np.float32)
        probability = np.zeros((len(features), classes), dtype=np.float32)
        probability[:, self.trees.present] = told
        return probability[:, 1:] if classes == 2 else probability

    def _mean(self, features: NDArray[np.float32]) -> Floats:
        """(records, outputs) mean of what the leaves say that each record falls into."""
        trees = self.trees
        told = np.tile(trees.constant, (len(features), 1))
        if not len(trees.root):
            return told
        grown = trees.trees > 0
        step = max(1, BLOCK // len(trees.root))
        for first in range(0, len(features), step):
            rows = slice(first, first + step)
            summed = trees.value[_leaves(trees, features[rows])].sum(axis=1, dtype=np.float64)
            told[rows, grown] = (summed / np.maximum(trees.trees, 1))[:, grown]
        return told

    @property
    def learned_from(self) -> int:
        """Training records on which the trees were grown."""
        return int(self.trees.records[0])

    def describe(self) -> str:
        """How many trees, grown on how many records and features."""
        trees, used = len(self.trees.root), int(self.trees.used[0])
        return f"random forest, {trees:,} trees grown on {self.learned_from:,} records and {used:,} features"

    def state(self) -> dict[str, NDArray[Any]]:
        """All nodes."""
        return asdict(self.trees)

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        return cls(_Trees(**state))


def _leaves(trees: _Trees, features: NDArray[np.float32]) -> NDArray[np.int32]:
    """The leaf that each record reaches in each tree, (records, trees)."""
    rows = np.arange(len(features))[:, None]
    node = np.broadcast_to(trees.root, (len(features), len(trees.root)))
    while True:
        goes_left = features[rows, trees.feature[node]] <= trees.threshold[node]
        following = np.where(goes_left, trees.left[node], trees.right[node])
        if np.array_equal(following, node):
            return following
        node = following


# ---- growing and keeping ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Grown:
    """Trees of one fit: scikit-learn's, what they say instead where there are none, and what they learned from."""

    trees: list[Any]
    constant: Floats
    present: NDArray[np.int64]
    records: int
    used: int


def _number(data: TrainingData, target: int, count: int, seed: int) -> _Grown:
    from sklearn.ensemble import RandomForestRegressor

    known = np.flatnonzero(np.isfinite(data.truth[:, target]))
    answer, weight = data.truth[known, target].astype(np.float64), data.weight[known]
    constant = np.array([np.average(answer, weights=weight) if len(known) else 0.0])
    nothing = _Grown([], constant, np.empty(0, dtype=np.int64), len(known), data.features.shape[1])
    if len(known) < 4 or answer.min() == answer.max():
        return nothing
    chosen = _part(len(known), seed)
    model = RandomForestRegressor(
        max(10, _number_of_trees(data, len(chosen)) // count),
        max_features=1 / 3,
        min_samples_leaf=2,
        random_state=seed,
    )
    model.fit(data.features[known[chosen]], answer[chosen], weight[chosen])
    return _Grown(model.estimators_, constant, nothing.present, len(chosen), nothing.used)


def _classes(data: TrainingData, seed: int) -> _Grown:
    from sklearn.ensemble import RandomForestClassifier

    known = np.flatnonzero(np.isfinite(data.truth[:, 0]))
    answer, weight = data.truth[known, 0].astype(np.int64), data.weight[known]
    present = np.unique(answer)
    share = np.array([weight[answer == label].sum() for label in present], dtype=np.float64)
    constant = share / share.sum() if len(present) else share
    nothing = _Grown([], constant, present, len(known), data.features.shape[1])
    if len(present) < 2 or len(known) < 4:
        return nothing
    chosen = _part(len(known), seed)
    model = RandomForestClassifier(
        _number_of_trees(data, len(chosen)), max_features="sqrt", random_state=seed
    )
    model.fit(data.features[known[chosen]], answer[chosen], weight[chosen])
    if len(model.classes_) < len(present):  # the part lacks a rare class
        present, constant = model.classes_.astype(np.int64), constant[np.isin(present, model.classes_)]
    return _Grown(model.estimators_, constant / constant.sum(), present, len(chosen), nothing.used)


def _number_of_trees(data: TrainingData, records: int) -> int:
    cells = float(records * data.features.shape[1])
    trees = TREES * min(1.0, max(0.2, CELLS / max(1, cells)))
    return round(float(trees))


def _part(records: int, seed: int) -> NDArray[np.int64]:
    """The records that are learned from, in their order."""
    if records <= RECORDS:
        return np.arange(records)
    return np.sort(np.random.default_rng(seed).choice(records, RECORDS, replace=False))


def _joined(grown: list[_Grown], classes: int) -> _Trees:
    """All trees of all fits as one list of nodes; fits are of one target each, or of all classes."""
    outputs = sum(len(fit.constant) for fit in grown)
    nodes: dict[str, list[NDArray[Any]]] = {
        key: [] for key in ("feature", "threshold", "left", "right", "value")
    }
    roots, first, column = [], 0, 0
    for fit in grown:
        columns = slice(column, column + len(fit.constant))
        for estimator in fit.trees:
            for key, values in _nodes(estimator.tree_, first, columns, outputs).items():
                nodes[key].append(values)
            roots.append(first)
            first += estimator.tree_.node_count
        column += len(fit.constant)
    empty = {"value": np.empty((0, outputs), dtype=np.float32), "threshold": np.empty(0, dtype=np.float32)}
    arrays: dict[str, Any] = {
        key: np.concatenate(values) if values else empty.get(key, np.empty(0, dtype=np.int32))
        for key, values in nodes.items()
    }
    return _Trees(
        **arrays,
        root=np.array(roots, dtype=np.int32),
        trees=np.concatenate([np.full(len(fit.constant), len(fit.trees)) for fit in grown]).astype(np.int64),
        constant=np.concatenate([fit.constant for fit in grown]),
        present=grown[0].present if classes else np.empty(0, dtype=np.int64),
        classes=np.array([classes]),
        records=np.array([max(fit.records for fit in grown)]),
        used=np.array([max(fit.used for fit in grown)]),
    )


def _nodes(tree: Any, first: int, columns: slice, outputs: int) -> dict[str, NDArray[Any]]:
    """The nodes of one tree, numbered from `first`; leaves lead to themselves."""
    leaf, own = tree.children_left < 0, np.arange(tree.node_count) + first
    value = np.zeros((tree.node_count, outputs), dtype=np.float32)
    told = tree.value[:, 0, :] if tree.n_classes[0] > 1 else tree.value[:, 0, :1]
    value[:, columns] = told / told.sum(axis=1, keepdims=True) if tree.n_classes[0] > 1 else told
    return {
        "feature": np.where(leaf, 0, tree.feature).astype(np.int32),
        "threshold": np.where(leaf, 0.0, _rounded_down(tree.threshold)).astype(np.float32),
        "left": np.where(leaf, own, tree.children_left + first).astype(np.int32),
        "right": np.where(leaf, own, tree.children_right + first).astype(np.int32),
        "value": value,
    }


def _rounded_down(threshold: Floats) -> NDArray[np.float32]:
    """The largest float32 that is not above each threshold, so that float32 features go the same way."""
    short = threshold.astype(np.float32)
    return np.where(short.astype(np.float64) > threshold, np.nextafter(short, np.float32(-np.inf)), short)
