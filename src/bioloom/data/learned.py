"""Which records a model has learned from, as hashes: enough to recognise them later, far too little to restore them.

64 bits a record: among 10 million learned and 1 million new records about one in 2 million is mistaken by chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Learned:
    """Hashes of records, sorted, each once.

    train:      whose labels moved the weights
    validation: whose labels decided when to stop and how predictions are corrected
    """

    train: Hashes
    validation: Hashes

    @classmethod
    def of(cls, train: Hashes, validation: Hashes) -> Self:
        """From hashes in any order."""
        return cls(np.unique(train), np.unique(validation))

    def joined(self, other: Learned) -> Learned:
        """Both together: a model that began with the weights of another has learned from the records of both."""
        return Learned(np.union1d(self.train, other.train), np.union1d(self.validation, other.validation))

    def state(self) -> dict[str, NDArray[np.uint64]]:
        """As arrays."""
        return {"train": self.train, "validation": self.validation}

    @classmethod
    def from_state(cls, state: Mapping[str, NDArray[np.uint64]]) -> Self:
        """The inverse of `state`."""
        return cls(state["train"], state["validation"])


def joined_hashes(columns: Mapping[str, Hashes]) -> Hashes:
    """One hash for each record of several inputs, (records,), whatever the order in which they are named."""
    if len(columns) == 1:
        return next(iter(columns.values()))
    frame = pd.DataFrame({name: columns[name] for name in sorted(columns)})
    return np.asarray(pd.util.hash_pandas_object(frame, index=False), dtype=np.uint64)


def text_hashes(texts: NDArray[np.object_]) -> Hashes:
    """The hash of each text, (records,): the same in every process, on every machine."""
    return np.asarray(pd.util.hash_array(np.asarray(texts, dtype=object), categorize=True), dtype=np.uint64)


def row_hashes(values: NDArray[np.float32]) -> Hashes:
    """The hash of each row of numbers, (rows,); 0 and -0 are one number."""
    frame = pd.DataFrame(values + np.float32(0))
    return np.asarray(pd.util.hash_pandas_object(frame, index=False), dtype=np.uint64)
