"""Simple models where features are very many and records few."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from bioloom.models import TrainingData, simple_models
from bioloom.models.width import KEPT, is_wide, most_telling
from bioloom.targets import Targets


def wide(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """160 records of 5,000 features that share ten causes, which decide the answer."""
    random = np.random.default_rng(seed)
    causes = random.normal(size=(160, 10))
    features = causes @ random.normal(size=(10, 5_000)) + 3 * random.normal(size=(160, 5_000))
    return features.astype(np.float32), causes @ random.normal(size=10)


@pytest.mark.parametrize("name", ["logistic", "boosting", "ridge"])
def test_what_very_many_features_share_is_learned_from_few_records(name: str) -> None:
    features, hidden = wide()
    label = (hidden > 0).astype(np.float32)
    truth = (label if name != "ridge" else hidden.astype(np.float32))[:, None]
    targets = (
        Targets("binary", ("y",), ("a", "b"))
        if name != "ridge"
        else Targets("regression", ("y",), mean=(0,), scale=(1,))
    )
    data = TrainingData(features[:80], truth[:80], np.ones(80, np.float32), features[80:110], truth[80:110])
    found = simple_models[name].fit(data, targets, 0).predict(features[110:])[:, 0]
    assert roc_auc_score(label[110:], found) > 0.85


def test_the_columns_that_tell_most_are_kept_in_their_order() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(50, 6_000)).astype(np.float32)
    answer = random.integers(0, 3, size=50)
    features[:, 17] += 9 * (answer == 2)
    kept = most_telling(features, answer, np.arange(6_000))
    assert is_wide(features)
    assert len(kept) == KEPT
    assert 17 in kept
    assert (np.diff(kept) > 0).all()
