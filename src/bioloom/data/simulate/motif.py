"""The course's first data: half of the sequences carry a motif at one place, half are random."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.simulate import Made, Simulator, simulators

PERCENT = np.array(
    [
        [10.41, 22.86, 1.92, 1.55, 98.60, 86.66],
        [68.20, 65.25, 0.50, 0.35, 0.25, 2.57],
        [17.27, 8.30, 94.77, 97.32, 0.87, 0.00],
        [4.13, 3.59, 2.81, 0.78, 0.28, 10.77],
    ]
)
"""Shares of A, C, G and T at the six positions of the motif, in percent."""

LENGTH, PLACE = 20, 7
"""Letters of a sequence, and the 0-based position at which the motif begins."""


def simulate(records: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Letters 0 to 3, (records, 20), and which sequences carry the motif, (records,); every second one does."""
    random = np.random.default_rng(seed)
    letters = random.integers(0, 4, size=(records, LENGTH))
    carries = random.permutation(np.arange(records) % 2 == 0)
    shares = PERCENT / PERCENT.sum(axis=0)
    for position in range(shares.shape[1]):
        drawn = random.choice(4, size=records, p=shares[:, position])
        letters[carries, PLACE + position] = drawn[carries]
    return letters, carries


def _make(records: int, seed: int) -> Made:
    letters, carries = simulate(records, seed)
    texts = np.array(list("ACGT"))[letters]
    frame = pd.DataFrame(
        {
            "id": [f"seq{number + 1}" for number in range(records)],
            "sequence": ["".join(row) for row in texts],
            "motif": np.where(carries, "yes", "no"),
        }
    )
    return Made(frame, {"start": PLACE, "end": PLACE + PERCENT.shape[1], "percent": PERCENT.tolist()})


simulators.register(
    Simulator(
        name="motif",
        title="sequences of 20 nt, half of them with a motif of six letters at position 7",
        target="motif",
        task="binary",
        make=_make,
        source="the matrix of a course on deep learning from biological sequences; 2,000 records make its data set",
    )
)
