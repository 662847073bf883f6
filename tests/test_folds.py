"""Folds: each record tested once, units whole, classes spread as well as scikit-learn spreads them, clear refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import (
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    StratifiedGroupKFold,
    StratifiedKFold,
)

from bioloom.data.choose import make_split
from bioloom.data.folds import Folds, choose_folds, make_folds
from bioloom.data.library import one_parent
from bioloom.data.split import SplitRequest, Together, splitters
from bioloom.errors import UserError
from planted import substituted, texts, unrelated
from test_split import request


def grouped(labels: np.ndarray, groups: np.ndarray, *, classes: bool = True, seed: int = 0) -> SplitRequest:
    return replace(request(labels, classes=classes), group=groups.astype(object), seed=seed)


def messy(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Forty groups of 1 to 29 records, each with its own mix of three classes, one of them rare."""
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 30, 40)
    groups = np.repeat(np.arange(40), sizes)
    mixes = random.dirichlet([2.0, 1.0, 0.15], 40)
    labels = np.concatenate([random.choice(3, size, p=mix) for size, mix in zip(sizes, mixes, strict=True)])
    return labels, groups


METHODS = {
    "random": lambda one: one,
    "stratified": lambda one: one,
    "copies": lambda one: replace(one, copies=lambda: np.arange(120) // 2),
    "similarity": lambda one: replace(one, together=lambda: Together(np.arange(120) // 3, "alike")),
    "group": lambda one: replace(one, group=(np.arange(120) % 24).astype(object)),
    "chromosome": lambda one: replace(
        one, chromosome=np.array([f"chr{n % 20}" for n in range(120)], dtype=object)
    ),
    "mutation": lambda one: replace(one, library=lambda: one_parent(single_mutants(120))),
    "leave-one-out": lambda one: one,
    "leave-one-group-out": lambda one: replace(one, group=(np.arange(120) % 24).astype(object)),
}


def single_mutants(count: int) -> np.ndarray:
    random = np.random.default_rng(0)
    parent = unrelated(random, 1, 60)[0]
    return texts([substituted(random, parent, 1) for _ in range(count)])


def each_tested_once(folds: Folds) -> bool:
    repeats = np.split(np.array([split.part == "test" for split in folds.splits]), folds.repeats)
    return all((tested.sum(axis=0) == 1).all() for tested in repeats)


def test_every_method_with_units_is_tested_here() -> None:
    assert set(METHODS) == {name for name in splitters if splitters[name].units is not None}


@pytest.mark.parametrize("method", METHODS)
def test_each_record_is_tested_once_in_each_repeat_and_units_stay_whole(method: str) -> None:
    asked = METHODS[method](request(np.arange(120) // 60))
    repeats = 1 if splitters[method].each else 2
    folds, again = (make_folds(method, asked, 4, repeats) for _ in range(2))
    assert folds.method == method
    assert each_tested_once(folds)
    assert (folds.fold >= 0).all()
    assert folds.fold.shape == (repeats, 120)
    for split, other in zip((*folds.splits, folds.final), (*again.splits, again.final), strict=True):
        assert split.part.tolist() == other.part.tolist()
        assert split.units is not None
        for unit in np.unique(split.units):
            assert len(set(split.part[split.units == unit].tolist())) == 1
        assert split.counts["train"] > split.counts["validation"] > 0
    assert folds.final.counts["test"] == 0
    assert sum(folds.final.counts.values()) == 120
    assert folds.reason.endswith(".")


def test_the_share_of_validation_is_that_of_a_single_split_outside_its_test() -> None:
    folds = make_folds("stratified", request(np.arange(1000) % 2), 5)
    assert {split.counts["validation"] for split in folds.splits} == {round(800 * 0.15 / 0.85)}
    assert folds.final.counts["validation"] == round(1000 * 0.15 / 0.85)


def test_random_folds_have_the_sizes_of_k_fold_and_repeats_differ() -> None:
    folds = make_folds("random", request(np.arange(103) % 2), 5, repeats=3)
    expected = sorted(len(test) for _, test in KFold(5).split(np.zeros((103, 1))))
    for repeat in folds.fold:
        assert sorted(np.bincount(repeat).tolist()) == expected
    assert len({tuple(repeat.tolist()) for repeat in folds.fold}) == 3


def test_stratified_folds_hold_as_many_of_each_class_as_stratified_k_fold_gives() -> None:
    labels = np.random.default_rng(0).choice(3, 211, p=[0.7, 0.25, 0.05])
    folds = make_folds("stratified", request(labels), 5)
    for stratum in range(3):
        mine = np.bincount(folds.fold[0][labels == stratum], minlength=5)
        theirs = [
            (labels[test] == stratum).sum()
            for _, test in StratifiedKFold(5).split(np.zeros((211, 1)), labels)
        ]
        assert np.ptp(mine) <= max(np.ptp(theirs), 2)
        assert mine.min() >= 1


def imbalance(fold: np.ndarray, labels: np.ndarray) -> float:
    """The root mean squared distance of each fold's share of each class from an even one."""
    counts = np.stack([np.bincount(fold[labels == each], minlength=5) for each in range(3)])
    return float(np.sqrt(((counts / counts.sum(axis=1, keepdims=True) - 0.2) ** 2).mean()))


def test_classes_are_spread_over_messy_groups_at_least_as_well_as_by_stratified_group_k_fold() -> None:
    mine, theirs, gaps, their_gaps = [], [], 0, 0
    for seed in range(12):
        labels, groups = messy(seed)
        fold = make_folds("group", grouped(labels, groups, seed=seed), 5).fold[0]
        other = np.zeros(len(labels), dtype=int)
        for number, (_, test) in enumerate(
            StratifiedGroupKFold(5).split(np.zeros((len(labels), 1)), labels, groups)
        ):
            other[test] = number
        mine.append(imbalance(fold, labels))
        theirs.append(imbalance(other, labels))
        gaps += sum(len(set(labels[fold == number].tolist())) < 3 for number in range(5))
        their_gaps += sum(len(set(labels[other == number].tolist())) < 3 for number in range(5))
        assert all(len(set(fold[groups == group].tolist())) == 1 for group in np.unique(groups))
    assert np.mean(mine) < np.mean(theirs)
    assert gaps <= their_gaps


def test_no_fold_lacks_a_class_that_has_groups_enough() -> None:
    """Class 2 stands in five small groups only; dealt by size alone they would not be one for each fold."""
    groups = np.repeat(np.arange(45), 6)
    labels = np.where(groups < 5, np.where(np.arange(270) % 6 == 0, 2, 0), groups % 2)
    for seed in range(5):
        fold = make_folds("group", grouped(labels, groups, seed=seed), 5).fold[0]
        assert len(set(fold[labels == 2].tolist())) == 5


def test_leave_one_group_out_tests_what_scikit_learn_tests() -> None:
    groups = np.random.default_rng(1).integers(0, 8, 90)
    folds = make_folds("leave-one-group-out", grouped(np.arange(90) % 2, groups), 5)
    expected = {tuple(test) for _, test in LeaveOneGroupOut().split(np.zeros((90, 1)), groups=groups)}
    assert {tuple(split.index("test")) for split in folds.splits} == expected


def test_leave_one_out_tests_each_record_alone() -> None:
    folds = make_folds("leave-one-out", request(np.arange(30) % 2), 5)
    expected = {tuple(test) for _, test in LeaveOneOut().split(np.zeros((30, 1)))}
    assert {tuple(split.index("test")) for split in folds.splits} == expected
    assert "leave-one-out" in folds.reason


def test_leave_one_out_keeps_copies_together_and_says_so() -> None:
    asked = replace(request(np.arange(40) % 2), copies=lambda: np.arange(40) // 2)
    folds = make_folds("leave-one-out", asked, 5)
    assert folds.count == 20
    assert "leave-one-copy-family-out" in folds.reason
    assert "40" not in folds.notes[0]
    assert "20 records are exact copies" in folds.notes[0]


def test_positions_of_a_library_never_stand_on_both_sides_of_a_fold() -> None:
    sequences = single_mutants(240)
    asked = replace(request(np.arange(240.0), classes=False), library=lambda: one_parent(sequences))
    library = one_parent(sequences)
    assert library is not None
    for split in make_folds("mutation", asked, 5).splits:
        tested = library.mutated[split.part == "test"].any(axis=0)
        assert not (tested & library.mutated[split.part != "test"].any(axis=0)).any()


def test_positions_that_hang_together_by_double_mutants_are_refused() -> None:
    random = np.random.default_rng(0)
    parent = unrelated(random, 1, 40)[0]
    doubles = texts([substituted(random, parent, 2) for _ in range(300)])
    asked = replace(request(np.arange(300.0), classes=False), library=lambda: one_parent(doubles))
    with pytest.raises(UserError, match="hang together by shared mutations"):
        make_folds("mutation", asked, 5)


def test_a_family_larger_than_a_fold_is_tested_whole_and_the_choices_are_told() -> None:
    labels = np.where(np.arange(200) < 90, 0, np.arange(200))
    asked = replace(request(np.arange(200) % 2), together=lambda: Together(labels, "alike"))
    folds = make_folds("similarity", asked, 5)
    assert len(set(folds.fold[0][:90].tolist())) == 1
    assert each_tested_once(folds)
    assert "too large for a fold" in folds.notes[0]
    assert "90 of 200" in folds.notes[0]
    assert "split.similarity" in folds.notes[0]


def test_two_large_families_are_not_tested_together() -> None:
    labels = np.concatenate([np.zeros(60), np.ones(60), np.arange(2, 122)]).astype(int)
    asked = replace(request(np.arange(240) % 2), together=lambda: Together(labels, "alike"))
    fold = make_folds("similarity", asked, 5).fold[0]
    assert fold[0] != fold[60]


# ---- when folds are made --------------------------------------------------------------------------------


@pytest.mark.parametrize(("records", "count"), [(100, 10), (199, 10), (200, 5), (600, 5), (700, 1)])
def test_folds_are_made_where_a_single_test_would_say_little(records: int, count: int) -> None:
    asked = request(np.arange(records) % 2)
    choice = choose_folds(asked, make_split("auto", asked))
    assert choice.count == count
    if count > 1:
        tested = make_split("auto", asked).counts["test"]
        assert f"{tested} records would say little, so the records were dealt to folds" in choice.reason


def test_many_records_of_few_patients_are_few() -> None:
    asked = grouped(np.arange(5000) % 2, np.arange(5000) // 500)
    choice = choose_folds(asked, make_split("auto", asked))
    assert choice.count == 5
    assert "of 2 groups" in choice.reason or "of 1 group" in choice.reason


def test_tests_that_were_asked_for_as_such_stay_single() -> None:
    column = np.array((["train"] * 7 + ["validation", "test", "test"]) * 10, dtype=object)
    for method, given in (
        ("column", replace(request(np.arange(100) % 2), column=column)),
        ("time", replace(request(np.arange(100) % 2), order=np.arange(100).astype(object))),
        ("chromosome", METHODS["chromosome"](request(np.arange(120) % 2))),
    ):
        assert choose_folds(given, make_split(method, given)).count == 1


def test_a_class_that_cannot_be_in_training_in_every_fold_leaves_a_single_split() -> None:
    asked = request(np.array([0] * 40 + [1] * 40 + [2]))
    assert choose_folds(asked, make_split("stratified", asked)).count == 1


# ---- refusals -------------------------------------------------------------------------------------------


def test_methods_that_say_themselves_what_the_test_is_have_no_folds() -> None:
    asked = replace(request(np.arange(100) % 2), order=np.arange(100).astype(object))
    with pytest.raises(UserError, match="No folds can be made by time") as caught:
        make_folds("time", asked, 5)
    assert "similarity" in caught.value.fix


def test_a_class_of_one_group_is_refused_because_a_fold_could_not_learn_it() -> None:
    groups = np.repeat(np.arange(12), 10)
    with pytest.raises(UserError, match="1 of 3 classes have no training record"):
        make_folds("group", grouped(np.where(groups == 3, 2, groups % 2), groups), 4)


@pytest.mark.parametrize(("groups", "count"), [(4, 5), (2, 2)])
def test_more_folds_than_groups_are_refused(groups: int, count: int) -> None:
    with pytest.raises(UserError, match="cannot be d"):
        make_folds("group", grouped(np.arange(60) % 2, np.arange(60) // 2 % groups), count)


def test_one_fold_and_repeated_leaving_out_are_refused() -> None:
    with pytest.raises(UserError, match="1 fold cannot test every record"):
        make_folds("random", request(np.arange(60) % 2), 1)
    with pytest.raises(UserError, match="the same however often"):
        make_folds("leave-one-out", request(np.arange(60) % 2), 2, repeats=2)
