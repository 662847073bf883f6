"""From labels to a task: which class is positive, and what a named task refuses."""

from __future__ import annotations

import pandas as pd
import pytest

from bioloom import targets, tasks
from bioloom.errors import UserError


def test_whole_numbers_written_with_a_point_are_the_same_classes():
    mixed = pd.DataFrame({"bound": ["1.0", "0", "1", "0.0", 1.0, 0]})
    assert targets.infer(mixed)[0] == "binary"
    classes, _ = targets.class_order(mixed["bound"], "binary", None)
    assert classes == ("0", "1")
    truth = targets.Targets("binary", ("bound",), classes).truth(mixed)
    assert truth[:, 0].tolist() == [1, 0, 1, 0, 1, 0]


def test_the_more_frequent_of_two_numbers_is_still_positive_where_it_is_1():
    labels = pd.Series(["1.0"] * 9 + ["0.0"] * 3, name="bound")
    assert targets.class_order(labels, "binary", None)[0] == ("0", "1")


def test_a_positive_class_may_be_named_as_it_stands_in_the_file():
    labels = pd.Series(["1.0", "2.0"], name="stage")
    assert targets.class_order(labels, "binary", "1.0")[0] == ("2", "1")


def test_names_with_points_stay_as_they_are():
    labels = pd.Series(["v1.10", "1.05", "EC 1.1.1.0"], name="version")
    assert targets.class_order(labels, "multiclass", None)[0] == ("1.05", "EC 1.1.1.0", "v1.10")


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_several_columns_of_classes_are_refused(task: str):
    labels = pd.DataFrame({"one": [0, 1], "two": [1, 0]})
    with pytest.raises(UserError, match="Only one column of classes"):
        targets.refuse_unfit(labels, task)
    targets.refuse_unfit(labels, "regression")


@pytest.mark.parametrize("task", tasks.TASKS)
def test_a_constant_target_is_refused_whatever_the_task(task: str):
    with pytest.raises(UserError, match="constant: every value is '3'"):
        targets.refuse_unfit(pd.DataFrame({"dose": [3, 3.0, "3"]}), task)


def test_numbers_with_words_between_them_are_not_taken_for_classes():
    labels = pd.DataFrame({"kd": [*map(str, range(8)), "n.d.", "n.d."]})
    with pytest.raises(
        UserError, match=r"mixes numbers and text: 2 of 10 cells are no number, such as 'n.d.'"
    ):
        targets.infer(labels)


def test_numbers_with_a_unit_are_not_taken_for_classes():
    for unit in (" %", "%", " nM", " mg/ml"):
        with pytest.raises(UserError, match="numbers with a unit, such as '10"):
            targets.infer(pd.DataFrame({"yield": [f"{10 + n % 8}{unit}" for n in range(40)]}))


def test_a_few_times_or_doses_are_classes():
    labels = pd.DataFrame({"harvest": [f"{days} days" for days in (3, 7, 14)] * 10})
    assert targets.infer(labels)[0] == "multiclass"
    grades = pd.DataFrame({"grade": ["1a", "1b", "2a", "2b", "3a", "3b"] * 10})
    assert targets.infer(grades)[0] == "multiclass"


def test_one_class_is_told_from_all_others_and_the_others_are_named() -> None:
    labels = pd.DataFrame({"site": ["EI", "IE", None, "N", "EI"]})
    merged, words = targets.against_rest(labels, "EI")
    assert merged["site"].tolist()[:2] == ["EI", "not EI"]
    assert merged["site"].isna().tolist() == [False, False, True, False, False]
    assert words == "against IE, N together"
    assert targets.class_order(merged["site"], "binary", "EI")[0] == ("not EI", "EI")


def test_two_classes_stay_and_a_class_that_is_not_there_merges_nothing() -> None:
    two, three = pd.DataFrame({"y": ["a", "b"]}), pd.DataFrame({"y": ["a", "b", "c"]})
    assert targets.against_rest(two, "a")[0] is two
    assert targets.against_rest(three, "d")[0] is three
    with pytest.raises(UserError, match="is not among: a, b, c"):
        targets.class_order(three["y"], "binary", "d")


def test_numbers_can_be_one_class_against_the_others() -> None:
    merged, words = targets.against_rest(pd.DataFrame({"grade": [1.0, 2.0, 3.0]}), "2")
    assert merged["grade"].tolist() == ["not 2", "2", "not 2"]
    assert words == "against 1, 3 together"
