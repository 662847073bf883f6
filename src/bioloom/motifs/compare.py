"""Which known motif a motif resembles: the best of all ways to lay two motifs over each other, and how probable it is.

The statistics are those of Tomtom: Gupta (2007) doi:10.1186/gb-2007-8-2-r24, with complete scores as in Tanaka (2011)
doi:10.1093/bioinformatics/btr257: a position that is not covered counts as one that fits as well as the median, so that
a few good positions at the edge do not win over a fit of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import false_discovery_control

from bioloom.errors import UserError
from bioloom.motifs.motif import USUAL_SITES, Motif

BINS = 100
"""Steps into which the fits of two positions are rounded."""

COLUMNS = ("query", "target", "title", "p_value", "e_value", "q_value", "offset", "overlap", "strand")


@dataclass(frozen=True)
class Columns:
    """The positions of all targets in one row.

    letters: (4, positions) probabilities; owner: (positions,) target; place: (positions,) position in its target
    """

    letters: NDArray[np.float64]
    owner: NDArray[np.int64]
    place: NDArray[np.int64]
    widths: NDArray[np.int64]


@dataclass(frozen=True)
class Best:
    """The best way to lay a query over each target; arrays are (targets,).

    score:   sum of the fits of the positions that lie over each other, in steps
    offset:  position of the target at which the query's first position lies; negative before its start
    overlap: positions that lie over each other
    """

    score: NDArray[np.int64]
    offset: NDArray[np.int64]
    overlap: NDArray[np.int64]


def compare(queries: Sequence[Motif], targets: Sequence[Motif], both_strands: bool = True) -> pd.DataFrame:
    """How alike each query is to each target; one row for each pair, the most alike first for each query.

    Columns: query, target, title (of the target), p_value (over all ways to lay them over each other, both strands
    included), e_value (targets expected to be as alike by chance), q_value (Benjamini and Hochberg over the targets),
    offset (position of the target where the query begins), overlap and strand ("-" where the query is turned).
    The probabilities are those among the positions of all targets: give a whole database, not one motif.
    Raises UserError without queries or targets.
    """
    if not queries or not targets:
        raise UserError("There is nothing to compare.", fix="give at least one motif on each side")
    columns = _columns(targets)
    tables = [_table(query, targets, columns, both_strands) for query in queries]
    return pd.concat(tables, ignore_index=True)


def _table(query: Motif, targets: Sequence[Motif], columns: Columns, both_strands: bool) -> pd.DataFrame:
    best, p = _against(query, columns)
    turned = np.zeros(len(targets), dtype=np.bool_)
    if both_strands:
        other, other_p = _against(query.reverse_complement, columns)
        turned = other_p < p
        best = Best(
            np.where(turned, other.score, best.score),
            np.where(turned, other.offset, best.offset),
            np.where(turned, other.overlap, best.overlap),
        )
        p = -np.expm1(2 * np.log1p(-np.minimum(np.where(turned, other_p, p), 1 - 1e-15)))  # the better of two
    table = pd.DataFrame(
        {
            "query": query.name,
            "target": [target.name for target in targets],
            "title": [target.title for target in targets],
            "p_value": p,
            "e_value": p * len(targets),
            "q_value": false_discovery_control(p),
            "offset": best.offset,
            "overlap": best.overlap,
            "strand": np.where(turned, "-", "+").astype(object),
        },
        columns=list(COLUMNS),
    )
    return table.sort_values("p_value", kind="stable")


def _columns(targets: Sequence[Motif]) -> Columns:
    widths = np.array([len(target) for target in targets], dtype=np.int64)
    return Columns(
        letters=np.concatenate([target.probabilities(pseudocount=0.0) for target in targets], axis=1),
        owner=np.repeat(np.arange(len(targets)), widths),
        place=np.concatenate([np.arange(width) for width in widths]),
        widths=widths,
    )


def _against(query: Motif, columns: Columns) -> tuple[Best, NDArray[np.float64]]:
    """The best way to lay a query over each target, and the probability of one as good, (targets,)."""
    fits = _fits(query, columns)
    best = _best(fits, columns)
    p = np.empty(len(columns.widths))
    least, logs = _log_below(fits)
    for width in np.unique(columns.widths).tolist():
        mine = columns.widths == width
        ranges = [(max(0, -offset), min(len(fits), width - offset)) for offset in range(1 - len(fits), width)]
        all_below = np.sum([logs[each] for each in ranges], axis=0)
        p[mine] = -np.expm1(all_below[best.score[mine] - least])
    return best, p


def _fits(query: Motif, columns: Columns) -> NDArray[np.int64]:
    """How well each position of the query fits each of the targets, in steps, (positions, columns).

    Minus the Euclidean distance, less the median of the query's position over all targets.
    """
    p = query.probabilities(pseudocount=0.0)
    fits = -np.linalg.norm(p[:, :, None] - columns.letters[:, None, :], axis=0)
    fits -= np.median(fits, axis=1, keepdims=True)
    step = max(float(np.ptp(fits)), 1e-12) / BINS
    return np.asarray(np.round(fits / step), dtype=np.int64)


def _best(fits: NDArray[np.int64], columns: Columns) -> Best:
    """The highest sum along a diagonal of each target: position after position, all targets at once."""
    targets, width = len(columns.widths), len(fits)
    best = Best(
        np.full(targets, np.iinfo(np.int64).min), np.zeros(targets, np.int64), np.zeros(targets, np.int64)
    )
    begins, last = columns.place == 0, columns.place == columns.widths[columns.owner] - 1
    run = np.zeros(len(columns.owner), dtype=np.int64)  # sum of fits along the diagonal that comes to here
    length = np.zeros(len(columns.owner), dtype=np.int64)
    for row in range(width):
        run = np.where(begins, 0, np.roll(run, 1)) + fits[row]
        length = np.where(begins, 0, np.roll(length, 1)) + 1
        ends = np.flatnonzero(last) if row < width - 1 else np.arange(len(run))
        owner, score = columns.owner[ends], run[ends]
        order = np.lexsort((-score, owner))
        owner, firsts = np.unique(owner[order], return_index=True)
        chosen = order[firsts]
        better = score[chosen] > best.score[owner]
        where, at = owner[better], ends[chosen[better]]
        best.score[where], best.overlap[where] = run[at], length[at]
        best.offset[where] = columns.place[at] - row
    return best


def _log_below(fits: NDArray[np.int64]) -> tuple[int, dict[tuple[int, int], NDArray[np.float64]]]:
    """For each range of positions of the query, log P(sum of fits < score) by chance, for scores from the lowest on.

    The lowest score, and by (first, end) of a range the logarithms, all for the same scores.
    """
    lowest, highest = fits.min(axis=1), fits.max(axis=1)
    least = int(np.minimum(lowest, 0).sum())
    size = int(np.maximum(highest, 0).sum()) - least + 1
    densities = [np.bincount(row - low) / len(row) for row, low in zip(fits, lowest, strict=True)]
    found = {}
    for first in range(len(fits)):
        density, low = np.ones(1), 0
        for end in range(first + 1, len(fits) + 1):
            density, low = np.convolve(density, densities[end - 1]), low + int(lowest[end - 1])
            survival = np.minimum(density[::-1].cumsum()[::-1], 1 - 1e-15)
            logs = np.zeros(size)
            logs[: low - least] = np.log(1e-15)
            logs[low - least : low - least + len(survival)] = np.log1p(-survival)
            found[first, end] = logs
    return least, found


# ---- families of motifs ---------------------------------------------------------------------------------------


def cluster(motifs: Sequence[Motif], e_value: float = 0.01) -> NDArray[np.int64]:
    """Which motifs are of one kind, (motifs,) numbers from 0 in the order of the first of each kind.

    Motifs are joined as long as the mean E-value between two groups stays below the limit (average linkage).
    """
    if len(motifs) < 2:
        return np.zeros(len(motifs), dtype=np.int64)
    number = {motif.name: index for index, motif in enumerate(motifs)}
    if len(number) < len(motifs):
        raise UserError("Two motifs have the same name.", fix="give each motif a name of its own")
    pairs = compare(motifs, motifs)
    far = np.zeros((len(motifs), len(motifs)))
    rows, columns = pairs["query"].map(number), pairs["target"].map(number)
    far[rows, columns] = np.log10(np.maximum(pairs["e_value"], 1e-30)) + 30
    far = (far + far.T) / 2
    np.fill_diagonal(far, 0.0)
    labels = fcluster(linkage(squareform(far), "average"), np.log10(e_value) + 30, "distance")
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse], dtype=np.int64)


def merge(motifs: Sequence[Motif], name: str = "") -> Motif:
    """One motif of several of a kind: laid over the one that says most, and averaged by their number of sites.

    Positions that fewer than half of the sites cover are left out.
    """
    if not motifs:
        raise UserError("There is nothing to merge.", fix="give at least one motif")
    seed = max(motifs, key=lambda motif: float(motif.information().sum()))
    if len(motifs) == 1:
        return replace(seed, name=name or seed.name)
    laid = [(seed, 0) if motif is seed else _laid_over(motif, seed, motifs) for motif in motifs]
    first = min(offset for _, offset in laid)
    end = max(offset + len(motif) for motif, offset in laid)
    total, covered = np.zeros((4, end - first)), np.zeros(end - first)
    for motif, offset in laid:
        sites = motif.sites or USUAL_SITES
        span = slice(offset - first, offset - first + len(motif))
        total[:, span] += sites * motif.probabilities(pseudocount=0.0)
        covered[span] += sites
    kept = np.flatnonzero(covered >= covered.max() / 2)
    counts = total[:, kept[0] : kept[-1] + 1]
    return Motif(name or seed.name, counts, seed.title, float(covered.max()))


def _laid_over(motif: Motif, seed: Motif, others: Sequence[Motif]) -> tuple[Motif, int]:
    """A motif in the direction of the seed, and the seed's position at which it begins."""
    row = compare([motif], [seed, *(other for other in others if other is not seed)])
    best = row[row["target"] == seed.name].iloc[0]
    return (motif.reverse_complement if best["strand"] == "-" else motif), int(best["offset"])
