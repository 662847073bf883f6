"""Which stretches matter: window after window is shuffled away."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bioloom.experiments.ablate import stretch_effects
from bioloom.experiments.effects import COLUMNS, Answer, effect, refuse_short


def tile(
    answer: Answer,
    sequences: Sequence[str],
    width: int = 10,
    step: int = 5,
    *,
    shuffles: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    """The effect of each window: the answer for a sequence less that with the window shuffled.

    width, step: letters of a window, and from one window to the next
    Windows lie inside of the shortest sequence. Columns: start, end (0-based, half-open), effect, low, high,
    sequences. Cost: `shuffles` answers for each window and sequence.
    Raises UserError where the window does not fit.
    """
    refuse_short(sequences, width, "A window")
    shortest = min(map(len, sequences))
    starts = list(range(0, shortest - width + 1, max(1, step)))
    if starts[-1] != shortest - width:
        starts.append(shortest - width)  # the end is looked at too
    rows = [
        (
            start,
            start + width,
            *effect(
                stretch_effects(answer, sequences, start, start + width, shuffles=shuffles, seed=seed)
            ).row(),
        )
        for start in starts
    ]
    return pd.DataFrame(rows, columns=["start", "end", *COLUMNS])
