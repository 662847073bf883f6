"""What can learn: networks, one file per architecture, and simple models behind their own small contract.

Each network file is complete in itself and reads top to bottom; repetition between network files is fine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor, nn

from bioloom.errors import UserError, did_you_mean
from bioloom.modalities import Batch, Kind, Shape
from bioloom.models.candidates import DEFAULT, Candidate, Space
from bioloom.models.strands import both_strands
from bioloom.registry import Registry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bioloom.targets import Targets

Shapes = dict[str, Shape]
"""The shape of each named input."""


class NetworkSettings(BaseModel):
    """Settings of a network; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Outputs:
    """What is asked of a network.

    classes: how many, where the likeliest of more than two is sought; 0 for numbers and logits
    beside:  numbers after the predictions, for each of them, that say how far off it may be; by the loss
    """

    classes: int = 0
    beside: int = 0


class Network(nn.Module, ABC):
    """An architecture. `forward(x, mask)` for one input; networks with `several` take the whole batch.

    name:     what users type
    title:    one line for listings, with the paper where there is one
    accepts:  the kinds of input it understands
    several:  whether it joins several inputs
    default_for:   the kinds of input it is the usual choice for; `fusion` encodes such inputs with it
    also_for:      the kinds of input for which a search tries it beside the usual choice
    candidates:    settings worth trying, the first being the network as it is; a search tries them on validation records
    space:         what a longer search draws further candidates from
    learning_rate: peak that suits it at batches of 128 records
    mixed_precision: whether training may run in bfloat16 where the hardware gains from it; predictions are float32
    features: the last maps with positions kept, (records, channels, positions), set by forward where they exist
    everywhere: whether it answers at every place of its input, (records, outputs, *places): each position of a
            sequence, each pixel of a picture; it takes one input, and answers for the empty places of a mask as it likes
    code: the few numbers by which it describes each record, (records, numbers), set by forward where there are any
    penalty: what forward adds to the loss of a batch while learning, such as a divergence; None where nothing
    only_for: the one task that it is for; empty: any
    suits:    the tasks that it can learn among those of any network; empty: all
    with_labels: of a network that learns without labels, those that begin with its weights where labels follow, of which
            the first that suits the task is taken; empty: the same network
    batch_size: records per step that suit it, where each holds very many targets; 0: by number of records
    passes:   the share of the usual number of records that pass through it, where it has learned all it can by then
    strands: inputs that are also read as reverse complement when predicting; the answer is the mean of both readings
    """

    name: ClassVar[str]
    title: ClassVar[str]
    accepts: ClassVar[frozenset[Kind]]
    several: ClassVar[bool] = False
    default_for: ClassVar[frozenset[Kind]] = frozenset()
    also_for: ClassVar[frozenset[Kind]] = frozenset()
    candidates: ClassVar[tuple[Candidate, ...]] = (DEFAULT,)
    space: ClassVar[Space] = {}
    learning_rate: ClassVar[float] = 2e-3
    mixed_precision: ClassVar[bool] = False
    everywhere: bool = False
    only_for: ClassVar[str] = ""
    suits: ClassVar[frozenset[str]] = frozenset()
    with_labels: ClassVar[tuple[str, ...]] = ()
    batch_size: ClassVar[int] = 0
    passes: ClassVar[float] = 1.0
    strands: tuple[str, ...] = ()
    code: Tensor | None = None
    penalty: Tensor | None = None

    class Settings(NetworkSettings):
        """No settings."""

    @classmethod
    @abstractmethod
    def build(cls, shapes: Shapes, n_outputs: int, settings: Any) -> Self:
        """Make a network with fresh random weights for inputs of these shapes."""

    @classmethod
    def complete(cls, settings: Any, shapes: Shapes) -> Any:
        """The settings with all that follows from the inputs written out.

        A stored model is built from these, so that it stays what it is when a default changes.
        """
        del shapes
        return settings

    @classmethod
    def for_outputs(cls, settings: Mapping[str, Any], outputs: Outputs) -> dict[str, Any]:
        """The settings of the same network with what follows from what is asked of it; here they are the same."""
        del outputs
        return dict(settings)

    @classmethod
    def part(cls, name: str, shape: Shape, settings: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """For a network that joins several: the network that learns from one input alone without labels, and its settings.

        None where the encoder of that input cannot begin with weights learned alone.
        """
        del name, shape, settings
        return None

    @classmethod
    def joining(cls, settings: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The settings with which the encoders of some inputs are those that learned alone; parts: their settings."""
        del parts
        return dict(settings)

    def taken(self, name: str, learned: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights learned from one input alone, by their names here."""
        del name, learned
        return {}

    def in_question(self, batch: Batch) -> tuple[Network, Batch]:
        """Whose outputs are explained, and for which batch: its own, but where it writes, how likely what it wrote is."""
        return self, batch

    @classmethod
    def learned(cls, settings: Mapping[str, Any]) -> dict[str, Tensor]:
        """Weights that were learned elsewhere and that it begins with, by name, where the settings name any."""
        del settings
        return {}

    @classmethod
    def for_labels(cls, settings: Mapping[str, Any], labels: bool = True) -> dict[str, Any]:
        """The settings of the same network as it learns with labels, or without; here they are the same."""
        del labels
        return dict(settings)


networks: Registry[type[Network]] = Registry("network", "bioloom.models", "bioloom.networks")


class SimpleModel(ABC):
    """A model that needs no gradient descent: a baseline to beat, or the better choice.

    Built by `fit`; everything it learned is in `state` as arrays, so that it is stored without pickle.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    @classmethod
    @abstractmethod
    def fit(cls, data: TrainingData, targets: Targets, seed: int) -> Self:
        """Learn from training rows; settings such as a penalty are chosen on the validation rows."""

    @abstractmethod
    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Predictions in the target's units, (records, targets or classes)."""

    @abstractmethod
    def describe(self) -> str:
        """What was fitted, in one phrase, such as "ridge regression on 640 features, penalty 10"."""

    def compress(self, features: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """The few numbers by which it describes each record, (records, numbers); None where it has none."""
        return None

    @property
    def learned_from(self) -> int | None:
        """Training records that it took of those it was given; None: all of them."""
        return None

    @abstractmethod
    def state(self) -> dict[str, NDArray[Any]]:
        """Everything learned, as arrays."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""


@dataclass(frozen=True)
class TrainingData:
    """Features and truths of the training rows, and of the validation rows for choosing settings.

    features, validation_features: (records, features) float32
    truth, validation_truth:       (records, targets) in the target's units; unknown ones are NaN
    weight:                        (records,) of the training rows
    size:                          numbers by which the network describes a record; None where nobody asks
    """

    features: NDArray[np.float32]
    truth: NDArray[np.float32]
    weight: NDArray[np.float32]
    validation_features: NDArray[np.float32]
    validation_truth: NDArray[np.float32]
    size: int | None = None


simple_models: Registry[type[SimpleModel]] = Registry("simple model", "bioloom.models")


def build(name: str, shapes: Shapes, n_outputs: int, settings: Mapping[str, Any]) -> Network:
    """Make a network by name, with its settings checked.

    Raises UserError for an unknown network or setting, or an input that the network does not understand.
    """
    network = networks[name]
    if len(shapes) > 1 and not network.several:
        joined = " and ".join(shapes)
        raise UserError(
            f'The network "{name}" takes one input, and there are {len(shapes)}: {joined}.',
            fix='use the network "fusion", which joins several inputs',
        )
    for input_name, shape in shapes.items():
        if shape.kind not in network.accepts:
            fitting = [other for other in networks if shape.kind in networks[other].accepts]
            raise UserError(
                f'The network "{name}" does not understand the input "{input_name}" ({shape.kind}).',
                fix=f"use one of: {', '.join(fitting)}",
            )
    return network.build(shapes, n_outputs, check_settings(network, settings))


def check_settings(network: type[Network], settings: Mapping[str, Any]) -> NetworkSettings:
    """A network's settings, defaults filled in; all mistakes are reported at once."""
    try:
        return network.Settings(**settings)
    except ValidationError as error:
        mistakes = [_mistake(network, detail) for detail in error.errors()]
        raise UserError(
            f'The settings of the network "{network.name}" are not right: ' + "; ".join(mistakes),
            where="[model.settings]",
            fix=f"bioloom parts show {network.name} lists the settings",
        ) from None


def _mistake(network: type[Network], detail: Any) -> str:
    key = ".".join(map(str, detail["loc"]))
    if detail["type"] == "extra_forbidden":
        return f'"{key}" is no setting.{did_you_mean(key, network.Settings.model_fields)}'
    return f'"{key}": {detail["msg"]} (got {detail["input"]!r})'


def apply(network: Network, batch: Batch) -> Tensor:
    """Raw outputs of a network for a batch, (records, outputs), or (records, outputs, *places) of one that answers
    everywhere."""
    if network.strands and not network.training:
        forward, backward = _read(network, both_strands(batch, network.strands)).chunk(2)
        return (forward + backward) / 2
    return _read(network, batch)


def _read(network: Network, batch: Batch) -> Tensor:
    if network.several:
        raw: Tensor = network(batch)
    else:
        (signal,) = batch.values()
        raw = network(signal.x, signal.mask)
    return raw
