"""Planted motifs come back from contributions, with their sites; noise gives none."""

from __future__ import annotations

import numpy as np
import pytest

from bioloom.motifs.compare import compare
from bioloom.motifs.discover import discover
from bioloom.motifs.motif import Motif
from bioloom.motifs.plant import Design, Planted, plant
from bioloom.motifs.seqlets import find_seqlets


def kinds(seed: int, count: int) -> list[Motif]:
    rng = np.random.default_rng(seed)
    return [Motif(f"k{n}", rng.dirichlet((0.08,) * 4, size=9).T, sites=100.0) for n in range(count)]


def attributed(frame, sites, motifs, rng, noise=0.15):
    """Contributions as a good model gives them: information of the motif's letter where a site lies, noise elsewhere."""
    codes = np.array([["ACGT".index(letter) for letter in text] for text in frame["sequence"]])
    told = noise * rng.normal(size=codes.shape)
    bits = {motif.name: motif.information() for motif in motifs}
    row = {name: number for number, name in enumerate(frame["id"])}
    for site in sites.itertuples():
        size = bits[site.motif] if site.strand == "+" else bits[site.motif][::-1]
        told[row[site.id], site.start : site.end] += size * (1 if site.motif != "k2" else -1)
    one_hot = np.eye(4)[codes].transpose(0, 2, 1)
    return one_hot, told


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_planted_motifs_are_discovered_with_their_sites(seed):
    motifs = kinds(seed, 3)
    frame, sites = plant(
        200, [Planted(motif, 0.6, turned=0.5) for motif in motifs], Design(length=100), seed=seed
    )
    rng = np.random.default_rng(seed)
    one_hot, told = attributed(frame, sites, motifs, rng)
    null = 0.15 * rng.normal(size=told.shape)
    seqlets = find_seqlets(told, null, width=9)
    found = discover(one_hot, one_hot * told[:, None], seqlets)
    table = compare([each.motif for each in found[:3]], motifs + kinds(seed + 50, 60))
    best = table.groupby("query").first()
    assert set(best["target"]) == {"k0", "k1", "k2"}
    assert (best["e_value"] < 1e-3).all()
    lowering = [each for each in found if each.effect < 0]
    assert len(lowering) == 1
    assert compare([lowering[0].motif], motifs).iloc[0]["target"] == "k2"
    # sites lie where the motif was planted
    names = {name: number for number, name in enumerate(frame["id"])}
    planted = {(names[site.id], site.start) for site in sites.itertuples() if site.motif == "k2"}
    hit = [
        any((row.record, row.start + d) in planted for d in range(-4, 5))
        for row in lowering[0].sites.itertuples()
    ]
    assert np.mean(hit) > 0.9
    assert len(hit) > 0.7 * len(planted)


def test_false_discoveries_stay_below_the_rate():
    """60 windows in 200 records are strong; of what is called at 10 %, about a tenth is not."""
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(20):
        told, null = rng.normal(size=(200, 60)), rng.normal(size=(200, 60))
        told[:60, 20:25] += 2.0
        found = find_seqlets(told, null, width=5, fdr=0.1)
        true = (found.record < 60) & (np.abs(found.start - 20) < 5)
        shares.append(1 - true.mean())
    assert np.mean(shares) < 0.12


def test_noise_gives_no_stretches_and_none_gives_no_motifs():
    rng = np.random.default_rng(3)
    told, null = rng.normal(size=(2, 150, 80))
    found = find_seqlets(told, null, width=9)
    assert len(found) <= 2
    assert discover(np.zeros((150, 4, 80)), np.zeros((150, 4, 80)), found) == []


def test_stretches_of_a_record_do_not_overlap_and_short_records_have_none():
    told = np.full((1, 30), 5.0)
    found = find_seqlets(told, 0.01 * np.random.default_rng(0).normal(size=(50, 30)), width=7)
    starts = np.sort(found.start)
    assert (np.diff(starts) >= 7).all()
    assert len(find_seqlets(np.ones((3, 4)), np.ones((3, 4)), width=9)) == 0


def test_groups_of_one_motif_become_one_with_sites_in_one_frame():
    """The same sites told by two groups, one shifted and turned, lie at the same places afterwards."""
    import pandas as pd

    from bioloom.motifs.discover import Found, _joined

    rng = np.random.default_rng(0)
    whole = rng.normal(size=(4, 10))
    first = pd.DataFrame(
        {"record": [0, 1], "start": [20, 40], "end": [30, 50], "strand": ["+", "-"], "score": 1.0}
    )
    # the other group reads positions 2 to 10 of the motif, from the other strand
    part = whole[:, 2:10][::-1, ::-1]
    second = pd.DataFrame(
        {"record": [2, 3], "start": [62, 80], "end": [70, 88], "strand": ["-", "+"], "score": 1.0}
    )
    one = Found(Motif("one", np.abs(whole) + 0.1, sites=2.0), whole, 1.0, first)
    other = Found(Motif("other", np.abs(part) + 0.1, sites=2.0), part, 1.0, second)
    (joined,) = _joined([one, other], both_strands=True)
    added = joined.sites[joined.sites["record"] >= 2].sort_values("record")
    assert added["start"].tolist() == [60, 80]
    assert added["end"].tolist() == [70, 90]
    assert added["strand"].tolist() == ["+", "-"]
