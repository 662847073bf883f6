"""How probable a score is by chance: the exact distribution of a motif's score along random sequences.

Weights are rounded to whole steps of 1/256 bit, and the score of a site is the sum of rounded weights; of that
score the distribution is exact. Computed position by position (Staden 1989, doi:10.1093/bioinformatics/5.2.89),
for letters that depend on the letters before them with those as state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioloom.motifs.background import Background
from bioloom.motifs.motif import PSEUDOCOUNT, Motif

STEPS_PER_BIT = 256
IMPOSSIBLE = -64 * STEPS_PER_BIT  # for a letter of probability 0: no window with it is a site


def rounded_weights(
    motif: Motif, background: Background, pseudocount: float = PSEUDOCOUNT
) -> NDArray[np.int32]:
    """Log odds in whole steps of 1/256 bit, (4, positions)."""
    bits = motif.log_odds(pseudocount, background.letters)
    return np.maximum(np.round(np.maximum(bits, -64) * STEPS_PER_BIT), IMPOSSIBLE).astype(np.int32)


@dataclass(frozen=True)
class ScoreDistribution:
    """How probable each score of a motif is by chance.

    lowest:   the lowest score, in steps
    survival: (scores,) the probability of a score at least lowest, lowest + 1, ...
    """

    lowest: int
    survival: NDArray[np.float64]

    def p_value(self, steps: NDArray[np.int32]) -> NDArray[np.float64]:
        """The probability that a random window scores at least as much, for each score in steps."""
        return np.asarray(self.survival[np.clip(steps - self.lowest, 0, len(self.survival) - 1)])

    def threshold(self, p: float) -> int:
        """The lowest score in steps whose p-value is at most p; above the highest score where there is none."""
        return self.lowest + int(np.count_nonzero(self.survival > p))


def score_distribution(weights: NDArray[np.int32], background: Background) -> ScoreDistribution:
    """The distribution of the score of a random window.

    weights: (4, positions) in steps
    """
    least = weights.min(axis=0)
    above = weights - least  # (4, positions), none negative
    size = int(above.max(axis=0).sum()) + 1
    chained = background.order > 0
    density = _chained(above, background, size) if chained else _independent(above, background.letters, size)
    survival = np.minimum(density[::-1].cumsum()[::-1], 1.0)
    return ScoreDistribution(int(least.sum()), survival)


def _independent(above: NDArray[np.int32], letters: tuple[float, ...], size: int) -> NDArray[np.float64]:
    """The probability of each score, (size,), where letters do not depend on each other."""
    density = np.zeros(size)
    density[0], end = 1.0, 1
    for column in above.T:
        longer = np.zeros(size)
        shares = {probability: probability * density[:end] for probability in letters}  # often alike
        for step, probability in zip(column.tolist(), letters, strict=True):
            longer[step : step + end] += shares[probability]
        density, end = longer, end + int(column.max())
    return density


def _chained(above: NDArray[np.int32], background: Background, size: int) -> NDArray[np.float64]:
    """The same where a letter depends on those before it: by word of the letters before, (words, scores)."""
    words = background.words.size
    density = np.zeros((words, size))
    density[:, 0] = background.words.ravel()
    after, end = background.after.reshape(words, 4), 1
    for column in above.T:
        longer = np.zeros((words, size))
        for before in range(words):
            for letter, step in enumerate(column):
                now = (before * 4 + letter) % words
                longer[now, step : step + end] += after[before, letter] * density[before, :end]
        density, end = longer, end + int(column.max())
    return np.asarray(density.sum(axis=0))
