"""What took time to work out is read again as it was made."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bioloom.journey.shelf import Arrays, Shelf


def made() -> Arrays:
    return {f"shuffled {number}": np.full((3, 1), number, np.float32) for number in (1, 11, 2, 10, 3)}


def refuse() -> Arrays:
    raise AssertionError("it was kept, so it is not made again")


def test_arrays_come_in_the_same_order_made_or_read_with_a_folder_or_without(tmp_path: Path) -> None:
    without = Shelf(None).arrays("fold 0", made)
    assert list(without) == ["shuffled 1", "shuffled 2", "shuffled 3", "shuffled 10", "shuffled 11"]
    shelf = Shelf(tmp_path)
    first, again = shelf.arrays("fold 0", made), [shelf.arrays("fold 0", refuse) for _ in range(3)]
    for each in (first, *again):
        assert list(each) == list(without)
        assert all(np.array_equal(each[name], without[name]) for name in without)


def test_a_file_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.arrays("short", made)
    path = tmp_path / "short.safetensors"
    path.write_bytes(path.read_bytes()[:-2])
    assert len(shelf.arrays("short", made)) == 5
    assert len(shelf.arrays("short", refuse)) == 5
