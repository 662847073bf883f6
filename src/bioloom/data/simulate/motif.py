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


def plant_motif(positives: int, negatives: int, seed: int) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Simulate sequences of 20 nt: positives hold the motif from position 7 (0-based), the rest is random.

    Returns the sequences, positives first, and which of them are positive, both (records,).
    """
    random = np.random.default_rng(seed)
    letters = random.integers(0, 4, size=(positives + negatives, LENGTH))
    for offset, share in enumerate((PERCENT / PERCENT.sum(axis=0)).T):
        letters[:positives, PLACE + offset] = random.choice(4, size=positives, p=share)
    text = np.frombuffer(b"ACGT", dtype=np.uint8)[letters].tobytes().decode()
    cut = [text[first : first + LENGTH] for first in range(0, len(text), LENGTH)]
    return np.array(cut, dtype=object), np.arange(positives + negatives) < positives


def _make(records: int, seed: int) -> Made:
    sequences, carries = plant_motif(records - records // 2, records // 2, seed)
    order = np.random.default_rng(seed).permutation(records)
    frame = pd.DataFrame(
        {
            "id": [f"seq{number + 1}" for number in range(records)],
            "sequence": sequences[order],
            "motif": np.where(carries, "yes", "no")[order],
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
