"""Principal components against scikit-learn, and against the best possible by singular values."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from bioloom.models import TrainingData
from bioloom.models.pca import PrincipalComponents
from bioloom.targets import Targets

Shape = tuple[int, int]


def fitted(x: np.ndarray, size: int) -> PrincipalComponents:
    names = tuple(f"f{number}" for number in range(x.shape[1]))
    ones = np.ones(len(x), dtype=np.float32)
    data = TrainingData(x, x, ones, x[:0], x[:0], size)
    return PrincipalComponents.fit(data, Targets("reconstruct", names), seed=0)


def correlated(shape: Shape, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    mixed = random.normal(size=(shape[0], 5)) @ random.normal(size=(5, shape[1]))
    return (mixed + 0.3 * random.normal(size=shape) + 2.0).astype(np.float32)


@pytest.mark.parametrize("shape", [(60, 8), (30, 90)])
def test_new_records_are_restored_as_scikit_learn_does(shape: Shape) -> None:
    x, new = correlated(shape), correlated(shape, seed=1)
    model, oracle = fitted(x, 4), PCA(4, svd_solver="full").fit(x.astype(np.float64))
    expected = oracle.inverse_transform(oracle.transform(new.astype(np.float64)))
    assert model.predict(new) == pytest.approx(expected, abs=2e-3)
    scores = oracle.transform(new.astype(np.float64))
    assert np.abs(model.compress(new)) == pytest.approx(np.abs(scores), abs=2e-3)


def test_components_beyond_what_varies_do_no_harm() -> None:
    x = correlated((40, 6))
    x[:, 3:] = 1.0
    model = fitted(x, 6)
    assert model.predict(x) == pytest.approx(x, abs=1e-3)
    assert np.isfinite(model.compress(x)).all()
