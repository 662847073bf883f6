"""Leaks planted on purpose: each kind is found in the right number, and gone after a similarity split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bioloom
from bioloom.data.choose import make_split
from bioloom.data.leakage import Labelled, audit
from bioloom.data.similarity.across import compare
from bioloom.data.similarity.copies import exact_groups
from bioloom.data.similarity.letters import read_letters
from bioloom.data.similarity.near import clusters
from bioloom.data.similarity.notion import Settings, notion_of
from bioloom.data.split import Split, SplitRequest, Together
from planted import DNA, substituted, texts, turned, unrelated
from small_runs import FAST

KINDS = ("exact_copies", "reverse_complements", "contained_copies", "near_copies", "conflicting_labels")
PARENTS = 300
LONG = 120


def planted() -> tuple[np.ndarray, np.ndarray, list[str], np.ndarray]:
    """300 unrelated sequences, and of the first 200 a twin each: five kinds in turn, 40 of each.

    A twin has the label of its parent but for the last kind, exact copies with the other label. Twins of one
    group straddle the split with their parents.
    """
    random = np.random.default_rng(11)
    parents = unrelated(random, PARENTS, LONG)
    labels = random.integers(0, 2, PARENTS)
    twins, kinds, twin_labels = [], [], []
    for number, parent in enumerate(parents[:200]):
        kind = KINDS[number % 5]
        start = int(random.integers(0, 60))
        made = {
            "exact_copies": parent,
            "reverse_complements": turned(parent),
            "contained_copies": turned(parent[start : start + 50])
            if number % 2
            else parent[start : start + 50],
            "near_copies": substituted(random, parent, 15),
            "conflicting_labels": parent,
        }
        twins.append(made[kind])
        kinds.append(kind)
        twin_labels.append(1 - labels[number] if kind == "conflicting_labels" else labels[number])
    group = np.array([f"g{n}" for n in range(PARENTS)] + [f"g{n}" for n in range(200)], dtype=object)
    return texts(parents + twins), np.concatenate([labels, twin_labels]), kinds, group


def found(sequences: np.ndarray, labels: np.ndarray, group: np.ndarray, split: Split) -> dict[str, int]:
    test, learned = split.index("test"), np.flatnonzero(split.part != "test")
    notion = notion_of(read_letters(sequences, DNA), Settings.suited_to(DNA))
    records = Labelled(
        ids=np.arange(len(sequences)).astype(object),
        labels=labels[:, None].astype(np.float32),
        differs=np.zeros(1),
        copies=exact_groups(sequences, both_strands=True),
        group=group,
    )
    return audit(split, compare(sequences[test], sequences[learned], DNA, notion), records).counts()


def request(sequences: np.ndarray, labels: np.ndarray) -> SplitRequest:
    return SplitRequest(
        labels=labels.astype(float),
        classes=True,
        validation=0.15,
        test=0.2,
        seed=3,
        together=lambda: Together(clusters(sequences, DNA), "near copies"),
        library=lambda: None,
        copies=lambda: exact_groups(sequences, both_strands=True),
        sequences=True,
    )


def test_planted_leaks_of_each_kind_are_counted_exactly() -> None:
    """All twins in the test, all parents in training: 40 of each kind, and all 200 straddle their group."""
    sequences, labels, _, group = planted()
    part = np.array(["train"] * PARENTS + ["test"] * 200, dtype=object)
    counts = found(sequences, labels, group, Split(part, "column", "as given."))
    assert counts == {
        "exact_copies": 80,  # with those that carry another label
        "reverse_complements": 40,
        "contained_copies": 40,
        "near_copies": 40,
        "conflicting_labels": 40,
        "groups_straddling": 200,
    }


def test_a_random_split_leaks_what_it_tears_apart() -> None:
    sequences, labels, kinds, group = planted()
    split = make_split("random", request(sequences, labels))
    test = split.part == "test"
    torn = {
        kind: sum(test[n] != test[n + PARENTS] for n, each in enumerate(kinds) if each == kind)
        for kind in KINDS
    }
    assert min(torn.values()) > 3
    counts = found(sequences, labels, group, split)
    assert counts["exact_copies"] == torn["exact_copies"] + torn["conflicting_labels"]
    assert all(counts[kind] == torn[kind] for kind in KINDS[1:])


def test_planted_leaks_are_gone_after_a_similarity_split() -> None:
    sequences, labels, _, group = planted()
    split = make_split("similarity", request(sequences, labels))
    counts = found(sequences, labels, group, split)
    assert set(counts.values()) == {0}


@pytest.fixture(scope="module")
def enhancers(tmp_path_factory: pytest.TempPathFactory) -> bioloom.Run:
    """As in published enhancer sets: half of the positives of the independent test are copies of training ones."""
    random = np.random.default_rng(5)
    sites = unrelated(random, 120, 60)
    enhancer = [one[:20] + "TGACTCATGACTCA" + one[34:] for one in sites[:80]]
    other = unrelated(random, 120, 60)
    rows = [(one, "enhancer", "train") for one in enhancer[:60]] + [
        (one, "other", "train") for one in other[:60]
    ]
    rows += [(one, "enhancer", "validation") for one in enhancer[60:70]]
    rows += [(one, "other", "validation") for one in other[60:70]]
    rows += [(one, "enhancer", "test") for one in (*enhancer[:20], *enhancer[70:80])]
    new = [one[:20] + "TGACTCATGACTCA" + one[34:] for one in sites[80:90]]
    rows += [(one, "enhancer", "test") for one in new]
    rows += [(one, "other", "test") for one in other[70:110]]
    frame = pd.DataFrame(rows, columns=["sequence", "kind", "split"])
    folder: Path = tmp_path_factory.mktemp("enhancers") / "run"
    settings = FAST | {"training.epochs": 4}
    return bioloom.train(frame, "kind", inputs="sequence", settings=settings, outdir=folder, quiet=True)


def test_copies_in_an_independent_test_are_the_first_finding_of_the_run(enhancers: bioloom.Run) -> None:
    first = enhancers.result["findings"][0]
    assert (first["code"], first["severity"]) == ("leak.exact_copies", "problem")
    assert first["answer"].startswith("20 test records of 80 (25 %)")
    assert enhancers.result["verdict"]["code"] == "leaky_test"
