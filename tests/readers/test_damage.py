"""Files damaged at random give a table or a UserError, never another exception."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioloom.data.readers import read
from bioloom.data.records import Table
from bioloom.errors import UserError


def workbook() -> bytes:
    book = openpyxl.Workbook()
    for row in (("id", "sequence", "y"), ("a", "ACGT", 1.5), ("b", "=A2", None), ("c", "GG", 3)):
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def parquet() -> bytes:
    stream = io.BytesIO()
    pd.DataFrame(
        {"id": ["a", "b"], "y": [1.5, None], "day": pd.to_datetime(["2024-01-01", None])}
    ).to_parquet(stream)
    return stream.getvalue()


CSV = 'id,sequence,y\na,ACGT,1.5\nb,"GG,\nTT",2\nc,é,NA\n'.encode()
FASTA = b">a y=1 strong\nACGT\nAC\n>b y=2\nGG\n"
FASTQ = b"@a\nACGT\n+\nIIII\n@b y=2\nGG\n+\nII\n"
WHOLE = {
    "t.csv": CSV,
    "t.tsv": CSV.replace(b",", b"\t"),
    "t.csv.gz": gzip.compress(CSV * 3),
    "t.csv.bz2": bz2.compress(CSV * 3),
    "t.csv.xz": lzma.compress(CSV * 3),
    "t16.csv": CSV.decode().encode("utf-16"),
    "t.xlsx": workbook(),
    "t.parquet": parquet(),
    "t.fa": FASTA,
    "t.fa.gz": gzip.compress(FASTA),
    "t.fq": FASTQ,
}


def table_or_error(path: Path) -> Table | UserError:
    try:
        return read(path)
    except UserError as error:
        return error


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from(sorted(WHOLE)),
    cut=st.floats(0, 1),
    places=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4), st.integers(0, 4)), max_size=4),
    shorten=st.booleans(),
)
def test_damaged_files_never_end_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, name: str, cut: float, places: list[Any], shorten: bool
) -> None:
    content = WHOLE[name]
    for place, new, old in places:
        start = int(place * len(content))
        content = content[:start] + new + content[start + old :]
    if shorten:
        content = content[: int(cut * len(content))]
    path = tmp_path_factory.mktemp("t") / name
    path.write_bytes(content)
    result = table_or_error(path)
    if isinstance(result, UserError):
        assert result.what
        assert result.fix
    else:
        assert len(result.frame) == len(result.lines) > 0
        assert result.frame.columns.is_unique


@settings(max_examples=100, deadline=None)
@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_give_a_table_or_an_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_bytes(content)
    result = table_or_error(path)
    assert result.fix if isinstance(result, UserError) else len(result.frame)


@pytest.mark.parametrize(
    ("number", "word"),
    [(errno.EACCES, "no permission"), (errno.EIO, "could not be read"), (errno.ESTALE, "could not")],
)
def test_what_the_system_refuses_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, word: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "refused")

    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UserError, match=word) as caught:
        read(path)
    assert "t.csv" in caught.value.where
