"""How many processors this process may use; asked by training and by whatever else divides its work."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")


def processors() -> int:
    """Processors that this process may use, however many threads are at work just now: those that the system
    gives it, and no more than the environment variable OMP_NUM_THREADS says."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return min(here, int(told)) if told.isdigit() and int(told) else here


def in_order(work: Callable[[Item], Done], items: Iterable[Item], threads: int) -> Iterator[Done]:
    """What some work makes of each item, in the order of the items, by several threads at once.

    An item is taken only when it is needed: no more than `threads` + 1 of them, or of their results, are held at a time.
    Worth it where the work gives up Python's lock, as large numpy operations do.
    """
    if threads <= 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Done]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
