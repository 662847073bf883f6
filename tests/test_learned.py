"""Records are recognised in another file by hashes, however they are written there."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd

from bioloom.data.learned import Learned, joined_hashes, row_hashes, text_hashes
from bioloom.modalities import modalities


def sequences(*texts: str) -> pd.DataFrame:
    return pd.DataFrame({"s": list(texts)})


def test_dna_is_recognised_on_either_strand_and_in_either_case() -> None:
    frame = sequences("ACGGT", "acggt", "ACCGT", "ACGGA")
    hashes = modalities["dna"].fit(frame).hashes(frame)
    assert hashes[0] == hashes[1] == hashes[2] != hashes[3]
    rna = modalities["rna"].fit(sequences("ACGGU", "ACCGU")).hashes(sequences("ACGGU", "ACCGU"))
    assert rna[0] != rna[1], "the other strand of RNA is another molecule"


def test_rows_of_a_table_are_recognised_however_their_numbers_are_written() -> None:
    learned = pd.DataFrame({"x": ["1", "2.50", "4", "5"] * 5, "kind": ["a", "b", "a", "b"] * 5})
    table = modalities["table"].fit(learned)
    again = pd.DataFrame({"x": [2.5, 1.0, 4.0, 5.0], "kind": ["b", "a", "b", "b"]})
    one, other = table.hashes(learned), table.hashes(again)
    assert [one[1], one[0]] == [other[0], other[1]]
    assert one[2] != other[2]


def test_records_of_several_inputs_are_equal_where_all_inputs_are() -> None:
    left, right = (
        text_hashes(np.array(["A", "A", "C"], object)),
        text_hashes(np.array(["x", "y", "x"], object)),
    )
    joined = joined_hashes({"left": left, "right": right})
    assert len(set(joined)) == 3
    np.testing.assert_array_equal(joined, joined_hashes({"right": right, "left": left}))


def test_hashes_are_the_same_in_another_process() -> None:
    code = (
        "import numpy as np; from bioloom.data.learned import row_hashes, text_hashes; "
        "print(text_hashes(np.array(['ACGT'], object))[0], row_hashes(np.array([[1.5, 0.0]], 'f4'))[0])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert int(told[0]) == text_hashes(np.array(["ACGT"], object))[0]
    assert int(told[1]) == row_hashes(np.array([[1.5, -0.0]], np.float32))[0]


def test_what_two_models_learned_from_is_joined_and_comes_back_from_arrays() -> None:
    one = Learned.of(np.array([3, 1, 3], np.uint64), np.array([7], np.uint64))
    both = one.joined(Learned.of(np.array([2], np.uint64), np.array([7, 8], np.uint64)))
    assert (both.train.tolist(), both.validation.tolist()) == ([1, 2, 3], [7, 8])
    again = Learned.from_state(both.state())
    np.testing.assert_array_equal(again.train, both.train)
