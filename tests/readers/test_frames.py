"""Data frames, arrays and Parquet give what the same table in a file gives."""

from __future__ import annotations

import datetime
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from bioloom.data.assets import assets_of
from bioloom.data.readers import read
from bioloom.errors import UserError

DATA: dict[str, list[Any]] = {
    "sequence": ["ACGT", None, "GGCC"],
    "y": [1.5, None, -2.0],
    "count": [1, 2, 3],
    "ok": [True, False, True],
    "day": [datetime.date(2024, 3, 1), datetime.date(2024, 3, 2), datetime.date(2024, 3, 3)],
}


def pandas_nullable() -> pd.DataFrame:
    return pd.DataFrame(DATA).convert_dtypes()


def pandas_arrow() -> pd.DataFrame:
    return pd.DataFrame(DATA).convert_dtypes(dtype_backend="pyarrow")


def pandas_categories() -> pd.DataFrame:
    return pd.DataFrame(DATA).astype({"sequence": "category", "count": "category"})


MAKERS = {
    "pandas": lambda: pd.DataFrame(DATA),
    "pandas with nullable types": pandas_nullable,
    "pandas on Arrow": pandas_arrow,
    "pandas with categories": pandas_categories,
    "polars": lambda: pl.DataFrame(DATA),
    "Arrow": lambda: pa.table(DATA),
    "mapping of lists": lambda: DATA,
    "mapping of Series": lambda: {name: pd.Series(values) for name, values in DATA.items()},
}


@pytest.mark.parametrize("name", MAKERS)
def test_every_kind_of_frame_gives_the_same_plain_columns(name: str) -> None:
    table = read(MAKERS[name]())
    frame = table.frame
    assert frame["sequence"].dtype == object
    assert frame["sequence"].fillna("").tolist() == ["ACGT", "", "GGCC"]
    assert frame["y"].dtype == np.float64
    np.testing.assert_array_equal(frame["y"], [1.5, np.nan, -2.0])
    assert frame["count"].tolist() == [1, 2, 3]
    assert frame["ok"].tolist() == ["True", "False", "True"]
    assert frame["day"].dt.day.tolist() == [1, 2, 3]
    assert table.unit == "row"
    assert table.lines.tolist() == [1, 2, 3]


def test_the_same_cells_have_the_same_hash_and_others_another() -> None:
    first, same = read(pd.DataFrame(DATA)), read(pl.DataFrame(DATA))
    other = read(pd.DataFrame({**DATA, "y": [1.5, None, -2.1]}))
    renamed = read(pd.DataFrame({**DATA}).rename(columns={"y": "z"}))
    assert first.sha256 == read(pd.DataFrame(DATA)).sha256
    assert first.frame["y"].equals(same.frame["y"])
    assert len({first.sha256, other.sha256, renamed.sha256}) == 3


def test_parquet_gives_what_the_frame_gives(tmp_path: Path) -> None:
    frame = pd.DataFrame(DATA)
    frame.to_parquet(tmp_path / "t.parquet")
    table = read(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(table.frame, read(frame).frame, check_dtype=False)
    assert table.format == "Parquet"
    assert table.where(2, "y") == 't.parquet, row 3, column "y"'


def test_without_pyarrow_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pd.DataFrame(DATA).to_parquet(tmp_path / "t.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match="pyarrow, which is not installed") as caught:
        read(tmp_path / "t.parquet")
    assert 'pip install "bioloom[parquet]"' in caught.value.fix


def test_the_frame_of_the_user_is_not_changed() -> None:
    frame = pd.DataFrame({"s": [" ACGT", "NA"], "y": [1, 2]}, index=pd.Index(["a", "b"], name="name"))
    before = frame.copy(deep=True)
    table = read(frame)
    table.frame.loc[0, "s"] = "changed"
    pd.testing.assert_frame_equal(frame, before)
    assert list(table.frame) == ["name", "s", "y"]


def test_a_filtered_frame_keeps_no_index() -> None:
    frame = pd.DataFrame({"y": [1, 2, 3]})
    assert read(frame[frame["y"] > 1]).frame["y"].tolist() == [2, 3]


def test_levels_of_an_index_and_of_names_are_kept() -> None:
    frame = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]))
    assert list(read(frame).frame) == ["a_x", "a_y"]
    rows = pd.DataFrame(
        {"y": [1, 2]}, index=pd.MultiIndex.from_tuples([("p", 1), ("q", 2)], names=["s", "t"])
    )
    assert list(read(rows).frame) == ["s", "t", "y"]


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        ([1, "a", None], ["1", "a", ""]),
        ([Decimal("1.5"), Decimal(2)], [1.5, 2.0]),
        ([b"ACGT", b"GG"], ["ACGT", "GG"]),
        ([1, 2.5, None], [1.0, 2.5, ""]),
        (["a", "", "NA"], ["a", "", ""]),
        ([" a ", "b"], ["a", "b"]),
        ([pd.Timedelta("1min"), pd.Timedelta("2s")], [60.0, 2.0]),
    ],
)
def test_mixed_cells_become_text_or_numbers(cells: list[object], kept: list[object]) -> None:
    assert read({"x": cells}).frame["x"].astype(object).fillna("").tolist() == kept


def test_a_pair_of_arrays_is_inputs_and_target() -> None:
    assert list(read((["ACGT", "GG"], [1, 2])).frame) == ["sequence", "target"]
    matrix = read((np.arange(6.0).reshape(2, 3), np.array(["x", "y"]))).frame
    assert list(matrix) == ["x1", "x2", "x3", "target"]
    assert matrix["x3"].tolist() == [2.0, 5.0]
    assert list(read((np.arange(2.0), np.zeros((2, 2)))).frame) == ["x1", "target_1", "target_2"]


def test_tensors_are_arrays() -> None:
    assert read({"x": torch.tensor([1.0, 2.0])}).frame["x"].tolist() == [1.0, 2.0]


def test_a_mapping_of_matrices_is_spread_over_columns() -> None:
    assert list(read({"x": np.zeros((2, 2)), "y": [1, 2]}).frame) == ["x_1", "x_2", "y"]


def test_words_for_missing_are_missing_in_frames_too() -> None:
    table = read(pd.DataFrame({"y": ["1", "NA", "2"]}))
    assert table.frame["y"].isna().tolist() == [False, True, False]
    assert '1 cell "NA"' in table.notes[0]


def test_arrays_of_pictures_are_one_picture_per_record() -> None:
    pictures = np.arange(4 * 3 * 3, dtype=np.uint8).reshape(4, 3, 3)
    for table in (read({"x": pictures, "y": [1, 2, 3, 4]}), read((pictures, [1, 2, 3, 4]))):
        assert np.array_equal(assets_of(table.frame["x"]).content(2), pictures[2])
    first, again, other = (read((each, [1, 2, 3, 4])).sha256 for each in (pictures, pictures, pictures[::-1]))
    assert first == again != other
