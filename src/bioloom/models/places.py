"""Batches for networks that answer at every place: positions behind the end of all records are left out, and put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from bioloom.modalities import Batch, Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


def trimmed(batch: Batch) -> Batch:
    """The batch without the positions at its end that no record fills; as it is without a mask."""
    return {name: _trimmed(signal) for name, signal in batch.items()}


def _trimmed(signal: Signal) -> Signal:
    if signal.mask is None:
        return signal
    filled = signal.mask.any(dim=0).nonzero()
    width = rounded_up(int(filled[-1]) + 1 if len(filled) else 1)
    return Signal(signal.x[..., :width], signal.mask[:, :width])


def rounded_up(width: int) -> int:
    """The next of eight widths per octave: for each new shape of a batch the arithmetic is prepared anew, which takes ten
    times as long as the batch itself."""
    step = max(16, 1 << max(0, width.bit_length() - 4))
    return -(-width // step) * step


def trimmed_as(values: Tensor, raw: Tensor) -> Tensor:
    """Truths of as many places as there are answers, (records, targets, *places)."""
    return values[..., : raw.shape[-1]]


def filled_up(raw: Tensor, width: int) -> Tensor:
    """Answers at all positions: zeros stand at those that were left out, (records, outputs, width)."""
    return torch.nn.functional.pad(raw, (0, width - raw.shape[-1]))


def lengths_of(truth: NDArray[Any]) -> Tensor | None:
    """Where the last known place of each record is, (records,), for targets at every position, (records, targets,
    positions); None where all records are alike, and for other targets."""
    if truth.ndim != 3:
        return None
    behind = np.isfinite(truth[:, :, ::-1]).any(axis=1).argmax(axis=1)  # unknown places at the end
    return None if behind.min() == behind.max() else torch.from_numpy(truth.shape[2] - behind)


def by_length(order: Tensor, lengths: Tensor, size: int) -> Tensor:
    """Records in an order in which each batch holds ones about as long, so that little of it is empty.

    The given order is cut into parts of several batches, the records of each part are sorted by length, and the batches
    are then shuffled by the random numbers of the epoch; the last batch, which may be smaller, stays last.
    """
    parts = torch.split(order, size * BATCHES_SORTED)
    sorted_ = torch.cat([part[torch.argsort(lengths[part], stable=True)] for part in parts])
    batches = list(torch.split(sorted_, size))
    if len(batches) < 3:
        return sorted_
    *whole, last = batches
    return torch.cat([*(whole[number] for number in torch.randperm(len(whole)).tolist()), last])


BATCHES_SORTED = 32
"""Batches whose records are sorted together: enough that a batch holds like lengths, few enough that it stays a mixture."""
