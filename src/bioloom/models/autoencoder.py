"""An autoencoder: describe a record by a few numbers, and restore it from them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import prod, sqrt
from typing import Annotated, Any, Literal, Self

from pydantic import Field
from torch import Tensor, nn, rand_like, randn_like

from bioloom.modalities import Kind
from bioloom.models import Network, NetworkSettings, Shapes, networks
from bioloom.models.candidates import DEFAULT, Candidate

FEWEST, MOST = 2, 32
"""Numbers of the code where nobody says how many: the square root of the numbers of a record, within these."""


class CodeSettings(NetworkSettings):
    """Settings of networks that squeeze a record through a code."""

    hidden: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(128,),
        description="units of each layer before the code, in reverse behind it; none: a linear autoencoder",
    )
    code: int | None = Field(
        default=None,
        ge=1,
        description="numbers by which a record is described; empty: by the size of the input",
    )
    hide: float = Field(
        default=0.0, ge=0, lt=1, description="share of the input that is hidden while learning (denoising)"
    )
    noise: float = Field(
        default=0.0,
        ge=0,
        description="standard deviation of what is added to the input while learning (denoising)",
    )
    dropout: float = Field(default=0.0, ge=0, lt=1, description="share of hidden units silenced per step")
    activation: Literal["gelu", "relu"] = Field(
        default="gelu",
        description="activation function after each hidden layer; relu also after the code, as DeepDEP does",
    )
    decode: bool = Field(
        default=True,
        description="whether layers lead from the code to the last one; no: that reads the code, to predict something else",
    )


class Coder(Network):
    """What networks share that squeeze a record through a code."""

    accepts = frozenset({Kind.SEQUENCE, Kind.VECTOR, Kind.IMAGE})
    learning_rate = 6e-3

    def __init__(self, inputs: int, n_outputs: int, settings: CodeSettings) -> None:
        super().__init__()
        self.settings = settings

    @classmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: CodeSettings) -> Self:
        """Make a network with fresh random weights."""
        (shape,) = shapes.values()
        return cls(prod(shape.sizes), n_outputs, settings)

    @classmethod
    def complete(cls, settings: CodeSettings, shapes: Shapes) -> CodeSettings:
        """The size of the code written out."""
        (shape,) = shapes.values()
        return settings.model_copy(update={"code": code_size(prod(shape.sizes), settings)})

    @classmethod
    def for_labels(cls, settings: Mapping[str, Any], labels: bool = True) -> dict[str, Any]:
        """With labels, the last layer reads the code, and nothing is hidden; without, the layers behind it are there."""
        return {**settings, "decode": not labels}


@networks.register
class Autoencoder(Coder):
    """Squeeze a record through few numbers, its code, and say from these what it was; the usual choice without labels.

    Encoder: (dense - GELU) for each hidden layer, then dense to the code, without GELU. Decoder: the same layers in
    reverse. Denoising: part of the input is hidden (set to 0, the mean of standardised numbers), or noise is added,
    while the whole input is to be restored. Without hidden layers it finds the space of the principal components.
    With hidden layers (128) and a code of 3: 2,693 parameters for an input of 11 and 2 outputs; 3,854 to restore all 11.
    Sources: Hinton, Salakhutdinov (2006) doi:10.1126/science.1127647; denoising: Vincent (2008)
    doi:10.1145/1390156.1390294; linear: Baldi, Hornik (1989) doi:10.1016/0893-6080(89)90014-2.
    """

    name = "autoencoder"
    title = "autoencoder (few numbers that describe a record)"
    candidates = (
        DEFAULT,
        Candidate("deep", {"hidden": (256, 64)}, why="many records"),
        Candidate("linear", {"hidden": ()}, rate=2.0, why="few records"),
    )

    class Settings(CodeSettings):
        """Settings of the autoencoder."""

    def __init__(self, inputs: int, n_outputs: int, settings: CodeSettings) -> None:
        super().__init__(inputs, n_outputs, settings)
        code = code_size(inputs, settings)
        self.hide, self.noise = (settings.hide, settings.noise) if settings.decode else (0.0, 0.0)
        self.encoder = encoder(inputs, settings)
        back = (code, *settings.hidden[::-1]) if settings.decode else (code,)
        self.decoder = nn.Sequential(*hidden_layers(back, settings))
        self.last = nn.Linear(back[-1], n_outputs)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(records, ...) -> (records, outputs); values at empty positions count as 0."""
        if mask is not None:
            x = x * mask[:, None]  # (records, channels, positions)
        x = x.flatten(1)
        self.code = self.encoder(corrupted(x, self.hide, self.noise) if self.training else x)
        raw: Tensor = self.last(self.decoder(self.code))
        return raw


def encoder(inputs: int, settings: CodeSettings) -> nn.Sequential:
    """From the numbers of a record to its code."""
    widths = (inputs, *settings.hidden)
    code = [nn.Linear(widths[-1], code_size(inputs, settings))]
    return nn.Sequential(
        *hidden_layers(widths, settings), *code, *([nn.ReLU()] if settings.activation == "relu" else [])
    )


def hidden_layers(widths: tuple[int, ...], settings: CodeSettings) -> list[nn.Module]:
    """Dense layers from width to width, an activation function after each."""
    layers: list[nn.Module] = []
    for inputs, units in pairwise(widths):
        activation = nn.ReLU() if settings.activation == "relu" else nn.GELU()
        layers += [nn.Linear(inputs, units), activation, nn.Dropout(settings.dropout)]
    return layers


def code_size(inputs: int, settings: CodeSettings) -> int:
    """How many numbers describe a record of so many."""
    return settings.code or max(FEWEST, min(MOST, round(sqrt(inputs))))


def corrupted(x: Tensor, hide: float, noise: float) -> Tensor:
    """The input with a share of it hidden and noise added, (records, numbers)."""
    if noise:
        x = x + noise * randn_like(x)
    return x * (rand_like(x) >= hide) if hide else x
