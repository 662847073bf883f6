"""A large file read block by block gives the table that it gives read at once."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bioloom.data import readers
from bioloom.data.readers import fasta
from bioloom.data.reading import blocks, headers
from bioloom.data.records import Table
from bioloom.data.stored import StoredTextDtype
from bioloom.errors import UserError


def dna(seed: int) -> str:
    return "".join(np.random.default_rng(seed).choice(list("ACGT"), 50))


def both(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Table, Table]:
    """The table read at once, and in blocks of about two rows."""
    whole = readers.read(path)
    monkeypatch.setattr(blocks, "LARGE", 10)
    monkeypatch.setattr(blocks, "BLOCK", 150)
    return whole, readers.read(path)


def same(one: Table, other: Table) -> None:
    assert (one.source, one.format, one.sha256, one.unit, one.notes) == (
        other.source,
        other.format,
        other.sha256,
        other.unit,
        other.notes,
    )
    np.testing.assert_array_equal(one.lines, other.lines)
    assert list(one.frame.columns) == list(other.frame.columns)
    for name in one.frame.columns:
        cells = [cell if isinstance(cell, str) else None for cell in other.frame[name].tolist()]
        assert cells == [cell if isinstance(cell, str) else None for cell in one.frame[name].tolist()], name


def is_stored(table: Table, column: str) -> bool:
    return isinstance(table.frame[column].dtype, StoredTextDtype)


CSV = "id,sequence,y\n" + "".join(f"r{n},{dna(n)},{n / 3:.2f}\n" for n in range(20))


@pytest.mark.parametrize("packed", [False, True])
def test_a_table_of_sequences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool):
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")
    path.write_bytes(gzip.compress(CSV.encode(), mtime=0) if packed else CSV.encode())
    whole, parts = both(path, monkeypatch)
    same(whole, parts)
    assert is_stored(parts, "sequence")
    assert not is_stored(parts, "y")


def test_missing_cells_spaces_empty_rows_and_no_last_line_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    rows = [f"r{n}, {dna(n)} ,{n}" for n in range(12)]
    rows[3], rows[5], rows[7], rows[9] = "r3,,3", "r5,NA,NA", ",,", "r9,ACGT,9"
    path = tmp_path / "t.csv"
    path.write_text("id,sequence,y\n" + "\n".join(rows))
    whole, parts = both(path, monkeypatch)
    same(whole, parts)
    assert is_stored(parts, "sequence")
    assert parts.frame["sequence"].isna().sum() == 2


@pytest.mark.parametrize(
    "text",
    [
        CSV.replace("r9,", '"r\n9",'),  # a line end inside a cell
        CSV.replace("r9,", "r\u00e9,"),
        CSV.replace("id,sequence,y\n", ""),  # no header
        CSV.replace("id,sequence,y", "y,sequence,y").replace("r", "1"),
    ],
)
def test_files_that_are_not_plain_are_read_as_small_ones_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
):
    path = tmp_path / "t.csv"
    path.write_text(text)
    try:
        whole = readers.read(path)
    except UserError as error:
        monkeypatch.setattr(blocks, "LARGE", 10)
        monkeypatch.setattr(blocks, "BLOCK", 150)
        with pytest.raises(UserError, match=str(error)[:30]):
            readers.read(path)
        return
    monkeypatch.setattr(blocks, "LARGE", 10)
    monkeypatch.setattr(blocks, "BLOCK", 150)
    same(whole, readers.read(path))


def test_a_letter_of_two_bytes_is_read_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "t.csv"
    path.write_text(CSV.replace(dna(4), f"{dna(4)}\u00e9"), encoding="utf-8")
    whole, parts = both(path, monkeypatch)
    same(whole, parts)


def test_a_broken_row_in_a_later_block_is_told_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "t.csv"
    path.write_text(CSV.replace("r15,", "r15,surplus,"))
    monkeypatch.setattr(blocks, "LARGE", 10)
    monkeypatch.setattr(blocks, "BLOCK", 150)
    with pytest.raises(UserError, match="Line 17 has 4 cells"):
        readers.read(path)


def test_the_frame_of_a_stored_column_is_a_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "t.csv"
    path.write_text(CSV)
    _, parts = both(path, monkeypatch)
    assert isinstance(parts.frame.iloc[2:4].reset_index(drop=True), pd.DataFrame)


FASTA = "; a comment\n" + "".join(
    f">r{n} bound={'yes' if n % 2 else 'no'}{' odd=1' if n == 7 else ''} [strain=K {n % 3}] of {n}\n"
    f"{dna(n)[:25]}\n{dna(n)[25:]}\n"
    for n in range(40)
)


@pytest.mark.parametrize(
    "text",
    [
        FASTA,
        FASTA.replace(">r4 ", "> "),
        FASTA.replace(dna(4)[:25] + "\n" + dna(4)[25:], ""),
        "".join(f">r{n}\n{dna(n)}\n" for n in range(9)),
        "".join(f">\n{dna(n)}\n" for n in range(9)),
    ],
)
def test_a_fasta_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str):
    path = tmp_path / "t.fa"
    path.write_text(text)
    monkeypatch.setattr(headers, "PART", 7)
    monkeypatch.setattr(fasta, "PART", 7)
    whole, parts = both(path, monkeypatch)
    same(whole, parts)
    assert is_stored(parts, "sequence")


def test_a_fasta_file_without_sequences_is_refused_however_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "t.fa"
    path.write_text(">a\n\n>b\n\n")
    monkeypatch.setattr(blocks, "LARGE", 1)
    with pytest.raises(UserError, match="no sequences, but 2 headers"):
        readers.read(path)
