"""Experiments on a model whose answer is known: motifs add up, need a distance, or need each other."""

from __future__ import annotations

import numpy as np
import pytest

from bioloom.errors import UserError
from bioloom.experiments.ablate import ablate
from bioloom.experiments.dependency import dependency
from bioloom.experiments.effects import effect
from bioloom.experiments.epistasis import epistasis
from bioloom.experiments.marginalise import marginalise
from bioloom.experiments.space import space
from bioloom.experiments.swap import swap
from bioloom.experiments.tile import tile
from bioloom.motifs.motif import from_sites

A, B = "TGACGTCA", "GGGAATTACC"


def answer(sequences):
    """1 for A, 2 for B, and 4 more where B begins 5 letters behind A."""
    values = []
    for text in sequences:
        value = 1.0 * (A in text) + 2.0 * (B in text)
        values.append(
            value + 4.0 * any(text[i : i + 8] == A and text[i + 13 : i + 23] == B for i in range(len(text)))
        )
    return np.array(values)


def backgrounds(count: int = 20, length: int = 80, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), length)) for _ in range(count)]


def test_a_motif_does_what_it_does_by_itself():
    table = marginalise(answer, backgrounds(), [A, B, "CCCC", from_sites("b", [B] * 5)]).set_index("motif")
    assert table["effect"].to_dict() == {B: 2.0, "b": 2.0, A: 1.0, "CCCC": 0.0}
    assert (table["low"] == table["effect"]).all()
    assert (table["sequences"] == 20).all()
    at = marginalise(answer, backgrounds(), [A], start=3)
    assert at["effect"][0] == 1.0


def test_the_distance_that_counts_is_found_in_the_right_orientation():
    table = space(answer, backgrounds(), A, B, range(2, 9))
    best = table.loc[table["effect"].idxmax()]
    assert (best["spacing"], best["second"], best["effect"]) == (5, "+", 7.0)
    # A is its own reverse complement, B is not: turned, B is no site
    assert table[(table["spacing"] == 5) & (table["second"] == "-")]["effect"].max() <= 3.0
    assert len(space(answer, backgrounds(), A, B, [5], turn=False)) == 1


def test_epistasis_is_what_remains_beside_both_alone():
    near = epistasis(answer, backgrounds(), A, B, 5).set_index("what")["effect"]
    assert near.to_dict() == {"first": 1.0, "second": 2.0, "both": 7.0, "epistasis": 4.0}
    far = epistasis(answer, backgrounds(), A, B, 9).set_index("what")["effect"]
    assert far["epistasis"] == 0.0


def test_a_stretch_shuffled_away_shows_what_it_did():
    texts = [text[:30] + B + text[40:] for text in backgrounds()]
    row = ablate(answer, texts, 28, 42).iloc[0]
    assert row["effect"] == pytest.approx(2.0, abs=0.2)
    assert ablate(answer, texts, 50, 60)["effect"][0] == 0.0
    tiles = tile(answer, texts, width=12, step=6)
    strongest = tiles.loc[tiles["effect"].idxmax()]
    assert strongest["start"] <= 30 <= strongest["end"]
    assert tiles["end"].max() == 80


def test_a_short_stretch_changes_when_it_is_shuffled():
    def sharp(texts):
        return np.array([float(text[10:16] == "TTGACA") for text in texts])

    texts = [text[:10] + "TTGACA" + text[16:] for text in backgrounds()]
    assert ablate(sharp, texts, 10, 16)["effect"][0] > 0.8


def test_a_stretch_of_others_brings_its_motif_along():
    carrying = [text[:30] + B + text[40:] for text in backgrounds(seed=1)]
    row = swap(answer, backgrounds(), carrying, 25, 45).iloc[0]
    assert row["effect"] == pytest.approx(2.0)
    assert row["explained"] == pytest.approx(1.0)
    assert swap(answer, backgrounds(), carrying, 50, 60)["effect"][0] == 0.0


def test_positions_that_need_each_other_are_found():
    def needy(texts):
        return np.array(
            [float(text[2] == "A") * float(text[7] == "C") + float(text[4] == "G") for text in texts]
        )

    found = dependency(needy, "TTATGTTCTT")
    assert found[2, 7] == found[7, 2] == 1.0
    found[2, 7] = found[7, 2] = 0.0
    assert found.max() == 0.0


def test_the_interval_covers_the_mean_in_nineteen_of_twenty_experiments():
    rng = np.random.default_rng(0)
    found = [effect(rng.normal(0.3, 1.0, size=12)) for _ in range(4000)]
    covered = np.mean([each.low <= 0.3 <= each.high for each in found])
    assert covered == pytest.approx(0.95, abs=0.012)
    assert np.isnan(effect(np.array([1.0])).low)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (lambda: marginalise(answer, ["ACG"], [A]), "takes 8 letters, and sequence 1 has 3"),
        (lambda: space(answer, backgrounds(length=20), A, B, [9]), "The widest pair takes 27"),
        (lambda: ablate(answer, ["ACGT"], 2, 9), "no such stretch"),
        (lambda: swap(answer, ["ACGT"], [], 0, 2), "two groups"),
        (lambda: dependency(answer, "A" * 300), "map of 300 positions"),
        (lambda: tile(answer, [], 5), "no sequences"),
    ],
)
def test_what_cannot_be_done_is_told(run, words):
    with pytest.raises(UserError, match=words):
        run()
