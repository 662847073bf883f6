"""Which average of the weights is validated and kept, as the share of the old average that a step leaves."""

from __future__ import annotations

from collections.abc import Callable

MEMORY = 0.99
"""Share that the running average keeps: it looks back about 100 steps."""

LAST = 0.25
"""Share of the planned steps, at their end, whose weights are averaged alike."""


def ema(steps: int, planned: int) -> float:
    """A running average with a short memory at the start (Tan, Le 2019, arXiv:1905.11946)."""
    del planned
    return min(MEMORY, (1 + steps) / (10 + steps))


def swa(steps: int, planned: int) -> float:
    """The plain mean of the weights of the last quarter of the steps (Izmailov 2018, arXiv:1803.05407).

    Before that quarter, the weights themselves.
    """
    past = max(0, steps - 1 - int(planned * (1 - LAST)))
    return past / (past + 1)


def none(steps: int, planned: int) -> float:
    """No average: the weights themselves."""
    del steps, planned
    return 0.0


AVERAGES: dict[str, Callable[[int, int], float]] = {"ema": ema, "swa": swa, "none": none}
"""By the word users type: (steps taken, steps planned) -> share of the old average that is kept."""
