"""How one column of a table becomes numbers: what is learned from training rows, and what it is read as later."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from bioloom.data.columns import as_numbers
from bioloom.data.records import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

RARE = 3
"""A category in fewer training records than this joins "other": nothing can be learned about it alone."""


@dataclass(frozen=True)
class Column(ABC):
    """One column of a table with what was learned about it."""

    name: str
    kind: ClassVar[str]

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """What the encoded columns are called."""

    @property
    @abstractmethod
    def average(self) -> tuple[float, ...]:
        """The encoded columns of an average training record, as far as numbers can say it."""

    @abstractmethod
    def encode(self, cells: pd.Series[Any]) -> NDArray[np.float32]:
        """(records, encoded columns)."""

    @abstractmethod
    def notes(self, cells: pd.Series[Any]) -> list[Problem]:
        """Which cells are read as something else."""

    @abstractmethod
    def show(self, cells: pd.Series[Any]) -> str:
        """The first cell with the name of the column, for figures."""

    def state(self) -> dict[str, Any]:
        """What was learned, as JSON."""
        return {"kind": self.kind} | asdict(self)


@dataclass(frozen=True)
class NumberColumn(Column):
    """Numbers, in units of their training spread around their training mean; nothing is clipped.

    scale:   standard deviation in training, 0 where the numbers never vary
    median:  what a missing number is read as
    missing: share of missing cells in training; where there are any, a further column marks them
    """

    mean: float
    scale: float
    median: float
    missing: float
    kind: ClassVar[str] = "number"

    @classmethod
    def fit(cls, cells: pd.Series[Any]) -> NumberColumn:
        """Learn mean, spread, median and the share of missing cells."""
        numbers, _ = as_numbers(cells)
        known = numbers[np.isfinite(numbers)]
        mean, spread = mean_and_spread(known)
        constant = bool((known == known[0]).all())  # rounding gives equal numbers a tiny spread
        missing = 1.0 - len(known) / len(numbers)
        return cls(str(cells.name), mean, 0.0 if constant else spread, float(np.median(known)), missing)

    @property
    def names(self) -> tuple[str, ...]:
        """The column itself where it varies, and its missing marks where there are any."""
        varies = (self.name,) if self.scale > 0 else ()
        return (*varies, f"{self.name} missing") if self.missing > 0 else varies

    @property
    def average(self) -> tuple[float, ...]:
        """The mean, and the share of missing cells."""
        varies = (0.0,) if self.scale > 0 else ()
        return (*varies, self.missing) if self.missing > 0 else varies

    def encode(self, cells: pd.Series[Any]) -> NDArray[np.float32]:
        """Standardised numbers; missing ones (and cells that are no number) as the median, and marked."""
        numbers, _ = as_numbers(cells)
        missing = np.isnan(numbers)
        blocks = []
        if self.scale > 0:
            blocks.append((np.where(missing, self.median, numbers) - self.mean) / self.scale)
        if self.missing > 0:
            blocks.append(missing.astype(np.float64))
        return np.stack(blocks, axis=1).astype(np.float32)

    def notes(self, cells: pd.Series[Any]) -> list[Problem]:
        """Missing cells, and cells that are no number."""
        numbers, wrong = as_numbers(cells)
        missing = np.isnan(numbers) & ~wrong
        read = f"is read as the training median ({self.median:.6g})"
        read += " and marked in a column of its own" if self.missing > 0 else ""
        return [
            Problem(code, "note", f'"{self.name}" {what} and {read}', "", self.name, np.flatnonzero(rows))
            for code, what, rows in (
                ("table.missing", "is missing", missing),
                ("table.number", "holds no number", wrong),
            )
            if rows.any()
        ]

    def show(self, cells: pd.Series[Any]) -> str:
        """Such as "pH = 7.2"."""
        number = as_numbers(cells)[0][0]
        return f"{self.name} missing" if np.isnan(number) else f"{self.name} = {number:.4g}"


def mean_and_spread(numbers: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and standard deviation, also of numbers whose squares would overflow."""
    largest = float(np.abs(numbers).max(initial=0.0)) or 1.0
    return float(np.mean(numbers / largest)) * largest, float(np.std(numbers / largest)) * largest


@dataclass(frozen=True)
class CategoryColumn(Column):
    """Categories, one column each, in alphabetical order.

    categories: those in at least three training records
    shares:     (encoded columns,) share of training records, in the order of `names`
    other:      whether training held rarer categories; they share one column, and unseen ones join them
    missing:    whether training held missing cells; they have a column of their own

    A cell with no column to go to (unseen, or missing, where training had none such) is read as the average
    of the training records: the shares themselves.
    """

    categories: tuple[str, ...]
    shares: tuple[float, ...]
    other: bool
    missing: bool
    kind: ClassVar[str] = "category"

    @classmethod
    def fit(cls, cells: pd.Series[Any]) -> CategoryColumn:
        """Learn the categories and how frequent each is."""
        texts = _texts(cells)
        counts = texts.value_counts()
        frequent = tuple(sorted(map(str, counts.index[counts >= RARE])))
        numbers = [int(counts[category]) for category in frequent]
        rare, missing = int(counts.sum()) - sum(numbers), int(texts.isna().sum())
        counted = [*numbers, *([rare] if rare else []), *([missing] if missing else [])]
        shares = tuple(number / len(cells) for number in counted)
        return cls(str(cells.name), frequent, shares, rare > 0, missing > 0)

    @property
    def names(self) -> tuple[str, ...]:
        """One name per category, then "other" and "missing" where training had them."""
        if len(self.shares) < 2:
            return ()
        named = [f"{self.name} = {category}" for category in self.categories]
        other = [f"{self.name} = other"] if self.other else []
        return (*named, *other, *([f"{self.name} missing"] if self.missing else []))

    @property
    def average(self) -> tuple[float, ...]:
        """The share of each category."""
        return self.shares if self.names else ()

    def encode(self, cells: pd.Series[Any]) -> NDArray[np.float32]:
        """One-hot categories; rows of shares where a cell has no column."""
        rows = np.vstack([np.eye(len(self.shares)), np.array(self.shares)]).astype(np.float32)
        return rows[self._codes(_texts(cells))]

    def _codes(self, texts: pd.Series[Any]) -> NDArray[np.int64]:
        """The encoded column of each cell; the number of columns where it has none."""
        nowhere = len(self.shares)
        unseen = len(self.categories) if self.other else nowhere
        number = {category: place for place, category in enumerate(self.categories)}
        codes, distinct = pd.factorize(texts)
        of_distinct = [number.get(str(text), unseen) for text in distinct]
        of_missing = nowhere - 1 if self.missing else nowhere
        return np.array([*of_distinct, of_missing], dtype=np.int64)[codes]  # factorize gives -1 to missing

    def notes(self, cells: pd.Series[Any]) -> list[Problem]:
        """Categories that are not in the model, and missing cells."""
        texts = _texts(cells)
        missing = texts.isna().to_numpy(dtype=bool)
        unseen = ~missing & ~texts.isin(self.categories).to_numpy(dtype=bool)
        average = "the average of the training records"
        notes = []
        if unseen.any():
            names = ", ".join(f'"{name}"' for name in sorted(set(texts[unseen]))[:5])
            message = (
                f'"{self.name}" holds a category of fewer than {RARE} training records ({names}), read as '
            )
            message += '"other"' if self.other else average
            notes.append(Problem("table.category", "note", message, "", self.name, np.flatnonzero(unseen)))
        if missing.any():
            read = "a category of its own" if self.missing else average
            message = f'"{self.name}" is missing and is read as {read}'
            notes.append(Problem("table.missing", "note", message, "", self.name, np.flatnonzero(missing)))
        return notes

    def show(self, cells: pd.Series[Any]) -> str:
        """Such as "strain = K12"."""
        text = _texts(cells).iloc[0]
        return f"{self.name} missing" if pd.isna(text) else f"{self.name} = {text}"


def _texts(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Cells as text without white space around them; 1 and 1.0 are the same; blank cells are missing."""
    codes, distinct = pd.factorize(cells)
    names = [_text(cell) for cell in distinct]
    texts = np.array([*names, None], dtype=object)[codes]
    return pd.Series(texts, dtype=object)


def _text(cell: object) -> str | None:
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell).strip() or None


def column_from_state(state: Mapping[str, Any]) -> Column:
    """The inverse of `Column.state`."""
    make: Callable[..., Column] = {each.kind: each for each in (NumberColumn, CategoryColumn)}[
        str(state["kind"])
    ]
    return make(**{key: tuple(value) if isinstance(value, list) else value
                   for key, value in state.items() if key != "kind"})  # fmt: skip
