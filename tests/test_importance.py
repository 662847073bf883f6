"""Permutation importance against closed forms, and what columns that go along with each other do."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bioloom.journey.importance import Asked, Effort, Unseen, importances
from bioloom.tasks import task


def asked(
    frame: pd.DataFrame,
    truth: np.ndarray,
    predict,
    *,
    repeats: int = 5,
    groups=None,
    name: str = "regression",
):
    """A question about a table whose model is a function of its columns."""

    def values(frames):
        return np.asarray(predict(frames["t"]), dtype=np.float32).reshape(len(frames["t"]), -1)

    model = SimpleNamespace(values=values, targets=SimpleNamespace(task=name))
    unseen = Unseen({"t": frame}, truth.astype(np.float32).reshape(-1, 1), groups, 0)
    return Asked(model, unseen, "t", tuple(frame.columns), Effort(1000, 10, repeats, 0))


def numbers(count: int = 400, seed: int = 0) -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(count, 3)), columns=["a", "b", "c"])


def test_the_worst_loss_comes_first_and_a_column_without_use_costs_nothing() -> None:
    frame = numbers()
    truth = 3 * frame["a"] + frame["b"]
    found = importances(asked(frame, truth.to_numpy(), lambda each: 3 * each["a"] + each["b"]))
    assert [each.columns for each in found] == [("a",), ("b",), ("c",)]
    assert found[2].score.value == 0
    assert found[0].score.low > found[1].score.high > 0


def test_the_loss_of_a_linear_model_is_what_theory_says() -> None:
    """Rank correlation of normal numbers: 6 / pi arcsin(r / 2), where r = sqrt(explained share) after the shuffle."""
    assert task("regression").primary == "spearman"
    frame = numbers(4000)
    truth = 2 * frame["a"] + frame["b"]
    (first, *_) = importances(
        asked(frame, truth.to_numpy(), lambda each: 2 * each["a"] + each["b"], repeats=10)
    )
    r = 1 / 5  # covariance of 2 a' + b with 2 a + b, over the variance of both, 5
    assert first.score.value == pytest.approx(1 - 6 / np.pi * np.arcsin(r / 2), abs=0.03)
    assert first.score.low <= 1 - 6 / np.pi * np.arcsin(r / 2) <= first.score.high + 0.02


def test_columns_that_go_along_with_each_other_are_shuffled_together_too() -> None:
    frame = numbers()
    frame["a again"] = frame["a"] + 0.01 * frame["c"]
    truth = frame["a"].to_numpy()
    found = importances(asked(frame, truth, lambda each: (each["a"] + each["a again"]) / 2))
    by_columns = {each.columns: each.score.value for each in found}
    assert ("a", "a again") in by_columns
    assert by_columns["a", "a again"] > 1.5 * max(by_columns["a",], by_columns["a again",])
    assert found[0].name == "a + a again"


def test_categories_are_shuffled_as_one_column() -> None:
    frame = numbers(300).assign(kind=np.random.default_rng(1).choice(["x", "y", "z"], 300))
    truth = frame["kind"].map({"x": 0.0, "y": 1.0, "z": 2.0}).to_numpy()
    found = importances(asked(frame, truth, lambda each: each["kind"].map({"x": 0.0, "y": 1.0, "z": 2.0})))
    assert found[0].columns == ("kind",)
    assert found[0].score.value > 0.7


def test_intervals_are_wider_where_records_come_in_groups() -> None:
    frame = numbers(300)
    noise = np.random.default_rng(2).normal(size=30).repeat(10)
    truth = frame["a"].to_numpy() + 3 * noise
    alone = importances(asked(frame, truth, lambda each: each["a"]))[0].score
    grouped = importances(asked(frame, truth, lambda each: each["a"], groups=np.arange(30).repeat(10)))[
        0
    ].score
    assert alone.value == grouped.value
    assert "groups" in grouped.method
    assert grouped.low is not None


def test_a_metric_that_is_better_when_lower_counts_its_rise() -> None:
    frame = numbers(300)
    right = (frame["a"] > 0).to_numpy(dtype=float)
    found = importances(asked(frame, right, lambda each: 1 / (1 + np.exp(-3 * each["a"])), name="binary"))
    assert found[0].columns == ("a",)
    assert found[0].score.value > 0.3


def test_a_metric_that_is_not_defined_gives_no_number_and_the_reason() -> None:
    frame = numbers(50)
    found = importances(asked(frame, np.ones(50), lambda each: each["a"], name="binary"))
    assert all(each.score.value is None for each in found)
    assert "not defined" in found[0].score.undefined


def test_the_same_seed_shuffles_alike() -> None:
    frame = numbers(100)
    truth = frame["a"].to_numpy()
    one, two = (importances(asked(frame, truth, lambda each: each["a"] + each["b"])) for _ in range(2))
    assert [each.score for each in one] == [each.score for each in two]


def test_other_inputs_stay_with_their_records() -> None:
    frame = numbers(60)
    other = pd.DataFrame({"sequence": [f"record {row}" for row in range(60)]})
    seen = []

    def values(frames):
        seen.append((frames["t"], frames["s"]))
        return frames["t"]["a"].to_numpy(dtype=np.float32)[:, None]

    model = SimpleNamespace(values=values, targets=SimpleNamespace(task="regression"))
    unseen = Unseen({"t": frame, "s": other}, frame[["a"]].to_numpy(dtype=np.float32), None, 0)
    importances(Asked(model, unseen, "t", ("a",), Effort(1000, 10, 3, 0)))
    for table, texts in seen:
        assert len(table) == len(texts)
        assert (texts["sequence"].to_numpy() == np.resize(other["sequence"].to_numpy(), len(texts))).all()
        assert (table["b"].to_numpy() == np.resize(frame["b"].to_numpy(), len(table))).all()  # only "a" moved
