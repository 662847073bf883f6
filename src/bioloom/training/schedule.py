"""The learning rate along the run, as a share of its peak.

A schedule knows which share of the steps is done and the epochs so far; it remembers nothing, so that a resumed
run goes on as if it had never stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import cos, inf, pi

from bioloom.training.job import Epoch

Schedule = Callable[[float, Sequence[Epoch]], float]
"""(share of all steps that have been taken, 0 to 1; epochs so far) -> learning rate as a share of its peak."""

WARM_UP = 0.3
START, END = 0.04, 1e-4

WAIT, FACTOR = 2, 0.5
"""After so many epochs in a row without a lower loss, the rate falls to this share of what it was."""


def one_cycle(done: float, epochs: Sequence[Epoch] = ()) -> float:
    """Up for 30 % of the run, then down to almost nothing, along half cosines.

    Source: Smith, Topin (2017) arXiv:1708.07120.
    """
    del epochs
    if done < WARM_UP:
        return START + (1 - START) * (0.5 - 0.5 * cos(pi * done / WARM_UP))
    return END + (1 - END) * (0.5 + 0.5 * cos(pi * (done - WARM_UP) / (1 - WARM_UP)))


def cosine(done: float, epochs: Sequence[Epoch] = ()) -> float:
    """From the peak to nothing along half a cosine.

    Source: Loshchilov, Hutter (2017) arXiv:1608.03983, without restarts.
    """
    del epochs
    return 0.5 + 0.5 * cos(pi * done)


def plateau(done: float, epochs: Sequence[Epoch] = ()) -> float:
    """The peak, halved whenever the validation loss has not fallen for two epochs.

    Without validation records the training loss decides.
    """
    del done
    share, best, waited = 1.0, inf, 0
    for epoch in epochs:
        loss = epoch.loss if epoch.validation_loss is None else epoch.validation_loss
        waited = 0 if loss < best else waited + 1
        best = min(best, loss)
        if waited == WAIT:
            share, waited = share * FACTOR, 0
    return share


def constant(done: float, epochs: Sequence[Epoch] = ()) -> float:
    """The peak all along."""
    del done, epochs
    return 1.0


SCHEDULES: dict[str, Schedule] = {
    "one_cycle": one_cycle,
    "cosine": cosine,
    "plateau": plateau,
    "constant": constant,
}
"""By the word users type."""
