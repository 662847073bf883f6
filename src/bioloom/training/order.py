"""The order in which records are learned from: at random, and near each other on the disk where they are very many."""

from __future__ import annotations

from math import ceil

import torch
from torch import Tensor

WHOLE = 2**20
"""Up to so many records the order is any order; it depends on their number alone, not on where they lie."""

NEIGHBOURS, POOL = 64, 4096
"""Of more records, blocks of 64 neighbours are dealt to pools of 4,096 blocks, and each pool is shuffled: memory and
disk are asked for about 50 MB of sequences at a time, and every record can meet every other in a batch."""


def shuffled(records: int) -> Tensor:
    """The places 0, 1, ... of records in random order, (records,); the randomness is that of torch."""
    if records <= WHOLE:
        return torch.randperm(records)
    within = torch.arange(NEIGHBOURS)
    pools = []
    for blocks in torch.split(torch.randperm(ceil(records / NEIGHBOURS)), POOL):
        places = (blocks[:, None] * NEIGHBOURS + within).flatten()
        places = places[places < records]
        pools.append(places[torch.randperm(len(places))])
    return torch.cat(pools)
