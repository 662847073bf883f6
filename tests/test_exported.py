"""Attributions as tables: what is in them, and where on a genome they lie."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd

from bioloom.explanation import Explanation
from bioloom.journey.exported import as_bedgraph, as_csv

LETTERS = np.eye(4, dtype=np.float32)


def sequences(*texts: str) -> np.ndarray:
    return np.stack([LETTERS[["ACGT".index(letter) for letter in text]].T for text in texts])


def explained(x: np.ndarray, *ids: str) -> Explanation:
    values = np.arange(x.size, dtype=np.float32).reshape(x.shape)
    return Explanation(values, "mutagenesis", "x", "nothing", ids=ids)


def test_a_table_of_letters_has_one_row_for_each_filled_position() -> None:
    x = sequences("ACGT", "TTTT")
    mask = np.array([[True] * 4, [True, True, False, False]])
    found = explained(x, "a", "b")
    table = pd.read_csv(io.BytesIO(as_csv(found, (x, mask), tuple("ACGT")) or b""))
    assert table["id"].tolist() == ["a"] * 4 + ["b"] * 2
    assert table["position"].tolist() == [1, 2, 3, 4, 1, 2]
    assert "".join(table["letter"]) == "ACGTTT"
    assert table["attribution"].tolist() == [0, 5, 10, 15, 28, 29]


def test_tables_name_columns_and_pixels() -> None:
    x = np.ones((2, 3), dtype=np.float32)
    table = pd.read_csv(io.BytesIO(as_csv(explained(x, "1", "2"), (x, None), ("a", "b", "c")) or b""))
    assert table["column"].tolist() == ["a", "b", "c"] * 2
    x = np.ones((1, 2, 2, 3), dtype=np.float32)
    table = pd.read_csv(io.BytesIO(as_csv(explained(x, "1"), (x, None), ("red", "green")) or b""))
    assert table[["row", "pixel"]].to_numpy().tolist() == [[1, 1], [1, 2], [1, 3], [2, 1], [2, 2], [2, 3]]
    assert table["attribution"].tolist() == [6, 8, 10, 12, 14, 16]


def test_ids_that_are_places_become_a_track_in_order_of_the_genome() -> None:
    x = sequences("ACGT", "ACGT", "ACGT", "ACGT")
    found = explained(x, "chr2:10-14(-)", "chr1:101-104", "peak", "chr1:0-99")
    text = (as_bedgraph(found, (x, None), "test") or b"").decode().splitlines()
    assert text[0] == 'track type=bedGraph name="test"'
    rows = [line.split("\t") for line in text[1:]]
    assert [row[:3] for row in rows[:4]] == [["chr1", str(100 + n), str(101 + n)] for n in range(4)]
    assert [row[:3] for row in rows[4:]] == [["chr2", str(10 + n), str(11 + n)] for n in range(4)]
    assert [float(row[3]) for row in rows] == [16, 21, 26, 31, 15, 10, 5, 0]


def test_records_that_overlap_are_averaged_and_others_without_places_have_no_track() -> None:
    x = sequences("AA", "AA")
    text = (as_bedgraph(explained(x, "chr1:0-2", "chr1:1-3"), (x, None), "t") or b"").decode().splitlines()
    assert [line.split("\t")[1:] for line in text[1:]] == [
        ["0", "1", "0"],
        ["1", "2", "4.5"],
        ["2", "3", "9"],
    ]
    assert as_bedgraph(explained(x, "a", "b"), (x, None), "t") is None
