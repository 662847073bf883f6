"""Raw outputs of a network for encoded records, in batches that fit the processor's cache."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bioloom.modalities import Batch, Encoded, Resident
from bioloom.models import Network, Shapes, apply
from bioloom.models.layers import layer_table
from bioloom.models.places import filled_up, trimmed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CACHED = 2**18
"""Numbers in the largest output of a layer, for one batch: 1 MB of float32, about one core's own cache.
Larger batches fall out of it and take up to twice as long (deep networks on 1,000 nt)."""


def predict(
    network: Network, encoded: Mapping[str, Encoded], *, device: str = "cpu", batch_size: int = 0
) -> NDArray[np.float32]:
    """Raw outputs (standardised targets, or logits) of all records in their order, (records, outputs, *places) float32.

    batch_size: records at a time; 0 chooses so that a batch fits the cache
    """
    network.to(device)
    residents = {name: each.on(device) for name, each in encoded.items()}
    index = torch.arange(len(next(iter(encoded.values()))), device=device)
    size = batch_size or cache_sized(network, {name: each.shape for name, each in encoded.items()})
    raw: NDArray[np.float32] = outputs(network, residents, index, size).cpu().numpy()
    return raw


def cache_sized(network: Network, shapes: Shapes) -> int:
    """How many records make a batch that fits the cache (on a graphics card more would, and does no harm)."""
    return max(8, min(4096, CACHED // layer_table(network, shapes).largest))


def outputs(network: Network, residents: Mapping[str, Resident], index: Tensor, batch_size: int) -> Tensor:
    """Raw outputs of the records at an index, (index, outputs, *places); the network is left in the mode it was in."""
    training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            parts = [
                _answered(network, {name: each.batch(part) for name, each in residents.items()})
                for part in torch.split(index, batch_size)
            ]
            return torch.cat(parts)
    finally:
        network.train(training)


def _answered(network: Network, batch: Batch) -> Tensor:
    """Raw outputs for a batch; a network that answers everywhere is not asked about what is empty in all records."""
    if not network.everywhere or all(signal.mask is None for signal in batch.values()):
        return apply(network, batch)
    width = next(iter(batch.values())).x.shape[-1]
    return filled_up(apply(network, trimmed(batch)), width)
