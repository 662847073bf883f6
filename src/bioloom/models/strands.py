"""The other strand of DNA: what a network sees of the same molecule read from the other end."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from bioloom.modalities import Batch, Signal


def other_strand(signal: Signal) -> Signal:
    """The reverse complement of each record; filled positions stay at the left.

    x: (records, 4, positions), the letters in the order A, C, G, T, so that the complement is the reverse order;
    mixtures of letters become mixtures of their complements.
    """
    turned = signal.x.flip(1, 2)
    if signal.mask is None:
        return Signal(turned)
    return Signal(moved(turned, _empty(signal.mask)), signal.mask)


def both_strands(batch: Batch, turned: Collection[str]) -> Batch:
    """The records of a batch, and after them the same ones with these inputs as reverse complement."""
    doubled = {}
    for name, signal in batch.items():
        other = other_strand(signal) if name in turned else signal
        mask = None if signal.mask is None else signal.mask.repeat(2, 1)  # a strand is as long as the other
        doubled[name] = Signal(torch.cat([signal.x, other.x]), mask)
    return doubled


def moved(x: Tensor, places: Tensor) -> Tensor:
    """Each record moved to the left by its number of places; what leaves at one end enters at the other.

    x: (records, channels, positions); places: (records,) integers
    """
    positions = torch.arange(x.shape[2], device=x.device)
    index = (positions + places[:, None]) % x.shape[2]  # (records, positions)
    return x.gather(2, index[:, None].expand_as(x))


def _empty(mask: Tensor) -> Tensor:
    """Positions of each record without anything, (records,)."""
    return (~mask).sum(dim=1)
