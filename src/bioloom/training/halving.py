"""Successive halving: give every candidate a little training, go on with the better third, and so on.

Source: Jamieson, Talwalkar (2016) Non-stochastic best arm identification and hyperparameter optimization, AISTATS
(arXiv:1502.07943). The default stays in to the end, because in the end it is the one to beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

KEPT = 3
"""One in so many candidates goes on to the next round."""

FINALISTS = 3
"""So few are compared for the last time."""

FEWEST_STEPS = 100
"""A comparison after fewer steps of the optimiser says little about the candidates."""

FEWEST_EPOCHS = 4
"""A round takes fewer training records rather than fewer passes over them than this."""


@dataclass(frozen=True)
class Portion:
    """How much of a training a candidate gets in one round.

    records: training records it learns from; epochs: passes over them
    """

    records: int
    epochs: int


def rounds(candidates: int) -> tuple[int, ...]:
    """How many candidates there are in each round: 9 gives (9, 3), and 30 gives (30, 10, 3)."""
    counts = [candidates]
    while counts[-1] > FINALISTS + 1:
        left = ceil(counts[-1] / KEPT)
        counts.append(left if left > FINALISTS + 1 else FINALISTS)
    return tuple(counts)


def shares(left: int) -> float:
    """What a round may spend of all that is left to spend, when so many rounds are left; the last gets twice as much."""
    return 1 / (left + 1) if left > 1 else 1.0


def portion_of(share: float, records: int, epochs: int) -> Portion:
    """A share of a training on so many records for so many epochs."""
    passes, least = share * records * epochs, min(FEWEST_EPOCHS, epochs)
    if passes >= least * records:
        return Portion(records, min(epochs, round(passes / records)))
    return Portion(max(1, min(records, round(passes / least))), least)


def affordable(weights: Sequence[float], spend: float, steps: int) -> int:
    """How many candidates, from the first, can be compared after enough steps; 1 or 0 where there is nothing to compare.

    weights: what a training of each costs, that of the default being 1
    spend:   trainings of the default that may be spent in all
    steps:   of the optimiser in a whole training
    """
    enough = min(1.0, FEWEST_STEPS / max(1, steps))
    for count in range(len(weights), 1, -1):
        first = spend * shares(len(rounds(count)))
        if first / sum(weights[:count]) >= enough:
            return count
    return min(1, len(weights))


def survivors(scores: Sequence[float], keep: int) -> tuple[int, ...]:
    """The places of those that go on: the first, which is the default, and the best of the others, in their old order.

    scores: higher is better; NaN for those that failed, which never go on
    """
    values = np.asarray(scores, dtype=np.float64)[1:]
    order = [int(place) + 1 for place in np.argsort(-values, kind="stable") if np.isfinite(values[place])]
    return (0, *sorted(order[: keep - 1]))
