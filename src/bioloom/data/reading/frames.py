"""Data frames (pandas, polars, Arrow) and arrays, brought to the same plain columns that files give.

Plain columns: text as Python str in object columns with NaN for missing cells, numbers as NumPy numbers, dates as
datetime64. The user's own object is never changed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeAlias

import narwhals as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.assets import AssetDtype, assets_of, fingerprint, from_program, of_files
from bioloom.data.places import Held
from bioloom.data.reading.grid import column_of
from bioloom.data.reading.missing import with_missing
from bioloom.data.records import Table
from bioloom.data.stores import Store
from bioloom.data.wording import listed, short
from bioloom.errors import UserError

Column: TypeAlias = NDArray[Any]

_NESTED = (list, tuple, dict, set, np.ndarray)


def is_data(source: object) -> bool:
    """Whether this is a data frame, a mapping of arrays, or a tuple of arrays."""
    return isinstance(source, (pd.DataFrame, Mapping, tuple)) or _is_frame(source)


def read_data(source: object) -> Table:
    """Read data in memory. Raises UserError for repeated names, unequal lengths, nested cells, no rows."""
    held: dict[str, Column] = {}
    if isinstance(source, tuple | Mapping):
        shown = "the arrays"
        named = _of_tuple(source, held) if isinstance(source, tuple) else _of_mapping(source, held)
        frame, notes = _plain_columns(named, shown)
    else:
        shown = "the data frame"
        frame, notes = plain(source, shown)
    stores = dict.fromkeys(held, Held(held)) | _placed(source)
    frame = frame.assign(**{name: of_files(store, frame[name]) for name, store in stores.items()})
    told = "".join(fingerprint(frame[name].array) for name in stores)
    return Table(
        frame=from_program(frame),
        lines=numbered(frame),
        source=shown,
        format="data frame" if shown == "the data frame" else "arrays",
        sha256=hashlib.sha256(f"{_hash(frame)}{told}".encode()).hexdigest() if stores else _hash(frame),
        unit="row",
        notes=notes,
    )


def _placed(source: object) -> dict[str, Store]:
    """Where the files of columns lie that were read before and know it, by name of the column."""
    if not isinstance(source, pd.DataFrame):
        return {}
    known = [name for name in source.columns if isinstance(source[name].dtype, AssetDtype)]
    return {str(name): assets_of(source[name]).store for name in known}


def plain(source: Any, shown: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The columns of any data frame as plain pandas columns, and what was changed."""
    notes: tuple[str, ...] = ()
    if isinstance(source, pd.DataFrame):
        source, notes = _with_index(source)
        names = list(source.columns)
        columns = [_array(source.iloc[:, place]) for place in range(len(names))]
    else:
        narrow = nw.from_native(source, eager_only=True)
        names = list(narrow.columns)
        columns = [_narwhals_array(narrow[name]) for name in names]
    words = [_name(name) for name in names]
    _check_names(words, shown)
    odd = [word for word, name in zip(words, names, strict=True) if not isinstance(name, str)]
    if odd:
        notes += (f"column names that were no text are text now: {listed(odd)}",)
    frame, more = _plain_columns(dict(zip(words, columns, strict=True)), shown)
    return frame, (*notes, *more)


def numbered(frame: pd.DataFrame) -> NDArray[np.int64]:
    """Row numbers from 1."""
    return np.arange(1, len(frame) + 1, dtype=np.int64)


def _is_frame(source: object) -> bool:
    if hasattr(source, "collect_schema") and hasattr(source, "collect"):
        raise UserError("This data frame is lazy.", fix="call .collect() on it first")
    try:
        nw.from_native(source, eager_only=True)  # type: ignore[call-overload]
    except TypeError:
        return False
    return True


def _with_index(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """An index of names is data too: it becomes a column."""
    index = frame.index
    if isinstance(index, pd.MultiIndex):
        return frame.reset_index(), ("the levels of the index became columns",)
    name = "id" if index.name is None else _name(index.name)
    telling = index.name is not None or not pd.api.types.is_integer_dtype(index.dtype)
    if not telling or name in map(_name, frame.columns):
        return frame, ()
    return frame.reset_index(names=name), (f'the index became the column "{name}"',)


def _name(name: object) -> str:
    if isinstance(name, tuple):
        return "_".join(str(part) for part in name if str(part))
    return str(name).strip()


def _check_names(names: list[str], shown: str) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        places = [str(place + 1) for place, name in enumerate(names) if name == repeated[0]]
        raise UserError(
            f"Column names stand more than once: {listed(repeated)}.",
            where=f'{shown}, column "{short(repeated[0])}" (columns {listed(places)})',
            fix="give each column its own name",
        )


def _array(column: pd.Series[Any]) -> Column:
    """A pandas column as NumPy numbers, datetime64 or objects; extension types are unpacked."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _array(column.astype(column.cat.categories.dtype if column.notna().all() else object))
    if pd.api.types.is_bool_dtype(column.dtype):
        return np.asarray(column.astype(object))
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        aware = isinstance(column.dtype, pd.DatetimeTZDtype)
        return np.asarray(column.dt.tz_convert(None) if aware else column)
    if pd.api.types.is_numeric_dtype(column.dtype) and pd.api.types.is_extension_array_dtype(column.dtype):
        whole = pd.api.types.is_integer_dtype(column.dtype) and column.notna().all()
        return column.to_numpy(dtype=np.int64) if whole else column.to_numpy(np.float64, na_value=np.nan)
    return column.to_numpy()


def _narwhals_array(column: nw.Series[Any]) -> Column:
    """A column of polars or Arrow, without a detour that needs pyarrow."""
    if column.dtype in (
        nw.Boolean,
        nw.Categorical,
        nw.Enum,
        nw.Decimal,
        nw.Date,
        nw.List,
        nw.Struct,
        nw.Array,
    ):
        return column_of(column.to_list())
    return column.to_numpy()


def _of_tuple(source: tuple[Any, ...], held: dict[str, Column]) -> dict[str, Column]:
    """(inputs,) or (inputs, target): text in "sequence", numbers in x1, x2, ..., pictures in "x"; the target in "target"."""
    if not 1 <= len(source) <= 2:
        raise UserError(
            f"A tuple of {len(source)} arrays is not understood.",
            fix='give (inputs, target), or name the arrays: {"sequence": ..., "target": ...}',
        )
    inputs = _to_array(source[0], "inputs")
    text = inputs.dtype.kind in "OUST" and inputs.ndim == 1
    name = "sequence" if text else "x1" if inputs.ndim == 1 else "x"
    columns = _spread(inputs, name, "x", held)
    if len(source) == 2:
        columns |= _spread(_to_array(source[1], "target"), "target", "target_", {})
    return columns


def _of_mapping(source: Mapping[Any, Any], held: dict[str, Column]) -> dict[str, Column]:
    names = [_name(name) for name in source]
    _check_names(names, "the arrays")
    columns: dict[str, Column] = {}
    for name, values in zip(names, source.values(), strict=True):
        columns |= _spread(_to_array(values, name), name, f"{name}_", held)
    return columns


def _to_array(values: Any, name: str) -> Column:
    if isinstance(values, pd.Series):
        return _array(values)
    if isinstance(values, (str, bytes)) or np.isscalar(values) or values is None:
        raise UserError(
            f"One value ({short(str(values))}) stands where a column is needed.",
            where=f'the arrays, column "{name}"',
            fix="give a list or array with one value per record",
        )
    if isinstance(values, (list, tuple)) and not any(isinstance(value, _NESTED) for value in values):
        return pd.Series(list(values), dtype=None if len(values) else object).to_numpy()
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        raise UserError(
            f"This is no array: {short(str(error), 80)}",
            where=f'the arrays, column "{name}"',
            fix="give arrays on the CPU with one value per record; of nested lists all as long as each other",
        ) from error


def _spread(values: Column, name: str, prefix: str, held: dict[str, Column]) -> dict[str, Column]:
    """One column by its name; a matrix (rows, columns) as one column each, the prefix before a number.

    held: takes arrays of three dimensions and more, of which each record is a picture; their column names entries
    """
    if values.ndim == 1:
        return {name: values}
    if values.ndim == 2:
        return {f"{prefix}{place + 1}": values[:, place] for place in range(values.shape[1])}
    if values.ndim == 0 or values.dtype.kind not in "iuf" or _only_two(values):
        shape = " x ".join(map(str, values.shape))
        raise UserError(
            f"An array of {values.ndim} dimensions ({shape}) is no column.",
            where=f'the arrays, column "{name}"',
            fix="give one value per record, or a matrix of records x columns; sequences as text, not one-hot",
        )
    held[name] = values
    return {name: column_of([f"{name}#{number}" for number in range(len(values))])}


def _only_two(values: Column) -> bool:
    """Whether no more than two different numbers are in it: one-hot letters, and no picture."""
    some = values[:: max(1, len(values) // 100)]
    return bool(((some == some.min(initial=0)) | (some == some.max(initial=0))).all())


def _plain_columns(columns: dict[str, Column], shown: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    _check_lengths(columns, shown)
    done = {name: _plain(values, name, shown) for name, values in columns.items()}
    text = {name: values for name, values in done.items() if values.dtype == object}
    checked, notes = with_missing(text)
    series = {name: _series(checked.get(name, values)) for name, values in done.items()}
    return pd.DataFrame(series), notes


def _series(values: Column) -> pd.Series[Any]:
    return pd.Series(values, dtype=object) if values.dtype == object else pd.Series(values)


def _check_lengths(columns: dict[str, Column], shown: str) -> None:
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = [f"{name} {length}" for name, length in lengths.items()]
        raise UserError(
            f"The columns differ in length: {listed(told)}.",
            where=shown,
            fix="give one value per record in each",
        )
    if not lengths:
        raise UserError("There is no column.", where=shown, fix="give at least one column")
    if not next(iter(lengths.values())):
        raise UserError(
            f"There is no row; the columns are {listed(list(lengths))}.",
            where=shown,
            fix="give at least one record",
        )


def _plain(values: Column, name: str, shown: str) -> Column:
    """One column as numbers, dates or text."""
    kind = values.dtype.kind
    if kind in "iufM":
        return values
    if kind == "m":
        return values / np.timedelta64(1, "s")  # seconds
    if kind == "c":
        raise UserError(
            "Complex numbers are not read.", where=f'{shown}, column "{name}"', fix="give real ones"
        )
    return _plain_objects(column_of(values.tolist()), name, shown)


def _plain_objects(values: Column, name: str, shown: str) -> Column:
    for row, cell in enumerate(values):
        if isinstance(cell, _NESTED):
            raise UserError(
                f"A cell holds a {type(cell).__name__} of {len(cell)}, not one value.",
                where=f'{shown}, row {row + 1}, column "{name}"',
                fix="give one column per value, or one record per value",
            )
    missing = pd.isna(values)
    inferred = pd.api.types.infer_dtype(values[~missing], skipna=True)
    if inferred in ("integer", "floating", "mixed-integer-float", "decimal"):
        numbers = np.full(len(values), np.nan)
        numbers[~missing] = values[~missing].astype(np.float64)
        return numbers
    if inferred in ("datetime", "date", "datetime64"):
        return np.asarray(pd.to_datetime(pd.Series(values), utc=False).dt.tz_localize(None))
    return column_of([np.nan if gone else _text(cell) for cell, gone in zip(values, missing, strict=True)])


def _text(cell: object) -> str:
    return (cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)).strip()


def _hash(frame: pd.DataFrame) -> str:
    """A hash of names and cells, the same in every process."""
    digest = hashlib.sha256("\n".join(map(str, frame.columns)).encode())
    digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return digest.hexdigest()
