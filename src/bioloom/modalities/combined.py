"""The simple features of all inputs of a record side by side, for models that take one row of numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bioloom.modalities import Features, Modality


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
