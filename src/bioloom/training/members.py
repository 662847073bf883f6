"""Many trainings at once: shuffles, shares, seeds and folds are members that know nothing of each other.

On a processor with several cores they run in processes of one thread each, which share the encoded records by
memory map; the numbers are the same as one by one, because each follows from its own seed and uses one thread
in any case. Where the work is too short to wait for new processes, this one is copied (forked), if that is safe.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from bioloom.modalities import Encoded
from bioloom.processors import processors
from bioloom.training.loop import Job, fit, predict

Result = TypeVar("Result")

PAYS_FROM = 15.0
"""Seconds of work in one process from which others are started: each needs about three to be ready."""

COPIES_PAY_FROM = 0.5
"""Seconds of work from which copies of this process share it: each is ready in a few hundredths of a second."""

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
        return self.possible(members) if self.seconds >= PAYS_FROM else 1

    def copies(self, members: Sequence[object]) -> int:
        """How many copies of this process share the work; 1 where that is not safe or does not pay.

        Safe are trainings alone, because some libraries do not survive being copied; on Linux, where no other thread
        could hold a lock for ever.
        """
        alone = sys.platform == "linux" and threading.active_count() == 1
        known = all(type(member) is Member for member in members)
        return self.possible(len(members)) if alone and known and self.seconds >= COPIES_PAY_FROM else 1

    def possible(self, members: int) -> int:
        """How many processes could share the work."""
        here = processors()
        return min(self.threads or here, here, members) if self.device == "cpu" else 1


def run_all(members: Sequence[Callable[[], Result]], work: Work) -> Generator[Result, None, None]:
    """The result of each member in order, as they become ready.

    Other processes begin at once, and end when the iterator is closed; in this one a member runs when its result is
    asked for.
    """
    workers = work.workers(len(members))
    if workers > 1:
        return _begun(_in_processes(members, workers))
    if work.copies(members) > 1:
        return _begun(_in_copies(members, work.copies(members)))
    return (member() for member in members)


def _begun(results: Generator[Any, None, None]) -> Generator[Any, None, None]:
    """Results of which the first is nothing: when it is there, the work has begun."""
    next(results)
    return results


def _in_processes(members: Sequence[Callable[[], Result]], workers: int) -> Generator[Any, None, None]:
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor

    pool = Parallel(workers, backend="loky", return_as="generator", max_nbytes=SHARED_FROM, mmap_mode="c")
    try:
        results = pool(delayed(member)() for member in members)
        yield None
        yield from results
    finally:  # also on Ctrl-C: no process outlives the run
        running = get_reusable_executor(reuse=True)  # not a fresh one of other settings
        running.shutdown(wait=True, kill_workers=True)


def _in_copies(members: Sequence[Callable[[], Result]], workers: int) -> Generator[Any, None, None]:
    """One thread in each: the threads of this process are not copied, and waiting for them would never end."""
    pool = ProcessPoolExecutor(workers, get_context("fork"), initializer=torch.set_num_threads, initargs=(1,))
    try:
        results = pool.map(_call, members)
        yield None
        yield from results
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _call(member: Callable[[], Result]) -> Result:
    return member()
