"""What an input is: one file per modality, each owning the biology of its kind of data.

A modality turns raw columns into compact arrays, knows which records are too alike to be split apart, which
simple features a baseline may use, what an explanation may point at, and how a record is drawn.

`Kind` is all that modalities and networks share, so n modalities and m networks need n + m files.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
import pandas as pd

from bioloom.data.learned import text_hashes
from bioloom.modalities.settings import ModalitySettings as ModalitySettings
from bioloom.modalities.settings import checked_settings
from bioloom.registry import Registry

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.data.leakage import Alike
    from bioloom.data.library import Library
    from bioloom.data.records import Problem, Records


class Kind(StrEnum):
    """The form in which a network receives an input."""

    SEQUENCE = "sequence"  # (channels, positions), one-hot letters or any signal along one axis
    VECTOR = "vector"  # (features,)
    IMAGE = "image"  # (channels, height, width)
    GRAPH = "graph"  # nodes and edges
    TOKENS = "tokens"  # (positions,) numbers of tokens, whole numbers


@dataclass(frozen=True)
class Shape:
    """What a network receives of one record: its kind and sizes, such as (4 channels, 75 positions).

    tokens: of `Kind.TOKENS`, how many different ones there are, 0 being that of empty positions
    edges:  of `Kind.GRAPH`, how many neighbours a node has at most, and how many numbers tell of the edge to each
            (see `bioloom.modalities.graphs`)
    """

    kind: Kind
    sizes: tuple[int, ...]
    tokens: int = 0
    edges: tuple[int, int] = (0, 0)

    @property
    def places(self) -> tuple[int, ...]:
        """How many places there are along each axis: positions of a sequence, pixels of a picture; empty where none."""
        if self.kind is Kind.TOKENS:
            return self.sizes
        return self.sizes[1:] if self.kind in (Kind.SEQUENCE, Kind.IMAGE) else ()

    def __str__(self) -> str:
        sizes = "x".join(map(str, self.sizes))
        return f"{sizes} of {self.tokens} tokens" if self.tokens else sizes


class Signal(NamedTuple):
    """One input of a batch on the device.

    x:    float32, (records, *shape.sizes); numbers of tokens too, which are whole
    mask: bool, (records, positions), True where there is something; None where every position is filled
    """

    x: Tensor
    mask: Tensor | None = None


Batch = dict[str, Signal]
"""A batch on the device: one signal per named input."""


class Resident(ABC):
    """Encoded records whose storage lies on a device, ready to be expanded batch by batch."""

    @abstractmethod
    def batch(self, index: Tensor) -> Signal:
        """Expand the records at an integer index, (batch,), on the same device."""


class Encoded(ABC):
    """Compact storage of one input of all records: uint8 tokens or float32 columns, never one-hot at rest."""

    shape: Shape

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def take(self, index: NDArray[np.int64]) -> Encoded:
        """The chosen records, in the order of the index."""

    @abstractmethod
    def on(self, device: str) -> Resident:
        """The same records with their storage on a device (no copy on the CPU)."""

    def told(self, index: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        """All that batches of some records follow from, for a hash of the data; here the batch itself."""
        import torch

        for tensor in self.on("cpu").batch(torch.from_numpy(index)):
            if tensor is not None:
                yield tensor.numpy()


@dataclass(frozen=True)
class Clusters:
    """Which records may not be split apart.

    labels: (records,) integers; equal numbers travel together
    notion: how likeness was judged, in words, such as "at least 80 % identical on either strand"
    """

    labels: NDArray[np.int64]
    notion: str


@dataclass(frozen=True)
class Similarity:
    """When records count as near copies of each other.

    identity: the share that must be equal; None takes the modality's own
    engine:   what searches: "bioloom", the same everywhere, or "mmseqs2" for sequences, which must be installed
    """

    identity: float | None = None
    engine: str = "bioloom"


@dataclass(frozen=True)
class Across:
    """Two sides of a split.

    queries, targets: positions of records; the most alike target is looked for, for each query
    similarity:       when records count as near copies
    """

    queries: NDArray[np.int64]
    targets: NDArray[np.int64]
    similarity: Similarity = Similarity()


@dataclass(frozen=True)
class Features:
    """Simple features for the baselines: (records, features) float32, with a name for each column.

    units: by name, what 0 and 1 of a standardised feature are in the user's own units
    """

    values: NDArray[np.float32]
    names: tuple[str, ...]
    description: str
    units: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """Something an explanation may point at: a position, a column, a patch, a residue.

    label: how it is called, such as "A12" or "pH"
    index: where it lies along the part axis of the input (the last axis for sequences, the only one for vectors)
    """

    label: str
    index: tuple[int, ...]


@dataclass(frozen=True)
class Demo:
    """Small data with a signal planted at a known place.

    records: labelled records with one input called `input`
    parts:   (records, parts) bool, True where the signal was planted
    task:    the task the labels are for
    """

    records: Records
    input: str
    parts: NDArray[np.bool_]
    task: str


class Watched(NamedTuple):
    """One of several inputs by which records are alike: its modality, and its values of all records."""

    modality: type[Modality]
    values: pd.DataFrame


class Modality(ABC):
    """One kind of input. Built with what it learned from training rows; its state is JSON.

    Values are always a DataFrame: one column for a sequence, many for a table.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    kind: ClassVar[Kind]
    default_network: ClassVar[str]
    sets: tuple[
        tuple[str, tuple[int, ...]], ...
    ] = ()  # named groups of parts, such as pathways, by their numbers
    unit: ClassVar[str] = ""  # what one part is, such as "nt"; empty where parts have names of their own
    columns: ClassVar[str] = "one"  # "one" column is an input, or "many" columns together are one
    # its columns are an input only where no other column can be one, or where it is named
    last: ClassVar[bool] = False
    explainers: ClassVar[tuple[str, ...]] = ("occlusion", "integrated_gradients")  # the main one first
    augmentations: ClassVar[tuple[str, ...]] = ()  # keys of the recipe's [augmentation] that go with it
    # several columns may also hold one input, such as pixels: those it claims, or that are named as one
    together: ClassVar[bool] = False
    fewest_columns: ClassVar[int] = 1  # fewer columns are not taken for such an input unless it is named
    may_lack: ClassVar[bool] = False  # whether a new file may lack some of the columns
    rivals: ClassVar[tuple[str, ...]] = ()  # simple models to beat beside those of the task

    class Settings(ModalitySettings):
        """No settings."""

    companions: ClassVar[
        tuple[str, ...]
    ] = ()  # columns of these names say more of the same input, if present
    on_request: ClassVar[bool] = False  # never found by looking: another view of what another one recognises

    @classmethod
    @abstractmethod
    def detect(cls, column: pd.Series[Any]) -> float:
        """How surely a column of a file is of this modality, 0 to 1; the surest modality wins."""

    @classmethod
    @abstractmethod
    def check(cls, values: pd.DataFrame) -> list[Problem]:
        """What is wrong with which rows (positions in `values`), why, and what to do."""

    @classmethod
    @abstractmethod
    def fit(cls, values: pd.DataFrame) -> Self:
        """Learn what encoding needs (length, means, categories) from training rows only."""

    @classmethod
    def fit_as(cls, values: pd.DataFrame, settings: Any) -> Self:
        """The same with settings of the class `Settings`, which a recipe has below `encoding`."""
        del settings
        return cls.fit(values)

    @classmethod
    def claims(cls, table: pd.DataFrame) -> tuple[str, ...]:
        """The columns that together are certainly one input of this modality, found by looking at all at once."""
        return ()

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What was learned, as JSON."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""

    @property
    @abstractmethod
    def shape(self) -> Shape:
        """What a network receives of one record."""

    @property
    @abstractmethod
    def channels(self) -> tuple[str, ...]:
        """The names along the first axis of the shape: letters of a sequence, features of a table."""

    @property
    def groups(self) -> Mapping[str, tuple[int, ...]]:
        """By column of the file, which features of the shape it became, where a column becomes several; else nothing."""
        return {}

    @property
    def still(self) -> tuple[int, ...]:
        """Positions, from 0, that were the same in all training records, of which nothing was learned; empty if not known."""
        return ()

    @abstractmethod
    def encode(self, values: pd.DataFrame) -> Encoded:
        """Turn records into compact storage; one record never depends on another."""

    def encode_into(self, values: pd.DataFrame, path: Path) -> Encoded:
        """The same with its storage in a file where it is large, written once and found again; here always in memory.

        path: without an ending; whatever the storage follows from is in its name
        """
        return self.encode(values)

    @abstractmethod
    def notes(self, values: pd.DataFrame) -> list[Problem]:
        """What encoding will change in these rows (cropped, unseen category), for the user to see."""

    @classmethod
    @abstractmethod
    def clusters(cls, values: pd.DataFrame, similarity: Similarity | None = None) -> Clusters:
        """Group records that are too alike to be split apart; without a similarity as the modality sees it."""

    @classmethod
    @abstractmethod
    def alike(cls, values: pd.DataFrame, across: Across) -> Alike:
        """The most alike record across a split, for each record of one side."""

    @classmethod
    def alike_in_all(cls, watched: Sequence[Watched], across: Across) -> Alike | None:
        """The same for records of several inputs, of which this modality is the first's: alike in every one.

        None where near copies are not looked for among such inputs; then only exact copies are told.
        """
        return None

    @classmethod
    @abstractmethod
    def copies(cls, values: pd.DataFrame) -> NDArray[np.int64]:
        """Numbers that exact copies share (also reverse complements, where they are one molecule), (records,)."""

    def hashes(self, values: pd.DataFrame) -> NDArray[np.uint64]:
        """A number for each record, (records,), by which an exact copy is recognised in another file, on any machine."""
        texts = values.astype(str).agg("\x1f".join, axis=1).to_numpy(dtype=object)
        return text_hashes(texts)

    @classmethod
    def library(cls, values: pd.DataFrame) -> Library | None:
        """The variants of one parent that the records are, where they are."""
        return None

    @classmethod
    def usual_network(cls, values: pd.DataFrame) -> tuple[str, str]:
        """The name of the network that is the usual choice for such records, and why; labels are not looked at."""
        return cls.default_network, f"the default for {cls.title}"

    @classmethod
    def properties(cls, values: pd.DataFrame) -> NDArray[np.float64]:
        """What the parts of a split should share beside the label, such as length and GC, (records, properties)."""
        return np.empty((len(values), 0))

    @classmethod
    def positions(cls, values: pd.DataFrame) -> NDArray[np.int64] | None:
        """Positions of each record as its cells have them, (records,), where each may have a target of its own; None
        where records have no positions."""
        return None

    @property
    def keeps_places(self) -> bool:
        """Whether each position that a network sees is one of the record, so that it may have a target of its own."""
        return True

    @abstractmethod
    def features(self, values: pd.DataFrame) -> Features:
        """Simple features for the baselines: k-mers, positions, columns."""

    @abstractmethod
    def parts(self, values: pd.DataFrame) -> list[Part]:
        """What an explanation of one record (a frame of one row) may point at, in the order of the input."""

    @abstractmethod
    def background(self, signal: Signal, seed: int, count: int) -> Tensor:
        """ "Nothing here" inputs for each record: shuffles or means, (records, count, *shape)."""

    @abstractmethod
    def draw(self, values: pd.DataFrame, attribution: NDArray[np.float32], label: str) -> Figure:
        """Draw one record (a frame of one row) with its attribution, (*shape.sizes) as the network sees it.

        label: what an attribution is, with its unit, such as "Change of expression"
        """

    def files(
        self, values: pd.DataFrame, attribution: NDArray[np.float32], label: str
    ) -> Mapping[str, bytes]:
        """Files that go with a drawing of one record, by their ending, such as ".cif"; none here."""
        return {}

    @classmethod
    @abstractmethod
    def demo(cls, n: int, seed: int) -> Demo:
        """Make small labelled data with a signal planted at a known place."""


modalities: Registry[type[Modality]] = Registry("modality", "bioloom.modalities", "bioloom.modalities")


def encoding_settings(name: str, asked: Mapping[str, Mapping[str, Any]]) -> Any:
    """The settings of a modality from the section `encoding` of a recipe; all mistakes are reported at once."""
    for other in asked:
        _ = modalities[other]
    return checked_settings(name, modalities[name].Settings, asked.get(name, {}))
