"""Records in an order of which the end is the test: time, mutations, the target itself. Ties are never split apart.

Such a test asks about what lies beyond the training records: later, further from the parent, better.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bioloom.data.columns import as_numbers, kind_of
from bioloom.data.split import Split, SplitRequest, Splitter, splitters, validation_from
from bioloom.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Index = NDArray[np.int64]


def by_time(request: SplitRequest) -> Split:
    """The latest records are the test, those before them validation; records of one time or batch stay together."""
    if request.order is None:
        raise UserError(
            "Nothing says which record came first.",
            where="--split time",
            fix='name a column of dates, numbers or batches with --set data.order="COLUMN"',
        )
    batch, kind = _batches(request.order)
    known = batch >= 0
    if batch.max() < 2:
        raise UserError(
            f"{batch.max() + 1} different values cannot be divided into training, validation and test.",
            where="--split time, data.order",
            fix="name a column with at least three, or use --split group",
        )
    part = np.full(len(batch), "train", dtype=object)
    later = _from(batch[known], request.test * known.sum(), leave=2)
    part[batch >= later] = "test"
    before = known & (batch < later)
    early = _from(batch[before], request.validation * known.sum(), leave=1)
    part[before & (batch >= early)] = "validation"
    reason = (
        f"Records stand in the order of {kind}: the latest are the test, those before them validation, and the model "
        f"learns from the earliest ({batch.max() + 1:,} different values; records of one value stay together)."
    )
    notes = (f"{int((~known).sum())} records without a value are for training",) if not known.all() else ()
    return Split(part, "time", reason, notes, units=np.where(known, batch, batch.max() + 1))


def by_mutation_count(request: SplitRequest) -> Split:
    """Variants with the most mutations are the test: the model learns from few and is asked about many.

    As the "two-vs-rest" splits of FLIP (Dallago et al. 2021). Validation records are taken at random from the
    others, exact copies together, so that training keeps its range.
    """
    library = request.library()
    if library is None:
        raise UserError(
            "The records are not variants of one parent.",
            where="--split mutation-count",
            fix="use --split similarity, or leave out --split",
        )
    count = np.where(library.aligned, library.mutated.sum(axis=1), -1)
    if len(np.unique(count[count >= 1])) < 2:
        raise UserError(
            "All variants have the same number of mutations.",
            where="--split mutation-count",
            fix="use --split mutation, which holds positions out",
        )
    batch = np.where(count < 0, -1, np.unique(np.maximum(count, 0), return_inverse=True)[1])
    test = batch >= _from(batch[batch >= 0], request.test * len(batch), leave=1)
    limit = int(count[test].min())
    reason = (
        f"The records are {library.words}. Variants with {limit} or more mutations are the test, and the model learns "
        f"from those with fewer: the test asks about combinations beyond the training records."
    )
    odd = int((~library.aligned).sum())
    notes = (f"{odd} records of another length are for training or validation",) if odd else ()
    copies = request.copies()
    return Split(_rest_at_random(request, test, copies), "mutation-count", reason, notes, units=copies)


def low_to_high(request: SplitRequest) -> Split:
    """The records with the highest target are the test: can a model of the lower ones find better?

    As the "low-vs-high" splits of FLIP (Dallago et al. 2021). Exact copies stay together, by their mean.
    Validation records are taken at random from the others. Records without a target are for training.
    """
    if request.classes:
        raise UserError(
            "Classes have no low and high.",
            where="--split low-to-high",
            fix="use --split stratified, or predict a number",
        )
    copies = request.copies()
    mean = pd.Series(request.labels).groupby(copies).transform("mean").to_numpy(dtype=np.float64)
    known = np.isfinite(mean)
    if len(np.unique(mean[known])) < 2:
        raise UserError(
            "All records have the same target.", where="--split low-to-high", fix="use --split random"
        )
    batch = np.full(len(mean), -1)
    batch[known] = np.unique(mean[known], return_inverse=True)[1]
    test = batch >= _from(batch[known], request.test * known.sum(), leave=1)
    reason = (
        f"Records with the highest target (from {mean[test].min():.4g}) are the test, and the model learns from the "
        "lower ones: the test asks about values beyond the training records."
    )
    return Split(_rest_at_random(request, test, copies), "low-to-high", reason, units=copies)


def _rest_at_random(request: SplitRequest, test: NDArray[np.bool_], copies: Index) -> NDArray[np.object_]:
    part = np.full(len(test), "test", dtype=object)
    rest = np.flatnonzero(~test)
    part[rest] = validation_from(request, rest, copies[rest])
    return part


def _from(batch: Index, wanted: float, leave: int) -> int:
    """The batch from which on there are as many records as wanted, as nearly as whole batches allow.

    At least the last batch is taken, and `leave` different ones are left. batch: (records,) numbers from 0
    """
    numbers, sizes = np.unique(batch, return_counts=True)
    beyond = np.cumsum(sizes[::-1])[: max(len(numbers) - leave, 1)]
    return int(numbers[::-1][np.abs(beyond - wanted).argmin()])


def _batches(cells: NDArray[np.object_]) -> tuple[Index, str]:
    """The place of each record in the order, from 0, equal for equal values, -1 where unknown; and the kind of value."""
    column = pd.Series(cells, dtype=object)
    column = column.where(column.notna() & (column.map(str).str.strip() != ""), None)
    filled = column[column.notna()]
    place = np.full(len(column), -1)
    if not len(filled):
        return place, "nothing"
    numbers, wrong = as_numbers(filled)
    if not wrong.any():
        keys, kind = numbers, "a number"
    elif kind_of(filled) == "date" or all(hasattr(cell, "year") for cell in filled):
        keys, kind = _dates(filled), "a date"
    else:
        texts = [str(cell).strip() for cell in filled]
        ranks = {text: rank for rank, text in enumerate(sorted(set(texts), key=_natural))}
        keys, kind = np.array([ranks[text] for text in texts], dtype=np.float64), "a name"
    place[column.notna().to_numpy()] = np.unique(keys, return_inverse=True)[1]
    return place, kind


def _natural(text: str) -> tuple[list[tuple[int, int, str]], str]:
    """A key that sorts "plate 2" before "plate 10"; texts that differ have different keys."""
    pieces = [piece for piece in re.split(r"(\d+)", text.lower()) if piece]
    return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces], text


def _dates(filled: pd.Series[Any]) -> NDArray[np.float64]:
    """Dates as numbers, (rows,). Raises UserError where day and month cannot be told apart."""
    texts = filled.map(str)
    fields = texts.str.extract(r"^\s*(\d{1,2})([./-])(\d{1,2})\2\d{2,4}\s*$").dropna()
    day_first = bool(len(fields)) and bool((fields[1] == ".").all() or (fields[0].astype(int) > 12).any())
    if len(fields) and not day_first and not (fields[2].astype(int) > 12).any():
        raise UserError(
            f'Dates such as "{texts.iloc[0]}" may be day first or month first.',
            where="data.order",
            fix="write dates as year-month-day, such as 2024-03-31",
        )
    try:
        read = pd.to_datetime(texts, format="mixed", dayfirst=day_first, utc=True)
    except ValueError as error:
        raise UserError(
            f"A cell of the order is no date: {error}.",
            where="data.order",
            fix="write dates as year-month-day, such as 2024-03-31, or leave the cell empty",
        ) from None
    return np.asarray(read.to_numpy(dtype="datetime64[ns]").astype(np.int64), dtype=np.float64)


splitters.register(
    Splitter(
        "time", "the latest records are the test, by a column of dates or batches", by_time, unit="batch"
    )
)
splitters.register(
    Splitter(
        "mutation-count",
        "variants of one parent with the most mutations are the test",
        by_mutation_count,
        one_parent=True,
    )
)
splitters.register(
    Splitter("low-to-high", "records with the highest target are the test", low_to_high, one_parent=True)
)
