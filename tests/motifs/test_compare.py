"""Motifs that are alike are found, with the probability that chance gives."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from bioloom.errors import UserError
from bioloom.motifs import compare as comparing
from bioloom.motifs.compare import cluster, compare, merge
from bioloom.motifs.motif import Motif


def database(seed: int, size: int, widths=(6, 15)) -> list[Motif]:
    rng = np.random.default_rng(seed)
    return [
        Motif(f"m{number}", rng.dirichlet((0.3,) * 4, size=rng.integers(*widths)).T, sites=50.0)
        for number in range(size)
    ]


def noisy(motif: Motif, name: str, seed: int) -> Motif:
    rng = np.random.default_rng(seed)
    counts = np.array([rng.multinomial(40, column) for column in motif.probabilities(0).T]).T.astype(float)
    return Motif(name, counts, sites=40.0)


def test_a_motif_is_most_like_itself_and_a_shifted_copy_is_found_on_the_other_strand():
    motifs = database(0, 60)
    table = compare(motifs[:5], motifs)
    best = table.groupby("query", sort=False).first()
    assert best["target"].tolist() == [f"m{number}" for number in range(5)]
    assert best["offset"].tolist() == [0] * 5
    target = max(motifs, key=len)
    part = Motif("part", target.frequencies[:, 2:10]).reverse_complement
    first = compare([part], motifs).iloc[0]
    assert (first["target"], first["offset"], first["overlap"], first["strand"]) == (target.name, 2, 8, "-")
    assert first["q_value"] < 1e-4


def test_p_values_of_unrelated_motifs_are_uniform_or_larger():
    """Queries made of positions drawn from the database: 5 % fall below 0.05, never clearly more."""
    motifs = database(1, 120)
    columns = np.concatenate([motif.probabilities(0) for motif in motifs], axis=1)
    rng = np.random.default_rng(2)
    queries = [Motif(f"q{n}", columns[:, rng.integers(columns.shape[1], size=9)]) for n in range(60)]
    p = compare(queries, motifs, both_strands=False)["p_value"].to_numpy()
    for level in (0.01, 0.05, 0.2):
        assert np.mean(p <= level) == pytest.approx(level, abs=0.25 * level + 0.002)


def test_the_probability_of_a_sum_is_that_of_all_draws():
    rng = np.random.default_rng(3)
    fits = rng.integers(-4, 3, size=(3, 7))
    least, logs = comparing._log_below(fits)
    for first, end in ((0, 1), (0, 3), (1, 3)):
        sums = np.array([sum(draw) for draw in product(*fits[first:end])])
        for score in range(sums.min() + 1, sums.max() + 1):
            assert np.exp(logs[first, end][score - least]) == pytest.approx(np.mean(sums < score))


def test_copies_of_one_kind_are_grouped_and_merged():
    kinds = database(4, 5, (8, 13))
    others = database(5, 40)
    copies = [noisy(kind, f"{kind.name}_{n}", 10 * i + n) for i, kind in enumerate(kinds) for n in range(3)]
    copies[1] = Motif(copies[1].name, copies[1].reverse_complement.frequencies, sites=40.0)
    copies[2] = Motif(copies[2].name, copies[2].frequencies[:, 1:], sites=40.0)
    labels = cluster([*copies, *others])
    assert labels[:15].tolist() == [number for number in range(5) for _ in range(3)]
    merged = merge(copies[:3], "kind")
    assert merged.name == "kind"
    best = compare([merged], [*kinds, *others]).iloc[0]
    assert (best["target"], best["overlap"]) == ("m0", len(kinds[0]))
    towards = merged if best["strand"] == "+" else merged.reverse_complement
    assert np.abs(towards.probabilities(0) - kinds[0].probabilities(0)).max() < 0.2


def test_one_motif_is_its_own_kind_and_none_cannot_be_compared():
    (motif,) = database(6, 1)
    assert cluster([motif]).tolist() == [0]
    assert merge([motif], "new").name == "new"
    with pytest.raises(UserError, match="nothing to compare"):
        compare([], [motif])
    with pytest.raises(UserError, match="nothing to merge"):
        merge([])
    with pytest.raises(UserError, match="same name"):
        cluster([motif, motif])
