"""Rounds of design on a known truth: designs beat chance and greed, and the truth is what it says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bioloom.cli import main
from bioloom.data.simulate.landscape import LETTERS, NOISE, Landscape, mutants
from bioloom.design.rounds import STRATEGIES, Lab, course, gain
from bioloom.errors import UserError
from bioloom.inquiry import rehearsed


def ridges(texts, values, seed):
    """Eight ridge regressions on bootstrap samples of letters: a model that takes no time."""
    random = np.random.default_rng(seed)

    def letters(some):
        codes = np.array([[LETTERS.index(letter) for letter in text] for text in some])
        return np.column_stack([np.eye(4)[codes].reshape(len(some), -1), np.ones(len(some))])

    x, weights = letters(texts), []
    for _ in range(8):
        rows = random.integers(0, len(texts), len(texts))
        weights.append(
            np.linalg.solve(x[rows].T @ x[rows] + 2 * np.eye(x.shape[1]), x[rows].T @ values[rows])
        )
    return lambda some: np.array(weights) @ letters(some).T


def lab(seed: int, **changes: object) -> Lab:
    land = Landscape(seed)
    return Lab(land.parent, land.measure, land.value, ridges, seed=seed, **changes)  # type: ignore[arg-type]


def test_the_value_of_a_sequence_is_the_sum_of_its_letters_and_pairs_written_out() -> None:
    land, random = Landscape(3, 12), np.random.default_rng(0)
    text = "".join(random.choice(list(LETTERS), 12))
    expected = sum(land.effects[LETTERS.index(letter), place] for place, letter in enumerate(text))
    for (one, other), table in zip(land.pairs, land.tables, strict=True):
        expected += table[LETTERS.index(text[one]), LETTERS.index(text[other])]
    assert land.value([text])[0] == pytest.approx(expected)
    drawn = ["".join(row) for row in random.choice(list(LETTERS), (4000, 12))]
    assert np.mean(land.value(drawn)) == pytest.approx(0, abs=0.1)
    assert np.std(land.value(drawn)) == pytest.approx(1, abs=0.1)
    off = land.measure(drawn, 1) - land.value(drawn)
    assert np.std(off) == pytest.approx(NOISE, rel=0.05)
    assert (land.measure(drawn, 1) == land.measure(drawn, 1)).all()


def test_mutants_are_different_and_differ_from_the_parent_by_so_many_letters_at_most() -> None:
    found = mutants("ACGTACGTAC", 60, 3, np.random.default_rng(0))
    assert len(set(found)) == 60
    assert {sum(a != b for a, b in zip(text, "ACGTACGTAC", strict=True)) for text in found} == {1, 2, 3}


def test_designs_gain_twice_as_much_as_greed_and_five_times_as_much_as_chance() -> None:
    courses = {name: [course(lab(seed, rounds=2), name) for seed in range(3)] for name in STRATEGIES}
    for seed in range(3):
        first = {round(done[seed].best[0], 9) for done in courses.values()}
        assert len(first) == 1, "all begin with the same library"
        assert len(courses["design"][seed].best) == 3
    assert gain(courses["design"], courses["greedy"]) > 2
    raised = [
        np.mean([each.best[-1] - each.best[0] for each in courses[name]]) for name in ("design", "random")
    ]
    assert raised[0] > 5 * raised[1]


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_a_round_measures_so_many_new_sequences_and_the_same_seed_does_the_same(name: str) -> None:
    small = lab(1, start=30, batch=10, rounds=2)
    measured = dict.fromkeys(mutants(small.parent, 30, 4, np.random.default_rng(0)), 0.0)
    measured = {
        text: float(value) for text, value in zip(measured, small.measure(list(measured), 0), strict=True)
    }
    chosen = STRATEGIES[name](small, measured, 1)
    assert len(set(chosen)) == 10
    assert not set(chosen) & set(measured)
    assert course(small, name) == course(small, name)


def test_where_no_new_sequences_are_left_it_is_said() -> None:
    land = Landscape(0, 3)
    with pytest.raises(UserError, match="no 95 new sequences of 3 letters"):
        course(Lab(land.parent, land.measure, land.value, ridges), "random")


def test_the_verb_writes_courses_and_their_figure(tmp_path, capsys, monkeypatch) -> None:
    short = {"training.epochs": 3, "training.members": 2}
    monkeypatch.setattr(rehearsed, "SETTINGS", {**rehearsed.SETTINGS, **short})
    words = "rehearse --landscapes 1 --length 10 --start 40 --batch 8 --rounds 1 --json --quiet --outdir"
    assert main([*words.split(), str(tmp_path / "out")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((tmp_path / "out" / "rounds.json").read_text())
    assert [len(each["best"]) for done in told["courses"].values() for each in done] == [2, 2, 2]
    assert rehearsed.sentence(told).startswith("After 1 round of 8 measurements")
    assert "True value of the best sequence" in (tmp_path / "out" / "rounds.svg").read_text()
