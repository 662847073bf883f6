"""DeepDEP: omics layers of a cell line and the fingerprint of a gene, each read by an encoder of its own, and joined."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Annotated, Any, Self

import torch
from pydantic import Field
from torch import Tensor, nn

from bioloom.modalities import Batch, Kind, Shape
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.autoencoder import CodeSettings, encoder

WIDE, NARROW = (1000, 100), (500, 200)
"""Hidden layers of the encoders of sparse layers (mutations, fingerprints) and of all others, as published."""

SPARSE = ("mutation", "fingerprint")

PUBLISHED = {
    "mutation": 4539,
    "expression": 6016,
    "methylation": 6617,
    "copy_number": 7460,
    "fingerprint": 3115,
}
"""Numbers of each layer in the paper, by the name of the input."""


@networks.register
class DeepDEP(Network):
    """Predict how much a cell line depends on a gene from its omics layers and what the gene is known for.

    An encoder for each input: (dense - ReLU) 1000, 100, 50 for inputs called mutation and fingerprint, 500, 200, 50 for
    all others. The codes side by side, 250 for five inputs: dense 250 - ReLU - dense 250 - ReLU - dense to the outputs.
    The encoders of the omics layers begin with those of autoencoders of unlabelled tumours (--pretrain); that of the
    fingerprint at random. With the layers of the paper, 4,539 mutations, 6,016 genes expressed, 6,617 methylated, 7,460
    copy numbers and a fingerprint of 3,115: 18,370,801 parameters. For small inputs no layer is wider than its input:
    68,315 parameters for inputs of 11 and 7 and 1 output.
    Source: Chiu et al. (2021) Science Advances 7:eabh1275, doi:10.1126/sciadv.abh1275.
    """

    name = "deepdep"
    title = "an encoder for each omics layer and for the gene, joined (DeepDEP)"
    accepts = frozenset({Kind.VECTOR})
    several = True

    class Settings(NetworkSettings):
        """Settings of the encoders and of the joint part."""

        encoders: dict[str, tuple[Annotated[int, Field(ge=1)], ...]] = Field(
            default_factory=dict,
            description="hidden layers of the encoder by name of an input; others as published",
        )
        code: int = Field(default=50, ge=1, description="numbers that describe a record, for each input")
        joint: int = Field(default=250, ge=1, description="units of each of the two joint layers")
        dropout: float = Field(default=0.0, ge=0, lt=1, description="share of joint units silenced per step")

    def __init__(self, shapes: Shapes, n_outputs: int, settings: Settings) -> None:
        super().__init__()
        self.inputs = tuple(shapes)  # a ModuleDict cannot hold every name an input may have
        parts = [code_settings(name, shape, settings) for name, shape in shapes.items()]
        self.encoders = nn.ModuleList(
            encoder(prod(shape.sizes), part) for shape, part in zip(shapes.values(), parts, strict=True)
        )
        codes = sum(part.code or 0 for part in parts)
        self.joint = nn.Sequential(
            nn.Linear(codes, settings.joint),
            nn.ReLU(),
            nn.Dropout(settings.dropout),
            nn.Linear(settings.joint, settings.joint),
            nn.ReLU(),
            nn.Dropout(settings.dropout),
            nn.Linear(settings.joint, n_outputs),
        )

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Settings) -> Self:
        """Make a network with fresh random weights."""
        return cls(shapes, n_outputs, settings)

    @classmethod
    def complete(cls, settings: Settings, shapes: Shapes) -> Settings:
        """The hidden layers of each encoder written out."""
        hidden = {name: code_settings(name, shape, settings).hidden for name, shape in shapes.items()}
        return settings.model_copy(update={"encoders": hidden})

    @classmethod
    def part(cls, name: str, shape: Shape, settings: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The network that learns from one input alone, without labels, and its settings."""
        own = code_settings(name, shape, cls.Settings(**settings))
        return "autoencoder", own.model_dump(exclude_defaults=True) | {"hidden": own.hidden}

    @classmethod
    def joining(cls, settings: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The hidden layers of encoders as they learned alone."""
        hidden = {name: tuple(part["hidden"]) for name, part in parts.items()}
        return {**settings, "encoders": {**settings.get("encoders", {}), **hidden}}

    def taken(self, name: str, learned: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weights of an encoder by their names here, from an autoencoder of that input."""
        place = self.inputs.index(name)
        return {
            key.replace("encoder.", f"encoders.{place}.", 1): each
            for key, each in learned.items()
            if key.startswith("encoder.")
        }

    def forward(self, batch: Batch) -> Tensor:
        """One signal per input -> (records, outputs)."""
        codes = [
            read(batch[name].x.flatten(1)) for name, read in zip(self.inputs, self.encoders, strict=True)
        ]
        raw: Tensor = self.joint(torch.cat(codes, dim=1))
        return raw


def code_settings(name: str, shape: Shape, settings: DeepDEP.Settings) -> CodeSettings:
    """How the encoder of an input is built; no layer is wider than the input."""
    usual = WIDE if name in SPARSE else NARROW
    inputs = prod(shape.sizes)
    hidden = settings.encoders.get(name) or tuple(min(inputs, units) for units in usual)
    return CodeSettings(hidden=hidden, code=min(inputs, settings.code), activation="relu")
