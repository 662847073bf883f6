"""The audit of a split: planted leaks are found and counted; real ones too."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from bioloom.data.choose import make_split
from bioloom.data.leakage import Labelled, Leakage, audit, compare_rows
from bioloom.data.similarity.across import compare
from bioloom.data.similarity.copies import exact_groups
from bioloom.data.similarity.letters import read_letters
from bioloom.data.similarity.near import clusters
from bioloom.data.similarity.notion import Settings, notion_of
from bioloom.data.split import Split, SplitRequest, Together
from bioloom.modalities import Across
from bioloom.modalities.dna import Dna
from planted import DNA, substituted, texts, turned, unrelated


def leaks(sequences: np.ndarray, split: Split, labels: np.ndarray, **more: object) -> Leakage:
    test, learned = split.index("test"), np.flatnonzero(split.part != "test")
    notion = notion_of(read_letters(sequences, DNA), Settings.suited_to(DNA))
    records = Labelled(
        ids=np.array([f"r{n}" for n in range(len(sequences))], dtype=object),
        labels=labels.reshape(len(sequences), -1).astype(np.float32),
        differs=np.zeros(1),
        copies=exact_groups(sequences, both_strands=True),
    )
    return audit(split, compare(sequences[test], sequences[learned], DNA, notion), replace(records, **more))


def by_hand(parts: str) -> Split:
    """A split written as letters: t, v and e for training, validation and test."""
    names = {"t": "train", "v": "validation", "e": "test"}
    return Split(np.array([names[sign] for sign in parts], dtype=object), "column", "as given.")


def test_each_kind_of_leak_is_counted_once_with_its_partner() -> None:
    random = np.random.default_rng(0)
    a, b, c, d, e = unrelated(random, 5, 100)
    sequences = texts([a, b, c, d, a, turned(b), substituted(random, c, 10), e, turned(d[20:70])])
    found = leaks(sequences, by_hand("tttteeeee"), np.array([0, 0, 0, 0, 1, 0, 0, 0, 0]))
    assert found.counts() == {
        "exact_copies": 1,
        "reverse_complements": 1,
        "contained_copies": 1,
        "near_copies": 1,
        "conflicting_labels": 1,
    }
    assert (found.repeated, found.conflicts) == (2, 1)
    assert [(one["test"], one["learned"], one["kind"]) for one in found.examples] == [
        ("r4", "r0", "exact"),
        ("r5", "r1", "reverse"),
        ("r6", "r2", "near"),
        ("r8", "r3", "contained"),
    ]
    assert found.nearest[[0, 1, 2, 4]] == pytest.approx([1, 1, 0.9, 1], abs=0.02)
    assert found.nearest[3] < 0.5
    assert not found.unlike.any()


def test_copies_of_validation_records_in_training_are_counted() -> None:
    a, b, c, d = unrelated(np.random.default_rng(8), 4, 100)
    sequences, split = (
        texts([a, b, c, a, turned(b), substituted(np.random.default_rng(0), c, 9), d]),
        by_hand("tttvvve"),
    )
    assert leaks(sequences, split, np.zeros(7)).validation_copies == 2
    learned, validation = split.index("train"), split.index("validation")
    notion = notion_of(read_letters(sequences, DNA), Settings.suited_to(DNA))
    records = Labelled(
        split.part, np.zeros((7, 1), np.float32), np.zeros(1), exact_groups(sequences, both_strands=True)
    )
    test = compare(sequences[[6]], sequences[:6], DNA, notion)
    found = audit(split, test, records, compare(sequences[validation], sequences[learned], DNA, notion))
    assert (found.validation_copies, found.validation_near) == (3, True)


def test_a_copy_in_validation_counts_as_learned_from() -> None:
    a, b, c = unrelated(np.random.default_rng(1), 3, 80)
    found = leaks(texts([a, b, c, b]), by_hand("tvte"), np.zeros(4))
    assert found.exact_copies == 1


def test_labels_apart_by_less_than_allowed_and_unknown_ones_do_not_conflict() -> None:
    a, b = unrelated(np.random.default_rng(2), 2, 80)
    sequences, split = texts([a, a, a, b]), by_hand("teet")
    labels = np.array([1.0, 1.4, np.nan, 0.0])
    assert leaks(sequences, split, labels, differs=np.full(1, 0.5)).conflicting_labels == 0
    assert leaks(sequences, split, labels, differs=np.full(1, 0.3)).conflicting_labels == 1


def test_test_records_of_a_group_that_has_training_records_straddle() -> None:
    sequences = texts(unrelated(np.random.default_rng(3), 6, 80))
    group = np.array(["p1", "p2", "p1", "p3", None, None], dtype=object)
    found = leaks(sequences, by_hand("tteete"), np.zeros(6), group=group)
    assert found.straddling == 1


def test_planted_leaks_are_found_under_a_random_split_and_gone_after_a_similarity_split() -> None:
    """Half of 300 sequences have a twin: exact, on the other strand, or with 12 % of the letters changed."""
    random = np.random.default_rng(4)
    parents = unrelated(random, 300, 100)
    twins = [
        (lambda one: one, turned, lambda one: substituted(random, one, 12))[number % 3](parent)
        for number, parent in enumerate(parents[:150])
    ]
    sequences = texts(parents + twins)
    labels = random.integers(0, 2, 450)
    notion = notion_of(read_letters(sequences, DNA), Settings.suited_to(DNA))
    asked = SplitRequest(
        labels=labels.astype(float),
        classes=True,
        validation=0.15,
        test=0.15,
        seed=0,
        together=lambda: Together(clusters(sequences, DNA, notion), notion.words),
        library=lambda: None,
        copies=lambda: exact_groups(sequences, both_strands=True),
        sequences=True,
    )
    torn = make_split("random", asked)
    test = set(torn.index("test").tolist())
    kinds = {"exact_copies": 0, "reverse_complements": 0, "near_copies": 0}
    for number in range(150):  # a twin leaks where exactly one of the two is in the test
        if (number in test) != (number + 300 in test):
            kinds[list(kinds)[number % 3]] += 1
    found = leaks(sequences, torn, labels).counts()
    assert min(kinds.values()) > 3
    assert {kind: found[kind] for kind in kinds} == kinds
    whole = leaks(sequences, make_split("auto", asked), labels).counts()
    assert set(whole.values()) == {0}


def test_copied_rows_of_a_table_are_found() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 1.0, np.nan, np.nan], "b": list("xxxyy")})
    found = compare_rows(frame, np.array([2, 4]), np.array([0, 1, 3]))
    assert found.kind.tolist() == ["exact", "exact"]
    assert found.partner.tolist() == [0, 2]
    assert compare_rows(frame, np.array([1]), np.array([0])).kind.tolist() == [""]


def test_an_audit_is_json() -> None:
    a, b = unrelated(np.random.default_rng(5), 2, 80)
    written = json.loads(
        json.dumps(leaks(texts([a, b, a]), by_hand("tte"), np.zeros(3)).to_json(), allow_nan=False)
    )
    assert written["exact_copies"] == 1
    assert written["repeated_in_file"] == 1
    assert "75% equal letters on either strand" in written["notion"]


def test_the_copies_among_splice_junctions_are_found(shared_data) -> None:
    """185 of the 3,190 rows repeat an earlier one, one of them with another label (UCI)."""
    table = pd.read_csv(shared_data / "dna" / "splice_junctions.csv")
    sequences = table["sequence"].to_numpy(object)
    random = np.random.default_rng(0)
    split = Split(
        random.choice(["train", "test"], len(table), p=[0.8, 0.2]).astype(object), "random", "at random."
    )
    labels = pd.factorize(table["site"])[0]
    found = leaks(sequences, split, labels, copies=exact_groups(sequences, both_strands=False))
    assert found.repeated == int(table["sequence"].duplicated().sum()) == 185
    sides = SimpleNamespace(test=table[split.part == "test"], train=table[split.part == "train"])
    assert found.exact_copies == int(sides.test["sequence"].isin(sides.train["sequence"]).sum())
    mixed = table.groupby("sequence")["site"].nunique()
    assert (found.conflicts > 0) == bool((mixed > 1).any())
    assert found.near_copies > 0


def test_without_groups_none_is_said_to_straddle_and_validation_counts_as_learned_from() -> None:
    sequences = texts(unrelated(np.random.default_rng(3), 3, 80))
    assert leaks(sequences, by_hand("tve"), np.zeros(3)).straddling is None
    group = np.array(["p1", "p2", "p2"], dtype=object)
    assert leaks(sequences, by_hand("tve"), np.zeros(3), group=group).straddling == 1


def variants(changes: int, records: int = 120, length: int = 60) -> NDArray[np.object_]:
    """Variants of one parent with so many random changes each."""
    random = np.random.default_rng(changes)
    letters = np.tile(np.array(list("ACGT" * (length // 4))), (records, 1))
    for row in letters:
        places = random.choice(length, size=changes, replace=False)
        row[places] = random.choice(list("ACGT"), size=changes)
    return np.array(["".join(row) for row in letters], dtype=object)


def test_among_variants_near_means_nearer_than_variants_usually_are():
    sequences = variants(9)
    sequences[-1] = "T" + sequences[0][1:] if sequences[0][0] != "T" else "A" + sequences[0][1:]
    frame = pd.DataFrame({"sequence": sequences})
    found = Dna.alike(frame, Across(np.arange(100, 120), np.arange(100)))
    assert found.kind.tolist() == [""] * 19 + ["near"]
    assert "near copies differ at 2 at most" in found.notion


def test_variants_of_few_mutations_are_not_called_near_copies():
    frame = pd.DataFrame({"sequence": variants(2)})
    found = Dna.alike(frame, Across(np.arange(100, 120), np.arange(100)))
    assert "near" not in found.kind
    assert "too few to call" in found.notion
