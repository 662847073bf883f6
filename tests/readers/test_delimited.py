"""Delimited text against the csv module and pandas."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.api.types import is_object_dtype
from xopen import xopen

from bioloom.data.readers import delimited, read

ROWS = [
    ["id", "sequence", "note"],
    ["a", "ACGT", "one, two"],
    ["b", "GGCC", 'a "quoted" word'],
    ["c", "TT", "é"],
]


def written(
    rows: list[list[str]], delimiter: str = ",", end: str = "\n", quoting: int = csv.QUOTE_MINIMAL
) -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return stream.getvalue()


def cells(frame: pd.DataFrame) -> list[list[str]]:
    return [list(frame.columns), *frame.fillna("").to_numpy().tolist()]


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_delimiter_and_line_end_gives_the_same_cells(
    tmp_path: Path, delimiter: str, end: str, quoting: int
) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(written(ROWS, delimiter, end, quoting).encode())
    table = read(path)
    assert cells(table.frame) == ROWS
    assert table.lines.tolist() == [2, 3, 4]
    assert table.format == delimited.NAMES[delimiter]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_every_encoding_gives_the_same_cells(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(written(ROWS).encode(encoding))
    assert cells(read(path).frame) == ROWS


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.bz2", "t.csv.xz", "t.csv.zst", "t", "t.txt"])
@pytest.mark.parametrize("pack", ["gz", "bz2", "xz", "zst"])
def test_every_compression_is_known_by_its_content(tmp_path: Path, pack: str, name: str) -> None:
    path = tmp_path / name
    content = written(ROWS).encode()
    if pack == "zst":
        with xopen(tmp_path / "made.zst", "wb") as stream:
            stream.write(content)
        packed = (tmp_path / "made.zst").read_bytes()
    else:
        packed = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[pack](content)
    path.write_bytes(packed)
    table = read(path)
    assert cells(table.frame) == ROWS
    assert table.format == f"CSV, {pack}"


@settings(max_examples=80, deadline=None)
@given(
    body=st.lists(
        st.lists(st.text('ACGT,;"\n\té', max_size=6).map(str.strip), min_size=3, max_size=3).filter(any),
        min_size=1,
        max_size=8,
    ),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_cells_and_lines_agree_with_the_csv_module(
    tmp_path_factory: pytest.TempPathFactory, body: list[list[str]], quoting: int
) -> None:
    rows = [["name_1", "name_2", "name_3"], *body]
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_text(written(rows, quoting=quoting), encoding="utf-8", newline="")
    starts = [1 + written(rows[:count], quoting=quoting).count("\n") for count in range(1, len(rows))]
    table = read(path)
    assert cells(table.frame) == rows
    assert table.lines.tolist() == starts


@pytest.mark.parametrize(
    "name",
    [
        "dna/lac_promoter.csv.gz",
        "dna/utr5_fluorescence.csv",
        "table/esol.csv",
        "table/manufacturing_yield.csv",
    ],
)
def test_real_tables_agree_with_pandas(shared_data: Path, name: str) -> None:
    expected = pd.read_csv(shared_data / name, dtype=object, keep_default_na=False, na_values=[""])
    found = read(shared_data / name).frame
    pd.testing.assert_frame_equal(
        found.map(lambda cell: cell.strip() if isinstance(cell, str) else cell),
        expected.map(lambda cell: cell.strip() if isinstance(cell, str) else cell),
        check_dtype=False,
        check_column_type=False,
    )


def test_the_quick_way_and_the_thorough_way_agree(tmp_path: Path) -> None:
    content = ("a,b,c\n" + "".join(f"{i},x{i},{i * i}\n" for i in range(500))).encode()
    layout = delimited._layout(content, "t.csv")
    quick, thorough = delimited._quick(content, layout), delimited._thorough(content, layout, "t.csv")
    assert quick is not None
    assert [column.tolist() for column in quick[0]] == [column.tolist() for column in thorough[0]]
    assert quick[1].tolist() == thorough[1].tolist()


def test_a_quoted_comma_does_not_hide_a_missing_cell() -> None:
    content = b'a,b\n"x,y",1\nz\n'  # as many commas as two full rows have
    assert delimited._quick(content, delimited._layout(content, "t.csv")) is None


def test_cells_are_text_in_object_columns_whatever_they_hold(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n1,2.50,\n3,,x\n")
    frame = read(path).frame
    assert all(is_object_dtype(frame[name]) for name in frame)
    assert frame["b"].tolist()[0] == "2.50"
    assert isinstance(frame["c"][0], float)
    assert frame.isna().sum().tolist() == [0, 1, 1]


def test_lines_skip_comments_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("# made by hand\n\na,b\n1,2\n\n3,4\n")
    assert read(path).lines.tolist() == [4, 6]
    assert read(path).where(1, "b") == 't.csv, line 6, column "b"'


def test_a_header_behind_a_hash_is_the_header(tmp_path: Path) -> None:
    path = tmp_path / "peaks.bed"
    path.write_text("#chrom\tstart\tname\nchr1\t5\tx\nchr2\t7\ty\n")
    assert list(read(path).frame) == ["chrom", "start", "name"]


def test_the_separator_line_of_excel_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("sep=;\na;b\n1,5;x\n2,5;y\n")
    assert read(path).frame["a"].tolist() == ["1.5", "2.5"]


def test_decimal_commas_become_points_and_other_commas_stay(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("name;y;z;pair\nx;1,5;1.234,5;a,b\ny;-2;7;c,d\nz;;2,25e-3;e\n")
    frame = read(path).frame
    assert frame["y"].fillna("").tolist() == ["1.5", "-2", ""]
    assert frame["z"].tolist() == ["1234.5", "7", "2.25e-3"]
    assert frame["pair"].tolist() == ["a,b", "c,d", "e"]


def test_thousands_are_not_taken_for_decimals(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("a\tb\nx\t1,234\ny\t25,000\n")
    table = read(path)
    assert table.frame["b"].tolist() == ["1,234", "25,000"]
    assert "1,234 were left as text in b" in table.notes[0]


def test_one_column_of_decimal_commas_is_one_column(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("y\n1,5\n2,5\n")
    assert read(path).frame["y"].tolist() == ["1.5", "2.5"]


def test_a_list_of_names_is_a_table_of_one_column(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_text("id\nb0001\nb0002\n\nb0003")
    table = read(path)
    assert table.frame["id"].tolist() == ["b0001", "b0002", "b0003"]
    assert table.lines.tolist() == [2, 3, 5]


def test_aligned_spaces_separate_cells_where_nothing_else_does(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text('name   y\n"a"    1\nbb     2\n')
    assert cells(read(path).frame) == [["name", "y"], ["a", "1"], ["bb", "2"]]


def test_row_names_of_r_become_ids(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text('"x"\t"y"\n"g1"\t1\t2\n"g2"\t3\t4\n')
    assert cells(read(path).frame) == [["id", "x", "y"], ["g1", "1", "2"], ["g2", "3", "4"]]


def test_a_file_without_header_keeps_its_first_record(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("ACGTACGTAC,1.5\nACGTACGTAA,2.5\n")
    table = read(path)
    assert table.frame["column_1"].tolist() == ["ACGTACGTAC", "ACGTACGTAA"]
    assert table.lines.tolist() == [1, 2]


def test_whole_numbers_may_be_names(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("0,1,2\n5,6,7\n")
    assert list(read(path).frame) == ["0", "1", "2"]


def test_a_cell_may_hold_a_chromosome_and_the_limit_of_csv_is_put_back(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f'id,sequence,note\na,{"ACGT" * 100_000},"x,y"\n')
    before = csv.field_size_limit()
    assert len(read(path).frame["sequence"][0]) == 400_000
    assert csv.field_size_limit() == before


def test_wide_tables_with_long_headers_are_read(tmp_path: Path) -> None:
    names = [f"gene_with_a_long_name_{i}" for i in range(5_000)]
    path = tmp_path / "t.csv"
    path.write_text(",".join(names) + "\n" + ",".join(["1"] * 5_000) + "\n")
    assert read(path).frame.shape == (1, 5_000)


def test_the_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    import hashlib

    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    assert read(path).sha256 == hashlib.sha256(b"a,b\n1,2\n").hexdigest()


def test_reading_changes_no_global_setting(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('a,b\n"1,",2\n')
    before = csv.field_size_limit(), np.geterr(), csv.list_dialects()
    read(path)
    assert (csv.field_size_limit(), np.geterr(), csv.list_dialects()) == before
