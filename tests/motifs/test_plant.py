"""What is planted is there, where the table says, and has the effect that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from bioloom.data.similarity.copies import reverse_complement
from bioloom.data.simulate import simulate, simulators
from bioloom.data.simulate.motif import PERCENT, PLACE
from bioloom.errors import UserError
from bioloom.motifs.motif import from_sites
from bioloom.motifs.plant import Design, Planted, plant

A, B = from_sites("A", ["TGACGTCA"] * 9), from_sites("B", ["GGGAATTC"] * 9)


def test_sites_lie_where_the_table_says_and_keep_their_distance():
    rules = [Planted(A, 0.8, turned=0.4), Planted(B, 0.7, after="A", spacing=(3, 6))]
    frame, sites = plant(300, rules, Design(length=80), seed=1)
    texts = dict(zip(frame["id"], frame["sequence"], strict=True))
    words = {"A": "TGACGTCA", "B": "GGGAATTC"}
    for row in sites.itertuples():
        site = texts[row.id][row.start : row.end]
        assert (reverse_complement(site) if row.strand == "-" else site) == words[row.motif]
    wide = sites.pivot(index="id", columns="motif", values="start").dropna()
    gap = wide["B"] - wide["A"] - 8
    assert set(gap) == {3, 4, 5, 6}
    assert (sites["motif"] == "A").mean() > 0.5
    assert (sites.query("motif == 'A'")["strand"] == "-").mean() == pytest.approx(0.4, abs=0.1)


def test_effects_and_their_interaction_are_measured():
    rules = [Planted(A, 0.5, effect=1.0), Planted(B, 0.5, effect=2.0)]
    frame, sites = plant(4000, rules, Design(100, interaction={("A", "B"): -1.5}, noise=0.1), seed=2)
    has = sites.assign(one=1).pivot(index="id", columns="motif", values="one").reindex(frame["id"]).fillna(0)
    mean = frame.set_index("id")["activity"].groupby([has["A"], has["B"]]).mean()
    assert mean.to_numpy() == pytest.approx([0, 2.0, 1.0, 1.5], abs=0.02)


def test_gc_is_that_which_was_asked_for_and_the_same_seed_gives_the_same():
    frame, _ = plant(200, [Planted(A, 0.0)], Design(200, gc=0.3), seed=3)
    assert np.mean([letter in "GC" for text in frame["sequence"] for letter in text]) == pytest.approx(
        0.3, abs=0.01
    )
    again, _ = plant(200, [Planted(A, 0.0)], Design(200, gc=0.3), seed=3)
    assert frame.equals(again)


@pytest.mark.parametrize(
    ("rules", "design", "words"),
    [
        ([], Design(), "no motif to plant"),
        ([Planted(A, start=75)], Design(80), "does not fit"),
        ([Planted(B, after="A")], Design(), "not planted before"),
        ([Planted(A), Planted(A)], Design(), "planted twice"),
        ([Planted(A, share=2)], Design(), "between 0 and 1"),
        ([Planted(A)], Design(gc=1.0), "not possible"),
    ],
)
def test_impossible_rules_are_refused(rules, design, words):
    with pytest.raises(UserError, match=words):
        plant(10, rules, design)


def test_the_courses_data_carry_the_motif_at_its_place():
    made = simulate("motif", 4000, seed=0)
    assert made.frame["motif"].value_counts().to_dict() == {"yes": 2000, "no": 2000}
    carrying = made.frame[made.frame["motif"] == "yes"]["sequence"]
    for position in range(6):
        shares = [np.mean([text[PLACE + position] == letter for text in carrying]) for letter in "ACGT"]
        np.testing.assert_allclose(shares, PERCENT[:, position] / PERCENT[:, position].sum(), atol=0.035)
    assert all(len(text) == 20 for text in made.frame["sequence"])


@pytest.mark.parametrize("name", [name for name in simulators if name.startswith("mutants_")])
def test_libraries_are_variants_of_their_parent_with_a_truth_that_explains_them(name):
    made = simulate(name, 3000, seed=5)
    parent = made.truth["parent"]
    rates = [
        sum(a != b for a, b in zip(text, parent, strict=True)) / len(parent)
        for text in made.frame["sequence"]
    ]
    assert np.mean(rates) == pytest.approx(0.1, abs=0.01)
    assert 0.3 < made.truth["best_r2"] < 0.97
