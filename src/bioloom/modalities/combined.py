"""The simple features of all inputs of a record side by side, for models that take one row of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.records import take_rows
from bioloom.modalities import Encoded, Features, Modality
from bioloom.tasks import Made


def combined_features(fitted: Mapping[str, Modality], inputs: Mapping[str, pd.DataFrame]) -> Features:
    """The simple features of all inputs side by side; with several inputs, names begin with that of the input."""
    blocks = {name: modality.features(inputs[name]) for name, modality in fitted.items()}
    if len(blocks) == 1:
        return next(iter(blocks.values()))
    return Features(
        np.concatenate([block.values for block in blocks.values()], axis=1),
        tuple(f"{name}: {feature}" for name, block in blocks.items() for feature in block.names),
        "; ".join(f"{name}: {block.description}" for name, block in blocks.items()),
        {f"{name}: {each}": unit for name, block in blocks.items() for each, unit in block.units.items()},
    )


def encoded_features(encoded: Encoded, names: tuple[str, ...]) -> Features:
    """All numbers of records as networks see them, (records, numbers); 0 at empty positions."""
    import torch

    x, mask = encoded.on("cpu").batch(torch.arange(len(encoded)))
    values = x if mask is None else x * mask[:, None]
    told = "all numbers of a record, as the network sees them"
    return Features(values.reshape(len(values), -1).numpy(), names, told)


def seen_features(make: Made, encoded: Encoded) -> Features:
    """What a task without labels shows simple models of each record, (records, numbers), made block by block."""
    import torch

    resident, parts = encoded.on("cpu"), []
    for index in torch.split(torch.arange(len(encoded)), BLOCK):
        x, mask = resident.batch(index)
        parts.append(make(x.numpy(), None if mask is None else mask.numpy()))
    values = np.concatenate(parts) if parts else np.empty((0, 0), dtype=np.float32)
    return Features(values, tuple(map(str, range(1, values.shape[1] + 1))), "the tokens of a record")


BLOCK = 20_000
"""Records whose features are made at once, so that what is needed on the way stays small."""


@dataclass(frozen=True)
class SomeFeatures:
    """The simple features of some records of a data set.

    rows:     (some,) positions of the records, rising
    features: (some, features), in that order
    """

    rows: NDArray[np.int64]
    features: Features

    def of(self, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """The features of records by their positions in the data set, all of which must be among the rows."""
        return self.features.values[self.places(index)]

    def places(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where records of the data set stand among the rows."""
        return np.searchsorted(self.rows, index).astype(np.int64)


def features_of(
    fitted: Mapping[str, Modality], inputs: Mapping[str, pd.DataFrame], rows: NDArray[np.int64]
) -> SomeFeatures:
    """The simple features of some records, made block by block: for millions of records all would fill the memory."""
    starts = range(0, max(1, len(rows)), BLOCK)
    parts = (rows[first : first + BLOCK] for first in starts)
    blocks = (
        combined_features(fitted, {name: take_rows(inputs[name], part) for name in fitted}) for part in parts
    )
    first = next(blocks)
    if len(starts) == 1:
        return SomeFeatures(rows, first)
    values = np.empty((len(rows), first.values.shape[1]), dtype=np.float32)
    for start, block in zip(starts, chain([first], blocks), strict=True):
        values[start : start + BLOCK] = block.values
    return SomeFeatures(rows, replace(first, values=values))
