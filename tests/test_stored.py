"""A column of text in a file behaves as the same column in memory."""

from __future__ import annotations

import errno
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bioloom.data import stored
from bioloom.data.stored import StoredText, TextWriter
from bioloom.errors import UserError

CELLS = ["ACGT" * 5, None, "é und µ", "TTTTTTTT", "", "GG"] * 7


def both() -> tuple[pd.Series[Any], pd.Series[Any]]:
    memory = pd.Series([cell or np.nan for cell in CELLS], dtype=object, name="x")
    return memory, pd.Series(StoredText.of(CELLS), name="x")


def equal(one: pd.Series[Any], other: pd.Series[Any]) -> bool:
    return one.fillna("?").tolist() == [cell if isinstance(cell, str) else "?" for cell in other.tolist()]


@pytest.mark.parametrize("at_once", [3, 20_000])
def test_cells_come_back_in_every_order(monkeypatch: pytest.MonkeyPatch, at_once: int):
    monkeypatch.setattr(stored, "AT_ONCE", at_once)
    memory, in_file = both()
    order = np.random.default_rng(0).permutation(len(memory))
    assert equal(memory, in_file)
    assert equal(memory.iloc[order], in_file.iloc[order])
    assert equal(memory.iloc[5:9], in_file.iloc[5:9])
    assert equal(memory[memory.notna()], in_file[in_file.notna()])
    assert in_file.iloc[2] == "é und µ"
    assert in_file.isna().tolist() == memory.isna().tolist()


def test_far_apart_cells_are_read_one_by_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stored, "SPARSE", 1)
    monkeypatch.setattr(stored, "MOST", 50)
    memory, in_file = both()
    assert equal(memory.iloc[[0, 41, 12]], in_file.iloc[[0, 41, 12]])


def test_frames_take_join_and_compare_it_as_any_column():
    memory, in_file = both()
    frame = pd.DataFrame({"x": in_file, "y": range(len(in_file))})
    chosen = frame.iloc[[3, 0]].reset_index(drop=True)
    assert chosen["x"].tolist() == ["TTTTTTTT", "ACGT" * 5]
    assert equal(pd.concat([memory, memory]), pd.concat([in_file, in_file]))
    assert equal(memory.reindex([2, 99]), in_file.reindex([2, 99]))
    assert (in_file == "GG").tolist() == (memory == "GG").tolist()
    assert in_file.nunique() == memory.nunique()
    assert in_file.astype(object).tolist()[0] == "ACGT" * 5
    assert equal(memory, pickle.loads(pickle.dumps(in_file)))  # noqa: S301 -- our own bytes, as other processes get them


def test_an_empty_column_has_no_cell():
    assert TextWriter().column().tolist() == []


def test_a_full_disk_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch):
    class Full:
        def write(self, content: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    writer = TextWriter()
    monkeypatch.setattr(writer, "_file", Full())
    with pytest.raises(UserError, match="no space for a working copy") as found:
        writer.add(["ACGT"])
    monkeypatch.undo()
    writer.column()
    assert "TMPDIR" in str(found.value.fix)
