"""The learning rate along the run."""

from __future__ import annotations

from math import cos, pi

WARM_UP = 0.3
START, END = 0.04, 1e-4


def one_cycle(done: float) -> float:
    """The learning rate as a share of its peak: up for 30 % of the run, then down, along half cosines.

    done: share of all steps that have been taken, 0 to 1
    Source: Smith, Topin (2017) arXiv:1708.07120.
    """
    if done < WARM_UP:
        return START + (1 - START) * (0.5 - 0.5 * cos(pi * done / WARM_UP))
    return END + (1 - END) * (0.5 + 0.5 * cos(pi * (done - WARM_UP) / (1 - WARM_UP)))
