"""From what a model finds important to motifs: stretches that matter are grouped, aligned and counted.

The idea is that of TF-MoDISco (Shrikumar 2018, arXiv:1811.00416): stretches are alike when their contributions are,
at the best shift and on the better strand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.motifs.motif import Motif
from bioloom.motifs.seqlets import Seqlets

MOST = 3_000
"""Stretches that are compared with each other; the strongest are taken."""

ALIKE = 0.6
"""Correlation of contributions from which stretches are of one motif."""

FEWEST = 10
"""Stretches that make a motif; fewer may be chance."""

FLANK = 4
"""Letters on each side of a stretch that are looked at beside it."""


@dataclass(frozen=True)
class Found:
    """A motif that a model uses.

    motif:         counted from its sites, trimmed to the positions that say something
    contributions: (4, positions), the mean contribution of each letter, for a logo
    effect:        the mean summed contribution of a site; negative where it lowers the output
    sites:         record, start, end (0-based, half-open), strand, score of each
    """

    motif: Motif
    contributions: NDArray[np.float64]
    effect: float
    sites: pd.DataFrame


def discover(
    one_hot: NDArray[np.floating],
    contributions: NDArray[np.floating],
    seqlets: Seqlets,
    both_strands: bool = True,
) -> list[Found]:
    """The motifs that stretches make, those with most sites first.

    one_hot, contributions: (records, 4, positions) letters, and what each letter that is there adds
    Stretches that raise the output and those that lower it are grouped apart.
    """
    order = np.argsort(-np.abs(seqlets.score), kind="stable")[:MOST]
    found: list[Found] = []
    for sign in (1, -1):
        chosen = order[np.sign(seqlets.score[order]) == sign]
        if len(chosen) >= FEWEST:
            pieces = _cut(one_hot, contributions, seqlets, chosen)
            found += _grouped(pieces, seqlets, chosen, both_strands)
    found.sort(key=lambda each: -len(each.sites))
    return [
        replace(
            each, motif=replace(each.motif, name=f"{'raises' if each.effect > 0 else 'lowers'}_{number + 1}")
        )
        for number, each in enumerate(found)
    ]


@dataclass(frozen=True)
class _Pieces:
    """Stretches with their flanks: letters and contributions, (stretches, 4, letters)."""

    letters: NDArray[np.float64]
    contributions: NDArray[np.float64]


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
    places = seqlets.start[chosen, None] + np.arange(wide)  # in the padded sequence
    letters, told = (each[seqlets.record[chosen, None], :, places].transpose(0, 2, 1) for each in padded)
    return _Pieces(letters.astype(np.float64), told.astype(np.float64))


def _grouped(pieces: _Pieces, seqlets: Seqlets, chosen: NDArray[np.int64], both_strands: bool) -> list[Found]:
    """Groups of alike stretches: the one with most neighbours takes them, then the next of those left."""
    alike, shifts, turned = _similarities(pieces.contributions, both_strands)
    left = np.ones(len(chosen), dtype=np.bool_)
    found = []
    while left.sum() >= FEWEST:
        neighbours = (alike >= ALIKE) & left[None, :] & left[:, None]
        centre = int(neighbours.sum(axis=1).argmax())
        members = np.flatnonzero(neighbours[centre])
        if len(members) < FEWEST:
            break
        left[members] = False
        found.append(_aligned(pieces, seqlets, chosen, (members, shifts[centre], turned[centre])))
    return _joined(found, both_strands)


def _similarities(
    contributions: NDArray[np.float64], both_strands: bool
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Cosine of contributions at the best shift and strand, that shift, and whether it is turned; all (n, n).

    shifts[i, j] is where stretch j must be moved to lie over stretch i.
    """
    count, _, wide = contributions.shape
    norms = np.linalg.norm(contributions.reshape(count, -1), axis=1)
    unit = contributions / np.maximum(norms, 1e-12)[:, None, None]
    best = np.full((count, count), -1.0, dtype=np.float64)
    shifts, turned = np.zeros((count, count), dtype=np.int64), np.zeros((count, count), dtype=np.bool_)
    most = wide // 3
    flat = unit.reshape(count, -1)
    for other, is_turned in ((unit, False), (unit[:, ::-1, ::-1], True))[: 2 if both_strands else 1]:
        for shift in range(-most, most + 1):
            moved = _moved(other, shift).reshape(count, -1)
            told = flat @ moved.T
            better = told > best
            best[better], shifts[better], turned[better] = told[better], shift, is_turned
    return best, shifts, turned


def _moved(values: NDArray[np.float64], shift: int) -> NDArray[np.float64]:
    """Values moved along their last axis, zeros behind."""
    found = np.zeros_like(values)
    wide = values.shape[-1]
    if shift >= 0:
        found[..., shift:] = values[..., : wide - shift]
    else:
        found[..., :shift] = values[..., -shift:]
    return found


def _aligned(
    pieces: _Pieces,
    seqlets: Seqlets,
    chosen: NDArray[np.int64],
    group: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]],
) -> Found:
    """The motif of some stretches, each moved and turned to lie over the centre."""
    members, shifts, turned = group
    letters, told = [], []
    for member in members.tolist():
        one, other = pieces.letters[member], pieces.contributions[member]
        if turned[member]:
            one, other = one[::-1, ::-1], other[::-1, ::-1]
        letters.append(_moved(one, int(shifts[member])))
        told.append(_moved(other, int(shifts[member])))
    counts, mean = np.sum(letters, axis=0), np.mean(told, axis=0)
    span = _telling(counts, mean)
    first, last = (
        span.start - shifts[members],
        span.stop - 1 - shifts[members],
    )  # in the stretch as it was turned
    within = np.where(turned[members], pieces.letters.shape[2] - 1 - last, first)
    starts = seqlets.start[chosen[members]] - FLANK + within
    width = span.stop - span.start
    sites = pd.DataFrame(
        {
            "record": seqlets.record[chosen[members]],
            "start": starts,
            "end": starts + width,
            "strand": np.where(turned[members], "-", "+").astype(object),
            "score": seqlets.score[chosen[members]],
        }
    ).sort_values(["record", "start"], ignore_index=True)
    kept = counts[:, span] + 1e-9  # a position beyond the end of every sequence has no letters
    motif = Motif("motif", kept, sites=float(len(members)))
    return Found(motif, mean[:, span], float(seqlets.score[chosen[members]].mean()), sites)


def _telling(counts: NDArray[np.float64], mean: NDArray[np.float64]) -> slice:
    """The positions from the first to the last that carry a tenth of the largest contribution."""
    size = np.abs(mean).sum(axis=0) * (counts.sum(axis=0) > 0)
    told = np.flatnonzero(size >= 0.1 * size.max())
    return slice(int(told[0]), int(told[-1]) + 1)


def _joined(found: Sequence[Found], both_strands: bool) -> list[Found]:
    """Groups whose mean contributions are alike become one: that with more sites stays, and takes the other's sites over."""
    kept: list[Found] = []
    for each in sorted(found, key=lambda one: -len(one.sites)):
        for number, other in enumerate(kept):
            alike, shift, turned = _laid_over(other, each, both_strands)
            if alike >= JOINED:
                kept[number] = _with_sites(other, each, shift, turned)
                break
        else:
            kept.append(each)
    return kept


JOINED = 0.8
"""Cosine of mean contributions from which two groups are one motif."""


def _laid_over(one: Found, other: Found, both_strands: bool) -> tuple[float, int, bool]:
    """How alike two groups are at the best shift and strand, that shift, and whether the other is turned."""
    wide = 2 * max(one.contributions.shape[1], other.contributions.shape[1])
    padded = [
        np.pad(each.contributions, ((0, 0), (wide // 4, wide - each.contributions.shape[1] - wide // 4)))
        for each in (one, other)
    ]
    alike, shifts, turned = _similarities(np.stack(padded), both_strands)
    shift = int(shifts[0, 1])
    if turned[0, 1]:  # turned within its frame, so that the padding has changed sides
        shift += (wide - other.contributions.shape[1] - wide // 4) - wide // 4
    return float(alike[0, 1]), shift, bool(turned[0, 1])


def _with_sites(one: Found, other: Found, shift: int, turned: bool) -> Found:
    """A group with the sites of another that begins `shift` positions behind it, both read in the first one's direction."""
    width, others = len(one.motif), len(other.motif)
    strand, start = other.sites["strand"], other.sites["start"]
    same = (strand == "+") != turned  # the site as the first motif reads it stands on the forward strand
    begun = np.where(same, start - shift, start + others + shift - width)
    moved = other.sites.assign(start=begun, end=begun + width, strand=np.where(same, "+", "-").astype(object))
    sites = pd.concat([one.sites, moved], ignore_index=True).drop_duplicates(
        ["record", "start"], ignore_index=True
    )
    effect = float(sites["score"].mean())
    return replace(one, sites=sites, effect=effect, motif=replace(one.motif, sites=float(len(sites))))
