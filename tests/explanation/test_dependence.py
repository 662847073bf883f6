"""Partial dependence and interaction against scikit-learn, closed forms and brute force."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.inspection import partial_dependence

from bioloom.explanation.dependence import dependence, interactions, interactions_of_each


def rows(count: int = 40, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.normal(size=(count, 3)), columns=["a", "b", "c"])
    frame["kind"] = random.choice(["x", "y", "z"], size=count, p=[0.6, 0.3, 0.1])
    return frame


def additive(frame: pd.DataFrame) -> np.ndarray:
    return (2 * frame["a"] + frame["b"] ** 2 + (frame["kind"] == "y") * 3.0).to_numpy(dtype=float)


def product(frame: pd.DataFrame) -> np.ndarray:
    return (frame["a"] * frame["b"]).to_numpy(dtype=float)


def test_curves_and_means_equal_scikit_learn() -> None:
    frame = rows(60)[["a", "b", "c"]]
    model = GradientBoostingRegressor(n_estimators=20, random_state=0).fit(frame, product(frame))
    found = dependence(model.predict, frame, "b")
    oracle = partial_dependence(model, frame, ["b"], kind="both", custom_values={"b": np.array(found.values)})
    assert np.allclose(found.curves, oracle["individual"][0])
    assert np.allclose(found.mean, oracle["average"][0])


def test_a_sum_moves_every_record_alike_and_by_its_own_part() -> None:
    found = dependence(additive, rows(), "a")
    assert np.allclose(np.diff(found.curves, axis=1), 2 * np.diff(found.values))
    assert len(found.values) <= 20
    assert found.values == tuple(sorted(found.values))
    assert found.numeric


def test_categories_are_tried_from_the_commonest_on() -> None:
    found = dependence(additive, rows(), "kind")
    assert found.values == ("x", "y", "z")
    assert np.allclose(found.mean - found.mean[0], [0, 3, 0])
    assert not found.numeric


def test_a_column_that_the_model_ignores_is_flat() -> None:
    found = dependence(additive, rows(), "c")
    assert np.allclose(found.curves, found.curves[:, :1])


def test_missing_cells_are_set_like_all_others() -> None:
    frame = rows()
    frame.loc[3, "a"] = np.nan
    found = dependence(lambda each: additive(each.fillna(0.0)), frame, "a")
    assert np.isfinite(found.values).all()
    assert np.allclose(np.diff(found.curves[3]), 2 * np.diff(found.values))


def test_parts_of_a_sum_do_not_interact() -> None:
    found = interactions(additive, rows(), ("a", "b", "kind"))
    assert max(found.pairs.values()) < 1e-12
    assert max(found.alone.values()) < 1e-12


def test_an_interaction_equals_its_definition_and_a_centred_product_is_all_interaction() -> None:
    frame = rows(30)
    found = interactions(product, frame, ("a", "b", "c"))
    a, b = frame["a"].to_numpy(), frame["b"].to_numpy()
    both, one, other = a * b, a * b.mean(), b * a.mean()
    both, one, other = both - both.mean(), one - one.mean(), other - other.mean()
    assert found.pairs["a", "b"] == pytest.approx(np.sum((both - one - other) ** 2) / np.sum(both**2))
    assert found.alone["a"] == pytest.approx(found.pairs["a", "b"])
    assert found.pairs["a", "c"] < 1e-12
    even = frame.assign(a=a - a.mean(), b=b - b.mean())
    assert interactions(product, even, ("a", "b")).pairs["a", "b"] == pytest.approx(1.0)


def test_columns_without_any_effect_have_no_interaction_to_speak_of() -> None:
    found = interactions(lambda frame: frame["a"].to_numpy(dtype=float), rows(), ("b", "c"))
    assert np.isnan(found.pairs["b", "c"])
    assert found.alone["b"] == pytest.approx(0.0)


def test_interactions_are_those_of_each_output() -> None:
    frame = rows()

    def both(table: pd.DataFrame) -> np.ndarray:
        return np.stack([additive(table), product(table)], axis=1)

    columns = ("a", "b")
    for output, alone in zip(interactions_of_each(both, frame, columns), (additive, product), strict=True):
        assert output.pairs == pytest.approx(interactions(alone, frame, columns).pairs)
        assert output.alone == pytest.approx(interactions(alone, frame, columns).alone)
