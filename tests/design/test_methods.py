"""Each method finds the best sequence where it is known, and keeps the rules."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from bioloom.design.goals import Goal, Objective, aim_of, weighted
from bioloom.design.methods import METHODS, Effort
from bioloom.design.rules import CODONS, Rules, checked
from bioloom.errors import UserError

WEIGHTS = np.random.default_rng(0).normal(size=(4, 20))


def additive(sequences):
    return np.array(
        [sum(WEIGHTS["ACGT".index(letter), place] for place, letter in enumerate(text)) for text in sequences]
    )


def additive_slope(sequences, letters):
    return np.tile(WEIGHTS[["ACGT".index(letter) for letter in letters]], (len(sequences), 1, 1))


BEST = WEIGHTS.max(axis=0).sum()
PARENT = "ACGT" * 5


def improved(method: str, rules: Rules, effort: Effort | None = None) -> tuple[str, float]:
    objective = Objective([Goal("activity", additive, slope=additive_slope)])
    METHODS[method](checked(rules), objective, effort or Effort(steps=120, width=24))
    return objective.best(1)[0]


@pytest.mark.parametrize("method", ["beam", "anneal", "evolve", "gradient"])
def test_the_best_sequence_of_a_simple_truth_is_found(method):
    text, score = improved(method, Rules(PARENT))
    assert score >= BEST - 0.7, method
    assert score == pytest.approx(additive([text])[0])


def test_screening_is_better_than_the_parent_and_worse_than_looking():
    _, screened = improved("screen", Rules(PARENT), Effort(steps=20, width=24))
    _, found = improved("beam", Rules(PARENT), Effort(steps=20, width=24))
    assert additive([PARENT])[0] < screened < found


@pytest.mark.parametrize("method", list(METHODS))
def test_every_sequence_that_is_asked_about_keeps_the_rules(method):
    rules = checked(
        Rules(PARENT, fixed=frozenset({0, 5}), gc=(0.35, 0.65), longest_run=2, without=("GATC",), edits=8)
    )
    objective = Objective([Goal("activity", additive, slope=additive_slope)])
    METHODS[method](rules, objective, Effort(steps=15, width=12))
    asked = [text for text, _ in objective.best(10_000)]
    assert len(asked) > 30
    assert rules.kept(asked).all()


def test_coding_sequences_change_by_synonyms():
    parent = "ATGGCTGAACTGAAACGTTCTGGT"

    def gc(sequences):
        return np.array([text.count("G") + text.count("C") for text in sequences], dtype=np.float64)

    objective = Objective([Goal("gc", gc)])
    METHODS["beam"](checked(Rules(parent, coding=(0, 24))), objective, Effort(steps=60, width=16))
    text, _ = objective.best(1)[0]
    protein = [CODONS[text[i : i + 3]] for i in range(0, 24, 3)]
    assert protein == [CODONS[parent[i : i + 3]] for i in range(0, 24, 3)]
    assert gc([text])[0] > gc([parent])[0] + 4


def test_words_that_must_occur_are_put_in():
    text, _ = improved("beam", Rules(PARENT, words=("TTGACA",)), Effort(steps=40, width=16))
    assert "TTGACA" in text


def test_a_word_is_put_where_fewest_letters_change():
    parent = "ACGTACGTACTTGCCAACGTACGTACGTAC"
    for seed in range(4):
        objective = Objective([Goal("flat", lambda texts: np.zeros(len(texts)))])
        METHODS["beam"](
            checked(Rules(parent, words=("TTGACA",), edits=2)), objective, Effort(3, 4, seed=seed)
        )
        assert "TTGACA" in objective.best(1)[0][0]


def test_rules_that_no_sequence_keeps_are_told_with_the_one_to_loosen():
    with pytest.raises(UserError, match="No sequence was found") as caught:
        improved("beam", Rules("A" * 12, fixed=frozenset(range(9)), longest_run=2))
    assert "in a row" in caught.value.fix


def test_goals_add_up_in_their_own_units():
    up, near = Goal("up", additive, "raise", weight=2.0, scale=0.5), Goal("near", additive, 1.5)
    objective = Objective([up, near])
    texts = [PARENT, "A" * 20]
    values = additive(texts)
    np.testing.assert_allclose(objective(texts), 4 * values - np.abs(values - 1.5))
    before = objective.asked
    objective(texts)
    assert objective.asked == before
    assert Goal("down", additive, "lower").score(values).tolist() == (-values).tolist()
    assert aim_of("2.5") == 2.5
    with pytest.raises(UserError, match="no aim"):
        aim_of("up")


def test_the_same_seed_proposes_the_same():
    one, two = (improved("evolve", Rules(PARENT), Effort(10, 8, seed=3)) for _ in range(2))
    assert one == two


def bent(sequences):
    """Letters, and pairs of neighbours, of sequences of 7: many local optima."""
    table = np.random.default_rng(5).normal(size=(6, 4, 4))
    codes = np.array([["ACGT".index(letter) for letter in text] for text in sequences])
    pairs = table[np.arange(6), codes[:, :-1], codes[:, 1:]].sum(axis=1)
    return WEIGHTS[codes, np.arange(7)].sum(axis=1) + pairs


def bent_slope(sequences, letters):
    table = np.random.default_rng(5).normal(size=(6, 4, 4))
    codes = np.array([["ACGT".index(letter) for letter in text] for text in sequences])
    slope = np.tile(WEIGHTS[:, :7], (len(codes), 1, 1))
    for place in range(6):
        slope[:, :, place] += table[place][:, codes[:, place + 1]].T
        slope[:, :, place + 1] += table[place][codes[:, place]]
    return slope[:, ["ACGT".index(letter) for letter in letters]]


@pytest.mark.parametrize("rules", [
    Rules("ACGTACG"),
    Rules("ACGTACG", letters="TGCA", fixed=frozenset({2, 3}), edits=4, longest_run=1, gc=(0.4, 0.6), without=("GATC",)),
])  # fmt: skip
def test_the_gradient_finds_the_best_of_all_sequences_that_keep_the_rules(rules):
    everything = ["".join(each) for each in product("ACGT", repeat=7)]
    allowed = [text for text, kept in zip(everything, checked(rules).kept(everything), strict=True) if kept]
    objective = Objective([Goal("activity", bent, slope=bent_slope)])
    METHODS["gradient"](checked(rules), objective, Effort(steps=60, width=16))
    assert objective.best(1)[0][1] == pytest.approx(bent(allowed).max())
    assert objective.asked < len(everything) / 4


def test_the_gradient_changes_codons_into_synonyms_only():
    parent = "ATGGCTGAACTGAAACGTTCTGGT"

    def gc(sequences):
        return np.array([text.count("G") + text.count("C") for text in sequences], dtype=np.float64)

    def slope(sequences, letters):
        rises = np.array([letter in "GC" for letter in letters], dtype=np.float64)
        return np.tile(rises[:, None], (len(sequences), 1, 24))

    objective = Objective([Goal("gc", gc, slope=slope)])
    METHODS["gradient"](checked(Rules(parent, coding=(0, 24))), objective, Effort(steps=40, width=8))
    text, found = objective.best(1)[0]
    best = sum(
        max(gc([each])[0] for each, amino in CODONS.items() if amino == CODONS[parent[i : i + 3]])
        for i in range(0, 24, 3)
    )
    assert [CODONS[text[i : i + 3]] for i in range(0, 24, 3)] == [
        CODONS[parent[i : i + 3]] for i in range(0, 24, 3)
    ]
    assert found == best


def test_slopes_of_goals_point_where_scores_rise():
    texts = [PARENT, "A" * 20]
    up, down, near = (
        Goal("activity", additive, aim, scale=2.0, slope=additive_slope) for aim in ("raise", "lower", 0.5)
    )
    np.testing.assert_allclose(up.climb(texts, "ACGT"), np.tile(WEIGHTS / 2, (2, 1, 1)))
    np.testing.assert_allclose(down.climb(texts, "ACGT"), -up.climb(texts, "ACGT"))
    signs = -np.sign(additive(texts) - 0.5)
    np.testing.assert_allclose(near.climb(texts, "ACGT"), signs[:, None, None] * up.climb(texts, "ACGT"))
    blind = Objective([Goal("activity", additive)])
    with pytest.raises(UserError, match="has none"):
        METHODS["gradient"](checked(Rules(PARENT)), blind, Effort(2, 4))


def test_an_aim_may_have_a_weight() -> None:
    assert weighted("raise") == ("raise", 1.0)
    assert weighted("lower*0.5") == ("lower", 0.5)
    assert weighted("-1.5*2") == (-1.5, 2.0)
    for wrong, told in (("lower*x", "no weight"), ("raise*0", "no weight"), ("up*2", "no aim")):
        with pytest.raises(UserError, match=told):
            weighted(wrong)
