"""What columns hold, against Python's own parsing."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioloom.data.columns import as_numbers, kind_of


def text(cells: list[str | None]) -> pd.Series:
    return pd.Series([np.nan if cell is None else cell for cell in cells], dtype=object)


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.floats(width=64).map(repr),
            st.integers(-(2**60), 2**60).map(str),
            st.text("a1.e-", max_size=5),
        )
    )
)
def test_numbers_are_those_that_python_reads(cells: list[str | None]) -> None:
    values, bad = as_numbers(text(cells))
    for cell, value, odd in zip(cells, values, bad, strict=True):
        try:
            expected = float(cell) if cell is not None else math.nan
        except ValueError:
            expected = math.nan
        missing = cell is None
        assert odd == (not missing and not math.isfinite(expected))
        assert (math.isnan(value) and not math.isfinite(expected)) or value == pytest.approx(
            expected, rel=1e-15
        )


@pytest.mark.parametrize(
    "cell", ["<0.1", "12 %", "inf", "-inf", "1,5", "1_000", "yes", "0x1A", "2024-01-01", ""]
)
def test_what_is_no_number_is_marked(cell: str) -> None:
    values, bad = as_numbers(text(["1", cell, None]))
    assert bad.tolist() == [False, True, False]
    assert np.isnan(values).tolist() == [False, True, True]


def test_a_typographic_minus_is_a_minus() -> None:
    assert as_numbers(text(["\N{MINUS SIGN}1.5"]))[0].tolist() == [-1.5]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, 2]),
        pd.Series([1.0, 2.0]),
        pd.Series([1, 2], dtype="Int64"),
        pd.Series(["1", "2"]),
        pd.Series(["1", "2"], dtype="category"),
        pd.Series([1, "2"], dtype=object),
    ],
)
def test_numbers_of_any_type_are_read(column: pd.Series) -> None:
    values, bad = as_numbers(column)
    assert values.tolist() == [1.0, 2.0]
    assert values.dtype == np.float64
    assert not bad.any()


def test_infinite_numbers_are_no_numbers() -> None:
    values, bad = as_numbers(pd.Series([1.0, np.inf, np.nan]))
    assert bad.tolist() == [False, True, False]
    assert np.isnan(values[1:]).all()


def test_dates_are_no_numbers() -> None:
    assert as_numbers(pd.Series(pd.to_datetime(["2024-01-01", None])))[1].tolist() == [True, False]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2.5", "-3e4"], "number"),
        (["1"] * 19 + ["about 5"], "number"),
        (["1"] * 18 + ["about 5", "n"], "category"),
        (["+", "-", "+", "-"], "category"),
        (["E. coli", "B. subtilis"] * 10, "category"),
        (["ACGT", "GGCC", "TTAA"], "text"),
        ([f"name {i}" for i in range(300)] * 2, "text"),
        (["2024-01-31", "2024-02-01"], "date"),
        (["2024-01-31T12:30:00Z", "2024-02-01 08:00"], "date"),
        (["31/01/2024", "1/2/24"], "date"),
        (["31.01.2024", "1.2.2024"], "date"),
        (["1/2", "3/4"] * 3, "category"),
        ([None, None], "empty"),
        ([], "empty"),
        ([None, "1", None, "2"], "number"),
    ],
)
def test_kinds_of_text_columns(cells: list[str | None], kind: str) -> None:
    assert kind_of(text(cells)) == kind


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pd.Series([True, False]), "category"),
        (pd.Series([1, 2]), "number"),
        (pd.Series([1.5, np.nan]), "number"),
        (pd.Series(pd.to_datetime(["2024-01-01"])), "date"),
        (pd.Series([np.nan, np.nan]), "empty"),
        (pd.Series(["a", "b"] * 4, dtype="category"), "category"),
        (pd.Series(["a", "b"] * 4), "category"),
    ],
)
def test_kinds_of_typed_columns(column: pd.Series, kind: str) -> None:
    assert kind_of(column) == kind


def test_a_rare_odd_cell_far_down_is_seen() -> None:
    cells: list[str | None] = ["1"] * 5000
    cells[2500:2800] = ["x"] * 300  # 6 %
    assert kind_of(text(cells)) == "category"
