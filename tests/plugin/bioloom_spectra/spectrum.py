"""Spectrum: a cell that holds an absorption spectrum as numbers between semicolons, such as 0.11;0.42;0.09."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from bioloom.data.leakage import Alike, compare_rows
from bioloom.data.records import Problem, Records
from bioloom.data.similarity.copies import row_groups
from bioloom.modalities import Across, Clusters, Demo, Features, Kind, Modality, Part, Shape, Similarity
from bioloom.modalities.encoded import ColumnEncoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.modalities import Signal


@dataclass(frozen=True)
class Spectrum(Modality):
    """Absorption at neighbouring wavelengths, read from one cell.

    mean: absorption of the training records at each wavelength, the "nothing here" of explanations
    """

    mean: tuple[float, ...]

    name = "spectrum"
    title = "absorption spectra, numbers between semicolons in one cell"
    kind = Kind.VECTOR
    default_network = "mlp"
    unit = "wavelength"
    explainers = ("slope", "integrated_gradients")

    @classmethod
    def detect(cls, column: pd.Series[Any]) -> float:
        """Sure where the first known cells are several numbers between semicolons."""
        cells = column.dropna().head(20)
        read = [_numbers(cell) for cell in cells]
        return 0.9 if read and all(numbers is not None and len(numbers) > 2 for numbers in read) else 0.0

    @classmethod
    def check(cls, values: pd.DataFrame) -> list[Problem]:
        """Cells that hold no numbers, or another number of wavelengths than most."""
        read = [_numbers(cell) for cell in values.iloc[:, 0]]
        lengths = [len(numbers) for numbers in read if numbers is not None]
        usual = max(set(lengths), key=lengths.count, default=0)
        wrong = [row for row, numbers in enumerate(read) if numbers is None or len(numbers) != usual]
        if not wrong:
            return []
        message = f"this is no spectrum of {usual} numbers between semicolons"
        column = str(values.columns[0])
        return [Problem("spectrum.numbers", "drop", message, "correct the cell", column, np.array(wrong))]

    @classmethod
    def fit(cls, values: pd.DataFrame) -> Self:
        """Learn the mean absorption."""
        return cls(tuple(map(float, _matrix(values).mean(axis=0))))

    def state(self) -> dict[str, Any]:
        """What was learned, as JSON."""
        return {"mean": list(self.mean)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(tuple(state["mean"]))

    @property
    def shape(self) -> Shape:
        """(wavelengths,)."""
        return Shape(Kind.VECTOR, (len(self.mean),))

    @property
    def channels(self) -> tuple[str, ...]:
        """The wavelengths by number, from 1."""
        return tuple(f"wavelength {number + 1}" for number in range(len(self.mean)))

    def encode(self, values: pd.DataFrame) -> ColumnEncoded:
        """(records, wavelengths) float32."""
        return ColumnEncoded(_matrix(values))

    def notes(self, values: pd.DataFrame) -> list[Problem]:
        """Nothing is changed on encoding."""
        return []

    @classmethod
    def clusters(cls, values: pd.DataFrame, similarity: Similarity | None = None) -> Clusters:
        """Equal spectra travel together."""
        return Clusters(cls.copies(values), "equal spectra")

    @classmethod
    def alike(cls, values: pd.DataFrame, across: Across) -> Alike:
        """An equal spectrum on the other side."""
        return compare_rows(values, across.queries, across.targets)

    @classmethod
    def copies(cls, values: pd.DataFrame) -> NDArray[np.int64]:
        """Numbers that equal spectra share."""
        return row_groups(values)

    def features(self, values: pd.DataFrame) -> Features:
        """The absorption itself."""
        return Features(_matrix(values), self.channels, "absorption at each wavelength")

    def parts(self, values: pd.DataFrame) -> list[Part]:
        """One part per wavelength."""
        return [Part(name, (number,)) for number, name in enumerate(self.channels)]

    def background(self, signal: Signal, seed: int, count: int) -> Tensor:
        """The mean spectrum of the training records, (records, count, wavelengths)."""
        mean = signal.x.new_tensor(self.mean)
        return mean.expand(len(signal.x), count, -1)

    def draw(self, values: pd.DataFrame, attribution: NDArray[np.float32], label: str) -> Figure:
        """One bar per wavelength."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 2.5), layout="constrained")
        axes = figure.add_subplot()
        axes.bar(np.arange(len(attribution)) + 1, attribution)
        axes.set(xlabel="wavelength", ylabel=label)
        return figure

    @classmethod
    def demo(cls, n: int, seed: int) -> Demo:
        """Random spectra of 12 wavelengths; the target is the absorption at the fifth."""
        spectra = np.random.default_rng(seed).random((n, 12)).round(3)
        cells = [";".join(map(str, row)) for row in spectra]
        records = Records(
            ids=np.array([f"demo{number + 1}" for number in range(n)], dtype=object),
            inputs={"spectrum": pd.DataFrame({"spectrum": cells})},
            targets=pd.DataFrame({"concentration": 3.0 * spectra[:, 4]}),
            lines=np.arange(n) + 2,
        )
        return Demo(records, "spectrum", np.tile(np.arange(12) == 4, (n, 1)), "regression")


def _numbers(cell: object) -> list[float] | None:
    try:
        return [float(text) for text in str(cell).split(";")]
    except ValueError:
        return None


def _matrix(values: pd.DataFrame) -> NDArray[np.float32]:
    return np.array([_numbers(cell) for cell in values.iloc[:, 0]], dtype=np.float32)
