"""Table: several columns of numbers and categories as one input.

Numbers are standardised with the mean and spread of the training records, missing ones read as their median
and marked; categories get a column each. Dates, free text and identifiers are refused with advice, because a
network would learn them by heart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from textwrap import fill
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from bioloom.data.columns import as_numbers, kind_of
from bioloom.data.leakage import Alike
from bioloom.data.learned import row_hashes
from bioloom.data.records import Problem, Records
from bioloom.data.similarity.copies import row_groups
from bioloom.data.similarity.rows import compare_rows, read_rows, row_families
from bioloom.errors import UserError
from bioloom.modalities import (
    Across,
    Clusters,
    Demo,
    Features,
    Kind,
    Modality,
    Part,
    Shape,
    Similarity,
    modalities,
)
from bioloom.modalities.columns import (
    CategoryColumn,
    Column,
    NumberColumn,
    column_from_state,
    mean_and_spread,
)
from bioloom.modalities.encoded import ColumnEncoded

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import Tensor

    from bioloom.modalities import Signal

ENOUGH_TO_REFUSE = 20
"""With fewer rows than this, texts that never repeat may well be categories."""

_LEFT_OUT = "does not vary between the training records and is left out"

SURE = {"number": 0.9, "category": 0.6, "date": 0.3, "text": 0.1, "empty": 0.05}


@modalities.register
@dataclass(frozen=True)
class Table(Modality):
    """Columns of numbers and categories.

    learned:  what was learned about each column that varies in training
    constant: the columns that do not, left out
    """

    learned: tuple[Column, ...]
    constant: tuple[str, ...] = ()

    name = "table"
    title = "table of numbers and categories"
    kind = Kind.VECTOR
    default_network = "periodic"
    columns = "many"
    augmentations = ("noise", "mixing")

    @classmethod
    def detect(cls, column: pd.Series[Any]) -> float:
        """Sure of numbers, less so of categories; dates and text come here to be refused with advice."""
        return SURE[kind_of(column)]

    @classmethod
    def check(cls, values: pd.DataFrame) -> list[Problem]:
        """Refuse dates, free text and identifiers; drop rows where a number is no number."""
        kinds = {str(name): kind_of(values[name]) for name in values.columns}
        usable = [name for name, kind in kinds.items() if kind in ("number", "category")]
        leave_out = f"leave the column out: {_input_options(usable)}" if usable else "choose other columns"
        found: list[Problem] = []
        for name, kind in kinds.items():
            found += _PROBLEMS[kind](values[name], leave_out)
        return found

    @classmethod
    def fit(cls, values: pd.DataFrame) -> Self:
        """Learn means, spreads and categories; raises UserError where no column varies."""
        learned = [_learn(values[name]) for name in values.columns]
        varying = tuple(column for column in learned if column is not None and column.names)
        kept = {column.name for column in varying}
        constant = tuple(str(name) for name in values.columns if str(name) not in kept)
        if not varying:
            raise UserError(
                "No column of the table varies between the training records.",
                where=f"columns: {', '.join(constant[:20])}",
                fix="name other columns with --input",
            )
        return cls(varying, constant)

    def state(self) -> dict[str, Any]:
        """What was learned, as JSON."""
        columns = [{k: list(v) if isinstance(v, tuple) else v for k, v in column.state().items()}
                   for column in self.learned]  # fmt: skip
        return {"columns": columns, "constant": list(self.constant)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(tuple(map(column_from_state, state["columns"])), tuple(state["constant"]))

    @property
    def shape(self) -> Shape:
        """(encoded columns,)."""
        return Shape(Kind.VECTOR, (len(self.channels),))

    @property
    def channels(self) -> tuple[str, ...]:
        """What each encoded column is called, such as "pH", "pH missing" and "strain = K12"."""
        return tuple(name for column in self.learned for name in column.names)

    @property
    def groups(self) -> dict[str, tuple[int, ...]]:
        """By column of the file, which encoded columns it became."""
        found, start = {}, 0
        for column in self.learned:
            found[column.name] = tuple(range(start, start + len(column.names)))
            start += len(column.names)
        return found

    def encode(self, values: pd.DataFrame) -> ColumnEncoded:
        """Turn rows into numbers; raises UserError where a column of the training table is missing."""
        return ColumnEncoded(np.concatenate([c.encode(_cells(values, c)) for c in self.learned], axis=1))

    def notes(self, values: pd.DataFrame) -> list[Problem]:
        """Missing and unseen cells and what they are read as; columns left out because they are constant."""
        # of no row in particular
        found = [
            Problem("table.constant", "note", f'the column "{name}" {_LEFT_OUT}', "", name)
            for name in self.constant
        ]
        for column in self.learned:
            found += column.notes(_cells(values, column))
        return found

    @classmethod
    def clusters(cls, values: pd.DataFrame, similarity: Similarity | None = None) -> Clusters:
        """Group rows that are equal, or nearly so, in every column, and all that they link.

        similarity: 1 means equal in every cell; 0.95 lets numbers differ by 0.05 standard deviations. None
                    takes the widest tolerance up to 0.05 that chance does not reach; where chance reaches all,
                    numbers are rounded to 0.001, because links would join most rows of a dense table.
        """
        rows = read_rows(values, _tolerance(similarity or Similarity()))
        if rows.tolerance:
            return Clusters(row_families(values, rows), rows.words)
        step = 0.001 if similarity is None or similarity.identity is None else 0.0
        rounded = pd.DataFrame({name: _rounded(values[name], step) for name in values.columns})
        notion = "equal in every column"
        if step:
            notion += f", numbers to within {step:g} of their standard deviation"
        return Clusters(row_groups(rounded), notion)

    @classmethod
    def alike(cls, values: pd.DataFrame, across: Across) -> Alike:
        """A row of the other side that is equal or near in every column; else how alike the nearest one is."""
        return compare_rows(values, across.queries, across.targets, _tolerance(across.similarity))

    @classmethod
    def copies(cls, values: pd.DataFrame) -> NDArray[np.int64]:
        """Numbers that equal rows share."""
        return row_groups(values)

    def hashes(self, values: pd.DataFrame) -> NDArray[np.uint64]:
        """Equal for rows that the network sees alike, however their numbers were written."""
        return row_hashes(self.encode(values).values)

    def features(self, values: pd.DataFrame) -> Features:
        """The columns as a network sees them."""
        units = {
            column.name: (column.mean, column.mean + column.scale)
            for column in self.learned
            if isinstance(column, NumberColumn)
        }
        told = "the columns of the table, standardised"
        return Features(self.encode(values).values, self.channels, told, units)

    def parts(self, values: pd.DataFrame) -> list[Part]:
        """The encoded columns; `groups` says which of them come from one column of the file."""
        return [Part(name, (place,)) for place, name in enumerate(self.channels)]

    def background(self, signal: Signal, seed: int, count: int) -> Tensor:
        """The average training record: every number at its mean, every category at its share."""
        average = [number for column in self.learned for number in column.average]
        return signal.x.new_tensor(average).expand(len(signal.x), count, len(average))

    def draw(self, values: pd.DataFrame, attribution: NDArray[np.float32], label: str) -> Figure:
        """Bars of the 15 strongest columns of the file; the encoded columns of one column are added up."""
        from bioloom.figures.bars import Bar, attributions

        bars = [
            Bar(column.show(_cells(values, column)), float(attribution[list(places)].sum()))
            for column, places in zip(self.learned, self.groups.values(), strict=True)
        ]
        return attributions(bars, label=fill(label, 48), at_most=15)

    @classmethod
    def demo(cls, n: int, seed: int) -> Demo:
        """Cultures under six conditions; glucose and strain decide the yield, the other four do nothing."""
        random = np.random.default_rng(seed)
        strain = np.resize(np.array(["BL21", "K12", "W3110"], dtype=object), n)
        random.shuffle(strain)
        glucose = random.gamma(4.0, 2.5, size=n)
        frame = pd.DataFrame({
            "glucose_g_per_l": glucose,
            "pH": random.normal(7.0, 0.3, size=n).round(2),
            "temperature_c": random.choice([30.0, 34.0, 37.0], size=n),
            "oxygen_percent": np.where(random.random(n) < 0.15, np.nan, random.normal(30, 8, size=n)),
            "stirring_rpm": random.integers(200, 1200, size=n).astype(float),
            "strain": strain,
        })  # fmt: skip
        effect = pd.Series(strain).map({"BL21": 1.5, "K12": 0.0, "W3110": -1.0}).to_numpy(dtype=float)
        grams = 5.0 + 0.25 * glucose + effect + random.normal(0, 0.3, size=n)
        groups = cls.fit(frame).groups
        parts = np.zeros((n, sum(map(len, groups.values()))), dtype=bool)
        parts[:, [*groups["glucose_g_per_l"], *groups["strain"]]] = True
        records = Records(
            ids=np.array([f"demo{number + 1}" for number in range(n)], dtype=object),
            inputs={"conditions": frame},
            targets=pd.DataFrame({"yield_g_per_l": grams}),
            lines=np.arange(n, dtype=np.int64) + 2,
        )
        return Demo(records, "conditions", parts, "regression")


def _learn(cells: pd.Series[Any]) -> Column | None:
    kind = kind_of(cells)
    if kind == "empty":
        return None
    return NumberColumn.fit(cells) if kind == "number" else CategoryColumn.fit(cells)


def _cells(values: pd.DataFrame, column: Column) -> pd.Series[Any]:
    names = list(map(str, values.columns))
    if column.name not in names:
        raise UserError(
            f'The column "{column.name}" is missing.',
            where=f"columns: {', '.join(names[:20])}",
            fix="add the column; leave cells empty where a value is unknown",
        )
    cells: pd.Series[Any] = values.iloc[:, names.index(column.name)]
    return cells


def _tolerance(similarity: Similarity) -> float | None:
    """How far apart numbers of near rows may be, in standard deviations; None is for the data to say."""
    identity = similarity.identity
    return None if identity is None else min(round(1 - identity, 12), 0.5)


def _rounded(cells: pd.Series[Any], step: float) -> pd.Series[Any]:
    """Numbers as whole multiples of a step in standard deviations; other cells as they are."""
    if not step or kind_of(cells) != "number":
        return cells.reset_index(drop=True)
    numbers, _ = as_numbers(cells)
    mean, spread = mean_and_spread(numbers[np.isfinite(numbers)])
    return pd.Series(np.round((numbers - mean) / (spread or 1.0) / step))


# ---- what is wrong with a column, by kind ----------------------------------------------------------------------


def _input_options(names: list[str]) -> str:
    shown = " ".join(f"--input {quote(name)}" for name in names[:4])
    return shown if len(names) <= 4 else f"{shown} and so on for the {len(names)} columns to keep"


def _number(cells: pd.Series[Any], leave_out: str) -> list[Problem]:  # noqa: ARG001 -- one signature for all kinds
    wrong = np.flatnonzero(as_numbers(cells)[1])
    if not len(wrong):
        return []
    cell = str(cells.iloc[int(wrong[0])])[:40]
    message = f'the column "{cells.name}" holds a cell that is no number, such as "{cell}"'
    fix = "correct the cells, or leave them empty where the value is unknown"
    return [Problem("table.number", "drop", message, fix, str(cells.name), wrong)]


def _date(cells: pd.Series[Any], leave_out: str) -> list[Problem]:
    message = f'the column "{cells.name}" holds dates, such as {cells.dropna().iloc[0]}'
    fix = f"turn them into a number, such as days since the first one, or {leave_out}"
    return [Problem("table.date", "fatal", message, fix, str(cells.name))]


def _text(cells: pd.Series[Any], leave_out: str) -> list[Problem]:
    filled = cells.dropna()
    if len(filled) < ENOUGH_TO_REFUSE:
        return []
    distinct = filled.nunique()
    what = f'the column "{cells.name}" holds free text ({distinct:,} different texts)'
    if distinct == len(filled):
        what = (
            f'the column "{cells.name}" holds names or free text: no two of its {distinct:,} cells are equal'
        )
    return [Problem("table.text", "fatal", what, leave_out, str(cells.name))]


def _empty(cells: pd.Series[Any], leave_out: str) -> list[Problem]:  # noqa: ARG001 -- one signature for all kinds
    return [Problem("table.empty", "note", "the column is empty and is left out", "", str(cells.name))]


def _fine(cells: pd.Series[Any], leave_out: str) -> list[Problem]:  # noqa: ARG001 -- one signature for all kinds
    return []


_PROBLEMS = {"number": _number, "category": _fine, "date": _date, "text": _text, "empty": _empty}
