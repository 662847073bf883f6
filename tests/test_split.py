"""Splits: whole families, given columns and groups, libraries, and refusals that say what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

from bioloom.data.choose import make_split
from bioloom.data.library import one_parent
from bioloom.data.similarity.copies import exact_groups
from bioloom.data.similarity.letters import read_letters
from bioloom.data.similarity.near import clusters, neighbours
from bioloom.data.similarity.notion import Settings, notion_of
from bioloom.data.split import PARTS, SplitRequest, Together, splitters
from bioloom.errors import UserError
from planted import DNA, substituted, texts, turned, unrelated


def refuse() -> Together:
    raise AssertionError("similarity was looked for although it was not needed")


def request(labels: object, *, classes: bool = True) -> SplitRequest:
    """A table of records that are all different, without groups or columns."""
    numbers = np.asarray(labels, dtype=np.float64)
    alone = np.arange(len(numbers))
    return SplitRequest(
        labels=numbers,
        classes=classes,
        validation=0.15,
        test=0.15,
        seed=0,
        together=lambda: Together(alone, "equal in every column"),
        library=lambda: None,
        copies=lambda: alone,
        sequences=False,
    )


def of_sequences(sequences: np.ndarray, labels: object, *, classes: bool = False) -> SplitRequest:
    notion = notion_of(read_letters(sequences, DNA), Settings.suited_to(DNA))
    return replace(
        request(labels, classes=classes),
        together=lambda: Together(clusters(sequences, DNA, notion), notion.words),
        library=lambda: one_parent(sequences),
        copies=lambda: exact_groups(sequences, both_strands=True),
        sequences=True,
    )


def families(seed: int, count: int = 120, members: int = 4, length: int = 80) -> np.ndarray:
    """Families of copies on either strand with 10 % of their letters changed."""
    random = np.random.default_rng(seed)
    sequences = []
    for parent in unrelated(random, count, length):
        copies = [substituted(random, parent, length // 10) for _ in range(members - 1)]
        sequences += [parent, *(turned(copy) if number % 2 else copy for number, copy in enumerate(copies))]
    return texts(random.permutation(texts(sequences)).tolist())


def identity(a: str, b: str) -> float:
    """The share of equal letters at the best of both strands; for sequences of one length."""
    return max(np.mean([x == y for x, y in zip(a, other, strict=True)]) for other in (b, turned(b)))


# ---- every method ---------------------------------------------------------------------------------------

METHODS: dict[str, Callable[[SplitRequest], SplitRequest]] = {
    "random": lambda one: one,
    "stratified": lambda one: one,
    "copies": lambda one: one,
    "similarity": lambda one: replace(one, together=lambda: Together(np.arange(200) // 3, "alike")),
    "group": lambda one: replace(
        one, group=np.array([f"patient {n % 20}" for n in range(200)], dtype=object)
    ),
    "column": lambda one: replace(one, column=np.array((["train"] * 7 + ["test"] * 3) * 20, dtype=object)),
    "mutation": lambda one: replace(one, library=lambda: one_parent(variants(200, 2))),
    "mutation-count": lambda one: replace(
        one, library=lambda: one_parent(texts([*variants(160, 1), *variants(40, 3)]))
    ),
    "time": lambda one: replace(one, order=np.arange(200).astype(object) // 4),
    "low-to-high": lambda one: replace(one, classes=False, labels=np.random.default_rng(0).normal(size=200)),
    "chromosome": lambda one: replace(
        one, chromosome=np.array([f"chr{n % 17 + 1}" for n in range(200)], dtype=object)
    ),
}


def variants(count: int, mutations: int, length: int = 60, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    parent = unrelated(random, 1, length)[0]
    return texts([substituted(random, parent, mutations) for _ in range(count)])


def test_every_method_is_tested_here() -> None:
    assert set(METHODS) == {name for name in splitters if not splitters[name].each}


@pytest.mark.parametrize("method", METHODS)
def test_each_method_puts_every_record_into_one_part_and_repeats_itself(method: str) -> None:
    labels = np.random.default_rng(1).integers(0, 2, 200)
    asked = METHODS[method](request(labels))
    split, again = make_split(method, asked), make_split(method, asked)
    assert split.part.shape == (200,)
    assert set(split.part.tolist()) == set(PARTS)
    assert sum(split.counts.values()) == 200
    together = np.concatenate([split.index(part) for part in PARTS])
    assert sorted(together.tolist()) == list(range(200))
    assert split.part.tolist() == again.part.tolist()
    assert split.method == method
    assert split.reason.endswith(".")
    assert 0.08 < split.counts["test"] / 200 < 0.35


@pytest.mark.parametrize("method", ["random", "stratified", "copies", "similarity"])
def test_another_seed_gives_another_split(method: str) -> None:
    asked = METHODS[method](request(np.arange(200) % 2))
    other = replace(asked, seed=1)
    assert make_split(method, asked).part.tolist() != make_split(method, other).part.tolist()


@pytest.mark.parametrize(("classes", "tolerance"), [(True, 0.02), (False, 0.1)])
def test_stratified_parts_have_the_same_mix_of_labels(classes: bool, tolerance: float) -> None:
    random = np.random.default_rng(2)
    labels = random.choice(3, 400, p=[0.7, 0.2, 0.1]) if classes else random.lognormal(0, 1, 400)
    split = make_split("stratified", request(labels, classes=classes))
    for part in PARTS:
        mine = labels[split.index(part)]
        if classes:
            shares = np.bincount(mine.astype(int), minlength=3) / len(mine)
            assert shares == pytest.approx([0.7, 0.2, 0.1], abs=0.06)
        assert np.median(mine) == pytest.approx(np.median(labels), abs=tolerance * max(labels.std(), 1))


def test_records_without_a_label_are_divided_too() -> None:
    labels = np.where(np.arange(100) % 5 == 0, np.nan, np.arange(100) % 2)
    split = make_split("stratified", request(labels))
    assert np.isnan(labels[split.index("test")]).sum() == pytest.approx(3, abs=1)


# ---- families -------------------------------------------------------------------------------------------


def test_no_test_record_has_a_relative_in_training_after_a_similarity_split() -> None:
    """Looked for again by brute force, without the engine that made the families."""
    sequences = families(3)
    split = make_split("auto", of_sequences(sequences, np.random.default_rng(3).random(len(sequences))))
    assert split.method == "similarity"
    assert "120 families" in split.reason
    train = [sequences[i] for i in split.index("train")]
    for part in ("validation", "test"):
        held = [sequences[i] for i in split.index(part)]
        assert max(identity(a, b) for a, b in product(held[:40], train)) < 0.75


def test_a_random_split_tears_families_apart_and_a_similarity_split_does_not() -> None:
    sequences = families(4)
    asked = of_sequences(sequences, np.arange(len(sequences), dtype=float))
    leaks = {}
    for method in ("random", "similarity"):
        split = make_split(method, asked)
        test, train = sequences[split.index("test")], sequences[split.index("train")]
        leaks[method] = len(set(neighbours(test, train, DNA).left.tolist())) / len(test)
    assert leaks["random"] > 0.9
    assert leaks["similarity"] == 0


def test_a_family_too_large_for_a_part_is_for_training_and_that_is_said() -> None:
    labels = np.where(np.arange(200) < 120, 0, np.arange(200))
    split = make_split(
        "similarity", replace(request(np.arange(200) % 2), together=lambda: Together(labels, "alike"))
    )
    assert set(split.part[:120].tolist()) == {"train"}
    assert "too large" in split.notes[0]
    assert "120 of 200" in split.notes[0]


def test_where_nearly_all_records_are_one_family_only_copies_are_kept_together_and_that_is_said() -> None:
    labels = np.where(np.arange(200) < 195, 0, np.arange(200))
    copies = np.arange(200) // 2
    asked = replace(
        request(np.arange(200) % 2), together=lambda: Together(labels, "alike"), copies=lambda: copies
    )
    split = make_split("auto", asked)
    assert split.method == "copies"
    assert "98%" in split.reason or "98 %" in split.reason
    assert (split.part[::2] == split.part[1::2]).all()


def test_records_that_are_all_different_are_divided_one_by_one() -> None:
    split = make_split("auto", request(np.arange(100) % 2))
    assert split.method == "stratified"
    assert "No two rows are equal" in split.reason


# ---- groups and columns ---------------------------------------------------------------------------------


def test_given_groups_come_first_and_stay_whole() -> None:
    group = np.array([f"plate {n % 12}" for n in range(240)], dtype=object)
    split = make_split("auto", replace(request(np.arange(240) % 2), group=group, together=refuse))
    assert split.method == "group"
    assert all(len(set(split.part[group == name])) == 1 for name in group)


def test_five_patients_are_enough_for_a_group_split() -> None:
    group = np.repeat(np.array(list("ABCDE"), dtype=object), 20)
    split = make_split("group", replace(request(np.arange(100) % 2), group=group))
    assert sorted(split.counts.values()) == [20, 20, 60]


def test_two_groups_are_refused_with_advice() -> None:
    group = np.repeat(np.array(["A", "B"], dtype=object), 20)
    with pytest.raises(UserError, match=r"2 group\(s\) cannot be divided"):
        make_split("group", replace(request(np.arange(40) % 2), group=group))


def test_records_without_a_group_stand_alone() -> None:
    group = np.array([None if n < 10 else f"g{n % 9}" for n in range(100)], dtype=object)
    split = make_split("group", replace(request(np.arange(100) % 2), group=group))
    assert "10 records without a group" in split.notes[0]


def test_the_words_of_a_split_column_are_read_as_people_write_them() -> None:
    words = ["Train", "TRAINING", " train ", "val", "Valid", "dev", "test", "Holdout", "hold-out", "eval"] * 2
    split = make_split("column", replace(request(np.arange(20) % 2), column=np.array(words, dtype=object)))
    expected = ["train"] * 3 + ["validation"] * 3 + ["test"] * 4
    assert split.part.tolist() == expected * 2


@pytest.mark.parametrize("empty", [None, float("nan"), pd.NA, ""])
def test_unknown_words_and_empty_cells_of_a_split_column_are_named(empty: object) -> None:
    column = np.array(["train", "test", "tset", empty] * 5, dtype=object)
    with pytest.raises(UserError, match='an empty cell, "tset"') as caught:
        make_split("column", replace(request(np.arange(20) % 2), column=column))
    assert '"train", "validation" and "test"' in caught.value.fix


def test_a_column_without_a_test_is_refused() -> None:
    with pytest.raises(UserError, match="names no test records"):
        make_split(
            "column", replace(request(np.arange(20) % 2), column=np.array(["train"] * 20, dtype=object))
        )


def test_missing_validation_records_are_taken_from_training_with_the_same_care() -> None:
    column = np.array((["train"] * 8 + ["test"] * 2) * 30, dtype=object)
    labels = np.arange(300) // 5  # families of five
    asked = replace(request(np.arange(300) % 2), column=column, together=lambda: Together(labels, "alike"))
    split = make_split("auto", asked)
    assert (split.part[column == "test"] == "test").all()
    inner = pd.DataFrame({"family": labels, "part": split.part})[column == "train"]
    assert (inner.groupby("family")["part"].nunique() == 1).all()
    assert split.counts["validation"] / 240 == pytest.approx(0.15 / 0.85, abs=0.03)
    assert "18% of its training records" in split.reason


# ---- libraries ------------------------------------------------------------------------------------------


def test_a_library_of_few_mutations_holds_out_positions() -> None:
    sequences = variants(600, 2)
    split = make_split("auto", of_sequences(sequences, np.arange(600.0)))
    library = one_parent(sequences)
    assert library is not None
    assert split.method == "mutation"
    mutated = {part: library.mutated[split.index(part)].any(axis=0) for part in PARTS}
    only_test = mutated["test"] & ~mutated["train"]
    assert (library.mutated[split.index("test")][:, only_test].any(axis=1)).all()
    assert 0.1 < split.counts["test"] / 600 < 0.2


def test_a_library_of_many_mutations_is_divided_at_random_with_copies_together() -> None:
    sequences = variants(300, 9)
    doubled = texts([*sequences.tolist(), *sequences.tolist()])
    split = make_split("auto", of_sequences(doubled, np.arange(600.0)))
    assert split.method == "copies"
    assert (split.part[:300] == split.part[300:]).all()
    assert "No position can be held out" in split.reason
    assert "differs from the one nearest to it at" in split.reason


def test_records_of_another_length_are_for_training_when_positions_are_held_out() -> None:
    sequences = variants(300, 2).tolist()
    sequences[:6] = [one[:-1] for one in sequences[:6]]
    split = make_split("mutation", of_sequences(texts(sequences), np.arange(300.0)))
    assert set(split.part[:6].tolist()) == {"train"}
    assert "6 records of another length" in split.notes[0]


def test_sequences_that_are_no_library_cannot_be_split_by_mutation() -> None:
    with pytest.raises(UserError, match="not variants of one parent"):
        make_split("mutation", of_sequences(families(5, 30), np.arange(120.0)))


# ---- refusals -------------------------------------------------------------------------------------------


def test_too_few_records_are_refused() -> None:
    with pytest.raises(UserError, match="9 records are too few"):
        make_split("auto", request(np.arange(9) % 2))


@pytest.mark.parametrize("method", ["auto", "copies"])
def test_records_that_are_all_alike_are_told_as_such(method: str) -> None:
    alike = replace(
        request(np.arange(20) % 2),
        together=lambda: Together(np.zeros(20, dtype=np.int64), "equal letters"),
        copies=lambda: np.zeros(20, dtype=np.int64),
    )
    with pytest.raises(UserError, match="All 20 records have the same input"):
        make_split(method, alike)


def test_families_too_few_for_three_parts_are_counted() -> None:
    two = replace(request(np.arange(20) % 2), together=lambda: Together(np.arange(20) % 2, "equal letters"))
    with pytest.raises(UserError, match="when split by similarity, which keeps 2 families whole"):
        make_split("similarity", two)


def test_an_unknown_method_is_named_with_a_suggestion() -> None:
    with pytest.raises(UserError, match='Did you mean "stratified"'):
        make_split("stratifed", request(np.arange(20) % 2))


def test_shares_that_leave_no_training_are_refused() -> None:
    with pytest.raises(UserError, match="leave no records to learn from"):
        make_split("random", replace(request(np.arange(20) % 2), validation=0.5, test=0.5))


@pytest.mark.parametrize("seed", range(6))
def test_a_class_with_one_record_is_for_training_and_its_absence_elsewhere_is_said(seed: int) -> None:
    labels = np.array([0] * 30 + [1] * 30 + [2])
    split = make_split("stratified", replace(request(labels), seed=seed))
    assert split.part[-1] == "train"
    assert any("1 of 3 classes have no test record" in note for note in split.notes)


def test_a_class_that_the_column_keeps_from_training_is_refused() -> None:
    column = np.array(["train"] * 10 + ["validation"] * 5 + ["test"] * 5, dtype=object)
    labels = np.array([0] * 15 + [1] * 5)
    with pytest.raises(UserError, match="1 of 2 classes have no training record"):
        make_split("column", replace(request(labels), column=column))
