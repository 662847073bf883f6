"""Series of numbers: read from columns, cells and files; of several channels and lengths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from bioloom.data import readers
from bioloom.data.reading.long import as_series
from bioloom.errors import UserError
from bioloom.modalities import modalities
from bioloom.modalities.series import channels_of, read_series, resampled
from bioloom.modalities.series_features import feature_names, features_of

SIGNAL = modalities["signal"]


def test_columns_of_one_number_are_points_and_gaps_between_are_straight_lines() -> None:
    frame = pd.DataFrame({"t0": [1.0, np.nan], "t1": [np.nan, 5.0], "t2": [3.0, 6.0], "t3": [np.nan, 7.0]})
    first, second = read_series(frame)
    np.testing.assert_allclose(first, [[1, 2, 3]])
    np.testing.assert_allclose(second, [[5, 5, 6, 7]])
    assert channels_of(frame) == ("value",)


def test_columns_of_several_numbers_are_channels() -> None:
    frame = pd.DataFrame({"glucose": ["5 4 3", "6,5"], "oxygen": ["1 1 2", "2;2"]})
    first, second = read_series(frame)
    assert first.shape == (2, 3)
    assert second.shape == (2, 2)
    assert channels_of(frame) == ("glucose", "oxygen")


def test_files_beside_the_table_are_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(6.0).reshape(3, 2))
    (tmp_path / "b.csv").write_text("time,current,voltage\n0,1,2\n1,3,4\n2,5,6\n")
    (tmp_path / "table.csv").write_text("recording,label\na.npy,x\nb.csv,y\n")
    frame = readers.read(tmp_path / "table.csv").frame[["recording"]]
    first, second = read_series(frame)
    np.testing.assert_allclose(first, [[0, 2, 4], [1, 3, 5]])
    np.testing.assert_allclose(second, [[1, 3, 5], [2, 4, 6]])


def test_records_of_several_lengths_have_a_mask_and_are_standardised_on_what_is_filled() -> None:
    values = pd.DataFrame({"current": ["1 2 3 4", "5 6"]})
    fitted = SIGNAL.fit(values)
    signal = fitted.encode(values).on("cpu").batch(torch.arange(2))
    assert signal.mask is not None
    assert signal.mask.sum(dim=1).tolist() == [4, 2]
    known = np.array([1, 2, 3, 4, 5, 6.0])
    np.testing.assert_allclose(signal.x[1, 0, :2], (np.array([5, 6]) - known.mean()) / known.std(), rtol=1e-5)


def test_series_may_be_resampled_and_that_is_said() -> None:
    values = pd.DataFrame({"current": ["0 1 2 3 4", "0 2"]})
    fitted = SIGNAL.fit_as(values, SIGNAL.Settings(points=3))
    assert fitted.shape.sizes == (1, 3)
    (note,) = fitted.notes(values)
    assert note.code == "signal.resampled"
    np.testing.assert_allclose(resampled(read_series(values)[1], 3), [[0, 1, 2]])


def test_a_cell_without_a_series_is_dropped_with_a_reason() -> None:
    (problem,) = SIGNAL.check(pd.DataFrame({"current": ["1 2 3", "7", None, "words"]}))
    assert problem.rows.tolist() == [1, 2, 3]


def test_other_channels_than_those_learned_from_are_refused() -> None:
    fitted = SIGNAL.fit(pd.DataFrame({"a": ["1 2", "3 4"], "b": ["1 2", "3 4"]}))
    with pytest.raises(UserError, match="1 channels, and the model learned from 2"):
        fitted.encode(pd.DataFrame({"a": ["1 2"]}))


def test_a_sine_of_few_swings_lies_in_the_slow_bands() -> None:
    time = np.linspace(0, 1, 64, endpoint=False)
    named = dict(
        zip(
            feature_names(("x",)),
            features_of(np.sin(2 * np.pi * 2 * time)[None].astype(np.float32)),
            strict=True,
        )
    )
    assert named["rhythm 2"] == pytest.approx(1.0)
    assert named["length"] == 64
    assert named["mean"] == pytest.approx(0, abs=1e-6)


def long_table(tmp_path: Path, hours: str = "012") -> Path:
    rows = ["batch,hour,glucose,medium,yield"]
    for name, medium in (("b", "LB"), ("a", "TB")):
        rows += [f"{name},{hour},{10 - int(hour)},{medium},{len(name)}" for hour in reversed(hours)]
    file = tmp_path / "long.csv"
    file.write_text("\n".join(rows) + "\n")
    return file


def test_a_table_with_a_row_for_each_time_becomes_one_row_for_each_record(tmp_path: Path) -> None:
    table = as_series(readers.read(long_table(tmp_path)), "batch", "hour")
    assert table.frame["id"].tolist() == ["b", "a"]
    assert table.frame["glucose"].tolist() == ["10 9 8", "10 9 8"]
    assert table.frame["medium"].tolist() == ["LB", "TB"]
    assert "one record for each value" in table.notes[-1]


def test_uneven_steps_are_made_even_and_that_is_said(tmp_path: Path) -> None:
    table = as_series(readers.read(long_table(tmp_path, "01246")), "batch", "hour")
    assert table.frame["glucose"][0] == "10 9 8 7 6 5 4" or "every" in " ".join(table.notes)


def test_a_record_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='no column "bach"'):
        as_series(readers.read(long_table(tmp_path)), "bach", "hour")


def test_no_digit_of_a_number_is_lost_on_the_way_to_one_row_for_each_record(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("tank,hour,level\na,0,1234567.875\na,1,12345678\nb,0,0.1234567891\nb,1,2\n")
    cells = as_series(readers.read(path), "tank", "hour").frame["level"].tolist()
    assert [list(map(float, cell.split())) for cell in cells] == [
        [1234567.875, 12345678.0],
        [0.1234567891, 2.0],
    ]


def test_columns_keep_their_moments_where_the_first_numbers_are_missing_and_that_is_said() -> None:
    """The peak of all records is at the fourth column, whenever they begin."""
    frame = pd.DataFrame(np.tile([1.0, 2, 3, 9, 3, 2], (3, 1)), columns=list("abcdef"))
    frame.iloc[1, :2] = np.nan
    frame.iloc[2, 4:] = np.nan
    assert [int(each[0].argmax()) for each in read_series(frame)] == [3, 3, 3]
    assert [each.shape[1] for each in read_series(frame)] == [6, 6, 4]
    (note,) = SIGNAL.fit(frame).notes(frame)
    assert (note.code, note.rows.tolist()) == ("signal.late", [1])
    alone = pd.DataFrame({"a": [1.0, np.nan], "b": [2.0, np.nan], "c": [3.0, 4.0]})
    (problem,) = SIGNAL.check(alone)
    assert problem.rows.tolist() == [1]


def test_words_among_the_numbers_of_a_series_are_told() -> None:
    cells = pd.DataFrame({"trace": ["1 2 3", "1 oops 3", "1 nan 3", "1 ? 1e-3", "oops", "4 5"]})
    told = {each.code: each.rows.tolist() for each in SIGNAL.check(cells)}
    assert told == {"signal.empty": [4], "signal.words": [1]}
    wide = pd.DataFrame({"a": ["1"] * 60, "b": ["2"] * 59 + ["high"], "c": ["3"] * 60})
    (found,) = SIGNAL.check(wide)
    assert (found.code, found.rows.tolist()) == ("signal.words", [59])
