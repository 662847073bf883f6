"""Which learning rate suits a network and its data: a short training whose rate grows until it breaks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import takewhile
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from bioloom.errors import UserError
from bioloom.training.job import Epoch, Job
from bioloom.training.loop import trace

BROKEN = 4.0
"""A smoothed loss of so many times the lowest one ends the test."""

MEMORY = 0.9
"""Share of the smoothed loss that one update leaves."""

LAG = round(MEMORY / (1 - MEMORY))
"""Updates by which the smoothed loss is behind, on average."""

SAFE = 0.1
"""The suggested rate, as a share of the one where the loss was lowest."""

FEWEST = 10
"""Updates below which nothing can be said."""


@dataclass(frozen=True)
class RangeTest:
    """What a learning-rate range test found.

    rates:     (updates,) learning rates, growing by the same factor from each to the next
    losses:    (updates,) smoothed loss before each update
    suggested: a peak for the schedule: a tenth of the rate at which the loss was lowest
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    suggested: float


@dataclass(frozen=True)
class Range:
    """Learning rates to try, from the lowest to the highest, one per update."""

    lowest: float = 1e-6
    highest: float = 10.0
    updates: int = 100

    def share(self, done: float, epochs: Sequence[Epoch] = ()) -> float:
        """The rate as a share of the highest, when this share of the updates is done."""
        del epochs
        return float((self.highest / self.lowest) ** (done * self.updates / (self.updates - 1) - 1))


def range_test(job: Job, over: Range | None = None) -> RangeTest:
    """Find the learning rates that work, by a short training whose rate grows until the loss rises.

    The job itself is not changed, and nothing is kept of the trained network. The updates go on until all rates
    are tried, or the smoothed loss is four times the lowest or not finite.
    Raises UserError where the loss is not finite from the first updates on.
    Sources: Smith (2015) arXiv:1506.01186; a tenth of the rate of the lowest loss as in Howard, Gugger (2020)
    doi:10.3390/info11020108.
    """
    over = over or Range()
    told = replace(job, plan=replace(job.plan, learning_rate=over.highest))
    watch = _Watch()
    with closing(trace(told, over.share, over.updates)) as updates:
        found = list(takewhile(watch.goes_on, updates))
    if len(found) < min(FEWEST, over.updates):
        raise UserError(
            "The loss leaves the finite numbers even at the smallest learning rates.",
            where="extreme values in the inputs or the target, or the lowest rate of the test",
            fix="look for extreme values with bioloom check, or start from a lower rate",
        )
    rates, losses = np.array([rate for rate, _ in found]), np.array(watch.losses[: len(found)])
    lowest = max(0, int(losses.argmin()) - LAG)
    return RangeTest(rates, losses, SAFE * float(rates[lowest]))


class _Watch:
    """Smooths the losses that it sees, and says when the test is over."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self._mean = 0.0

    def goes_on(self, update: tuple[float, float]) -> bool:
        """Take in the loss of one update; False once it has broken."""
        self._mean = MEMORY * self._mean + (1 - MEMORY) * update[1]
        smoothed = self._mean / (1 - MEMORY ** (len(self.losses) + 1))  # as if it had begun long ago
        self.losses.append(smoothed)
        return isfinite(smoothed) and smoothed <= BROKEN * min(self.losses)
