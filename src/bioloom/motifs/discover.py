"""From what a model finds important to motifs: stretches that matter are grouped, aligned and counted.

The idea is that of TF-MoDISco (Shrikumar 2018, arXiv:1811.00416): stretches are alike when their contributions are,
at the best shift and on the better strand. Groups begin with stretches that have many neighbours; then every stretch is
laid over the mean of each group, which is far less noisy than any one of them, and goes to the one that it resembles most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.motifs.motif import Motif
from bioloom.motifs.seqlets import Seqlets, all_seqlets, strengths

MOST = 3_000
"""Stretches that are compared with each other; the strongest are taken."""

ALIKE = 0.6
"""Cosine of contributions from which stretches are of one motif."""

BEGUN = (0.8, 0.7, ALIKE)
"""Cosines of contributions from which groups begin, one after the other: motifs that share a half must not begin as one."""

JOINED = 0.9
"""Cosine of mean contributions from which two groups are one motif."""

VARIANT, SMALL = 0.8, 1 / 3
"""Cosine from which a group is a variant of one that is larger: of so small a share of its stretches at most."""

ROUNDS = 5
"""Times that stretches are laid over the means of groups anew; they hardly move after three."""

FEWEST = 10
"""Stretches that make a motif; fewer may be chance."""

FLANK = 4
"""Letters on each side of a stretch that are looked at beside it."""

BY_CHANCE = 0.5
"""Share of the sites of a motif that chance may have: the rate of false ones is told, and from here it is no motif."""

TELLING = 0.1
"""Share of the largest mean contribution from which a position belongs to a motif."""


@dataclass(frozen=True)
class Found:
    """A motif that a model uses.

    motif:         counted from its sites, trimmed to the positions that say something
    contributions: (4, positions), the mean contribution of each letter, for a logo
    effect:        the mean summed contribution of a site; negative where it lowers the output
    sites:         record, start, end (0-based, half-open), strand, score of each
    by_chance:     stretches as strong and as alike that as many sequences have in random order; NaN where unknown
    """

    motif: Motif
    contributions: NDArray[np.float64]
    effect: float
    sites: pd.DataFrame
    by_chance: float = float("nan")


@dataclass(frozen=True)
class Chance:
    """Sequences that mean nothing: their letters, and what each letter adds, (records, 4, positions) both."""

    one_hot: NDArray[np.floating]
    contributions: NDArray[np.floating]

    @classmethod
    def of(cls, one_hot: NDArray[np.floating], contributions: NDArray[np.floating], seed: int = 0) -> Chance:
        """The letters of each sequence in random order, each with what it adds: as strong, but no words.

        A model of single letters gives as many stretches in any order. Shuffled sequences, asked about anew, would hold
        words of a motif too, the more the weaker it is, and a library of random sequences holds no fewer than they.
        """
        there = one_hot.any(axis=1)
        keys = np.random.default_rng(seed).random(there.shape)
        # empty places stay last
        order = np.argsort(np.where(there, keys, 1.0), axis=1, kind="stable")[:, None]
        return cls(np.take_along_axis(one_hot, order, 2), np.take_along_axis(contributions, order, 2))


def discover(
    one_hot: NDArray[np.floating],
    contributions: NDArray[np.floating],
    seqlets: Seqlets,
    both_strands: bool = True,
    chance: Chance | None = None,
) -> list[Found]:
    """The motifs that stretches make, those with most sites first.

    one_hot, contributions: (records, 4, positions) letters, and what each letter that is there adds
    chance:                 where it is given, a group of which sequences that mean nothing have half as many is no motif
    Stretches that raise the output and those that lower it are grouped apart.
    """
    order = np.argsort(-np.abs(seqlets.score), kind="stable")[:MOST]
    found: list[Found] = []
    for sign in (1, -1):
        chosen = order[np.sign(seqlets.score[order]) == sign]
        if len(chosen) >= FEWEST:
            pieces = _cut(one_hot, contributions, seqlets, chosen)
            groups = _settled(pieces, _begun(pieces, both_strands), both_strands)
            motifs = [_counted(pieces, group, one_hot.shape[2]) for group in groups]
            if chance is not None and groups:
                least = float(strengths(seqlets, contributions.sum(axis=1))[chosen].min())
                like = _Like(seqlets.width, sign, least, both_strands, len(one_hot))
                motifs = _beyond_chance(motifs, _centres(pieces, groups), chance, like)
            found += motifs
    found = sorted((each for each in found if len(each.sites) >= FEWEST), key=lambda each: -len(each.sites))
    return [
        replace(
            each, motif=replace(each.motif, name=f"{'raises' if each.effect > 0 else 'lowers'}_{number + 1}")
        )
        for number, each in enumerate(found)
    ]


@dataclass(frozen=True)
class _Like:
    """Which stretches of chance count: those of so many letters that raise (1) or lower (-1) and are as strong as those that were
    grouped; on which strands, and per how many records."""

    width: int
    sign: int
    least: float
    both_strands: bool
    records: int


def _beyond_chance(
    motifs: list[Found], centres: NDArray[np.float32], chance: Chance, like: _Like
) -> list[Found]:
    """Motifs of which chance has less than half as many stretches, each with their number."""
    every = all_seqlets(chance.contributions.sum(axis=1), like.width)
    size = strengths(every, chance.contributions.sum(axis=1))
    strong = np.flatnonzero((np.sign(every.score) == like.sign) & (size >= like.least))
    counts: NDArray[np.floating] = np.zeros(len(motifs))
    if len(strong):
        pieces = _cut(chance.one_hot, chance.contributions, every, strong)
        alike, _, _ = _similarities(centres, pieces.contributions, like.both_strands)
        owner = np.where(alike.max(axis=0) >= ALIKE, alike.argmax(axis=0), -1)
        counts = np.bincount(owner[owner >= 0], minlength=len(motifs)) * (like.records / len(chance.one_hot))
    told = [replace(each, by_chance=float(count)) for each, count in zip(motifs, counts, strict=True)]
    return [each for each in told if each.by_chance < BY_CHANCE * len(each.sites)]


@dataclass(frozen=True)
class _Pieces:
    """Stretches with their flanks: letters and contributions, (stretches, 4, letters); where they begin, and their scores."""

    letters: NDArray[np.float32]
    contributions: NDArray[np.float32]
    record: NDArray[np.int64]
    start: NDArray[np.int64]
    score: NDArray[np.float64]


def _cut(
    one_hot: NDArray[np.floating],
    contributions: NDArray[np.floating],
    seqlets: Seqlets,
    chosen: NDArray[np.int64],
) -> _Pieces:
    wide = seqlets.width + 2 * FLANK
    padded = [
        np.pad(np.nan_to_num(each), ((0, 0), (0, 0), (FLANK, FLANK))) for each in (one_hot, contributions)
    ]
    record, start = seqlets.record[chosen], seqlets.start[chosen]
    places = start[:, None] + np.arange(wide)  # in the padded sequence
    letters, told = (each[record[:, None], :, places].transpose(0, 2, 1) for each in padded)
    return _Pieces(
        letters.astype(np.float32), told.astype(np.float32), record, start - FLANK, seqlets.score[chosen]
    )


@dataclass(frozen=True)
class _Group:
    """Stretches of one motif, and how each is turned and then moved to lie over its centre; arrays are (members,)."""

    members: NDArray[np.int64]
    shifts: NDArray[np.int64]
    turned: NDArray[np.bool_]

    def over(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values of all stretches, (stretches, 4, letters), as those of the members lie over the centre; zeros elsewhere."""
        mine = values[self.members]
        mine = np.where(self.turned[:, None, None], mine[:, ::-1, ::-1], mine)
        wide = mine.shape[2]
        places = np.arange(wide) - self.shifts[:, None]
        inside = (places >= 0) & (places < wide)
        moved = np.take_along_axis(mine, np.where(inside, places, 0)[:, None], axis=2)
        return np.asarray(moved * inside[:, None])


def _begun(pieces: _Pieces, both_strands: bool) -> list[_Group]:
    """First groups: the stretch with most neighbours takes them, then the next of those left; near neighbours first."""
    alike, shifts, turned = _similarities(pieces.contributions, pieces.contributions, both_strands)
    left = np.ones(len(alike), dtype=np.bool_)
    groups: list[_Group] = []
    for least in BEGUN:
        near = alike >= least
        while left.sum() >= FEWEST:
            centre = int(np.where(left, near[:, left].sum(axis=1), 0).argmax())
            members = np.flatnonzero(near[centre] & left)
            if len(members) < FEWEST:
                break
            left[members] = False
            groups.append(_Group(members, shifts[centre, members], turned[centre, members]))
    return groups


def _settled(pieces: _Pieces, groups: list[_Group], both_strands: bool) -> list[_Group]:
    """Every stretch in the group whose mean it resembles most; of groups whose means are alike the larger one stays."""
    for number in range(ROUNDS):
        if not groups:
            break
        small = SMALL if number == ROUNDS - 1 else 0.0  # only by then it is known how large they are
        groups.sort(key=lambda group: -len(group.members))
        centres = _centres(pieces, groups)
        centres = centres[_distinct(centres, [len(group.members) for group in groups], small, both_strands)]
        alike, shifts, turned = _similarities(centres, pieces.contributions, both_strands)
        owner = np.where(alike.max(axis=0) >= ALIKE, alike.argmax(axis=0), -1)
        members = [np.flatnonzero(owner == number) for number in range(len(centres))]
        groups = [
            _Group(each, shifts[number, each], turned[number, each])
            for number, each in enumerate(members)
            if len(each) >= FEWEST
        ]
    return groups


def _centres(pieces: _Pieces, groups: list[_Group]) -> NDArray[np.float32]:
    """The mean contributions of groups, (groups, 4, letters)."""
    return np.stack([group.over(pieces.contributions).mean(axis=0) for group in groups])


def _distinct(
    centres: NDArray[np.float32], sizes: Sequence[int], small: float, both_strands: bool
) -> list[int]:
    """Those centres that resemble none before them, the groups with most stretches first.

    small: the share of stretches up to which a group may be a variant of another
    """
    alike, _, _ = _similarities(centres, centres, both_strands)
    kept: list[int] = []
    for number, size in enumerate(sizes):
        needed = [VARIANT if size <= small * sizes[other] else JOINED for other in kept]
        if all(alike[other, number] < least for other, least in zip(kept, needed, strict=True)):
            kept.append(number)
    return kept


def _similarities(
    over: NDArray[np.float32], moved: NDArray[np.float32], both_strands: bool
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_]]:
    """Cosine of contributions at the best shift and strand, that shift, and whether it is turned; all (over, moved).

    over, moved: (stretches, 4, letters); shifts[i, j] is where stretch j, turned or not, must be moved to lie over stretch i
    """
    one, other = _unit(over), _unit(moved)
    shape, wide = (len(one), len(other)), one.shape[2]
    best = np.full(shape, -1.0, dtype=np.float32)
    shifts, turned = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.bool_)
    everyone, flat = np.arange(len(other)), one.reshape(len(one), -1)
    for turn in (False, True)[: 2 if both_strands else 1]:
        for shift in range(-(wide // 3), wide // 3 + 1):
            laid = _Group(everyone, np.full(len(other), shift), np.full(len(other), turn)).over(other)
            told = flat @ laid.reshape(len(other), -1).T
            better = told > best
            best[better], shifts[better], turned[better] = told[better], shift, turn
    return best, shifts, turned


def _unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each stretch with length 1."""
    length = np.linalg.norm(values.reshape(len(values), -1), axis=1)
    return np.asarray(values / np.maximum(length, 1e-12)[:, None, None])


def _counted(pieces: _Pieces, group: _Group, positions: int) -> Found:
    """The motif of some stretches that lie over each other; sites that hang over an end of their sequence do not count."""
    letters, told = group.over(pieces.letters), group.over(pieces.contributions)
    span = _telling(letters.sum(axis=0), told.mean(axis=0))
    width = span.stop - span.start
    first = span.start - group.shifts  # in the stretch as it was turned
    within = np.where(group.turned, letters.shape[2] - width - first, first)
    sites = pd.DataFrame(
        {
            "record": pieces.record[group.members],
            "start": pieces.start[group.members] + within,
            "end": pieces.start[group.members] + within + width,
            "strand": np.where(group.turned, "-", "+").astype(object),
            "score": pieces.score[group.members],
        }
    )
    whole = (sites["start"] >= 0) & (sites["end"] <= positions) & ~sites.duplicated(["record", "start"])
    kept = np.flatnonzero(whole)
    counts = letters[kept][:, :, span].sum(axis=0, dtype=np.float64) + 1e-9  # a position may have no letters
    return Found(
        Motif("motif", counts, sites=float(len(kept))),
        told[kept][:, :, span].mean(axis=0, dtype=np.float64) if len(kept) else np.zeros((4, width)),
        float(sites["score"].iloc[kept].mean()) if len(kept) else 0.0,
        sites.iloc[kept].sort_values(["record", "start"], ignore_index=True),
    )


def _telling(counts: NDArray[np.floating], mean: NDArray[np.floating]) -> slice:
    """From the first position to the last whose letters add enough."""
    size = np.abs(mean).sum(axis=0) * (counts.sum(axis=0) > 0)
    told = np.flatnonzero(size >= TELLING * size.max())
    return slice(int(told[0]), int(told[-1]) + 1)
