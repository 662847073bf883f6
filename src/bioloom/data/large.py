"""What changes where records are very many: samples take the place of all, and the run says so.

Up to `LARGE` records nothing here matters. Above, what would take memory or time out of proportion is done for a
sample of records; the numbers of a score hardly change, and every sample is told with its size.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LARGE = 200_000
"""More records than this are many."""

HELD_OUT = 25_000
"""Of many records, at most so many each are held out for validation and for the test by the shares of a recipe: an
accuracy measured on 25,000 records is known to 0.6 percent points."""

SEARCHED, ASKED = 20_000, 2_000
"""Of many records, near copies are looked for among so many that the model learned from, for so many of the others."""


def many(records: int) -> bool:
    """Whether records are so many that samples take the place of all."""
    return records > LARGE


def held_out(share: float, records: int) -> float:
    """The share of the records that is held out where a share was asked for."""
    return min(share, HELD_OUT / records) if many(records) else share


def sample(rows: NDArray[np.int64], most: int, seed: int) -> NDArray[np.int64]:
    """At most so many of some rows, chosen at random, in order."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def memory() -> int | None:
    """Bytes that this process may use; None where the system does not tell."""
    sizes = []
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    limit = Path("/sys/fs/cgroup/memory.max")  # a container may get less than the machine has
    with suppress(OSError, ValueError):
        sizes.append(int(limit.read_text(encoding="utf-8")))
    return min(sizes, default=None)


def give_back(records: int) -> None:
    """After a step on many records, give memory that is no longer used back to the system.

    The C library of Linux keeps what is free between pieces in use: half a gigabyte after 10 million texts.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if many(records) and trim is not None:
        trim(0)
