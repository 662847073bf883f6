"""Records in a file: the same bytes as in memory, whole or not at all, and found again."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from bioloom.data import mapped as stores
from bioloom.data.mapped import let_go, mapped
from bioloom.data.simulate.motif import plant_motif
from bioloom.errors import UserError
from bioloom.modalities import letters, modalities, sequence
from bioloom.modalities.encoded import TokenEncoded
from bioloom.training import order


def blocks() -> Iterator[np.ndarray]:
    yield np.arange(12, dtype=np.uint8).reshape(4, 3)
    yield np.arange(12, 18, dtype=np.uint8).reshape(2, 3)


def test_an_array_in_a_file_is_written_once_and_found_again(tmp_path: Path):
    path = tmp_path / "below" / "tokens.npy"
    first = mapped(path, (6, 3), blocks())
    np.testing.assert_array_equal(first, np.arange(18).reshape(6, 3))
    let_go(first)
    np.testing.assert_array_equal(first, np.arange(18).reshape(6, 3))
    again = mapped(path, (6, 3), iter(()))  # nothing to write it from: it is not written again
    np.testing.assert_array_equal(again, first)
    assert [each.name for each in path.parent.iterdir()] == ["tokens.npy"]


def test_a_file_that_was_cut_off_is_written_anew(tmp_path: Path):
    path = tmp_path / "tokens.npy"
    del_me = mapped(path, (6, 3), blocks())
    del del_me
    path.write_bytes(path.read_bytes()[:-5])
    np.testing.assert_array_equal(mapped(path, (6, 3), blocks()), np.arange(18).reshape(6, 3))


def test_a_run_killed_while_it_writes_leaves_no_file_under_the_name(tmp_path: Path):
    def killed() -> Iterator[np.ndarray]:
        yield next(blocks())
        raise KeyboardInterrupt

    path = tmp_path / "tokens.npy"
    with pytest.raises(KeyboardInterrupt):
        mapped(path, (6, 3), killed())
    assert not path.exists()
    (tmp_path / ".tokens.npy.part").write_bytes(b"left behind by kill -9")
    np.testing.assert_array_equal(mapped(path, (6, 3), blocks()), np.arange(18).reshape(6, 3))


def test_a_full_disk_is_told_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="The disk is full"):
        mapped(tmp_path / "tokens.npy", (6, 3), blocks())
    assert not list(tmp_path.iterdir())


def encoded_both_ways(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[TokenEncoded, TokenEncoded]:
    sequences, _ = plant_motif(20, 21, 0)
    frame = pd.DataFrame({"sequence": [*sequences[:-2], sequences[-2] + "N", sequences[-1][:-3]]})
    dna = modalities["dna"].fit(frame)
    memory = dna.encode(frame)
    for module in (letters, sequence):
        monkeypatch.setattr(module, "CELLS", 8)
    monkeypatch.setattr(stores, "MAPPED", 100)
    return memory, dna.encode_into(frame, folder / "encoded")


def test_batches_of_a_mapped_file_are_those_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    memory, in_file = encoded_both_ways(tmp_path, monkeypatch)
    assert isinstance(in_file.tokens, np.memmap)
    index = torch.tensor([40, 3, 39, 3, 0])
    for one, other in zip(memory.on("cpu").batch(index), in_file.on("cpu").batch(index), strict=True):
        assert one is not None
        assert torch.equal(one, other)
    assert memory.mixed
    assert in_file.mixed
    told = [[array.tobytes() for array in each.told(index.numpy())] for each in (memory, in_file)]
    assert told[0] == told[1]
    np.testing.assert_array_equal(memory.take(np.array([5, 1])).tokens, in_file.take(np.array([5, 1])).tokens)


def test_the_order_holds_every_record_once_and_keeps_neighbours_in_one_pool(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(order, "WHOLE", 100)
    monkeypatch.setattr(order, "NEIGHBOURS", 4)
    monkeypatch.setattr(order, "POOL", 8)
    torch.manual_seed(3)
    found = order.shuffled(205)
    torch.manual_seed(3)
    assert torch.equal(found, order.shuffled(205))
    assert torch.equal(found.sort().values, torch.arange(205))
    pools = [set((part // 4).tolist()) for part in order.shuffled(208).split(32)]
    assert all(len(pool) <= 8 for pool in pools)


def test_up_to_a_million_records_the_order_is_a_plain_shuffle():
    torch.manual_seed(5)
    found = order.shuffled(1000)
    torch.manual_seed(5)
    assert torch.equal(found, torch.randperm(1000))
