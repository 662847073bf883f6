"""How predictions follow a column of a table: partial dependence, single records, and how far columns work together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.columns import as_numbers, kind_of

Floats = NDArray[np.float64]
Predict = Callable[[pd.DataFrame], Floats]
"""Rows of a table -> one number for each, (rows,), or several, (rows, outputs)."""

LEVELS = 20
MIDDLE = (0.025, 0.975)
"""Values of a number that are tried: so many quantiles of those that were seen, without the rare ones at both ends."""

CATEGORIES = 12
"""Categories that are tried: the commonest."""

CELLS = 2_000_000
"""Cells of the tables that are asked about at once: 16 MB."""

_NOTHING = 1e-10
"""Effects that vary by less than this, relative to the predictions, have no interaction worth a number."""


@dataclass(frozen=True)
class Dependence:
    """What a model says when one column holds a value in every record, whatever stood there.

    column: its name
    values: what was tried: numbers in order, or categories from the commonest on
    curves: (records, values) the prediction of each record
    seen:   numbers that stand in the records, sorted; empty of categories
    """

    column: str
    values: tuple[float | str, ...]
    curves: Floats
    seen: Floats

    @property
    def mean(self) -> Floats:
        """The partial dependence, (values,)."""
        return np.asarray(self.curves.mean(axis=0))

    @property
    def numeric(self) -> bool:
        """Whether the column holds numbers."""
        return bool(len(self.seen))


def dependence(predict: Predict, rows: pd.DataFrame, column: str) -> Dependence:
    """How one number of a model's answer follows a column; see `dependence_of_each`.

    predict: rows of a table -> (rows,)
    """
    return dependence_of_each(lambda table: predict(table)[:, None], rows, column)[0]


def dependence_of_each(predict: Predict, rows: pd.DataFrame, column: str) -> list[Dependence]:
    """Set a column to one value in all records, ask the model, and do so for values from low to high.

    predict: rows of a table -> (rows, outputs); one dependence is returned for each of the outputs

    PD(v) = mean over records of f(record with the column set to v); the curves of single records are the individual
    conditional expectations, which show what a mean hides: effects of opposite directions.

    Values are up to 20 quantiles of the middle 95 % of the numbers in these rows, or their 12 commonest categories. Columns
    are those of the file, so that a category is one column however it is encoded.

    Cost: records x values predictions. Do not read it where the column goes along with others: then records are asked
    about that do not exist, such as a tall child of 2 kg, and the model has never learned what to say of them.
    Source: Friedman 2001, Annals of Statistics 29:1189; single records, Goldstein et al. 2015, Journal of Computational
    and Graphical Statistics 24:44.
    """
    cells = rows[column]
    numeric = kind_of(cells) == "number"
    if numeric:
        numbers, _ = as_numbers(cells)
        seen = np.sort(numbers[np.isfinite(numbers)])
        tried = np.unique(np.quantile(seen, np.linspace(*MIDDLE, LEVELS), method="nearest"))
        values: tuple[float | str, ...] = tuple(tried.tolist())
    else:
        seen = np.empty(0)
        values = tuple(cells.dropna().astype(str).value_counts().index[:CATEGORIES])
    said = _asked(predict, rows, [{column: _cell(cells, value)} for value in values])
    return [Dependence(column, values, each.T, seen) for each in np.moveaxis(said, 2, 0)]


def _cell(cells: pd.Series, value: float | str) -> object:
    """A value as it stands in the column."""
    if isinstance(value, str):
        return next(cell for cell in cells.dropna() if str(cell) == value)
    return value


def _asked(predict: Predict, rows: pd.DataFrame, settings: Sequence[Mapping[str, object]]) -> Floats:
    """Predictions of all records with some columns set to the same in each, (settings, records), and outputs if any."""
    together = max(1, CELLS // max(1, rows.size))
    said = [
        predict(
            pd.concat([_with(rows, each) for each in settings[start : start + together]], ignore_index=True)
        )
        for start in range(0, len(settings), together)
    ]
    every = np.concatenate(said).astype(np.float64)
    return every.reshape(len(settings), len(rows), *every.shape[1:])


def _with(rows: pd.DataFrame, setting: Mapping[str, object]) -> pd.DataFrame:
    changed = rows.copy()
    for column, value in setting.items():
        changed[column] = pd.Series([value] * len(rows), index=rows.index)
    return changed


@dataclass(frozen=True)
class Interactions:
    """How far columns work together, by Friedman's H squared; NaN where there is no effect to divide by.

    alone: by column, the share of the differences between predictions that is owed to it acting together with any other
    pairs: by pair of columns, the share of what both do that is more than the sum of what each does
    """

    alone: Mapping[str, float]
    pairs: Mapping[tuple[str, str], float]


def interactions(predict: Predict, rows: pd.DataFrame, columns: Sequence[str]) -> Interactions:
    """Friedman's H squared for one number of a model's answer; see `interactions_of_each`.

    predict: rows of a table -> (rows,)
    """
    return interactions_of_each(lambda table: predict(table)[:, None], rows, columns)[0]


def interactions_of_each(predict: Predict, rows: pd.DataFrame, columns: Sequence[str]) -> list[Interactions]:
    """Friedman's H squared of columns and of their pairs, over these records.

    predict: rows of a table -> (rows, outputs); one set of shares is returned for each of the outputs

    H2(j, k) = sum over records of (PD_jk - PD_j - PD_k)^2 / sum of PD_jk^2
    H2(j)    = sum over records of (f - PD_j - PD_rest)^2 / sum of f^2

    All are centred. PD_jk is the mean prediction where both columns are set to what stands in a record, PD_rest that where
    all others are. 0: what the columns do adds up; 1: neither does anything but through the other. A strong share of a weak
    effect is still a weak effect: look at the importance first.

    Cost: (columns + pairs) x records^2 predictions: take some 50 records. Like partial dependence it asks about records
    that may not exist; do not use it between columns that go along with each other, whose interaction it exaggerates.
    Source: Friedman & Popescu 2008, Annals of Applied Statistics 2:916.
    """
    plain = _centred(np.asarray(predict(rows), dtype=np.float64))  # (records, outputs)
    single = {column: _swapped(predict, rows, (column,)) for column in columns}
    own = {column: _centred(table.mean(axis=0)) for column, table in single.items()}
    alone = {
        column: _shares(plain - own[column] - _centred(single[column].mean(axis=1)), plain, plain)
        for column in columns
    }
    pairs = {}
    for one, other in combinations(columns, 2):
        both = _centred(_swapped(predict, rows, (one, other)).mean(axis=0))
        pairs[one, other] = _shares(both - own[one] - own[other], both, plain)
    return [
        Interactions(
            {column: shares[output] for column, shares in alone.items()},
            {pair: shares[output] for pair, shares in pairs.items()},
        )
        for output in range(plain.shape[1])
    ]


def _swapped(predict: Predict, rows: pd.DataFrame, columns: tuple[str, ...]) -> Floats:
    """Predictions of each record with these columns as in each record, (records, records they are taken from, outputs)."""
    taken = [{column: rows[column].iloc[source] for column in columns} for source in range(len(rows))]
    return _asked(predict, rows, taken).swapaxes(0, 1)


def _centred(values: Floats) -> Floats:
    """(records, outputs) -> the same."""
    return np.asarray(values - values.mean(axis=0))


def _shares(part: Floats, whole: Floats, plain: Floats) -> list[float]:
    """How much of the whole a part is, for each output; NaN where there is next to nothing."""
    some, total, all_of_it = ((each**2).sum(axis=0) for each in (part, whole, plain))
    known = total > _NOTHING * np.maximum(all_of_it, 1e-300)
    shares: list[float] = np.where(known, some / np.where(known, total, 1.0), np.nan).tolist()
    return shares
