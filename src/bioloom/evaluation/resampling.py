"""Which records count how often: bootstrap draws and leave-one-out, by record or by group.

Records of one group (a family, a patient, a plate) resemble each other and are drawn or left out together;
drawing them one by one would make every interval too narrow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BLOCK = 50
"""Draws worked on at once: 50 x 10,000 records are 4 MB, which fits the processor's cache."""

MOST_COUNTS = 20_000_000
FEWEST_DRAWS = 200
"""Above 20,000 records the draws are cut so that draws x records stays below this, but never below 200."""


@dataclass(frozen=True)
class Resampling:
    """How the records are resampled; the same plan draws the same records for every model.

    groups: (records,) a name per record, or None where records are independent; a record without a name
            is a group of its own
    draws:  bootstrap draws asked for
    """

    records: int
    groups: NDArray[Any] | None = None
    draws: int = 1000
    seed: int = 0

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """The unit each record belongs to, (records,), numbered from 0."""
        if self.groups is None:
            return np.arange(self.records)
        codes = pd.factorize(np.asarray(self.groups))[0].astype(np.int64)
        alone = codes < 0
        codes[alone] = codes.max(initial=-1) + 1 + np.arange(alone.sum())
        return codes

    @property
    def units(self) -> int:
        """How many groups, or records where there are no groups, can be drawn independently."""
        return int(self.codes.max()) + 1 if self.records else 0

    @property
    def grouped(self) -> bool:
        """Whether records travel together; groups of one record each are no groups."""
        return self.units < self.records

    @property
    def made(self) -> int:
        """How many draws are made: fewer than asked for on very many records, where intervals are narrow."""
        return min(self.draws, max(FEWEST_DRAWS, MOST_COUNTS // max(self.records, 1)))

    def part(self, share: float) -> NDArray[np.int64]:
        """Positions of a share of the records, unit by unit (the last may be cut); a smaller lies within a larger."""
        place = np.random.default_rng(self.seed).permutation(self.units)[self.codes]
        order = np.argsort(place, kind="stable")
        return np.sort(order[: max(1, round(share * self.records))])

    def bootstrap(self) -> Iterator[NDArray[np.float64]]:
        """How often each record counts in each draw, in blocks of (records, up to 50)."""
        random, codes, units = np.random.default_rng(self.seed), self.codes, self.units
        for start in range(0, self.made, BLOCK):
            count = min(BLOCK, self.made - start)
            drawn = random.integers(0, units, (units, count)) * count + np.arange(count)
            counts = np.bincount(drawn.ravel(), minlength=units * count).reshape(units, count)
            yield counts.astype(np.float64)[codes]

    def leave_one_out(self) -> Iterator[NDArray[np.float64]]:
        """1 for every record but those of one unit, which are 0, in blocks of (records, up to 50)."""
        codes, units = self.codes, self.units
        for start in range(0, units, BLOCK):
            left_out = np.arange(start, min(start + BLOCK, units))
            yield (codes[:, None] != left_out).astype(np.float64)
