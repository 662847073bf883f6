"""Several inputs of one record in one network: an encoder for each, joined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from bioloom.errors import UserError
from bioloom.modalities import Batch, Kind, Shape
from bioloom.models import Network, NetworkSettings, Shapes, apply, build, check_settings, networks
from bioloom.models.candidates import DEFAULT, Candidate, Choice, Range, Space


@networks.register
class Fusion(Network):
    """Read each input with the network that suits it, lay the readings side by side, and combine them.

    For each input the usual network of its kind gives 64 features; all features - GELU - dropout - dense 64 -
    GELU - dropout - dense to the outputs.
    With a sequence and a table: 125,221 parameters for inputs of 20x4 and 11 and 1 output.
    Late fusion: Ngiam et al. (2011) Multimodal deep learning, ICML.
    """

    name = "fusion"
    title = "joins several inputs, each read by its own network"
    accepts = frozenset(Kind)
    several = True
    mixed_precision = True
    candidates = (
        DEFAULT,
        Candidate(
            "small",
            {"width": 16, "hidden": 32, "dropout": 0.3},
            {"weight_decay": 0.1},
            why="few records, or much noise",
        ),
    )
    space: ClassVar[Space] = {
        "settings.width": Choice((16, 32, 64, 128)),
        "settings.hidden": Choice((32, 64, 128, 256)),
        "settings.dropout": Range(0.0, 0.5),
        "training.weight_decay": Range(1e-3, 0.3, log=True),
        "rate": Range(0.25, 3.0, log=True),
    }

    class Settings(NetworkSettings):
        """Settings of the joint part, and those of the encoders by name of the input."""

        encoders: dict[str, str] = Field(
            default_factory=dict, description="network by name of an input; others take the usual one"
        )
        encoder_settings: dict[str, dict[str, Any]] = Field(
            default_factory=dict, description="settings of these networks by name of an input"
        )
        width: int = Field(default=64, ge=1, description="features of each input")
        hidden: int = Field(default=64, ge=1, description="units of the joint layer")
        dropout: float = Field(default=0.1, ge=0, lt=1, description="share of features silenced per step")

    def __init__(self, encoders: dict[str, Network], n_outputs: int, settings: Settings) -> None:
        super().__init__()
        self.inputs = tuple(encoders)  # a ModuleDict cannot hold every name an input may have
        self.encoders = nn.ModuleList(encoders.values())
        self.head = nn.Sequential(
            nn.GELU(),
            nn.Dropout(settings.dropout),
            nn.Linear(settings.width * len(encoders), settings.hidden),
            nn.GELU(),
            nn.Dropout(settings.dropout),
            nn.Linear(settings.hidden, n_outputs),
        )

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make an encoder for each input and the joint part, with fresh random weights."""
        complete = cls.complete(settings, shapes)
        encoders = {
            name: build(
                complete.encoders[name], {name: shape}, settings.width, complete.encoder_settings[name]
            )
            for name, shape in shapes.items()
        }
        return cls(encoders, n_outputs, settings)

    @classmethod
    def complete(cls, settings: Settings, shapes: Shapes) -> Settings:
        """The settings with the network of each input, and its settings, written out."""
        _check_names(settings, shapes)
        names = {name: settings.encoders.get(name) or usual(shape.kind) for name, shape in shapes.items()}
        filled = {
            name: _completed(encoder, shapes[name], settings.encoder_settings.get(name, {}))
            for name, encoder in names.items()
        }
        return settings.model_copy(update={"encoders": names, "encoder_settings": filled})

    @classmethod
    def part(cls, name: str, shape: Shape, settings: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The network that learns from one input alone, without labels, and its settings."""
        own = cls.Settings(**settings)
        return own.encoders.get(name) or usual(shape.kind), own.encoder_settings.get(name, {})

    @classmethod
    def joining(cls, settings: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The settings of encoders as they learned alone."""
        return {**settings, "encoder_settings": {**settings.get("encoder_settings", {}), **parts}}

    def taken(self, name: str, learned: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weights of an encoder by their names here, without those of its last layer, which has another size."""
        before = f"encoders.{self.inputs.index(name)}."
        own = self.state_dict()
        found = {before + key: each for key, each in learned.items() if before + key in own}
        return {key: each for key, each in found.items() if own[key].shape == each.shape}

    def forward(self, batch: Batch) -> Tensor:
        """One signal per input -> (records, outputs)."""
        encoders = cast("Iterable[Network]", self.encoders)
        read = [
            apply(encoder, {name: batch[name]}) for name, encoder in zip(self.inputs, encoders, strict=True)
        ]
        raw: Tensor = self.head(torch.cat(read, dim=1))
        return raw


def usual(kind: Kind) -> str:
    """The network that is the usual choice for a kind of input."""
    for name, network in networks.items():
        if kind in network.default_for and not network.everywhere:
            return name
    raise UserError(
        f'No network is the usual choice for inputs of the kind "{kind}".', fix="leave that input out"
    )


def _completed(encoder: str, shape: Shape, given: dict[str, Any]) -> dict[str, Any]:
    """The settings of an encoder with all that follows from the shape of its input written out."""
    network = networks[encoder]
    filled: dict[str, Any] = network.complete(check_settings(network, given), {"input": shape}).model_dump()
    return filled


def _check_names(settings: Fusion.Settings, shapes: Shapes) -> None:
    unknown = {*settings.encoders, *settings.encoder_settings} - set(shapes)
    if unknown:
        raise UserError(
            f"There is no input called {', '.join(sorted(unknown))}.",
            where="[model.settings] encoders",
            fix=f"use the names of the inputs: {', '.join(shapes)}",
        )
