"""Structures as pictures, for networks that look at pictures: the map of all distances, and a view from the side."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from bioloom.modalities import Demo, Features, Kind, Part, Shape, modalities
from bioloom.modalities.contacts import REACH
from bioloom.modalities.raster import PictureEncoded
from bioloom.modalities.residues import LETTERS
from bioloom.modalities.structure import StructureFiles
from bioloom.modalities.structure_demo import salt_bridges
from bioloom.modalities.structure_features import features_of_all
from bioloom.modalities.structure_graph import HYDROPATHY
from bioloom.modalities.survey import Cells, Survey

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.data.records import Problem
    from bioloom.modalities import Signal

FAR = 20.0
"""Å from which two residues count as far apart."""

POSITIVE, NEGATIVE, APOLAR = ("KR", "DE", "ACFGILMPVWY")


@dataclass(frozen=True)
class StructureView(StructureFiles):
    """What both views share.

    partners: whether training records name two partners, whose interface is then looked at
    """

    partners: bool

    kind = Kind.IMAGE
    default_network = "resnet"
    explainers = ("occlusion", "integrated_gradients")
    on_request = True
    size: ClassVar[int]
    told: ClassVar[tuple[str, ...]]

    @classmethod
    @abstractmethod
    def pixels(cls, survey: Survey) -> NDArray[np.float32]:
        """One structure, (channels, size, size), between 0 and 1."""

    @classmethod
    @abstractmethod
    def column_of(cls, survey: Survey) -> NDArray[np.int64]:
        """The column of the picture in which each residue that networks see lies."""

    @classmethod
    def fit(cls, values: pd.DataFrame) -> Self:
        """Learn whether partners are told apart."""
        return cls(any(each.residues.partners for each in Cells.of(values).usable()))

    def state(self) -> dict[str, Any]:
        """What was learned, as JSON."""
        return {"partners": self.partners}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(bool(state["partners"]))

    @property
    def shape(self) -> Shape:
        """(channels, size, size)."""
        return Shape(Kind.IMAGE, (len(self.told), self.size, self.size))

    @property
    def channels(self) -> tuple[str, ...]:
        """What each layer of the picture tells."""
        return self.told

    def encode(self, values: pd.DataFrame) -> PictureEncoded:
        """One byte for each number."""
        pictures = [np.rint(self.pixels(each) * 255).astype(np.uint8) for each in Cells.of(values).usable()]
        pixels = np.stack(pictures) if pictures else np.zeros((0, *self.shape.sizes), dtype=np.uint8)
        none, full = np.zeros(len(self.told), np.float32), np.full(len(self.told), 255, np.float32)
        return PictureEncoded(pixels, none, full)

    def notes(self, values: pd.DataFrame) -> list[Problem]:
        """Nothing: a structure of any size becomes a picture of the same size."""
        return []

    def features(self, values: pd.DataFrame) -> Features:
        """The same as of the structure as a graph."""
        return features_of_all(Cells.of(values).usable(), self.partners)

    def background(self, signal: Signal, seed: int, count: int) -> Tensor:
        """An empty picture."""
        import torch

        return torch.zeros_like(signal.x)[:, None].expand(-1, count, -1, -1, -1)

    def draw(self, values: pd.DataFrame, attribution: NDArray[np.float32], label: str) -> Figure:
        """The picture, and over it what its places contribute, all layers together."""
        from bioloom.figures.picture import attributed_picture

        (survey,) = Cells.of(values).usable()
        return attributed_picture(1 - self.pixels(survey)[0], attribution.sum(axis=0), label=label)

    @classmethod
    def demo(cls, n: int, seed: int) -> Demo:
        """Hairpins in which salt bridges between facing residues make the stability."""
        records, planted = salt_bridges(n, seed)
        parts = np.zeros((n, cls.size, cls.size), dtype=bool)
        for row, survey in enumerate(Cells.of(records.inputs["structure"]).usable()):
            parts[row, :, cls.column_of(survey)[planted[row]]] = True
        return Demo(records, "structure", parts, "regression")


@modalities.register
@dataclass(frozen=True)
class DistanceMap(StructureView):
    """How near each residue lies to each other one, and what the two are; larger structures are shown coarser."""

    name = "distance_map"
    title = "map of the distances between the residues of a structure"
    size = 64
    told = ("alpha carbons near", "beta carbons near", "touching", "opposite charges touch", "equal charges touch",
            "apolar residues touch", "other partner")  # fmt: skip

    @classmethod
    def pixels(cls, survey: Survey) -> NDArray[np.float32]:
        """(7, 64, 64): nearness is 1 at 0 Å and 0 at 20 Å (closest atoms: 8 Å)."""
        seen, residues = survey.seen, survey.residues
        near = [
            np.maximum(1 - _distances(places[seen]) / FAR, 0) for places in (residues.alpha, residues.beta)
        ]
        full = np.zeros((len(survey), len(survey)), dtype=np.float32)
        full[survey.contacts.first, survey.contacts.second] = 1 - survey.contacts.closest / REACH
        touching = (full + full.T)[np.ix_(seen, seen)]
        positive, negative, apolar = (
            _among(survey, letters)[seen] for letters in (POSITIVE, NEGATIVE, APOLAR)
        )
        opposite = np.outer(positive, negative) + np.outer(negative, positive)
        equal = np.outer(positive, positive) + np.outer(negative, negative)
        side = (residues.side if residues.partners else residues.chains)[seen]
        other = (side[:, None] != side[None]).astype(np.float32)
        layers = [
            *near,
            touching,
            opposite * touching,
            equal * touching,
            np.outer(apolar, apolar) * touching,
            other,
        ]
        return _fitted(np.stack(layers).astype(np.float32), cls.size)

    @classmethod
    def column_of(cls, survey: Survey) -> NDArray[np.int64]:
        """Residues in their order, several in a column where there are more than 64."""
        return _cells(len(survey.seen), cls.size)

    def parts(self, values: pd.DataFrame) -> list[Part]:
        """Every pair of residues, or of stretches of residues; what lies beyond the last one is empty."""
        (survey,) = Cells.of(values).usable()
        labels, cells = survey.residues.labels, self.column_of(survey)
        first = np.searchsorted(cells, np.arange(self.size))
        names = [
            labels[survey.seen[at]] if at < len(cells) else f"empty {column + 1}"
            for column, at in enumerate(first)
        ]
        return [
            Part(f"{one} with {other}", (row, column))
            for row, one in enumerate(names)
            for column, other in enumerate(names)
        ]


@modalities.register
@dataclass(frozen=True)
class StructurePicture(StructureView):
    """A view of the structure along its shortest axis: what lies in front, and what it is made of."""

    name = "structure_picture"
    title = "picture of a structure, seen along its shortest axis"
    size = 32
    told = ("in front", "positive", "negative", "hydropathy", "second partner")

    @classmethod
    def pixels(cls, survey: Survey) -> NDArray[np.float32]:
        """(5, 32, 32): of the residues that lie in a pixel the one in front is shown; empty pixels are 0."""
        seen, places = survey.seen, _upright(survey)
        scale = np.abs(places).max() or 1.0
        told = np.stack([
            0.5 + 0.5 * places[:, 2] / scale,
            _among(survey, POSITIVE)[seen],
            _among(survey, NEGATIVE)[seen],
            np.array([0.1 + 0.1 * (4.5 + HYDROPATHY.get(letter, 0.0)) for letter in LETTERS])[survey.residues.letters[seen]],
            survey.residues.side[seen],
        ])  # fmt: skip
        picture = np.zeros((len(cls.told), cls.size, cls.size), dtype=np.float32)
        column, row = cls.column_of(survey), _pixel(places[:, 1], scale, cls.size)
        for residue in np.argsort(places[:, 2], kind="stable"):  # those in front are painted last
            picture[:, row[residue], column[residue]] = told[:, residue]
        return np.clip(picture, 0, 1)

    @classmethod
    def column_of(cls, survey: Survey) -> NDArray[np.int64]:
        """Where residues lie along the longest axis."""
        places = _upright(survey)
        return _pixel(places[:, 0], np.abs(places).max() or 1.0, cls.size)

    def parts(self, values: pd.DataFrame) -> list[Part]:
        """Every pixel by row and column, counted from 1 at the top left."""
        places = range(self.size)
        return [
            Part(f"row {row + 1}, column {column + 1}", (row, column)) for row in places for column in places
        ]


def _distances(places: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.linalg.norm(places[:, None] - places[None], axis=2), dtype=np.float32)


def _among(survey: Survey, letters: str) -> NDArray[np.float32]:
    """1 where a residue is one of these, (residues,)."""
    return np.array([letter in letters for letter in LETTERS], dtype=np.float32)[survey.residues.letters]


def _cells(count: int, size: int) -> NDArray[np.int64]:
    """The cell of each residue: one each where they fit, else as even stretches as can be."""
    place = np.arange(count)
    return place if count <= size else place * size // count


def _fitted(layers: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """(layers, residues, residues) -> (layers, size, size): empty space after the last one, or means of stretches."""
    cells = _cells(layers.shape[1], size)
    to_cells = np.zeros((size, len(cells)), dtype=np.float32)
    to_cells[cells, np.arange(len(cells))] = 1
    to_cells /= np.maximum(to_cells.sum(axis=1, keepdims=True), 1)
    return np.asarray(to_cells @ layers @ to_cells.T, dtype=np.float32)


def _upright(survey: Survey) -> NDArray[np.float64]:
    """Alpha carbons of the residues that networks see, along the principal axes, longest first, (seen, 3).

    The side of an axis with the longer tail is its positive one, so that turning the structure changes nothing.
    """
    places = survey.residues.alpha[survey.seen].astype(np.float64)
    places = places - places.mean(axis=0)
    _, axes = np.linalg.eigh(places.T @ places)
    turned = places @ axes[:, ::-1]
    tail = np.sign((turned**3).sum(axis=0))
    return np.asarray(turned * np.where(tail == 0, 1, tail))


def _pixel(along: NDArray[np.float64], scale: float, size: int) -> NDArray[np.int64]:
    return np.clip(((along / scale + 1) / 2 * size).astype(np.int64), 0, size - 1)
