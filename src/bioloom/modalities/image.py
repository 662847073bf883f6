"""Image: a picture of each record, from files, archives, arrays, or columns of pixels.

All pictures of an input are brought to one size and one number of channels and standardised with what the training
pictures look like; nothing else is changed. Which changes of a picture leave its meaning as it is (mirroring, turning,
brightness) only the user knows: none is made unless the recipe asks for it in `[augmentation]`. Mirror no pictures in
which left and right differ in meaning: letters, the side of the heart, the hand of a helix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from pydantic import Field

from bioloom.data import mapped as mapped_files
from bioloom.data.assets import AssetDtype
from bioloom.data.leakage import Alike
from bioloom.data.pictures import SUFFIXES
from bioloom.data.records import Problem, Records, take_rows
from bioloom.data.similarity.pictures import alike, compare, families
from bioloom.data.stores import ARRAY, as_text
from bioloom.errors import UserError
from bioloom.modalities import (
    Across,
    Clusters,
    Demo,
    Features,
    Kind,
    Modality,
    ModalitySettings,
    Part,
    Shape,
    Similarity,
    modalities,
)
from bioloom.modalities.gallery import Frame, Gallery, grey, resized
from bioloom.modalities.pictured import COLOURS, LARGEST, noted, of_size, pixel_columns, unusable
from bioloom.modalities.raster import PictureEncoded

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.modalities import Signal

GRID = 14
"""The simple features see a picture of so many pixels at most."""

DEPTHS = ("uint8", "uint16", "float32")


@modalities.register
@dataclass(frozen=True)
class Image(Modality):
    """Pictures.

    size:   height and width, pixels
    depth:  what a pixel is at rest: "uint8", "uint16" or "float32"
    mean:   of each channel over the training pictures
    spread: standard deviation of each channel over their pixels
    """

    size: tuple[int, int]
    depth: str
    mean: tuple[float, ...]
    spread: tuple[float, ...]

    name = "image"
    title = "pictures"
    kind = Kind.IMAGE
    default_network = "resnet"
    unit = "pixel"
    together = True
    explainers = ("occlusion", "grad_cam", "libra_cam", "integrated_gradients")
    augmentations = (
        "mirror",
        "upside_down",
        "rotation",
        "crop",
        "shift",
        "colour",
        "elastic",
        "noise",
        "mixing",
    )

    class Settings(ModalitySettings):
        """How pictures are encoded."""

        size: int = Field(
            default=0,
            ge=0,
            le=2048,
            description="height and width in pixels, the longer of both; 0: as the pictures are, 128 at most",
        )
        grey: bool = Field(default=False, description="leave colours out")

    @classmethod
    def detect(cls, column: pd.Series[Any]) -> float:
        """Sure of names of pictures, of entries of arrays that have the form of pictures, and of stored ones."""
        if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype):
            return 0.0
        filled = column[column.notna()]
        cells = [str(cell) for cell in filled.iloc[:: max(1, len(filled) // 50)]]
        named = [cell for cell in cells if cell.lower().endswith(SUFFIXES) or cell.startswith(ARRAY)]
        if cells and len(named) >= 0.9 * len(cells):
            return 0.95
        entries = cells and all("#" in cell for cell in cells) and isinstance(column.dtype, AssetDtype)
        return (
            0.95
            if entries and not Gallery(take_rows(filled.to_frame(), np.zeros(1, np.int64))).facts(0).wrong
            else 0.0
        )

    @classmethod
    def claims(cls, table: pd.DataFrame) -> tuple[str, ...]:
        """Columns that are the pixels of square pictures: very many, of whole numbers from 0 to 255, in one row."""
        return pixel_columns(table)

    @classmethod
    def check(cls, values: pd.DataFrame) -> list[Problem]:
        """Pictures that are missing, broken or of another make than the others; stacks, mixed depths and sizes are noted."""
        column, facts = str(values.columns[0]), Gallery(values).all_facts
        return [*unusable(facts, column), *noted(facts, column), *of_size(facts, column)]

    @classmethod
    def fit(cls, values: pd.DataFrame) -> Self:
        """Learn size, channels, means and spreads from the training pictures."""
        return cls.fit_as(values, cls.Settings())

    @classmethod
    def fit_as(cls, values: pd.DataFrame, settings: Settings) -> Self:
        """The same with a size of one's own, or without colours. Raises UserError where all pictures are of one colour."""
        gallery = Gallery(values)
        facts = gallery.all_facts
        sizes = np.array([each.size for each in facts])
        channels = 1 if settings.grey else int(sizes[:, 2].max())
        depth = max((each.depth for each in facts), key=DEPTHS.index)
        form = Frame(_common_size(sizes, settings.size), depth, (0.0,) * channels)
        mean, spread = _means(gallery, form)
        if not any(spread):
            raise UserError(
                "All training pictures are of one even colour.",
                where=f"column: {values.columns[0]}",
                fix="check that the right column was taken as the picture",
            )
        return cls(form.size, depth, mean, tuple(each or 1.0 for each in spread))

    def state(self) -> dict[str, Any]:
        """What was learned, as JSON."""
        return {
            "size": list(self.size),
            "depth": self.depth,
            "mean": list(self.mean),
            "spread": list(self.spread),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""
        height, width = map(int, state["size"])
        return cls((height, width), state["depth"], tuple(state["mean"]), tuple(state["spread"]))

    @property
    def shape(self) -> Shape:
        """(channels, height, width)."""
        return Shape(Kind.IMAGE, (len(self.mean), *self.size))

    @property
    def channels(self) -> tuple[str, ...]:
        """Grey, or red, green and blue; other channels by number."""
        count = len(self.mean)
        return COLOURS.get(count) or tuple(f"channel {number + 1}" for number in range(count))

    @property
    def form(self) -> Frame:
        """What all pictures are brought to."""
        return Frame(self.size, self.depth, self.mean)

    def encode(self, values: pd.DataFrame) -> PictureEncoded:
        """Bring pictures to one size; raises UserError for one with other channels."""
        gallery, form = Gallery(values), self.form
        pixels = np.empty((len(values), *self.shape.sizes), dtype=self.depth)
        for row in range(len(gallery)):
            pixels[row] = form.fit(gallery.picture(row).pixels)
        return self._encoded(pixels)

    def encode_into(self, values: pd.DataFrame, path: Path) -> PictureEncoded:
        """The same with pixels of 8 bits in a file where they are more than 256 MB; raises UserError also on a full disk."""
        shape = (len(values), *self.shape.sizes)
        if self.depth != "uint8" or prod(shape) <= mapped_files.MAPPED:
            return self.encode(values)
        gallery = Gallery(values)
        rows = (self.form.fit(gallery.picture(row).pixels)[None] for row in range(len(gallery)))
        return self._encoded(mapped_files.mapped(path.with_name(f"{path.name}.npy"), shape, rows))

    def _encoded(self, pixels: NDArray[Any]) -> PictureEncoded:
        return PictureEncoded(pixels, np.array(self.mean, np.float32), np.array(self.spread, np.float32))

    def notes(self, values: pd.DataFrame) -> list[Problem]:
        """Pictures that are made smaller or larger, and colours that are left out."""
        column, facts = str(values.columns[0]), Gallery(values).all_facts
        rows = {
            "other": [row for row, each in enumerate(facts) if each.size[:2] != self.size],
            "grey": [row for row, each in enumerate(facts) if each.size[2] == 3 and len(self.mean) == 1],
        }
        height, width = self.size
        said = {
            "other": f"brought to {height} x {width} pixels, the size that the network was given",
            "grey": "its colours are left out",
        }
        return [
            Problem(f"image.{code}", "note", said[code], "", column, np.array(found, dtype=np.int64))
            for code, found in rows.items()
            if found
        ]

    @classmethod
    def clusters(cls, values: pd.DataFrame, similarity: Similarity | None = None) -> Clusters:
        """Group pictures that are copies or near copies, also mirrored and turned ones, and all that they link."""
        compared = _compared(values, similarity or Similarity())
        return Clusters(families(compared), compared.words)

    @classmethod
    def alike(cls, values: pd.DataFrame, across: Across) -> Alike:
        """A picture of the other side with the same pixels, or nearly so."""
        return alike(_compared(values, across.similarity), across.queries, across.targets)

    @classmethod
    def copies(cls, values: pd.DataFrame) -> NDArray[np.int64]:
        """Numbers that pictures with the same pixels share, whatever their files are called or how they are packed."""
        return Gallery(values).copies()

    def hashes(self, values: pd.DataFrame) -> NDArray[np.uint64]:
        """By pixels, not by name."""
        found = [int(each.sha256[:16] or "0", 16) for each in Gallery(values).all_facts]
        return np.array(found, dtype=np.uint64)

    @classmethod
    def properties(cls, values: pd.DataFrame) -> NDArray[np.float64]:
        """Brightness and contrast, (records, 2)."""
        small = Gallery(values).small()
        return np.stack([small.mean(axis=(1, 2)), small.std(axis=(1, 2))], axis=1).astype(np.float64)

    def features(self, values: pd.DataFrame) -> Features:
        """The picture in few pixels, and of each channel its mean, spread, and how rough it is."""
        pixels = self.encode(values).pixels.astype(np.float32)
        rows, columns = (min(GRID, length) for length in self.size)
        coarse = [
            resized(grey(each.transpose(1, 2, 0)), (rows, columns))[:, :, 0].reshape(-1) for each in pixels
        ]
        rough = (
            np.abs(np.diff(pixels, axis=3)).mean(axis=(2, 3)) if self.size[1] > 1 else pixels.mean((2, 3)) * 0
        )
        told = [pixels.mean(axis=(2, 3)), pixels.std(axis=(2, 3)), rough]  # (records, channels) each
        grid = np.stack(coarse) if coarse else np.zeros((0, rows * columns))
        names = [f"brightness in row {row + 1}, column {column + 1} of {rows} x {columns}"
                 for row in range(rows) for column in range(columns)]  # fmt: skip
        names += [
            f"{what} of {channel}" for what in ("mean", "spread", "roughness") for channel in self.channels
        ]
        found = np.concatenate([grid, *told], axis=1).astype(np.float32)
        words = f"the picture in {rows} x {columns} pixels, and mean, spread and roughness of each channel"
        return Features(found, tuple(names), words)

    def parts(self, values: pd.DataFrame) -> list[Part]:
        """Every pixel by row and column, counted from 1 at the top left."""
        return [
            Part(f"row {row + 1}, column {column + 1}", (row, column))
            for row in range(self.size[0])
            for column in range(self.size[1])
        ]

    def background(self, signal: Signal, seed: int, count: int) -> Tensor:
        """ "Nothing here": the picture out of focus, less and less, and last an even picture of the mean colour."""
        import torch

        from bioloom.modalities.blur import blurred

        widths = [max(self.size) / (4 * 2**number) for number in range(count - 1)]
        pictures = [blurred(signal.x, width) for width in widths]
        return torch.stack([*pictures, torch.zeros_like(signal.x)], dim=1)

    def draw(self, values: pd.DataFrame, attribution: NDArray[np.float32], label: str) -> Figure:
        """The picture, and over it what its places contribute, all channels together."""
        from bioloom.figures.picture import attributed_picture

        pixels = self.encode(values).pixels[0].astype(np.float32).transpose(1, 2, 0)
        low, high = (0.0, 255.0) if self.depth == "uint8" else np.percentile(pixels, (0.5, 99.5))
        shown = np.clip((pixels - low) / max(high - low, 1e-9), 0, 1)
        shown = shown if shown.shape[2] == 3 else shown.mean(axis=2)
        return attributed_picture(shown, attribution.sum(axis=0), label=label)

    @classmethod
    def demo(cls, n: int, seed: int) -> Demo:
        """Cells on a noisy ground; those with a bright nucleus in their lower left corner are of the class "marked"."""
        random = np.random.default_rng(seed)
        marked = np.resize(np.array([True, False]), n)
        random.shuffle(marked)
        pictures = random.normal(90, 12, (n, 16, 16))
        down, across = np.mgrid[:16, :16]
        centre = random.uniform(5, 10, (n, 2, 1, 1))
        pictures += 40 * (np.hypot(down - centre[:, 0], across - centre[:, 1]) < 4)
        pictures[marked, 10:14, 2:6] += 70
        pixels = pictures.clip(0, 255).astype(np.uint8)
        parts = np.zeros((n, 16, 16), dtype=bool)
        parts[marked, 10:14, 2:6] = True
        cells = np.array([as_text(each) for each in pixels], dtype=object)
        records = Records(
            ids=np.array([f"demo{number + 1}" for number in range(n)], dtype=object),
            inputs={"picture": pd.DataFrame({"picture": pd.Series(cells, dtype=object)})},
            targets=pd.DataFrame({"class": np.where(marked, "marked", "plain")}),
            lines=np.arange(n, dtype=np.int64) + 2,
        )
        return Demo(records, "picture", parts, "binary")


def _common_size(sizes: NDArray[np.int64], asked: int) -> tuple[int, int]:
    """Height and width of all: that which they share, or the median; made smaller where it is large.

    sizes: (records, 3)
    """
    height, width = (int(np.median(sizes[:, axis])) for axis in (0, 1))
    longest = asked or min(LARGEST, max(height, width))
    scale = longest / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _means(gallery: Gallery, form: Frame) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel over all pixels of all pictures."""
    total = squares = np.zeros(len(form.fill))
    for row in range(len(gallery)):
        pixels = form.fit(gallery.picture(row).pixels).astype(np.float64)
        total = total + pixels.mean(axis=(1, 2))
        squares = squares + (pixels**2).mean(axis=(1, 2))
    mean = total / len(gallery)
    spread = np.sqrt(np.maximum(squares / len(gallery) - mean**2, 0))
    return tuple(mean.tolist()), tuple(spread.tolist())


def _compared(values: pd.DataFrame, similarity: Similarity) -> Any:
    gallery = Gallery(values)
    return compare(gallery.small(), gallery.copies(), similarity.identity)
