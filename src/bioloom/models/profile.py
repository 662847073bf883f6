"""The default for profiles of many features: a weighted sum of all of them beside a narrow network."""

from __future__ import annotations

from math import prod
from typing import ClassVar, Self

from pydantic import Field
from torch import Tensor, nn

from bioloom.modalities import Kind
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.candidates import DEFAULT, Candidate, Choice, Range, Space


@networks.register
class Profile(Network):
    """Add what a narrow network finds in combinations of features to a weighted sum of all of them.

    dropout of features; dense to the outputs (the sum) plus dense 32 - GELU - dropout - dense 32 - GELU - dropout -
    dense, whose last layer begins at 0. With thousands of features and hundreds of records the sum does most of the
    work; silencing half of the features in each step spreads it over all that say the same, as a ridge penalty does.
    34,121 parameters for an input of 1000 and 1 output: 1,001 of the sum, 33,120 of the network.
    Sources: wide and deep, Cheng et al. (2016) arXiv:1606.07792; dropout as a penalty, Wager, Wang, Liang (2013)
    arXiv:1307.1493.
    """

    name = "profile"
    title = "weighted sum of all features beside a narrow network"
    accepts = frozenset({Kind.VECTOR})
    learning_rate = 1e-3
    candidates = (
        DEFAULT,
        Candidate(
            "sum", {"hidden": ()}, {"weight_decay": 0.1}, why="few records: nothing but the weighted sum"
        ),
        Candidate(
            "wide",
            {"hidden": (256, 64), "feature_dropout": 0.2, "dropout": 0.2},
            why="thousands of records, such as single cells",
        ),
    )
    space: ClassVar[Space] = {
        "settings.hidden": Choice(((), (16,), (32, 32), (128, 32), (256, 64))),
        "settings.feature_dropout": Range(0.0, 0.7),
        "settings.dropout": Range(0.0, 0.6),
        "training.weight_decay": Range(1e-3, 1.0, log=True),
        "rate": Range(0.1, 3.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of the profile network."""

        hidden: tuple[int, ...] = Field(
            default=(32, 32), description="units of each hidden layer; none: only the sum"
        )
        feature_dropout: float = Field(
            default=0.5, ge=0, lt=1, description="share of features silenced per step"
        )
        dropout: float = Field(default=0.4, ge=0, lt=1, description="share of hidden units silenced per step")

    def __init__(self, inputs: int, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        self.silence = nn.Dropout(settings.feature_dropout)
        self.sum = nn.Linear(inputs, n_outputs)
        nn.init.zeros_(self.sum.weight)
        layers: list[nn.Module] = []
        for units in settings.hidden:
            layers += [nn.Linear(inputs, units), nn.GELU(), nn.Dropout(settings.dropout)]
            inputs = units
        last = nn.Linear(inputs, n_outputs, bias=False)
        nn.init.zeros_(last.weight)
        self.deep = nn.Sequential(*layers, last) if layers else None

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights."""
        (shape,) = shapes.values()
        return cls(prod(shape.sizes), n_outputs, settings)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, features) -> (records, outputs)."""
        x = self.silence(x)
        raw: Tensor = self.sum(x)
        return raw if self.deep is None else raw + self.deep(x)
