"""Barcodes stay apart, oligos hold what they should, choices are good and unlike each other."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import norm

from bioloom.data.similarity.copies import reverse_complement
from bioloom.design.barcodes import barcodes, edit_distance
from bioloom.design.choose import differences, expected_improvement, unlike_each_other
from bioloom.design.pool import COLUMNS, Order, as_fasta, oligos
from bioloom.errors import UserError


def levenshtein(a: str, b: str) -> int:
    table = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
    table[:, 0], table[0] = range(len(a) + 1), range(len(b) + 1)
    for i in range(len(a)):
        for j in range(len(b)):
            table[i + 1, j + 1] = min(table[i, j + 1] + 1, table[i + 1, j] + 1, table[i, j] + (a[i] != b[j]))
    return int(table[-1, -1])


def test_edit_distances_agree_with_the_whole_table():
    rng = np.random.default_rng(0)
    for _ in range(300):
        a, b = ("".join(rng.choice(list("ACGT"), rng.integers(0, 9))) for _ in range(2))
        for most in (2, 9):
            assert edit_distance(a, b, most) == min(levenshtein(a, b), most + 1)


def test_barcodes_stay_apart_on_both_strands():
    found = barcodes(60, 10, 3, avoid=["GAATTC", "CCGG"], seed=1)
    assert len(set(found)) == 60
    for one, other in combinations(found, 2):
        assert levenshtein(one, other) >= 3
        assert levenshtein(reverse_complement(one), other) >= 3
    for word in found:
        assert 0.4 <= (word.count("G") + word.count("C")) / 10 <= 0.6
        assert not any(letter * 3 in word for letter in "ACGT")
        assert "CCGG" not in word
    with pytest.raises(UserError, match="barcodes of 4 letters were found"):
        barcodes(200, 4, 3)


def test_an_order_holds_designs_controls_and_replicates():
    designs = ["ACGTTGCATG" * 3, "TTGACATATA" * 3]
    order = Order(
        "GGTTAACCGATCGTA", "CATGCCAAGTTGTCA", 10, 3, replicates=2, wild_type="ACGTACGTAC" * 3, shuffles=2
    )
    table = oligos(designs, order, avoid=["GAATTC"])
    assert tuple(table.columns) == COLUMNS
    assert table["kind"].value_counts().to_dict() == {"design": 4, "wild type": 2, "shuffle": 4}
    assert table["barcode"].is_unique
    row = table.iloc[0]
    assert row["oligo"] == order.forward + designs[0] + row["barcode"] + reverse_complement(order.reverse)
    shuffle = table[table["kind"] == "shuffle"].iloc[0]["design"]
    assert sorted(shuffle) == sorted(designs[0])
    assert as_fasta(table).count(">") == 10
    with pytest.raises(UserError, match="longer than 60"):
        oligos(designs, Order(order.forward, order.reverse, longest=60))
    with pytest.raises(UserError, match='holds "X"'):
        oligos(designs, Order(forward="GGXX"))
    with pytest.raises(UserError, match="also binds within a design"):
        oligos(designs, Order(forward="TTGCATGACG"))


def test_choices_are_the_best_that_are_unlike_each_other():
    texts = ["AAAA", "AAAC", "CCCC", "CCCA", "GGGG"]
    scores = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    assert unlike_each_other(texts, scores, 3, 2) == [0, 2, 4]
    assert differences("AAAA", texts).tolist() == [0, 1, 4, 3, 4]


def test_expected_improvement_is_the_mean_of_what_is_drawn():
    rng = np.random.default_rng(0)
    mean, spread, best = np.array([0.0, 1.0, 2.0]), np.array([1.0, 0.5, 0.0]), 1.2
    drawn = np.maximum(mean + spread * rng.normal(size=(400_000, 3)) - best, 0).mean(axis=0)
    found = expected_improvement(mean, spread, best)
    np.testing.assert_allclose(found, drawn, atol=0.004)
    z = (mean[0] - best) / spread[0]
    assert found[0] == pytest.approx((mean[0] - best) * norm.cdf(z) + norm.pdf(z))


def test_no_forbidden_site_arises_where_parts_meet_and_shuffles_hold_none():
    designs = ["ACGTTGCATGACCTTGAATC" + "GAA" + str("TC" if n % 2 else "AC") for n in range(6)]
    order = Order("GGTTAACCGATCGTA", "CATGCCAAGTTGTCA", 10, 3, shuffles=6)
    table = oligos(designs, order, avoid=["GANTC"])
    designed = table[table["kind"] == "shuffle"]
    for text in designed["design"]:
        assert not any(text[i : i + 2] == "GA" and text[i + 3 : i + 5] == "TC" for i in range(len(text) - 4))
    other = oligos(designs, Order("GGTTAACCGATCGTA", "CATGCCAAGTTGTCA", 10, 3, shuffles=6, seed=1))
    assert list(other["barcode"]) != list(table["barcode"])
