"""The network of the second problem, as anybody would add one to bioloom: one class, registered by its name.

Three convolutions of 120 filters of 8, one hidden layer of 40, as in Optimus 5-Prime (Sample et al. 2019, Nature
Biotechnology 37:803).
"""

from __future__ import annotations

from typing import Self

from torch import Tensor, nn

from bioloom.modalities import Kind
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.flat import Conv1d


@networks.register
class Reporter(Network):
    """Convolution 120 x 8, three times - dense 40 - dense."""

    name = "benchmark-reporter"
    title = "three convolutions and a hidden layer"
    accepts = frozenset({Kind.SEQUENCE})
    mixed_precision = True

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: NetworkSettings) -> Self:
        """Make a network with fresh random weights."""
        ((channels, positions),) = (shape.sizes for shape in shapes.values())
        return cls(channels, positions, n_outputs)

    def __init__(self, channels: int, positions: int, n_outputs: int) -> None:
        super().__init__()
        self.maps = nn.Sequential(
            Conv1d(channels, 120, 8, padding="same"), nn.ReLU(),
            Conv1d(120, 120, 8, padding="same"), nn.ReLU(),
            Conv1d(120, 120, 8, padding="same"), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(120 * positions, 40), nn.ReLU(), nn.Dropout(0.2), nn.Linear(40, n_outputs)
        )

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, channels, positions) -> (records, outputs)."""
        raw: Tensor = self.head(self.maps(x))
        return raw


def parameters() -> int:
    """Of the network for 50 nt and one output."""
    network = Reporter(4, 50, 1)
    return sum(weights.numel() for weights in network.parameters())
