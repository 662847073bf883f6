"""Tiny networks with known answers, for tests of explanations; none of them is registered."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bioloom.modalities import Batch, Kind, Signal
from bioloom.models import Network, Shapes


class Toy(Network):
    """A network made by hand."""

    name = "toy"
    title = "for tests"
    accepts: ClassVar[frozenset[Kind]] = frozenset(Kind)

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Any) -> Toy:
        raise NotImplementedError


class Additive(Toy):
    """f(x) = sum of weight * x + 0.5; one output for each row of weights."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)  # (outputs, *shape)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is not None:
            x = x * mask[:, None]
        return x.flatten(1) @ self.weight.flatten(1).T + 0.5


class Product(Toy):
    """f(x) = x[0] * x[1]; every other column is ignored."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return (x[:, 0] * x[:, 1])[:, None]


class Conv(Toy):
    """Everything that keeps state: batch norm, dropout, kept maps."""

    def __init__(self, letters: int = 4, positions: int = 20, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            self.convolution = nn.Conv1d(letters, 8, 5, padding=2)
            self.norm = nn.BatchNorm1d(8)
            self.norm.running_mean.uniform_(-0.2, 0.2)
            self.norm.running_var.uniform_(0.5, 1.5)
            self.dropout = nn.Dropout(0.5)
            self.dense = nn.Linear(8 * (positions // 2), 2)
        self.features: Tensor | None = None
        self.eval()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is not None:
            x = x * mask[:, None]
        self.features = torch.relu(self.norm(self.convolution(x)))
        return self.dense(self.dropout(F.max_pool1d(self.features, 2).flatten(1)))


class Smooth(Toy):
    """A perceptron with a smooth activation; `style` says how the same function is written."""

    def __init__(self, columns: int, style: str = "module", seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            self.first, self.second = nn.Linear(columns, 16), nn.Linear(16, 16)
            self.last = nn.Linear(16, 2)
        self.act, self.other, self.style = nn.ReLU(), nn.ReLU(), style
        self.eval()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if self.style == "functional":
            return self.last(F.relu(self.second(torch.relu(self.first(x)))))
        again = self.act if self.style == "reused" else self.other
        return self.last(again(self.second(self.act(self.first(x)))))


class Two(Toy):
    """Joins a sequence called "dna" with a table called "table", multiplying their readings."""

    several = True

    def __init__(self, letters: int = 4, positions: int = 20, columns: int = 3) -> None:
        super().__init__()
        self.dna, self.table = Conv(letters, positions), Smooth(columns)

    def forward(self, batch: Batch) -> Tensor:
        return self.dna(*batch["dna"]) * self.table(*batch["table"])


class Failing(Conv):
    """Breaks at the second evaluation, or at another one."""

    asked, breaks_at = 0, 2

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        self.asked += 1
        if self.asked == self.breaks_at:
            raise RuntimeError("broken on purpose")
        return super().forward(x, mask)


CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
SIZES = {1: (12,), 2: (6, 8), 3: (4, 4, 6)}
"""Places along one, two and three axes."""


class Averaging(Toy):
    """Convolution, ReLU, mean over places, dense: places along as many axes as wanted."""

    def __init__(self, axes: int, channels: int = 3, outputs: int = 3, flat: bool = False) -> None:
        super().__init__()
        with torch.random.fork_rng([]):
            torch.manual_seed(axes)
            self.convolution = CONVOLUTIONS[axes - 1](channels, 5, 3, padding=1)
            places = int(np.prod(SIZES[axes])) if flat else 1
            self.dense = nn.Linear(5 * places, outputs)
        self.flat = flat
        self.features: Tensor | None = None
        self.eval()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is not None:
            x = x * mask[:, None]
        self.features = torch.relu(self.convolution(x))
        return self.head(self.features)

    def head(self, maps: Tensor) -> Tensor:
        return self.dense(maps.flatten(1) if self.flat else maps.flatten(2).mean(dim=2))


def letters(records: int, positions: int, seed: int = 0, count: int = 4) -> Tensor:
    """Random one-hot sequences, (records, letters, positions)."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(count, (records, positions), generator=generator)
    return F.one_hot(tokens, count).permute(0, 2, 1).float()


def shuffles(x: Tensor, count: int, seed: int = 0) -> Tensor:
    """The letters of each record in other orders, (records, count, letters, positions)."""
    generator = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(x.shape[2], generator=generator) for _ in range(count)]
    return torch.stack([x[:, :, order] for order in orders], dim=1)


def signal(x: Tensor, lengths: list[int] | None = None) -> Signal:
    """A signal of sequences cut to these lengths."""
    if lengths is None:
        return Signal(x)
    mask = torch.arange(x.shape[2]) < torch.tensor(lengths)[:, None]
    return Signal(x * mask[:, None], mask)
