"""What took time to work out is read again as it was made."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bioloom.data.split import Split
from bioloom.journey.contest import pool
from bioloom.journey.shelf import Arrays, Shelf


def made() -> Arrays:
    return {f"shuffled {number}": np.full((3, 1), number, np.float32) for number in (1, 11, 2, 10, 3)}


def refuse() -> Arrays:
    raise AssertionError("it was kept, so it is not made again")


def test_a_file_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.arrays("short", made)
    path = tmp_path / "short.safetensors"
    path.write_bytes(path.read_bytes()[:-2])
    assert len(shelf.arrays("short", made)) == 5
    assert len(shelf.arrays("short", refuse)) == 5


def test_numbered_answers_stand_in_their_order_made_or_read(tmp_path: Path) -> None:
    """A file gives its arrays in an order of its own, another at each reading."""
    shelf = Shelf(tmp_path)
    split = Split(np.array(["train", *["test"] * 3], dtype=object), "random", "")
    for arrays in (made(), shelf.arrays("fold 0", made), shelf.arrays("fold 0", refuse)):
        found = pool([split], [arrays], repeats=1).once().named("shuffled ")
        assert list(found) == [f"shuffled {number}" for number in (1, 2, 3, 10, 11)]
        assert [value[0, 0] for value in found.values()] == [1, 2, 3, 10, 11]
