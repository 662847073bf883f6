"""The small convolutional network of the course: ten motif detectors, their best matches, one dense layer."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field
from torch import Tensor, nn

from bioloom.errors import UserError
from bioloom.modalities import Kind
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.candidates import DEFAULT, Candidate, Choice, Range, Space
from bioloom.models.flat import Conv1d, MaxPool1d


@networks.register
class CNN(Network):
    """Slide ten short motif detectors along the sequence, keep the best match of each stretch, and add up.

    Convolution (10 filters of width 5) - ReLU - max pool 4 - flatten - dense. Positions x filters of a
    20-nt sequence: 20x4 -> 16x10 -> 4x10 -> 40 -> 2, so 292 parameters for an input of 20x4 and 2 outputs
    (210 of the filters + 82). With `padding = "same"` 20x10 -> 5x10 -> 50 -> 2: 312 parameters.
    The ancestor: LeCun et al. (1989) Neural Computation 1:541; on DNA: Alipanahi et al. (2015) Nature
    Biotechnology 33:831 (DeepBind).
    """

    name = "cnn"
    title = "one convolution, max pooling, one dense layer (the course's CNN)"
    accepts = frozenset({Kind.SEQUENCE})
    learning_rate = 5e-3
    also_for = frozenset({Kind.SEQUENCE})
    candidates = (
        DEFAULT,
        Candidate(
            "wide",
            {"filters": 64, "width": 9, "padding": "same"},
            rate=0.5,
            why="more motifs, and longer ones",
        ),
    )
    space: ClassVar[Space] = {
        "settings.filters": Range(8, 128, log=True, step=1),
        "settings.width": Range(3, 15, step=2),
        "settings.pool": Choice((1, 2, 4)),
        "training.weight_decay": Range(1e-3, 0.3, log=True),
        "rate": Range(0.1, 3.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of the convolution."""

        filters: int = Field(default=10, ge=1, description="motif detectors")
        width: int = Field(default=5, ge=1, description="positions that a detector sees")
        pool: int = Field(
            default=4, ge=1, description="neighbouring positions of which the best match is kept"
        )
        padding: Literal["none", "same"] = Field(
            default="none", description="same: detectors may hang over the ends"
        )

    def __init__(self, channels: int, positions: int, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        padded = settings.padding == "same"
        self.convolution = Conv1d(
            channels, settings.filters, settings.width, padding="same" if padded else "valid"
        )
        self.relu = nn.ReLU()
        self.pool = MaxPool1d(settings.pool)
        self.flatten = nn.Flatten()
        left = positions if padded else positions - settings.width + 1
        self.dense = nn.Linear(left // settings.pool * settings.filters, n_outputs)
        self.features: Tensor | None = None  # (records, filters, positions)

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights; UserError where the sequence is too short for it."""
        ((channels, positions),) = (shape.sizes for shape in shapes.values())
        left = positions if settings.padding == "same" else positions - settings.width + 1
        if left < settings.pool:
            raise UserError(
                f"Sequences of {positions} positions are too short for filters of width {settings.width} "
                f"and a pool of {settings.pool}.",
                where="[model.settings] of the network cnn",
                fix="--set model.settings.pool=1, a smaller model.settings.width, or another network",
            )
        return cls(channels, positions, n_outputs, settings)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, channels, positions) -> (records, outputs); empty positions count as 0."""
        if mask is not None:
            x = x * mask[:, None]  # (records, channels, positions)
        self.features = self.relu(self.convolution(x))
        raw: Tensor = self.dense(self.flatten(self.pool(self.features)))
        return raw
