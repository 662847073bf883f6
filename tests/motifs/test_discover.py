"""Planted motifs come back from contributions, with their sites; noise gives none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bioloom.motifs.compare import compare
from bioloom.motifs.discover import Chance, discover
from bioloom.motifs.motif import Motif
from bioloom.motifs.plant import Design, Planted, plant
from bioloom.motifs.seqlets import Seqlets, all_seqlets, find_seqlets


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


def test_stretches_that_lie_apart_and_turned_make_one_motif_counted_from_all_of_them():
    """Half of the stretches begin three letters late, half of them on the other strand: one motif, sites where it is."""
    rng = np.random.default_rng(0)
    motif = kinds(4, 1)[0]
    frame, sites = plant(200, [Planted(motif, 1.0, turned=0.5)], Design(length=60), seed=4)
    one_hot, told = attributed(frame, sites, [motif], rng, noise=0.05)
    start = sites["start"].to_numpy() + 3 * (np.arange(200) % 2)
    seqlets = Seqlets(np.arange(200), np.minimum(start, 51), 9, np.full(200, 5.0), np.zeros(200))
    (found,) = discover(one_hot, one_hot * told[:, None], seqlets)
    shift = found.sites.set_index("record")["start"] - sites["start"]
    assert len(found.sites) > 190
    assert found.sites["strand"].nunique() == 2
    assert (
        shift.groupby(found.sites.set_index("record")["strand"])
        .agg(lambda x: (x == x.mode()[0]).mean())
        .min()
        > 0.9
    )
    letters = [
        frame["sequence"][site.record][site.start : site.end]
        for site in found.sites.itertuples()
        if site.strand == "+"
    ]
    most = "".join(max("ACGT", key=column.count) for column in zip(*letters, strict=True))
    assert most == found.motif.consensus


def test_sites_lie_within_their_sequences():
    """Motifs at the very ends: no site begins before the first letter or ends behind the last."""
    motif = kinds(5, 1)[0]
    rng = np.random.default_rng(1)
    parts = [
        plant(100, [Planted(motif, 1.0, start=start)], Design(length=40), seed=seed)
        for seed, start in enumerate((0, 31, 15))
    ]
    told = [attributed(frame, sites, [motif], rng, noise=0.05) for frame, sites in parts]
    one_hot, contributions = (np.concatenate([each[which] for each in told]) for which in (0, 1))
    seqlets = find_seqlets(contributions, 0.05 * rng.normal(size=contributions.shape), width=9)
    found = discover(one_hot, one_hot * contributions[:, None], seqlets)
    assert (found[0].sites["start"] >= 0).all()
    assert (found[0].sites["end"] <= 40).all()
    assert len(found[0].sites) > 250


def test_what_lowers_does_not_hide_what_raises():
    """Strong stretches by chance that lower the output say nothing of those that raise it."""
    rng = np.random.default_rng(2)
    told, null = 0.1 * rng.normal(size=(2, 200, 60))
    told[:40, 20:25] += 0.6
    null[:, 30:35] -= 2.0
    found = find_seqlets(told, null, width=5)
    assert (found.score > 0).all()
    assert len(found) >= 38


def test_what_chance_has_as_often_is_no_motif():
    """Single strong letters make groups of stretches, and chance has them too; a planted motif it has not."""
    rng = np.random.default_rng(7)
    motif = kinds(7, 1)
    frame, sites = plant(300, [Planted(motif[0], 0.5, turned=0.5)], Design(length=100), seed=7)
    one_hot, told = attributed(frame, sites, motif, rng, noise=0.05)
    null = np.eye(4)[rng.integers(0, 4, (300, 100))].transpose(0, 2, 1)
    parts = []
    for letters, values in ((one_hot, told), (null, 0.05 * rng.normal(size=(300, 100)))):
        strong = (rng.random(values.shape) < 0.01) & (letters[:, 0] == 1)  # an A here and there
        parts.append(letters * (values + 15.0 * strong)[:, None])
    seqlets = all_seqlets(parts[0].sum(axis=1), 9)
    seqlets = replace(seqlets, fdr=np.where(seqlets.score > 5, 0.0, 1.0)).up_to(0.0)
    without = discover(one_hot, parts[0], seqlets)
    found = discover(one_hot, parts[0], seqlets, chance=Chance(null, parts[1]))
    assert len(found) < len(without)
    assert len(found) == 1
    assert found[0].by_chance < 10 < len(found[0].sites)
    assert compare([found[0].motif], motif + kinds(60, 60)).iloc[0]["target"] == "k0"
    single = [each for each in without if each.motif.name not in {found[0].motif.name}]
    assert all(np.isnan(each.by_chance) for each in single)


def test_letters_in_random_order_keep_what_each_adds_and_empty_places_stay_at_the_end():
    rng = np.random.default_rng(0)
    one_hot = np.eye(4)[rng.integers(0, 4, (30, 20))].transpose(0, 2, 1)
    one_hot[:, :, 15:] = 0.0
    told = one_hot * rng.normal(size=(30, 1, 20))
    chance = Chance.of(one_hot, told, seed=1)
    assert not chance.one_hot[:, :, 15:].any()
    np.testing.assert_array_equal(np.sort(chance.contributions.sum(axis=1)), np.sort(told.sum(axis=1)))
    np.testing.assert_array_equal(chance.contributions != 0, chance.one_hot != 0)
    assert (chance.one_hot != one_hot).any()


def test_a_model_of_composition_has_no_motif():
    """Every G adds one and every C a half: stretches with many of them are no more than letters in random order give."""
    rng = np.random.default_rng(1)
    one_hot = np.eye(4)[rng.integers(0, 4, (300, 100))].transpose(0, 2, 1)
    told = one_hot * np.array([0.0, 0.5, 1.0, 0.0])[None, :, None]
    chance = Chance.of(one_hot, told)
    seqlets = find_seqlets(told.sum(axis=1), chance.contributions.sum(axis=1), fdr=0.2)
    assert discover(one_hot, told, seqlets, chance=chance) == []


def test_words_that_random_sequences_hold_are_a_motif_where_the_model_uses_them():
    """A library of random letters, in which a short word stands as often as in its shuffles: the model adds where it stands."""
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 4, (500, 100))
    one_hot = np.eye(4)[codes].transpose(0, 2, 1)
    word, told = np.array([2, 0, 3, 0, 0]), 0.05 * rng.normal(size=codes.shape)  # GATAA
    for start in range(96):
        told[(codes[:, start : start + 5] == word).all(axis=1), start : start + 5] += 1.0
    contributions = one_hot * told[:, None]
    chance = Chance.of(one_hot, contributions)
    seqlets = find_seqlets(told, chance.contributions.sum(axis=1), width=7, fdr=0.2)
    (found,) = discover(one_hot, contributions, seqlets, both_strands=False, chance=chance)
    assert found.motif.consensus == "GATAA"
    assert found.by_chance < 3 < 30 < len(found.sites)


@pytest.mark.parametrize("words", [("GATTACAC", "CTTGATTA"), ("TGGAATGTCC", "GGAATGTAAG")])
def test_two_motifs_that_share_a_part_are_two(words):
    """Five of eight or seven of ten letters alike, a cosine of 0.62 or 0.7: one group if groups began with all that are alike."""
    rng = np.random.default_rng(3)
    told = np.zeros((300, 60))
    letters = rng.integers(0, 4, (300, 60))
    for record, start in enumerate(rng.integers(0, 50, 300)):
        place = slice(start, start + len(words[0]))
        letters[record, place] = ["ACGT".index(letter) for letter in words[record % 2]]
        told[record, place] = rng.uniform(0.7, 1.3, len(words[0]))
    one_hot = np.eye(4)[letters].transpose(0, 2, 1)
    contributions = one_hot * told[:, None]
    seqlets = find_seqlets(
        told, Chance.of(one_hot, contributions).contributions.sum(axis=1), width=len(words[0])
    )
    found = discover(one_hot, contributions, seqlets, both_strands=False)
    assert {each.motif.consensus for each in found} == set(words)


def test_sequences_that_a_model_is_very_sure_of_do_not_drown_the_others():
    """One site lowers half of the sequences by a lot, with letters around that count as much; a weak one raises the others."""
    rng = np.random.default_rng(4)
    told = 0.2 * rng.normal(size=(400, 80))
    told[:200] += 3.0 * rng.normal(size=(200, 80))
    told[:200, 20:28] -= 40.0
    told[200:, 50:58] += 0.5
    null = rng.permuted(told, axis=1)
    found = find_seqlets(told, null, width=8, fdr=0.1)
    raising = found.score > 0
    assert (found.record[raising] >= 200).mean() > 0.8
    assert raising.sum() > 150


def test_chance_is_asked_for_stretches_as_strong_as_those_that_were_found():
    """Some sequences say little, so that the weakest stretch of the motif is weak; letters of sure ones in any order are not."""
    rng = np.random.default_rng(5)
    motif = kinds(5, 1)
    frame, sites = plant(400, [Planted(motif[0], 0.6, turned=0.5)], Design(length=60), seed=5)
    one_hot, told = attributed(frame, sites, motif, rng, noise=0.05)
    told *= rng.uniform(0.05, 3.0, (400, 1))
    contributions = one_hot * told[:, None]
    chance = Chance.of(one_hot, contributions)
    seqlets = find_seqlets(told, chance.contributions.sum(axis=1), width=9, fdr=0.2)
    found = discover(one_hot, contributions, seqlets, chance=chance)
    assert len(found[0].sites) > 200
    assert found[0].by_chance < 0.1 * len(found[0].sites)
