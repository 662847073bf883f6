"""Alignments with a few short gaps, for pairs whose common stretch is broken by insertions or deletions.

A banded local alignment (Smith and Waterman 1981) computed for many pairs at once: one step per letter of
the left record, all pairs and all shifts of the band together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bioloom.data.similarity.letters import UNKNOWN
from bioloom.data.similarity.notion import GAP_LETTERS
from bioloom.data.similarity.verify import Stretches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.similarity.letters import Letters
    from bioloom.data.similarity.verify import Alignments

    Index = NDArray[np.int64]

CELLS = 1 << 14  # numbers per step that stay in the processor's cache
OPENING = 0.5  # a gap costs a differing letter and this

# Score, equal letters and columns of a path in one integer, so that one maximum carries all three along.
_SCORE, _EQUAL = 1 << 42, 1 << 21


def with_gaps(letters: Letters, pairs: Alignments, lenient: float) -> Stretches:
    """The best common stretch of each pair near its shift, with gaps: a gap of three letters is three columns.

    lenient: see `stretches`; a column with a gap scores less than one with two different letters
    """
    best = np.zeros(len(pairs), dtype=np.int64)
    order = np.argsort(letters.lengths[pairs.left], kind="stable")
    step = CELLS // (2 * GAP_LETTERS + 1)
    for low in range(0, len(order), step):
        block = order[low : low + step]
        best[block] = _best_paths(letters, pairs.take(block), round(1000 * lenient))
    return Stretches(length=best % _EQUAL, equal=(best % _SCORE) // _EQUAL)


def _best_paths(letters: Letters, pairs: Alignments, bar: int) -> Index:
    """The packed best path of each pair: score * _SCORE + equal letters * _EQUAL + columns."""
    match, differ = (1000 - bar) * _SCORE + _EQUAL + 1, -bar * _SCORE + 1
    gap = -(bar + round(1000 * OPENING)) * _SCORE + 1
    band = np.arange(-GAP_LETTERS, GAP_LETTERS + 1)
    slope = gap * np.arange(len(band))
    start = np.where(pairs.turned, letters.turned[pairs.right], letters.starts[pairs.right])
    lengths, widths = letters.lengths[pairs.left], letters.lengths[pairs.right]
    # one column more: what lies beyond the band
    paths = np.zeros((len(pairs), len(band) + 1), dtype=np.int64)
    best = np.zeros(len(pairs), dtype=np.int64)
    for place in range(int(lengths.max(initial=0))):
        other = place - pairs.shift[:, None] + band  # (pairs, band) letter of right opposite this one
        inside = (other >= 0) & (other < widths[:, None]) & (place < lengths)[:, None]
        a = letters.codes[np.where(place < lengths, letters.starts[pairs.left] + place, 0)][:, None]
        b = letters.codes[np.where(inside, start[:, None] + other, 0)]
        here = paths[:, :-1] + np.where((a == b) & (a != UNKNOWN), match, differ)
        np.maximum(here, paths[:, 1:] + gap, out=here)  # a letter of left opposite a gap
        np.maximum(here, np.maximum.accumulate(here - slope, axis=1) + slope, out=here)  # of right
        here[(here < 0) | ~inside] = 0
        paths[:, :-1] = here
        np.maximum(best, here.max(axis=1), out=best)
    return best
