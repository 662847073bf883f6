"""No broken input ends in a traceback: each is refused with place and fix, or repaired with a note."""

from __future__ import annotations

import gzip
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pytest

from bioloom.data.readers import read
from bioloom.errors import UserError

Make = Callable[[Path], Any]

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504)


@dataclass(frozen=True)
class Case:
    """A source made in an empty folder, and words that the error or the notes must hold."""

    name: str
    make: Make
    words: tuple[str, ...]
    labels: Make | None = None

    def __str__(self) -> str:
        return self.name


def text(name: str, content: str) -> Make:
    return raw(name, content.encode())


def raw(name: str, content: bytes) -> Make:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def workbook(fill: Callable[[openpyxl.Workbook], None]) -> Make:
    def make(folder: Path) -> Path:
        book = openpyxl.Workbook()
        fill(book)
        book.save(folder / "book.xlsx")
        return folder / "book.xlsx"

    return make


def rows(*cells: tuple[Any, ...]) -> Make:
    def fill(book: openpyxl.Workbook) -> None:
        for row in cells:
            book.active.append(row)

    return workbook(fill)


def data(value: Any) -> Make:
    return lambda folder: value


def zipped(name: str, member: str) -> Make:
    def make(folder: Path) -> Path:
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr(member, "a,b\n1,2\n")
        return folder / name

    return make


def npz(folder: Path) -> Path:
    np.savez(folder / "images.npz", x=np.zeros(3), y=np.zeros(2))
    return folder / "images.npz"


def merged_header(book: openpyxl.Workbook) -> None:
    sheet = book.active
    for row in (("Sample", "Yield", None), ("name", "day 1", "day 2"), ("a", 1.5, 2.5), ("b", 2.5, 3.5)):
        sheet.append(row)
    sheet.merge_cells("B1:C1")


def folder_of(**files: str) -> Make:
    def make(folder: Path) -> Path:
        inner = folder / "peaks"
        inner.mkdir()
        for name, content in files.items():
            (inner / name.replace("_", ".")).write_text(content)
        return inner

    return make


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.csv")
    return folder / "pipe.csv"


def broken_link(folder: Path) -> Path:
    (folder / "link.csv").symlink_to(folder / "gone.csv")
    return folder / "link.csv"


def circular_link(folder: Path) -> Path:
    (folder / "link.csv").symlink_to(folder / "link.csv")
    return folder / "link.csv"


def misspelt(folder: Path) -> Path:
    (folder / "measurements.csv").write_text("a,b\n1,2\n")
    return folder / "mesurements.csv"


def truncated_parquet(folder: Path) -> Path:
    pd.DataFrame({"a": [1, 2]}).to_parquet(folder / "t.parquet")
    whole = (folder / "t.parquet").read_bytes()
    (folder / "t.parquet").write_bytes(whole[: len(whole) // 2])
    return folder / "t.parquet"


def nested_parquet(folder: Path) -> Path:
    pd.DataFrame({"id": ["a"], "x": [[1.0, 2.0]]}).to_parquet(folder / "t.parquet")
    return folder / "t.parquet"


def twice(folder: Path) -> list[Path]:
    path = text("a.fa", ">x\nACGT\n")(folder)
    return [path, path]


def two_kinds(folder: Path) -> list[Path]:
    return [text("a.csv", "x,y\n1,2\n")(folder), text("b.csv", "u,v\n1,2\n")(folder)]


FASTA = ">a\nACGT\n>b\nGGCC\n"
LETTERS = bytes.maketrans(b"01b", b"ACG")
PACKED_FASTA = gzip.compress(
    b"".join(b">r%d\n%s\n" % (i, bin(i**9).encode().translate(LETTERS)) for i in range(500))
)
PACKED = gzip.compress(b"a,b\n" + b"1,2\n" * 5000 + bytes(range(33, 120)) * 40)

REFUSED = [
    # nothing in it
    Case("empty", text("t.csv", ""), ("t.csv", "empty", "0 bytes")),
    Case("white space", text("t.csv", " \n\n\t \n"), ("t.csv", "white space")),
    Case("header only", text("t.csv", "id,sequence,y\n"), ("t.csv", "line 1", "no row", "id, sequence, y")),
    Case("header and empty rows", text("t.csv", "a,b\n,\n,\n"), ("t.csv", "no row")),
    Case("comments only", text("t.csv", "# made by hand\n# in 2024\n"), ("t.csv", "comments only", "header")),
    Case("gz of nothing", raw("t.csv.gz", gzip.compress(b"")), ("t.csv.gz", "unpacks to nothing")),
    Case("gz of white space", raw("t.csv.gz", gzip.compress(b"\n\n")), ("t.csv.gz", "white space")),
    Case("BOM only", raw("t.csv", b"\xef\xbb\xbf"), ("t.csv", "white space")),
    # cells
    Case(
        "too many cells",
        text("t.csv", "a,b\n1,2\n3,4,5\n6,7\n"),
        ("t.csv, line 3", "3 cells", "2", "5", "quotes"),
    ),
    Case("too few cells", text("t.csv", "a,b,y\n1,2,3\n4,5\n"), ("t.csv, line 3", "2 cells", "Missing: y")),
    Case("both", text("t.csv", "a,b,y\n1,2,3\n4,5\n1,2,3,4\n"), ("line 3", "1 more line")),
    Case(
        "ragged after a quoted line break",
        text("t.csv", 'a,b\n"x\ny",1\n1\n'),
        ("t.csv, line 4", "Missing: b"),
    ),
    Case("ragged tabs", text("t.tsv", "a\tb\n1\t2\n1\t2\t3\n"), ("t.tsv, line 3", "a tab")),
    Case(
        "ragged in a packed file",
        raw("t.csv.gz", gzip.compress(b"a,b\n1\n1,2\n1,2\n")),
        ("t.csv.gz, line 2",),
    ),
    Case("decimal commas between commas", text("t.csv", "a,b\n1,5,2,5\n1,7,2,5\n"), ("line 2", "semicolons")),
    Case(
        "repeated names",
        text("t.csv", "a,y,y\n1,2,3\n"),
        ("t.csv, line 1", 'column "y"', "columns 2, 3", "own name"),
    ),
    Case(
        "samples in columns",
        text("t.csv", "gene,s,s,s\nx,1,2,3\ny,1,2,4\n"),
        ("3 times", "turn the table round"),
    ),
    Case("unclosed quote", text("t.csv", 'a,b\n1,2\n"3,4\n5,6\n'), ("t.csv, line 3", "never closed", '""')),
    Case(
        "text after a quote",
        text("t.csv", 'a,b\n1,2,\n"3"x,4,5\n'),
        ("t.csv, line 3", "after a closing quote"),
    ),
    Case("odd delimiter", text("t.csv", "a^b^c\n1^2^3\n4^5^6\n"), ("t.csv, line 1", '"^"', "commas")),
    Case("one line of 10 MB", text("t.csv", "A" * 10_000_000), ("t.csv", "no row", "line ends")),
    Case("one line of a million names", text("t.csv", "a," * 1_000_000), ("t.csv", 'column name "a"|no row')),
    # bytes
    Case("binary junk", raw("t.csv", bytes(range(1, 256)) * 50), ("t.csv", "neither text")),
    Case("zero bytes", raw("t.csv", b"a,b\n1,2\n3,\x004\n"), ("t.csv, line 3", "zero bytes", "again")),
    Case(
        "zero bytes at the end",
        raw("t.csv", b"a,b\n" + b"1,2\n" * 30_000 + bytes(99)),
        ("line 30002", "zero bytes (99)"),
    ),
    Case(
        "broken UTF-16", raw("t.csv", b"\xff\xfea\x00,\x00b\x00\n\x001\x00,\x002\x00\n"), ("UTF-16", "UTF-8")
    ),
    Case("truncated gz", raw("t.csv.gz", PACKED[: len(PACKED) // 2]), ("t.csv.gz", "cut off", "again")),
    Case(
        "damaged gz", raw("t.csv.gz", PACKED[:60] + b"XXXXXX" + PACKED[66:]), ("t.csv.gz", "damaged", "again")
    ),
    Case("header of a gz", raw("t.fa.gz", b"\x1f\x8b\x08\x00"), ("t.fa.gz", "cut off")),
    Case("truncated FASTA.gz", raw("t.fa.gz", PACKED_FASTA[:-12]), ("t.fa.gz", "cut off")),
    Case("truncated zst", raw("t.csv.zst", b"\x28\xb5\x2f\xfd\x24\x05"), ("t.csv.zst", "cut off|damaged")),
    # other kinds
    Case("zip of other things", zipped("t.zip", "t.doc"), ("t.zip: t.doc", "ZIP archive", "unpack")),
    Case("zip named csv", zipped("t.csv", "t.doc"), ("t.csv", "ZIP archive", "unpack")),
    Case("PDF", raw("t.pdf", b"%PDF-1.7\n\xe2\xe3"), ("t.pdf", "a PDF", "CSV")),
    Case("PNG named csv", raw("t.csv", PNG), ("t.csv", "PNG image", "folder of the pictures", "CSV or TSV")),
    Case("npz", npz, ("images.npz", "differ in length: x 3, y 2", "one entry per record")),
    Case(
        "web page",
        text("t.csv", "<!DOCTYPE html>\n<html><body>Log in</body></html>"),
        ("t.csv", "web page", "download"),
    ),
    Case("old Excel", raw("t.xls", OLE), ("t.xls", "old Excel", ".xlsx")),
    Case("Excel with a password", raw("t.xlsx", OLE), ("t.xlsx", "password", "without")),
    Case("HDF5", raw("t.h5ad", b"\x89HDF\r\n\x1a\n" + bytes(8)), ("t.h5ad", "HDF5", "CSV")),
    Case("pickle", raw("t.pkl", b"\x80\x04\x95\x00"), ("t.pkl", "pickle", "any program")),
    Case("JSON", text("t.json", '[{"sequence": "ACGT"}]'), ("t.json", "JSON", "CSV")),
    Case("VCF", text("t.vcf", "##fileformat=VCFv4.2\n#CHROM\tPOS\n"), ("t.vcf", "VCF")),
    Case("GenBank", text("t.gb", "LOCUS       SCU49845 5028 bp\n"), ("t.gb", "GenBank", "FASTA")),
    Case("BAM", raw("t.bam", gzip.compress(b"BAM\x01" + bytes(9))), ("t.bam", "samtools")),
    Case("motif matrix", text("t.pfm", ">M1\n0.1 0.2 0.3 0.4\n1 0 0 0\n"), ("t.pfm", "motif")),
    # Excel
    Case(
        "corrupt workbook", raw("t.xlsx", b"PK\x03\x04" + bytes(300)), ("t.xlsx", "damaged", "save it again")
    ),
    Case("zip named xlsx", zipped("t.xlsx", "t.csv"), ("t.xlsx", "damaged")),
    Case("no cells", workbook(lambda book: None), ("book.xlsx", "No cell")),
    Case("workbook with header only", rows(("a", "b")), ("book.xlsx", "row 1", "no row")),
    Case("merged header", workbook(merged_header), ("book.xlsx", "row 1", "merged cells", "one header row")),
    Case(
        "formulas without values",
        rows(("a", "b"), (1, "=A2*2"), (2, "=A3*2")),
        ("cell B2", "B2, B3", "calculate"),
    ),
    Case("repeated names in Excel", rows(("a", "a"), (1, 2)), ("book.xlsx", "row 1", 'column "a"')),
    # Parquet
    Case("corrupt Parquet", raw("t.parquet", b"PAR1" + bytes(40)), ("t.parquet", "damaged")),
    Case("truncated Parquet", truncated_parquet, ("t.parquet", "damaged")),
    Case("nested Parquet", nested_parquet, ("t.parquet, row 1", 'column "x"', "ndarray|list")),
    # paths
    Case("empty name", data(""), ("empty", "path")),
    Case("no such file", misspelt, ("no such file", 'Did you mean "measurements.csv"?')),
    Case("no such folder", lambda folder: folder / "none" / "t.csv", ("no such file", "none does not exist")),
    Case("misspelt data set", data("lac_promotor"), ("no data set", 'Did you mean "lac_promoter"?')),
    Case("web address", data("https://example.org/t.csv"), ("web address", "download")),
    Case("empty folder", folder_of(), ("peaks", "folder is empty")),
    Case(
        "folder of other things",
        folder_of(a_csv="a,b\n1,2\n", notes_txt="x"),
        ("is a folder", "a.csv, notes.txt"),
    ),
    Case("folder among files", lambda folder: [folder, text("a.fa", FASTA)(folder)], ("folder among files",)),
    Case("pattern without match", lambda folder: folder / "*.fa", ("No file matches", "*.fa")),
    Case("a file twice", twice, ("named twice", "a.fa")),
    Case("files of two kinds", two_kinds, ("no column in common", "x, y", "u, v")),
    Case("broken link", broken_link, ("link.csv", "gone.csv", "repair")),
    Case("circular link", circular_link, ("link.csv", "repair")),
    Case("pipe", fifo, ("pipe.csv", "pipe or a device", "save")),
    Case("device", data("/dev/null"), ("/dev/null", "pipe or a device")),
    Case("sequence as path", data("ACGT" * 2000), ("too long", "not its content")),
    Case("zero byte in the name", data("a\x00b.csv"), ("file name",)),
    # FASTA and FASTQ
    Case("FASTA without sequences", text("t.fa", ">a\n>b\n"), ("t.fa", "no sequences, but 2 headers")),
    Case("FASTA of one header", text("t.fa", ">a\n"), ("t.fa", "no sequences, but 1 header")),
    Case(
        "text before the first >", text("t.fa", "My genes\n>a\nACGT\n"), ("t.fa, line 1", "My genes", ">name")
    ),
    Case("sequence without header", text("t.fa", "ACGTACGT\nACGT\n"), ("t.fa, line 1", ">name")),
    Case(
        "FASTQ of unequal lengths",
        text("t.fq", "@a\nACGT\n+\nIII\n"),
        ("t.fq, line", "record 1", "four lines"),
    ),
    Case("truncated FASTQ", text("t.fq", "@a\nACGT\n+\nIIII\n@b\nAC"), ("t.fq, line", "record 2")),
    Case(
        "FASTQ without plus", text("t.fq", "@a\nACGT\n+\nIIII\n@b\nAC\nII\n@c\n"), ("t.fq, line", "record 2")
    ),
    # labels
    Case(
        "labels without id",
        text("t.fa", FASTA),
        ("l.csv", "no column of ids", "class, y", "such as a"),
        text("l.csv", "class,y\n1,2\n3,4\n"),
    ),
    Case(
        "labels that match nothing",
        text("t.fa", FASTA),
        ('such as "a"', 'such as "A1"', "same way"),
        text("l.csv", "id,y\nA1,2\nA2,4\n"),
    ),
    Case(
        "repeated ids in the FASTA",
        text("t.fa", ">a\nAC\n>b\nAC\n>a\nAC\n"),
        ("t.fa, record 1, 3", "more than once: a"),
        text("l.csv", "id,y\na,2\nb,4\n"),
    ),
    Case(
        "repeated ids in the labels",
        text("t.fa", FASTA),
        ("l.csv, line 2, 4", "more than once: a"),
        text("l.csv", "id,y\na,2\nb,4\na,3\n"),
    ),
    Case(
        "labels that are not there",
        text("t.fa", FASTA),
        ("no such file", "l.csv"),
        lambda folder: folder / "l.csv",
    ),
    Case(
        "labels for a table without id",
        text("t.csv", "s,x\nAC,1\n"),
        ("t.csv", 'column "id"'),
        text("l.csv", "id,y\na,2\n"),
    ),
    # data frames and arrays
    Case("frame without rows", data(pd.DataFrame({"a": [], "b": []})), ("no row", "a, b")),
    Case("frame without columns", data(pd.DataFrame()), ("no column",)),
    Case(
        "repeated names in a frame",
        data(pd.DataFrame([[1, 2]], columns=["a", "a"])),
        ('column "a"', "columns 1, 2"),
    ),
    Case(
        "names that agree as text", data(pd.DataFrame([[1, 2]], columns=["1", 1])), ('column "1"', "own name")
    ),
    Case("lists in cells", data(pd.DataFrame({"a": ["x", [1, 2]]})), ("row 2", 'column "a"', "list of 2")),
    Case("lists in polars cells", data(pl.DataFrame({"a": [[1, 2], [3]]})), ("row 1", 'column "a"', "list")),
    Case("lazy polars", data(pl.LazyFrame({"a": [1]})), ("lazy", ".collect()")),
    Case("arrays of different lengths", data({"x": [1, 2, 3], "y": [1, 2]}), ("length", "x 3, y 2")),
    Case("pair of different lengths", data((["AC", "GT"], [1])), ("length", "sequence 2, target 1")),
    Case(
        "one-hot array", data((np.zeros((5, 4, 20)), np.zeros(5))), ("3 dimensions", "5 x 4 x 20", "as text")
    ),
    Case("ragged lists", data({"x": [[1, 2], [3]]}), ("no array", 'column "x"')),
    Case("a value for a column", data({"x": 3, "y": [1]}), ('column "x"', "list or array")),
    Case("three arrays", data((np.zeros(2), np.zeros(2), np.zeros(2))), ("tuple of 3", "name the arrays")),
    Case("complex numbers", data({"x": np.array([1j, 2])}), ("Complex", 'column "x"')),
    Case("a number", data(5), ("type int", "path")),
    Case("nothing", data(None), ("NoneType", "path")),
    Case("an empty list", data([]), ("type list", "path")),
]

REPAIRED = [
    Case("UTF-16", raw("t.csv", "s,y\nACGTACGT,1\n".encode("utf-16")), ("UTF-16-LE",)),
    Case("UTF-16 without mark", raw("t.csv", "s,y\nACGTACGT,1\n".encode("utf-16-be")), ("UTF-16-BE",)),
    Case("latin-1", raw("t.csv", "s,y\nMüller,1\n".encode("latin-1")), ("latin-1", "line 2")),
    Case("two encodings", raw("t.csv", "s,y\né,1\n".encode() + "ü,2\n".encode("latin-1")), ("two encodings", "line 3")),
    Case("old Mac line ends", text("t.csv", "a,b\r1,2\r3,4\r"), ("CR",)),
    Case("gz in name only", text("t.csv.gz", "a,b\n1,2\n"), ("not compressed",)),
    Case("FASTA named csv", text("t.csv", FASTA), ("content is FASTA",)),
    Case("table named fa", text("t.fa", "id,y\na,1\nb,2\n"), ("content is CSV",)),
    Case("no header", text("t.csv", "ACGTACGTAC,1.5\nACGTACGTAA,2.5\n"), ("no header", "column_1, column_2")),
    Case("empty name", text("t.csv", "a,,y\n1,2,3\n"), ('column 2 has no name; it is called "column_2"',)),
    Case("row names of pandas", text("t.csv", ",y\n0,5\n1,6\n"), ('called "id"',)),
    Case("row names of R", text("t.csv", '"x","y"\n"a",1,2\n"b",3,4\n'), ('called "id"',)),
    Case("commas at line ends", text("t.csv", "a,b,\n1,2,\n3,4,\n"), ("1 column without name",)),
    Case("empty rows", text("t.csv", "a,b\n1,2\n,\n3,4\n"), ("1 empty row (line 3)",)),
    Case("the same column twice", text("t.csv", "id,y,id\na,1,a\nb,2,b\n"), ("second copies", "id")),
    Case("decimal comma", text("t.csv", "a;y\nx;1,5\nz;2,5\n"), ("decimal commas", "y")),
    Case("comments", text("t.csv", "# by hand\n# 2024\na,b\n1,2\n"), ("2 lines of comments",)),
    Case("missing words", text("t.csv", "a,y\nx,NA\nz,2\nx,3\n"), ('1 cell "NA"', "column y")),
    Case("null is an allele", text("t.csv", "a,y\nnull,1\nwild,2\n"), ('"null" is text', 'column "a"')),
    Case("FASTA with empty records", text("t.fa", ">a\n>b\nACGT\n>c\n"), ("2 records without a sequence (a, c)",)),
    Case("FASTA without names", text("t.fa", ">\nACGT\n> \nGG\n"), ("2 records without a name",)),
    Case("FASTA in latin-1", raw("t.fa", ">a Müller\nACGT\n".encode("latin-1")), ("latin-1",)),
    Case("FASTA in UTF-16", raw("t.fa", FASTA.encode("utf-16")), ("UTF-16",)),
    Case("comments above FASTA", text("t.fa", "; old style\n# x\n>a\nACGT\n"), ("2 lines of comments",)),
    Case("folder of mixed things", folder_of(a_fa=FASTA, b_fa=FASTA, notes_txt="x"), ("not read in peaks: notes.txt",)),
    Case("labels for some", text("t.fa", FASTA), ("1 record of t.fa without a label (b)", "1 label of l.csv", "(z)"),
         text("l.csv", "id,y\na,2\nz,3\n")),
    Case("labels by the first column", text("t.fa", FASTA), ('first column, "name"',), text("l.csv", "name,y\na,2\nb,3\n")),
    Case("title above the table", rows(("Results 2024",), ("a", "b"), (1, 2)), ("1 row above the header (Results",)),
    Case("gene names as dates", rows(("gene", "y"), ("TP53", 1), (pd.Timestamp("2024-10-04"), 2)), ("OCT4", "gene")),
    Case("failed formulas", rows(("a", "y"), ("x", "#DIV/0!"), ("z", 2)), ('"#DIV/0!"', "column y")),
    Case("numbers as names", data(pd.DataFrame([[1, 2]])), ("no text", "0, 1")),
    Case("an index of names", data(pd.DataFrame({"y": [1, 2]}, index=["a", "b"])), ('index became the column "id"',)),
]  # fmt: skip


def refusal(case: Case, folder: Path) -> str:
    source = case.make(folder)
    labels = case.labels(folder) if case.labels else None
    with pytest.raises(UserError) as caught:
        read(source, labels=labels)
    assert caught.value.fix, "an error says how to fix it"
    return str(caught.value)


def test_there_are_at_least_sixty_broken_inputs() -> None:
    assert len(REFUSED) >= 60
    assert len({case.name for case in REFUSED}) == len(REFUSED)


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_broken_input_is_refused_with_place_and_fix(case: Case, tmp_path: Path) -> None:
    message = refusal(case, tmp_path)
    for word in case.words:
        assert any(choice in message for choice in word.split("|")), message
    assert len(message) < 1000, "a message fits a screen"


@pytest.mark.parametrize("case", REPAIRED, ids=str)
def test_what_can_be_repaired_is_repaired_with_a_note(case: Case, tmp_path: Path) -> None:
    source = case.make(tmp_path)
    table = read(source, labels=case.labels(tmp_path) if case.labels else None)
    notes = "\n".join(table.notes)
    for word in case.words:
        assert word in notes
    assert len(table.frame) == len(table.lines) > 0


@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    path.chmod(0)
    with pytest.raises(UserError, match="no permission") as caught:
        read(path)
    assert "chmod" in caught.value.fix
