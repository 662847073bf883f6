"""Splits in an order (time, mutations, target) and by chromosome: the end is the test, ties stay together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bioloom.data.choose import make_split
from bioloom.data.library import one_parent
from bioloom.data.split import splitters
from bioloom.data.wording import counted
from bioloom.errors import UserError
from planted import substituted, texts, unrelated
from test_split import request


def ordered(cells: object, labels: object = None) -> object:
    cells = np.array(cells, dtype=object)
    return replace(request(np.arange(len(cells)) % 2 if labels is None else labels), order=cells)


def cells_of(split: object, cells: object, part: str) -> set[object]:
    return set(np.array(cells, dtype=object)[split.part == part].tolist())


# ---- time -----------------------------------------------------------------------------------------------


def test_the_latest_records_are_the_test_and_those_before_them_validation() -> None:
    random = np.random.default_rng(0)
    moments = random.permutation(200).astype(float)
    split = make_split("time", ordered(moments))
    train, validation, test = (moments[split.index(part)] for part in ("train", "validation", "test"))
    assert train.max() < validation.min() <= validation.max() < test.min()
    assert split.counts == {"train": 140, "validation": 30, "test": 30}


def test_batches_are_sorted_as_people_count_and_never_split_apart() -> None:
    plates = [f"plate {n % 12 + 1}" for n in range(120)]
    split = make_split("time", ordered(plates))
    assert cells_of(split, plates, "test") == {"plate 11", "plate 12"}
    assert cells_of(split, plates, "validation") == {"plate 9", "plate 10"}


@pytest.mark.parametrize(
    "texts_of_dates",
    [
        lambda days: days.strftime("%Y-%m-%d"),
        lambda days: days.strftime("%d.%m.%Y"),
        lambda days: days.strftime("%d/%m/%Y"),
        lambda days: days.strftime("%m/%d/%Y"),
        lambda days: days,
    ],
)
def test_dates_are_sorted_as_dates_in_any_spelling_that_is_clear(texts_of_dates: object) -> None:
    days = pd.date_range("2023-11-05", periods=100)
    order = np.random.default_rng(0).permutation(100)
    split = make_split("time", ordered(np.array(list(texts_of_dates(days)), dtype=object)[order]))
    assert sorted(order[split.index("test")].tolist()) == list(range(85, 100))


def test_dates_of_which_nobody_knows_the_month_are_refused() -> None:
    cells = [f"{n % 12 + 1:02}/{n % 7 + 1:02}/2024" for n in range(60)]
    with pytest.raises(UserError, match="day first or month first") as caught:
        make_split("time", ordered(cells))
    assert "2024-03-31" in caught.value.fix


def test_records_without_a_time_are_for_training_and_that_is_said() -> None:
    cells = [None if n < 10 else n for n in range(100)]
    split = make_split("time", ordered(cells))
    assert set(split.part[:10].tolist()) == {"train"}
    assert "10 records without a value" in split.notes[0]


@pytest.mark.parametrize(("cells", "message"), [(None, "came first"), ([1, 2] * 20, "2 different values")])
def test_a_missing_or_too_coarse_order_is_refused(cells: object, message: str) -> None:
    asked = request(np.arange(40) % 2) if cells is None else ordered(cells)
    with pytest.raises(UserError, match=message):
        make_split("time", asked)


# ---- mutations and targets ------------------------------------------------------------------------------


def library(counts: dict[int, int]) -> np.ndarray:
    random = np.random.default_rng(0)
    parent = unrelated(random, 1, 60)[0]
    return texts([substituted(random, parent, m) for m, n in counts.items() for _ in range(n)])


def test_variants_with_the_most_mutations_are_the_test() -> None:
    sequences = library({1: 60, 2: 60, 3: 60, 4: 30})
    asked = replace(request(np.arange(210.0), classes=False), library=lambda: one_parent(sequences))
    split = make_split("mutation-count", asked)
    found = one_parent(sequences)
    assert found is not None
    count = found.mutated.sum(axis=1)
    assert set(count[split.index("test")].tolist()) == {4}
    assert set(count[split.index("train")].tolist()) == {1, 2, 3}
    assert "4 or more mutations" in split.reason


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (request(np.arange(60.0), classes=False), "not variants of one parent"),
        (
            replace(request(np.arange(80.0), classes=False), library=lambda: one_parent(library({2: 80}))),
            "same number of mutations",
        ),
    ],
)
def test_records_that_cannot_be_told_apart_by_mutations_are_refused(asked: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_split("mutation-count", asked)


def test_the_highest_targets_are_the_test_and_copies_stay_together() -> None:
    values = np.random.default_rng(0).normal(size=200)
    copies = np.arange(200)
    copies[0] = int(values.argmax())  # a low record that is a copy of the highest one
    values[0] = -5.0
    asked = replace(request(values, classes=False), copies=lambda: copies)
    split = make_split("low-to-high", asked)
    assert split.part[0] == split.part[copies[0]]
    alone = np.arange(200) != copies[0]
    rest = split.part != "test"
    assert values[(split.part == "test") & alone].min() > values[rest & alone].max()
    assert split.counts["test"] == pytest.approx(30, abs=1)


def test_equal_targets_are_never_split_apart() -> None:
    values = np.repeat([0.0, 1.0, 2.0, 3.0], [60, 60, 40, 40])
    split = make_split("low-to-high", request(values, classes=False))
    assert set(values[split.index("test")].tolist()) == {3.0}
    assert 3.0 not in values[split.part != "test"]


def test_classes_have_no_low_and_high() -> None:
    with pytest.raises(UserError, match="Classes have no low and high"):
        make_split("low-to-high", request(np.arange(40) % 2))


# ---- chromosomes ----------------------------------------------------------------------------------------


def test_whole_chromosomes_of_a_column_go_to_one_part_however_they_are_spelled() -> None:
    numbers = np.arange(240) % 12
    cells = np.array([f"chr{n}" if row % 2 else str(n) for row, n in enumerate(numbers)], dtype=object)
    split = make_split("chromosome", replace(request(np.arange(240) // 120), chromosome=cells))
    assert all(len(set(split.part[numbers == n].tolist())) == 1 for n in range(12))
    assert "12 chromosomes, from a column" in split.reason


@pytest.mark.parametrize(
    "form", ["chr{}:100-200(+)", "{}:1,000-2,000", "peak7::chr{}:5-90", "NC_{}.11:100..200"]
)
def test_chromosomes_are_read_from_ids(form: str) -> None:
    ids = np.array([form.format(n % 10 + 1) for n in range(100)], dtype=object)
    split = make_split("chromosome", replace(request(np.arange(100) // 50), ids=ids))
    assert "10 chromosomes, read from the ids" in split.reason
    assert all(len(set(split.part[ids == each].tolist())) == 1 for each in ids)


def test_regions_of_one_chromosome_are_not_taken_for_one_unit_by_intervals() -> None:
    cells = np.array([f"chr{number % 6}" for number in range(240)], dtype=object)
    split = make_split("chromosome", replace(request(np.arange(240) // 120), chromosome=cells))
    assert split.units is not None
    assert split.alike is None
    assert "intervals take them for independent" in split.reason


def test_records_without_a_chromosome_stay_together_and_that_is_said() -> None:
    cells = np.array([None if n < 12 else f"chr{n % 9}" for n in range(120)], dtype=object)
    split = make_split("chromosome", replace(request(np.arange(120) % 2), chromosome=cells))
    assert len(set(split.part[:12].tolist())) == 1
    assert "12 records without a chromosome" in split.notes[0]


def test_where_nothing_names_a_chromosome_what_is_needed_is_said() -> None:
    ids = np.array([str(n) for n in range(60)], dtype=object)
    with pytest.raises(UserError, match="on which chromosome") as caught:
        make_split("chromosome", replace(request(np.arange(60) % 2), ids=ids))
    assert "data.chromosome" in caught.value.fix
    assert "chr1:100-200" in caught.value.fix


def test_two_chromosomes_are_too_few() -> None:
    cells = np.array(["chr1", "chr2"] * 30, dtype=object)
    with pytest.raises(UserError, match=r"2 chromosome\(s\) cannot be divided"):
        make_split("chromosome", replace(request(np.arange(60) // 30), chromosome=cells))


# ---- what advice has to know -----------------------------------------------------------------------------


def test_each_method_says_what_its_test_can_do() -> None:
    lot = {name for name in splitters if splitters[name].by_lot}
    assert lot == {"random", "stratified", "copies", "group", "similarity"}
    assert {name for name in splitters if splitters[name].in_folds} == lot | {"chromosome"}
    assert {name for name in splitters if splitters[name].one_parent} == {
        "mutation", "mutation-count", "low-to-high",
    }  # fmt: skip
    assert [name for name in splitters if splitters[name].unlike] == ["similarity"]
    assert [name for name in splitters if splitters[name].alone] == ["leave-one-out"]


def test_units_are_counted_in_words() -> None:
    told = {name: counted(3, splitters[name].unit) for name in ("chromosome", "time", "copies")}
    assert told == {"chromosome": "3 chromosomes", "time": "3 batches", "copies": "3 families"}
    assert counted(1, "family") == "1 family"


# ---- sizes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["leave-one-out", "leave-one-group-out"])
def test_leaving_one_out_is_no_single_split(name: str) -> None:
    with pytest.raises(UserError, match="not a single split"):
        make_split(name, request(np.arange(60) % 2))
