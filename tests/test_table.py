"""Table: numbers, categories, missing and unseen cells, and the columns that are refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from bioloom.errors import UserError
from bioloom.modalities import Similarity, modalities
from bioloom.modalities.table import Table


def strains(*names: str | None, times: int = 4) -> pd.DataFrame:
    return pd.DataFrame({"strain": pd.Series(list(names) * times, dtype=object)})


def problems(frame: pd.DataFrame) -> dict[str, tuple[str, list[int]]]:
    return {problem.code: (problem.severity, problem.rows.tolist()) for problem in Table.check(frame)}


# ---- numbers ---------------------------------------------------------------------------------------------------


def test_numbers_are_standardised_as_scikit_learn_does():
    frame = pd.DataFrame(np.random.default_rng(0).normal(5, 3, size=(40, 3)), columns=list("abc"))
    encoded = Table.fit(frame).encode(frame).values
    np.testing.assert_allclose(encoded, StandardScaler().fit_transform(frame), rtol=1e-5, atol=1e-6)


def test_numbers_written_as_text_are_numbers():
    frame = pd.DataFrame({"pH": ["7.0", "7.5", "6.5"] * 5})
    assert Table.fit(frame) == Table.fit(frame.astype(float))


def test_missing_numbers_are_read_as_the_median_and_marked():
    table = Table.fit(pd.DataFrame({"pH": [7.0, 8.0, np.nan, 9.0]}))
    assert table.channels == ("pH", "pH missing")
    spread = np.std([7, 8, 9])
    np.testing.assert_allclose(
        table.encode(pd.DataFrame({"pH": [np.nan, 9.0]})).values, [[0, 1], [1 / spread, 0]], rtol=1e-6
    )


def test_missing_numbers_are_noted_where_training_had_none():
    table = Table.fit(pd.DataFrame({"pH": [7.0, 8.0, 12.0]}))
    assert table.channels == ("pH",)
    (note,) = table.notes(pd.DataFrame({"pH": [7.0, None]}))
    assert (note.code, note.rows.tolist(), note.column) == ("table.missing", [1], "pH")
    assert note.message == '"pH" is missing and is read as the training median (8)'
    filled = table.encode(pd.DataFrame({"pH": [None, 8.0]}, dtype=object)).values
    assert filled[0, 0] == filled[1, 0]


def test_cells_that_are_no_number_are_dropped_in_training_and_read_as_missing_later():
    frame = pd.DataFrame({"pH": ["7.0"] * 30 + ["<5"] + ["8.0"] * 30})
    assert problems(frame)["table.number"] == ("drop", [30])
    table = Table.fit(frame.drop(index=30))
    (note,) = table.notes(frame)
    assert (note.code, note.rows.tolist()) == ("table.number", [30])


def test_huge_numbers_stay_finite():
    frame = pd.DataFrame({"n": [1e300, -1e300, 0.0, 5e299]})
    assert np.isfinite(Table.fit(frame).encode(frame).values).all()


def test_integer_and_boolean_columns_work():
    frame = pd.DataFrame({"n": [1, 2, 3, 4, 5, 6], "induced": [True, False] * 3})
    assert Table.fit(frame).channels == ("n", "induced = False", "induced = True")


# ---- categories ------------------------------------------------------------------------------------------------


def test_categories_are_one_hot_as_in_scikit_learn():
    frame = strains("K12", "BL21", "W3110")
    encoded = Table.fit(frame).encode(frame).values
    np.testing.assert_array_equal(encoded, OneHotEncoder(sparse_output=False).fit_transform(frame))
    assert Table.fit(frame).channels == ("strain = BL21", "strain = K12", "strain = W3110")


def test_rare_and_unseen_categories_share_a_column():
    frame = pd.concat([strains("K12", "BL21"), strains("X1", "X2", times=1)], ignore_index=True)
    table = Table.fit(frame)
    assert table.channels == ("strain = BL21", "strain = K12", "strain = other")
    new = strains("X1", "never seen", "K12", times=1)
    np.testing.assert_array_equal(table.encode(new).values, [[0, 0, 1], [0, 0, 1], [0, 1, 0]])
    (note,) = table.notes(new)
    assert note.rows.tolist() == [0, 1]
    assert note.message == (
        '"strain" holds a category of fewer than 3 training records ("X1", "never seen"), read as "other"'
    )


def test_unseen_and_missing_categories_are_averages_where_training_had_none():
    table = Table.fit(strains("K12", "K12", "BL21", "W3110"))
    new = strains("new", None, times=1)
    np.testing.assert_allclose(table.encode(new).values, [[0.25, 0.5, 0.25]] * 2)
    unseen, missing = table.notes(new)
    assert "the average of the training records" in unseen.message
    assert "the average of the training records" in missing.message


def test_missing_categories_are_a_category_where_training_had_some():
    table = Table.fit(strains("K12", "BL21", None))
    assert table.channels == ("strain = BL21", "strain = K12", "strain missing")
    np.testing.assert_array_equal(table.encode(strains(None, times=1)).values, [[0, 0, 1]])


def test_white_space_and_number_format_do_not_make_new_categories():
    table = Table.fit(strains(" K12", "BL21 ", "K12", "BL21"))
    assert table.channels == ("strain = BL21", "strain = K12")
    mixed = pd.DataFrame({"plate": pd.Series(["a", 1, 1.0, "1"] * 4, dtype=object)})
    assert Table.fit(mixed).channels == ("plate = 1", "plate = a")


# ---- columns that do not help --------------------------------------------------------------------------------------


def test_constant_and_empty_columns_are_left_out_with_a_note():
    frame = pd.DataFrame({"pH": [7.0, 8.0, 9.0], "flask": ["A"] * 3, "volume": [0.1] * 3, "note": [None] * 3})
    table = Table.fit(frame)
    assert table.channels == ("pH",)
    assert table.constant == ("flask", "volume", "note")
    assert [note.column for note in table.notes(frame)] == ["flask", "volume", "note"]
    assert problems(frame)["table.empty"][0] == "note"


def test_a_constant_number_that_is_sometimes_missing_keeps_its_marks():
    table = Table.fit(pd.DataFrame({"dose": [5.0, np.nan, 5.0]}))
    assert table.channels == ("dose missing",)
    assert table.encode(pd.DataFrame({"dose": [5.0, np.nan]})).values.tolist() == [[0], [1]]


def test_a_table_of_constants_is_refused():
    with pytest.raises(UserError, match="No column of the table varies"):
        Table.fit(pd.DataFrame({"a": [1.0, 1.0], "b": ["x", "x"]}))


def test_dates_are_refused_with_advice():
    frame = pd.DataFrame(
        {"day": ["2024-03-01", "2024-03-02"] * 20, "pH": range(40), "strain": ["a", "b"] * 20}
    )
    (problem,) = Table.check(frame)
    assert (problem.code, problem.severity, problem.column) == ("table.date", "fatal", "day")
    assert "days since the first one" in problem.fix
    assert "--input pH --input strain" in problem.fix
    (again,) = Table.check(frame.assign(day=pd.to_datetime(frame["day"])))
    assert again.code == "table.date"


def test_identifiers_and_free_text_are_refused_with_advice():
    frame = pd.DataFrame({"well": [f"plate1_{n:03}" for n in range(60)], "pH": range(60)})
    (problem,) = Table.check(frame)
    assert (problem.code, problem.severity) == ("table.text", "fatal")
    assert "no two of its 60 cells are equal" in problem.message
    assert problem.fix == "leave the column out: --input pH"
    comments = pd.DataFrame({"comment": [f"looked fine {n // 2}" for n in range(300)]})
    assert "free text (150 different texts)" in Table.check(comments)[0].message


def test_a_few_different_texts_may_be_categories():
    assert Table.check(pd.DataFrame({"strain": ["K12", "BL21"], "pH": [7.0, 7.5]})) == []


def test_a_missing_column_is_named():
    table = Table.fit(pd.DataFrame({"pH": [7.0, 8.0], "T": [30.0, 37.0]}))
    with pytest.raises(UserError, match='"T" is missing'):
        table.encode(pd.DataFrame({"pH": [7.0]}))


def test_detection_prefers_numbers_to_categories_to_the_rest():
    columns = (
        [1.5, 2.5, 3.5],
        ["a", "b"] * 20,
        ["2024-01-01", "2024-01-02"],
        [f"text {n}" for n in range(50)],
        [None, None],
    )
    sure = [Table.detect(pd.Series(column)) for column in columns]
    assert sure == sorted(sure, reverse=True)
    assert len(set(sure)) == 5


# ---- the rest of the contract --------------------------------------------------------------------------------------


def test_equal_and_nearly_equal_rows_travel_together():
    frame = pd.DataFrame({"pH": [7.0, 7.0, 7.00001, 8.0, 7.0], "strain": ["a", "a", "a", "a", "b"]})
    labels = Table.clusters(frame).labels
    assert labels[0] == labels[1] == labels[2]
    assert len(set(labels.tolist())) == 3
    exact = Table.clusters(frame, similarity=Similarity(1.0))
    assert exact.labels[0] == exact.labels[1] != exact.labels[2]
    assert exact.notion == "equal in every column"
    assert "0.001" in Table.clusters(frame).notion


def test_the_background_is_the_average_training_record():
    frame = pd.DataFrame({"pH": [6.0, 7.0, 8.0, 9.0], "strain": ["a", "a", "a", "b"]})
    frame = pd.concat([frame] * 3, ignore_index=True)
    table = Table.fit(frame)
    signal = table.encode(frame).on("cpu").batch(torch.arange(2))
    background = table.background(signal, seed=0, count=3)
    assert background.shape == (2, 3, 3)
    np.testing.assert_allclose(background[1, 2].numpy(), table.encode(frame).values.mean(axis=0), atol=1e-6)


def test_columns_of_the_file_know_their_encoded_columns():
    frame = pd.DataFrame({"pH": [6.0, 7.0, None] * 4, "strain": ["a", "b", "c"] * 4, "flask": [1] * 12})
    assert Table.fit(frame).groups == {"pH": (0, 1), "strain": (2, 3, 4)}


def test_bars_add_up_the_encoded_columns_of_a_column():
    frame = pd.DataFrame({"pH": [6.5, 7.25, 8.0, 9.0] * 3, "strain": ["a", "b", "c"] * 4})
    table = Table.fit(frame)
    figure = table.draw(frame.iloc[[1]], np.array([-0.5, 1, 2, 3], dtype=np.float32), "a record")
    (ax,) = figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["strain = b", "pH = 7.25"]
    assert [bar.get_width() for bar in ax.patches] == [6, -0.5]


def test_state_is_plain_json():
    frame = pd.DataFrame({"pH": [6.0, None, 8.0] * 3, "strain": ["a", "b", None] * 3, "constant": [1] * 9})
    table = Table.fit(frame)
    again = Table.from_state(json.loads(json.dumps(table.state(), allow_nan=False)))
    assert again == table
    np.testing.assert_array_equal(again.encode(frame).values, table.encode(frame).values)


def test_the_demo_carries_its_signal_in_two_of_six_columns():
    demo = Table.demo(300, seed=0)
    frame = demo.records.inputs["conditions"]
    assert frame.shape == (300, 6)
    assert frame.isna().any().sum() == 1
    table = Table.fit(frame)
    planted = [name for name, there in zip(table.channels, demo.parts[0], strict=True) if there]
    assert planted == ["glucose_g_per_l", "strain = BL21", "strain = K12", "strain = W3110"]
    encoded = table.encode(frame).values
    value = demo.records.targets["yield_g_per_l"].to_numpy()

    def explained(columns: list[int]) -> float:
        design = np.column_stack([np.ones(300), encoded[:, columns]])
        residual = value - design @ np.linalg.lstsq(design, value, rcond=None)[0]
        return 1 - residual.var() / value.var()

    signal = np.flatnonzero(demo.parts[0]).tolist()
    assert explained(signal) > 0.9
    assert explained([place for place in range(encoded.shape[1]) if place not in signal]) < 0.1


def test_the_real_tables_are_encoded_without_a_number_out_of_range(shared_data):
    frame = pd.read_csv(shared_data / "table" / "manufacturing_yield.csv", dtype=str).drop(columns="yield")
    assert modalities["table"].check(frame) == []
    values = Table.fit(frame).encode(frame).values
    assert np.isfinite(values).all()
    assert values.shape[1] > 57  # missing values get columns of their own
