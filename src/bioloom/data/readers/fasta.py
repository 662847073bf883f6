"""FASTA and FASTQ, packed or not: columns id, description, sequence, and one per key=value in the headers.

FASTA is cut at its ">" by hand, which is twice as fast as parsing it line by line and keeps one copy of the
text; FASTQ is parsed by dnaio. White space inside a sequence carries no meaning in FASTA and is left out.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
import pandas as pd

from bioloom.data.readers import Reader, readers
from bioloom.data.reading.blocks import is_large
from bioloom.data.reading.encoding import as_utf8, is_plain, is_text, text_of
from bioloom.data.reading.grid import column_of
from bioloom.data.reading.headers import PART, read_headers
from bioloom.data.records import Table
from bioloom.data.stored import StoredText, TextWriter
from bioloom.data.wording import counted, listed, short
from bioloom.errors import UserError
from bioloom.files import sha256

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bioloom.data.reading.raw import RawFile

_BLOCK = 1 << 20

_MATRIX_ROW = re.compile(r"[ACGT]?[\s\[\].eE+-]*\d[\s\[\]\d.eE+-]*")  # of a motif file, which uses > too


@dataclass(frozen=True)
class _Parsed:
    """Headers and sequences: in memory, or those of a large file in files."""

    headers: list[str] | StoredText
    sequences: list[str] | StoredText
    notes: tuple[str, ...] = ()


def read_fasta(file: RawFile) -> Table:
    """Read FASTA. Raises UserError for text before the first ">" and where no record has a sequence."""
    try:
        parsed = _parsed_on_the_way(file, is_large(file)) if is_plain(file.head) else _parsed_whole(file)
    except UnicodeDecodeError:
        parsed = _parsed_whole(file)
    return _table(file, parsed, "FASTA")


def read_fastq(file: RawFile) -> Table:
    """Read FASTQ; the qualities are left out. Raises UserError with the line of a damaged record."""
    import dnaio

    headers, sequences = [], []
    try:
        with file.stream() as stream, dnaio.open(cast(BinaryIO, stream), fileformat="fastq") as records:
            for record in records:
                headers.append(record.name)
                sequences.append(record.sequence)
    except dnaio.FileFormatError as error:
        raise _bad_fastq(file, error, len(headers)) from error
    notes = ("the base qualities of the FASTQ are not used",)
    return _table(file, _Parsed(headers, sequences, notes), "FASTQ")


def _is_fasta(file: RawFile) -> bool:
    if not is_text(file.head):
        return False
    lines = [line for line in _head_lines(file) if line and not line.startswith((";", "#"))]
    if not lines:
        return False
    if lines[0].startswith(">"):
        return len(lines) < 2 or not (_MATRIX_ROW.fullmatch(lines[1]) and set(" \t[") & set(lines[1]))
    named = file.suffix in fasta.suffixes and not any(mark in lines[0] for mark in "\t,;")
    return named or any(
        line.startswith(">") and below.replace("*", "").replace("-", "").isalpha()
        for line, below in pairwise(lines)
    )


def _is_fastq(file: RawFile) -> bool:
    if not is_text(file.head):
        return False
    lines = _head_lines(file)[:4]
    starts = bool(lines) and lines[0].startswith("@")
    return starts and (file.suffix in fastq.suffixes or (len(lines) > 2 and lines[2].startswith("+")))


def _head_lines(file: RawFile) -> list[str]:
    return [line.strip() for line in text_of(file.head).strip().splitlines()[:50]]


fasta = readers.register(
    Reader(
        name="FASTA",
        suffixes=(".fa", ".fasta", ".fna", ".ffn", ".faa", ".frn", ".fas"),
        sniff=_is_fasta,
        read=read_fasta,
        folders=True,
    )
)
fastq = readers.register(
    Reader(name="FASTQ", suffixes=(".fq", ".fastq"), sniff=_is_fastq, read=read_fastq, folders=True)
)


def _parsed_on_the_way(file: RawFile, large: bool) -> _Parsed:
    """One block after the other, so that the file is never in memory twice, and a large one not even once."""
    with file.stream() as stream, io.TextIOWrapper(stream, encoding="utf-8-sig") as text:
        return _parsed_into_files(text, file.shown) if large else _parsed(text, file.shown)


def _parsed_whole(file: RawFile) -> _Parsed:
    content, notes = as_utf8(file.content(), file.shown)
    parsed = _parsed(io.StringIO(content.decode(), newline=None), file.shown)
    return _Parsed(parsed.headers, parsed.sequences, (*notes, *parsed.notes))


def _parsed(text: IO[str], shown: str) -> _Parsed:
    headers: list[str] = []
    sequences: list[str] = []
    records = _records(text)
    notes = _check_start(next(records), shown)
    for header, sequence in _taken_apart(records):
        headers.append(header)
        sequences.append(sequence)
    return _Parsed(headers, sequences, notes)


def _parsed_into_files(text: IO[str], shown: str) -> _Parsed:
    headers, sequences, records = TextWriter(), TextWriter(), _records(text)
    notes = _check_start(next(records), shown)
    found = _taken_apart(records)
    while some := list(islice(found, PART)):
        headers.add(header for header, _ in some)
        sequences.add(sequence for _, sequence in some)
    return _Parsed(headers.column(), sequences.column(), notes)


def _taken_apart(records: Iterator[str]) -> Iterator[tuple[str, str]]:
    """The header and the sequence of each record."""
    for record in records:
        header, _, sequence = record.partition("\n")
        yield header, "".join(sequence.split())


def _records(text: IO[str]) -> Iterator[str]:
    """What stands before the first ">" of a line, then each record without its ">"."""
    rest, size = "\n", _BLOCK
    while block := text.read(size):
        *whole, rest = (rest + block).split("\n>")
        size = max(_BLOCK, len(rest))  # doubling keeps a long chromosome linear
        yield from whole
    yield rest


def _check_start(before: str, shown: str) -> tuple[str, ...]:
    lines = [line.strip() for line in before.splitlines()]
    for number, line in enumerate(lines):  # line 0 is the line end put before the file
        if line and not line.startswith((";", "#")):
            raise UserError(
                f'Text stands before the first ">": {short(line)}',
                where=f"{shown}, line {number}",
                fix='begin each record with a line ">name" and put its sequence below; remove other text',
            )
    comments = sum(bool(line) for line in lines)
    return (f"left out: {counted(comments, 'line')} of comments above the first record",) if comments else ()


def _bad_fastq(file: RawFile, error: Exception, whole: int) -> UserError:
    line = getattr(error, "line", None)
    reason = str(error).split(": ", 1)[-1].rstrip(".")
    return UserError(
        f"The FASTQ is damaged in record {whole + 1}: {short(reason, 160)}.",
        where=f"{file.shown}, line {4 * whole + 1 if line is None else line + 1}",
        fix="a record has four lines: @name, sequence, +, as many qualities as letters; get the file again",
    )


def _table(file: RawFile, parsed: _Parsed, form: str) -> Table:
    notes = list(parsed.notes)
    if not _any(parsed.sequences):
        raise UserError(
            f"There are no sequences, but {counted(len(parsed.sequences), 'header')}.",
            where=file.shown,
            fix="check that this is the file with the sequences, and whole",
        )
    headers = read_headers(parsed.headers)
    missing = headers.notes[:1] if headers.notes and "without a name" in headers.notes[0] else ()
    notes += missing
    columns: dict[str, Any] = {"id": column_of(headers.ids)}
    if headers.descriptions is not None:
        columns["description"] = headers.descriptions
    columns["sequence"] = _sequences(headers.ids, parsed.sequences, notes)
    notes += headers.notes[len(missing) :]
    columns |= headers.pairs
    return Table(
        frame=pd.DataFrame({name: _series(cells) for name, cells in columns.items()}),
        lines=np.arange(1, len(headers.ids) + 1, dtype=np.int64),
        source=file.name,
        format=form,
        sha256=sha256(file.path),
        unit="record",
        notes=tuple(notes),
    )


def _series(cells: NDArray[np.object_] | StoredText) -> pd.Series[Any]:
    return pd.Series(cells) if isinstance(cells, StoredText) else pd.Series(cells, dtype=object)


def _any(sequences: list[str] | StoredText) -> bool:
    return any(sequences) if isinstance(sequences, list) else not sequences.isna().all()


def _sequences(
    ids: list[str], sequences: list[str] | StoredText, notes: list[str]
) -> NDArray[np.object_] | StoredText:
    column = column_of(sequences) if isinstance(sequences, list) else sequences
    empty = column == "" if isinstance(sequences, list) else sequences.isna()
    if empty.any():
        if isinstance(column, np.ndarray):
            column[empty] = np.nan
        names = [ids[index] for index in np.flatnonzero(empty)]
        notes.append(f"{counted(len(names), 'record')} without a sequence ({listed(names)})")
    return column
