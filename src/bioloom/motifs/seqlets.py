"""Short stretches in which a model's attributions are larger than by chance, at a false-discovery rate that is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d


@dataclass(frozen=True)
class Seqlets:
    """Stretches that matter; all arrays are (seqlets,).

    record: number of the sequence; start: 0-based position; width: letters of each
    score:  sum of the contributions of its letters; positive where it raises the output
    fdr:    the share of stretches as strong that chance gives
    """

    record: NDArray[np.int64]
    start: NDArray[np.int64]
    width: int
    score: NDArray[np.float64]
    fdr: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.record)

    def up_to(self, fdr: float) -> Seqlets:
        """Those up to a false-discovery rate."""
        return self._some(self.fdr <= fdr)

    def _some(self, kept: NDArray[np.bool_]) -> Seqlets:
        return replace(
            self, record=self.record[kept], start=self.start[kept], score=self.score[kept], fdr=self.fdr[kept]
        )


def all_seqlets(contributions: NDArray[np.floating], width: int = 11) -> Seqlets:
    """All stretches, whether they mean anything or not, the strongest first; of each is said that it is chance."""
    sums = _sums(contributions, width)
    record, start = np.nonzero(_peaks(sums, width))
    score = sums[record, start]
    order = np.argsort(-np.abs(score), kind="stable")
    return Seqlets(
        record[order].astype(np.int64),
        start[order].astype(np.int64),
        width,
        score[order],
        np.ones(len(order)),
    )


def find_seqlets(
    contributions: NDArray[np.floating], null: NDArray[np.floating], width: int = 11, fdr: float = 0.05
) -> Seqlets:
    """Stretches whose summed contribution is larger in size than that of sequences that mean nothing.

    contributions: (records, positions), what the letter at each position adds; NaN where there is none
    null:          (shuffles, positions), the same where letters stand in random order
    fdr:           the highest false-discovery rate: stretches of the null at least as strong for each one found, both
                   counted per sequence, and those that raise the output apart from those that lower it
    A stretch is the strongest window around; those of a record do not overlap. The strongest come first. How strong one is
    beside chance counts in sizes of the letters of its own sequence: those of which a model is very sure, where one site decides
    everything, would drown the others.
    """
    every, chance = all_seqlets(contributions, width), all_seqlets(null, width)
    rate, ratio = every.fdr.copy(), len(contributions) / max(1, len(null))
    strength, by_chance = strengths(every, contributions), strengths(chance, null)
    for sign in (1, -1):
        mine, theirs = (np.sign(each.score) == sign for each in (every, chance))
        rate[mine] = _false_discovery_rates(strength[mine], by_chance[theirs], ratio)
    return replace(every, fdr=rate).up_to(fdr)


def strengths(seqlets: Seqlets, contributions: NDArray[np.floating]) -> NDArray[np.float64]:
    """The size of each score beside that of the letters of its sequence (root mean square), (seqlets,)."""
    usual = np.sqrt(np.square(np.nan_to_num(contributions)).mean(axis=1))
    return np.asarray(np.abs(seqlets.score) / usual[seqlets.record], dtype=np.float64)


def _peaks(sums: NDArray[np.float64], width: int) -> NDArray[np.bool_]:
    """Which windows are the strongest of all that overlap with them, (records, windows)."""
    if not sums.size:
        return np.zeros(sums.shape, dtype=np.bool_)
    size = np.abs(sums)
    highest = maximum_filter1d(size, 2 * width - 1, axis=1, mode="constant")
    peaks = (size == highest) & (size > 0)
    # equal neighbours: the first stays
    for record in np.flatnonzero((peaks[:, 1:] & peaks[:, :-1]).any(axis=1)):
        last = -width
        for start in np.flatnonzero(peaks[record]).tolist():
            peaks[record, start] = start - last >= width
            last = start if peaks[record, start] else last
    return np.asarray(peaks, dtype=np.bool_)


def _sums(contributions: NDArray[np.floating], width: int) -> NDArray[np.float64]:
    """The sum of each window, (records, windows); 0 where a window holds an empty position."""
    values = np.asarray(contributions, dtype=np.float64)
    if values.shape[1] < width:
        return np.zeros((len(values), 0))
    windows = np.lib.stride_tricks.sliding_window_view(values, width, axis=1).sum(axis=2)
    return np.asarray(np.nan_to_num(windows), dtype=np.float64)


def _false_discovery_rates(
    strength: NDArray[np.float64], by_chance: NDArray[np.float64], ratio: float
) -> NDArray[np.float64]:
    """For each stretch how many chance gives for each one at least as strong, (stretches,).

    ratio: sequences that were looked at for each one of the null
    """
    null = np.sort(by_chance)
    order = np.argsort(-strength, kind="stable")
    stronger = len(null) - np.searchsorted(null, strength[order], side="left")
    expected = (stronger + 1) * ratio  # never 0: so many shuffles show no more than that
    rates = np.minimum.accumulate((expected / np.arange(1, len(order) + 1))[::-1])[::-1]
    told = np.empty(len(order))
    told[order] = np.minimum(rates, 1.0)  # a stronger stretch is never less sure
    return told
