"""A landscape of sequences with known truth: letters and pairs of letters add up, and a measurement adds noise.

Unlike a library around a good parent, it begins far from the best sequence, so that designs have somewhere to go; pairs make
it rugged. Made to rehearse rounds of design and measurement: any sequence can be measured.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.simulate import Made, Simulator, simulators

LETTERS = "ACGT"
LENGTH = 30
NOISE = 0.3
"""Standard deviation of a measurement, in standard deviations of random sequences."""

RUGGED = 0.5
"""Share of the variance of random sequences that comes from pairs."""


class Landscape:
    """What a sequence is worth, and what a noisy measurement says of it; random sequences have mean 0 and spread about 1.

    parent: a random sequence to begin with
    """

    def __init__(self, seed: int = 0, length: int = LENGTH) -> None:
        random = np.random.default_rng([seed, length])
        self.effects = random.normal(size=(4, length))
        self.effects -= self.effects.mean(axis=0)
        self.effects *= np.sqrt((1 - RUGGED) / (self.effects**2).mean(axis=0).sum())
        first = random.integers(0, length, size=2 * length)
        self.pairs = np.stack([first, (first + random.integers(1, length, size=2 * length)) % length], axis=1)
        tables = random.normal(size=(2 * length, 4, 4))
        tables -= tables.mean(axis=1, keepdims=True)
        tables -= tables.mean(axis=2, keepdims=True)
        self.tables = tables * np.sqrt(RUGGED / (tables**2).mean(axis=(1, 2)).sum())
        self.parent = "".join(LETTERS[letter] for letter in random.integers(0, 4, size=length))

    def value(self, sequences: Sequence[str]) -> NDArray[np.float64]:
        """The truth, (sequences,)."""
        codes = np.array([[LETTERS.index(letter) for letter in text] for text in sequences])
        alone = self.effects[codes, np.arange(codes.shape[1])].sum(axis=1)
        one, other = codes[:, self.pairs[:, 0]], codes[:, self.pairs[:, 1]]  # (sequences, pairs)
        together = self.tables[np.arange(len(self.pairs)), one, other].sum(axis=1)
        return np.asarray(alone + together, dtype=np.float64)

    def measure(self, sequences: Sequence[str], seed: int) -> NDArray[np.float64]:
        """The truth with noise, (sequences,)."""
        return self.value(sequences) + NOISE * np.random.default_rng(seed).normal(size=len(sequences))


def mutants(parent: str, count: int, changes: int, random: np.random.Generator) -> list[str]:
    """Different sequences with one to so many letters replaced, each number of changes being as likely."""
    found: dict[str, None] = {}
    while len(found) < count:
        letters = list(parent)
        for place in random.choice(len(parent), size=int(random.integers(1, changes + 1)), replace=False):
            letters[place] = LETTERS[(LETTERS.index(letters[place]) + int(random.integers(1, 4))) % 4]
        found["".join(letters)] = None
    return list(found)


def _make(records: int, seed: int) -> Made:
    land, random = Landscape(seed), np.random.default_rng([seed, 1])
    texts = mutants(land.parent, records, LENGTH // 3, random)
    frame = pd.DataFrame(
        {
            "id": [f"variant{number + 1}" for number in range(records)],
            "sequence": texts,
            "activity": land.measure(texts, seed).round(5),
        }
    )
    return Made(frame, {"parent": land.parent, "noise": NOISE, "effects": land.effects.tolist(),
                        "pairs": land.pairs.tolist(), "tables": land.tables.tolist()})  # fmt: skip


simulators.register(
    Simulator(
        name="landscape",
        title="variants of a random sequence of 30 nt: letters and pairs of letters add up, so that far better ones exist",
        target="activity",
        task="regression",
        make=_make,
        source="letters and pairs drawn from normal distributions; half of the variance from pairs",
    )
)
