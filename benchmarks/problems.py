"""The two problems on which training is timed, made alike by every Python: numpy and nothing else.

course   1,000 sequences of 20 nt with the course's motif at position 7, and 1,000 without
reporter 18,432 sequences of 50 nt; what they give follows from where a random motif fits best, and noise
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Shares of A, C, G, T in percent at the six positions of the course's motif.
MOTIF = np.array(
    [
        [10.41, 22.86, 1.92, 1.55, 98.60, 86.66],
        [68.20, 65.25, 0.50, 0.35, 0.25, 2.57],
        [17.27, 8.30, 94.77, 97.32, 0.87, 0.00],
        [4.13, 3.59, 2.81, 0.78, 0.28, 10.77],
    ]
)


@dataclass(frozen=True)
class Problem:
    """Sequences with a truth, in random order.

    tokens: (records, positions) uint8, 0 to 3 for A, C, G, T
    truth:  (records,) float32
    train:  so many from the start are learned from; so many after them are validation records
    """

    tokens: NDArray[np.uint8]
    truth: NDArray[np.float32]
    train: int
    validation: int

    @property
    def one_hot(self) -> NDArray[np.float32]:
        """(records, 4, positions)."""
        letters = np.eye(4, dtype=np.float32)[self.tokens]
        return np.ascontiguousarray(letters.transpose(0, 2, 1))


def course() -> Problem:
    """Batches of 100, 20 epochs: 1,440 training and 160 validation records, as in the course."""
    random = np.random.default_rng(0)
    tokens = random.integers(0, 4, (2000, 20)).astype(np.uint8)
    for offset, shares in enumerate((MOTIF / MOTIF.sum(axis=0)).T):
        tokens[:1000, 7 + offset] = random.choice(4, 1000, p=shares)
    order = random.permutation(2000)
    return Problem(tokens[order], np.repeat([1.0, 0.0], 1000).astype(np.float32)[order], 1440, 160)


def reporter(train: int = 16_384, length: int = 50) -> Problem:
    """Batches of 128; the target is standardised, and a fifth of its variance is noise."""
    random = np.random.default_rng(1)
    validation = train // 8
    tokens = random.integers(0, 4, (train + validation, length)).astype(np.uint8)
    motif = random.normal(size=(8, 4))
    fits = sum(motif[offset][tokens[:, offset : length - 7 + offset]] for offset in range(8))
    signal = np.asarray(fits).max(axis=1)
    signal = (signal - signal.mean()) / signal.std()
    truth = signal + 0.5 * random.normal(size=len(signal))
    return Problem(tokens, (truth / truth.std()).astype(np.float32), train, validation)
