"""Profiles of many features: how numbers of genes or taxa become comparable between records.

Counts of sequencing depend on depth, abundances sum to a constant, arrays are in logarithms already: which of these a
table holds is told from its numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from bioloom.data.columns import as_numbers, kind_of
from bioloom.data.records import Problem
from bioloom.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

Scale = Literal["counts", "clr", "log", "none"]
"""How a profile is brought to one scale:

counts: log(1 + count / total of the record * usual total), the usual total being the median of the training records
clr:    centred log-ratio of shares with a pseudocount, Aitchison 1982, doi:10.1111/j.2517-6161.1982.tb01195.x
log:    log(1 + value)
none:   as it is
"""

NUMBERS, LEAST = 50_000_000, 2_000
"""Numbers of a training that is held in memory (200 MB); of more, the features that vary most are used, 2,000 at least."""

PROFILE = "profile"
"""Where a frame remembers which of its columns are one profile (`DataFrame.attrs`), if its reader knows."""

SCALES: tuple[Scale, ...] = get_args(Scale)

LARGEST_LOGARITHM = 30.0
"""Numbers that are no counts and stay below this are in logarithms already (2^30 is a thousand million)."""

EVEN = 0.02
"""Totals that differ by less than this share are equal: the numbers are shares of a whole."""


@dataclass(frozen=True)
class Told:
    """The scale that suits some numbers, and why in words."""

    scale: Scale
    reason: str


def as_matrix(values: pd.DataFrame) -> Floats:
    """Columns as numbers, (records, features) float32, NaN where a cell is missing or no finite number."""
    found = plain_matrix(values)
    if found is None:
        found = np.empty(values.shape)
        for place in range(values.shape[1]):
            found[:, place] = _numbers(values.iloc[:, place])
    with np.errstate(over="ignore"):
        matrix = np.ascontiguousarray(found, dtype=np.float32)
    infinite = np.isinf(matrix)
    if infinite.any():
        matrix[infinite] = np.nan
    return matrix


def plain_matrix(values: pd.DataFrame) -> NDArray[np.floating] | None:
    """Numbers, or text of nothing but numbers and missing cells, all columns at once; None where there is other text."""
    kinds = set(values.dtypes)
    if all(pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind) for kind in kinds):
        kept = np.float32 if kinds == {np.dtype(np.float32)} else np.float64
        return values.to_numpy(dtype=kept, na_value=np.nan, copy=True)
    try:
        return values.to_numpy(dtype=object).astype(np.float64)
    except (TypeError, ValueError):
        return None


def _numbers(cells: pd.Series[Any]) -> NDArray[np.float64]:
    try:
        # text of plain numbers too, ten times as fast
        return cells.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        return as_numbers(cells)[0]


def tell_scale(matrix: Floats) -> Told:
    """Which scale suits a profile, from the numbers of (records, features); NaN counts as missing."""
    known = matrix[np.isfinite(matrix)]
    lowest, highest = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    if lowest < 0:
        return Told("none", "some numbers are negative, so they are logarithms or differences already")
    if highest > 2 and bool((known == np.floor(known)).all()):
        return Told("counts", "all numbers are whole, so they are counts")
    totals = _totals(matrix)
    middle = float(np.median(totals)) if len(totals) else 0.0
    even = middle > 0 and float(np.percentile(np.abs(totals - middle), 90)) < EVEN * middle
    if even and middle < 1000:
        return Told(
            "clr", f"the numbers of each record add up to {middle:.4g}, so they are shares of a whole"
        )
    if highest <= LARGEST_LOGARITHM:
        return Told("none", f"no number is above {highest:.3g}, so they are in logarithms or shares already")
    return Told("log", "the numbers are not whole and reach far, as normalised expression and intensities do")


def _totals(matrix: Floats) -> NDArray[np.float64]:
    """The sum of what is known of each record, (records,)."""
    return np.asarray(np.nansum(matrix, axis=1, dtype=np.float64), dtype=np.float64)


def as_counts(matrix: Floats) -> Floats | None:
    """Counts of molecules: as they are, or worked back from log(1 + count / total * usual); None where they are neither.

    In such logarithms the smallest number of a record above 0 is that of a single molecule, so that all others are whole
    multiples of it after the logarithm is undone.
    """
    if not np.isfinite(matrix).all() or matrix.min(initial=0) < 0:
        return None
    if bool((matrix == np.floor(matrix)).all()):
        return matrix
    if float(matrix.max()) > LARGEST_LOGARITHM:
        return None
    scaled_back = np.expm1(matrix.astype(np.float64))
    single = np.where(matrix > 0, scaled_back, np.inf).min(axis=1, keepdims=True)
    counts = np.where(matrix > 0, scaled_back / single, 0.0)
    whole = np.round(counts)
    small = (counts > 0) & (counts < 20)  # of larger ones the rounding of a file says nothing
    return whole.astype(np.float32) if (np.abs(counts - whole)[small] < 0.05).mean() > 0.95 else None


def usual_total(matrix: Floats) -> float:
    """The median total of the records that hold anything; 1 where none does."""
    totals = _totals(matrix)
    held = totals[totals > 0]
    return float(np.median(held)) if len(held) else 1.0


def smallest_share(matrix: Floats) -> float:
    """Half of the smallest share above 0 of any record: what stands for "not found" in logarithms."""
    totals = _totals(matrix)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(matrix > 0, matrix / totals, np.inf)
    least = float(shares.min(initial=np.inf))
    return least / 2 if np.isfinite(least) else 1e-6


def scaled(matrix: Floats, scale: Scale, usual: float, pseudocount: float) -> Floats:
    """Profiles on one scale, (records, features) float32; no record depends on another.

    matrix: without missing numbers; usual: of `usual_total`; pseudocount: of `smallest_share`
    """
    if scale == "none":
        return matrix.astype(np.float32)
    if scale == "log":
        return np.log1p(np.maximum(matrix, 0)).astype(np.float32)
    total = np.maximum(matrix, 0).sum(axis=1, dtype=np.float64, keepdims=True)
    share = np.maximum(matrix, 0) / np.where(total > 0, total, 1.0)
    if scale == "counts":
        return np.log1p(share * usual).astype(np.float32)
    logs = np.log(share + pseudocount)
    return np.asarray(logs - logs.mean(axis=1, keepdims=True), dtype=np.float32)


def comparable(values: pd.DataFrame) -> Floats:
    """All records on the scale that suits them, for comparing them with each other."""
    matrix = as_matrix(values)
    matrix = np.where(np.isnan(matrix), np.float32(0), matrix)
    return scaled(matrix, tell_scale(matrix).scale, usual_total(matrix), smallest_share(matrix))


def kept_features(matrix: Floats, fewest: int, asked: int) -> NDArray[np.int64]:
    """Features that enough records hold and that vary, at most so many as are asked for (0: as memory should hold).

    Raises UserError where there is none.
    """
    known = np.isfinite(matrix)
    held = (known & (matrix != 0)).sum(axis=0) >= min(fewest, max(1, len(matrix) // 2))
    with np.errstate(invalid="ignore"):
        varies = np.nanmax(np.where(known, matrix, -np.inf), axis=0) > np.nanmin(
            np.where(known, matrix, np.inf), axis=0
        )
    kept = np.flatnonzero(held & varies)
    if not len(kept):
        raise UserError(
            "No feature of the profile varies between the training records.",
            where=f"{matrix.shape[1]} columns",
            fix="name other columns with --input",
        )
    most = asked or max(LEAST, NUMBERS // max(1, len(matrix)))
    if len(kept) > most:
        logs = np.log1p(np.maximum(np.nan_to_num(matrix[:, kept]), 0))
        kept = np.sort(kept[np.argsort(-logs.std(axis=0), kind="stable")[:most]])
    return kept


def is_number(cells: pd.Series[Any]) -> bool:
    """Whether a column holds numbers; of text a few hundred cells are looked at."""
    if pd.api.types.is_bool_dtype(cells):
        return False
    return pd.api.types.is_numeric_dtype(cells) or kind_of(cells.iloc[:200]) == "number"


def plain_numbers(cells: pd.Series[Any]) -> bool:
    """Whether text is nothing but numbers and missing cells, found out fast."""
    try:
        numbers = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        return False
    return not bool(np.isinf(numbers).any())


def nothing_held(matrix: Floats) -> list[Problem]:
    """Rows without a number other than 0, where profiles are counts or abundances."""
    rows = np.flatnonzero(~(np.nan_to_num(matrix) != 0).any(axis=1))
    if not len(rows):
        return []
    fix = "leave these rows out, or measure them again"
    return [
        Problem("omics.empty", "drop", "the profile holds nothing but zeros and empty cells", fix, "", rows)
    ]


def odd_cells(values: pd.DataFrame, scale: Scale) -> list[Problem]:
    """Cells that are missing, hold no number, or hold one that cannot be on that scale, and what they are read as."""
    matrix, wrong = as_matrix(values), _no_numbers(values)
    filled = "read as the training mean of their feature"
    kinds = (
        ("omics.missing", f"numbers are missing and are {filled}", np.isnan(matrix) & ~wrong),
        ("omics.number", f"cells hold no number and are {filled}", wrong),
        (
            "omics.negative",
            "numbers are below 0 and are read as 0",
            (matrix < 0) & (scale != "none"),
        ),
    )
    return [
        Problem(code, "note", words, "", "", np.flatnonzero(cells.any(axis=1)))
        for code, words, cells in kinds
        if cells.any()
    ]


def _no_numbers(values: pd.DataFrame) -> NDArray[np.bool_]:
    """Which cells hold something that is no number, (records, features); missing ones do not."""
    if plain_matrix(values) is not None:
        return np.zeros(values.shape, dtype=bool)
    return np.column_stack([as_numbers(values.iloc[:, place])[1] for place in range(values.shape[1])])
