"""The table of predictions."""

from __future__ import annotations

import numpy as np

from bioloom.evaluation.predictions import Predictions
from bioloom.targets import Targets

IDS = np.array(["a", "b", "c"], dtype=object)


def test_numbers_are_shown_beside_their_truth_target_by_target() -> None:
    truth = np.array([[1, 2], [3, np.nan], [5, 6]], dtype=np.float32)
    targets = Targets("regression", ("yield", "growth"))
    frame = Predictions(targets, IDS, truth + 1, truth, truth * 0 + 0.1).frame()
    assert list(frame) == [
        "id", "yield", "yield predicted", "growth", "growth predicted", "yield spread", "growth spread",
    ]  # fmt: skip
    assert frame["yield predicted"].tolist() == [2, 4, 6]
    assert frame["growth"].isna().tolist() == [False, True, False]


def test_two_classes_are_named_and_the_probability_is_that_of_the_positive_one() -> None:
    targets = Targets("binary", ("site",), classes=("no", "yes"))
    value = np.array([[0.2], [0.5], [0.9]], dtype=np.float32)
    frame = Predictions(targets, IDS, value, np.array([[0], [1], [np.nan]], dtype=np.float32)).frame()
    assert list(frame) == ["id", "site", "site predicted", "p(yes)"]
    assert frame["site predicted"].tolist() == ["no", "yes", "yes"]
    assert frame["site"].tolist()[:2] == ["no", "yes"]
    assert frame["site"].isna().tolist() == [False, False, True]


def test_of_several_classes_the_likeliest_is_called() -> None:
    targets = Targets("multiclass", ("site",), classes=("EI", "IE", "N"))
    value = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1]], dtype=np.float32)
    predictions = Predictions(targets, IDS, value)
    assert len(predictions) == 3
    assert list(predictions.frame()) == ["id", "site predicted", "p(EI)", "p(IE)", "p(N)"]
    assert predictions.frame()["site predicted"].tolist() == ["N", "EI", "IE"]


def test_another_threshold_calls_fewer_positives() -> None:
    targets = Targets("binary", ("site",), classes=("no", "yes"))
    predictions = Predictions(targets, IDS, np.array([[0.2], [0.5], [0.9]], dtype=np.float32))
    assert predictions.called(0.8).tolist() == [0, 0, 1]
