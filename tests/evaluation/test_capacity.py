"""The capacity curve names the best size, and whether larger ones only remember more."""

from __future__ import annotations

from bioloom.evaluation.capacity import Size, capacity_curve
from bioloom.evaluation.intervals import Score


def size(parameters: int, fitted: float, tested: float | None) -> Size:
    return Size(parameters // 10, parameters, fitted, Score(tested, None, None, 50, "none"))


def test_sizes_stand_from_small_to_large_and_the_best_is_named() -> None:
    found = capacity_curve("r2", "width", [size(900, 0.9, 0.4), size(100, 0.5, 0.45), size(300, 0.8, 0.6)])
    assert found is not None
    assert [each.parameters for each in found.sizes] == [100, 300, 900]
    assert "highest, 0.600, with width 30 (300 parameters); larger networks fit the training" in found.text


def test_a_metric_of_errors_is_lowest_at_its_best() -> None:
    found = capacity_curve("rmse", "width", [size(100, 2.0, 2.1), size(300, 1.0, 1.5)])
    assert found is not None
    assert "lowest, 1.5, with width 30 (300 parameters), the largest network tried" in found.text


def test_larger_networks_that_fit_no_better_either_are_told_apart() -> None:
    found = capacity_curve("r2", "width", [size(100, 0.5, 0.5), size(300, 0.4, 0.4)])
    assert found is not None
    assert found.text.endswith("larger networks do no better.")


def test_an_undefined_score_is_not_the_best_and_one_size_is_no_curve() -> None:
    assert capacity_curve("r2", "width", [size(100, 0.5, 0.5)]) is None
    found = capacity_curve("r2", "width", [size(100, float("nan"), None), size(300, 0.4, None)])
    assert found is not None
    assert "not defined" in found.text
    assert found.to_json()["sizes"][0]["fitted"] is None
