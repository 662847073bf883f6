"""Many trainings at once: shuffles, shares, seeds and folds are members that know nothing of each other.

On a processor with several cores they run in processes of one thread each, which share the encoded records by
memory map; the numbers are the same as one by one, because each follows from its own seed and uses one thread
in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bioloom.modalities import Encoded
from bioloom.training.device import processors
from bioloom.training.loop import Job, fit, predict

Result = TypeVar("Result")

PAYS_FROM = 15.0
"""Seconds of work in one process from which others are started: each needs about three to be ready."""

SHARED_FROM = "1M"
"""Arrays larger than this are shared by memory map rather than copied to each process."""


@dataclass(frozen=True)
class Member:
    """One training, and what the network is asked afterwards.

    asked: sets of encoded records by input name
    """

    job: Job
    asked: tuple[Mapping[str, Encoded], ...]

    def __call__(self) -> list[NDArray[np.float32]]:
        """Train, and give the raw outputs for each set of records, (records, outputs)."""
        network = fit(self.job).network
        return [predict(network, inputs, device=self.job.device) for inputs in self.asked]


@dataclass(frozen=True)
class Work:
    """How much there is to do, and where.

    seconds: that all members would take one after another
    threads: that the user allows in all; 0 for as many as there are processors
    """

    seconds: float
    device: str = "cpu"
    threads: int = 0

    def workers(self, members: int) -> int:
        """How many processes share the work; 1 where others would not be ready in time."""
        here = processors()
        possible = min(self.threads or here, here, members)
        return possible if self.device == "cpu" and self.seconds >= PAYS_FROM else 1


def run_all(members: Sequence[Callable[[], Result]], work: Work) -> Iterator[Result]:
    """The result of each member in order, as they become ready."""
    workers = work.workers(len(members))
    if workers > 1:
        yield from _in_processes(members, workers)
    else:
        yield from (member() for member in members)


def _in_processes(members: Sequence[Callable[[], Result]], workers: int) -> Iterator[Result]:
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor

    pool = Parallel(workers, backend="loky", return_as="generator", max_nbytes=SHARED_FROM, mmap_mode="c")
    try:
        yield from pool(delayed(member)() for member in members)
    finally:  # also on Ctrl-C: no process outlives the run
        get_reusable_executor().shutdown(wait=True, kill_workers=True)
