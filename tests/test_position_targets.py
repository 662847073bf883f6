"""Targets at every position: how cells are read, stored and written, and what stands around a position."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from bioloom import workflow
from bioloom.data.positions import (
    class_grid,
    classes_of,
    nothing_known,
    number_grid,
    numbers_of,
    told_at,
    wrong_length,
)
from bioloom.errors import UserError
from bioloom.evaluation.placed import cells, each_position
from bioloom.modalities import Signal, modalities
from bioloom.modalities.windows import some_windows, windows
from bioloom.models.places import by_length, lengths_of, rounded_up, trimmed
from bioloom.targets import Targets, fit_targets

STATES = pd.Series(["HHCC?EEE", "CCCCCCCCCC", None, "EE"], dtype=object)
LENGTHS = np.array([8, 10, 9, 3])


def test_letters_are_classes_and_a_question_mark_is_not_known() -> None:
    assert classes_of(STATES) == ("C", "E", "H")
    grid = class_grid(STATES, ("C", "E", "H"), 10)
    assert grid.shape == (4, 1, 10)
    np.testing.assert_array_equal(grid[0, 0], [2, 2, 0, 0, np.nan, 1, 1, 1, np.nan, np.nan])
    assert np.isnan(grid[2]).all()


def test_what_is_longer_than_the_network_sees_is_cut_around_its_middle() -> None:
    grid = class_grid(pd.Series(["ABCDEFG"]), tuple("ABCDEFG"), 3)
    np.testing.assert_array_equal(grid[0, 0], [2, 3, 4])
    targets = Targets("position_classes", ("y",), tuple("ABCDEFG"), places=(3,))
    value = (np.arange(7)[:, None] == grid[0, 0]).astype(np.float32)[None]
    assert cells(targets, value, np.array([7])) == ["??CDE??"]


def test_numbers_are_told_apart_by_spaces_commas_or_semicolons() -> None:
    grid = number_grid(pd.Series(["0.1 0.2 nan", "[1, 2, 3]", "1;?;3"]), 4)
    np.testing.assert_allclose(grid[1, 0], [1, 2, 3, np.nan])
    np.testing.assert_allclose(grid[2, 0], [1, np.nan, 3, np.nan])


def test_a_cell_as_long_as_its_record_tells_of_every_position_and_a_label_does_not() -> None:
    random = np.random.default_rng(0)
    lengths = random.integers(10, 30, 50)
    states = pd.Series(["".join(random.choice(list("HEC"), length)) for length in lengths])
    numbers = pd.Series([" ".join(map(str, random.random(length).round(2))) for length in lengths])
    assert told_at(states, lengths) == "classes"
    assert told_at(numbers, lengths) == "numbers"
    assert told_at(pd.Series(["promoter", "enhancer"] * 25), np.full(50, 8)) == ""
    assert told_at(pd.Series(random.random(50)), lengths) == ""


def test_rows_that_do_not_fit_their_record_are_found() -> None:
    np.testing.assert_array_equal(wrong_length(STATES, LENGTHS, numbers=False), [3])
    np.testing.assert_array_equal(nothing_known(STATES, numbers=False), [False, False, True, False])


def test_numbers_are_standardised_over_all_known_positions() -> None:
    labels = pd.DataFrame({"area": ["1 2 3", "4 nan 5"]})
    targets = fit_targets(labels, "position_values", (), (3,))
    known = np.array([1, 2, 3, 4, 5.0])
    assert targets.mean == pytest.approx((known.mean(),))
    assert targets.scale == pytest.approx((known.std(),))


def test_each_position_has_a_row() -> None:
    targets = Targets("position_classes", ("state",), ("C", "H"), places=(4,))
    value = np.zeros((2, 2, 4), dtype=np.float32)
    value[:, 1] = 0.8
    value[:, 0] = 0.2
    frame = each_position(targets, ["a", "b"], value, np.array([2, 4]))
    assert frame["id"].tolist() == ["a"] * 2 + ["b"] * 4
    assert frame["position"].tolist() == [1, 2, 1, 2, 3, 4]
    assert set(frame["state"]) == {"H"}
    np.testing.assert_allclose(frame["p(H)"], 0.8, rtol=1e-6)


def encoded(sequences: list[str]):
    values = pd.DataFrame({"sequence": sequences})
    return modalities["dna"].fit(values).encode(values)


def test_a_window_holds_what_stands_around_a_position_and_zeros_beyond_the_ends() -> None:
    found = windows(encoded(["ACGT", "CC"]), np.array([0, 1]), reach=1)
    assert found.record.tolist() == [0, 0, 0, 0, 1, 1]
    assert found.place.tolist() == [0, 1, 2, 3, 0, 1]
    first = found.values[0].reshape(4, 3)  # letters by places -1, 0, 1
    np.testing.assert_array_equal(first[:, 0], 0)
    np.testing.assert_array_equal(first[:, 1], [1, 0, 0, 0])
    np.testing.assert_array_equal(first[:, 2], [0, 1, 0, 0])


def test_some_windows_are_those_of_the_positions_that_were_drawn() -> None:
    data = encoded(["ACGTAC", "CCGT", "TTTTT"])
    known = np.array([[1, 1, 0, 1, 1, 1], [1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 0]], dtype=bool)
    rows = np.array([2, 0])
    found = some_windows(data, known, rows, most=5, seed=0)
    assert len(found.values) == 5
    everything = windows(data, rows)
    for value, record, place in zip(found.values, found.record, found.place, strict=True):
        assert known[rows[record], place]
        (same,) = np.flatnonzero((everything.record == record) & (everything.place == place))
        np.testing.assert_array_equal(value, everything.values[same])


def test_a_batch_is_cut_behind_its_longest_record_at_one_of_few_widths() -> None:
    mask = torch.arange(400) < torch.tensor([[130], [290]])
    signal = trimmed({"x": Signal(torch.zeros(2, 4, 400), mask)})["x"]
    assert signal.x.shape[-1] == rounded_up(290) == 320
    assert len({rounded_up(width) for width in range(1, 1025)}) < 50


def test_records_of_like_length_share_a_batch_and_none_is_lost() -> None:
    truth = np.full((100, 1, 50), np.nan, dtype=np.float16)
    ends = np.random.default_rng(0).integers(1, 51, 100)
    for row, end in enumerate(ends):
        truth[row, 0, :end] = 0
    lengths = lengths_of(truth)
    assert lengths is not None
    np.testing.assert_array_equal(lengths.numpy(), ends)
    order = by_length(torch.randperm(100), lengths, 8)
    assert sorted(order.tolist()) == list(range(100))
    widths = [int(lengths[part].max() - lengths[part].min()) for part in torch.split(order, 8)]
    assert max(widths) < 20
    assert lengths_of(np.zeros((5, 1))) is None


def test_of_a_long_series_the_points_are_shown_whose_targets_are_kept() -> None:
    fitted = modalities["signal"].fit(pd.DataFrame({"current": ["1 2 3"]}))
    long = pd.DataFrame({"current": ["1 2 3 4 5 6", "1 3"]})
    shown = fitted.encode(long).values[:, 0] * fitted.scale[0] + fitted.mean[0]
    targets = number_grid(pd.Series(["1 2 3 4 5 6", "1 3"]), fitted.length)[:, 0]
    np.testing.assert_allclose(shown[0], [2, 3, 4], rtol=1e-6)
    np.testing.assert_array_equal(targets[0], [2, 3, 4])
    np.testing.assert_allclose(shown[1, :2], targets[1, :2], rtol=1e-6)
    (note,) = fitted.notes(long)
    assert note.rows.tolist() == [0]
    assert "its middle is kept" in note.message


def test_a_resampled_series_has_no_targets_at_its_points(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    cells = [" ".join(f"{number:.3f}" for number in random.random(12)) for _ in range(40)]
    pd.DataFrame({"current": cells, "state": cells}).to_csv(tmp_path / "t.csv", index=False)
    request = workflow.Request(
        source=str(tmp_path / "t.csv"),
        target=("state",),
        inputs=("current=signal",),
        settings={"data.task": "position_values", "encoding.signal.points": 6, "training.epochs": 1},
    )
    with pytest.raises(UserError, match="resampled"):
        workflow.train(request, tmp_path / "run")


def test_targets_that_are_nearly_all_as_long_as_their_sequence_are_named_with_the_rows_that_are_not() -> None:
    random = np.random.default_rng(0)
    sequences = ["".join(random.choice(list("ACDEFGHIKLMNPQRSTVWY"), 30)) for _ in range(60)]
    states = ["".join("H" if letter in "AELMKR" else "C" for letter in each) for each in sequences]
    states = [each[:-2] if number % 10 == 0 else each for number, each in enumerate(states)]
    frame = pd.DataFrame({"sequence": sequences, "states": states})
    with pytest.raises(UserError, match="but 6 rows of 60 have more or fewer") as refused:
        workflow.check(workflow.Request(frame, target=("states",)))
    assert "--task position_classes" in str(refused.value.fix)
    asked = workflow.Request(frame, target=("states",), task="position_classes")
    assert workflow.check(asked).facts["used"] == "54 of 60 rows can be used"


def test_a_number_beyond_single_precision_is_no_number() -> None:
    (found,) = numbers_of(pd.Series(["1 1e300 -1e300 inf 2"]))
    np.testing.assert_array_equal(found, np.array([1, np.nan, np.nan, np.nan, 2], dtype=np.float32))
