"""FASTA and FASTQ, packed or not: columns id, description, sequence, and one per key=value in the headers.

FASTA is cut at its ">" by hand, which is twice as fast as parsing it line by line and keeps one copy of the
text; FASTQ is parsed by dnaio. White space inside a sequence carries no meaning in FASTA and is left out.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import IO, TYPE_CHECKING, BinaryIO, cast

import numpy as np
import pandas as pd

from bioloom.data.readers import Reader, readers
from bioloom.data.reading.encoding import as_utf8, is_plain, is_text, text_of
from bioloom.data.reading.grid import column_of
from bioloom.data.reading.missing import with_missing
from bioloom.data.records import Table
from bioloom.data.wording import counted, listed, short
from bioloom.errors import UserError
from bioloom.files import sha256

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bioloom.data.reading.raw import RawFile

_BLOCK = 1 << 20

_PAIR = re.compile(
    r"\[(?P<bracket>\w+)=(?P<in_bracket>[^\]]*)\]"  # [organism=Homo sapiens], as NCBI writes it
    r"|\b(?P<uniprot>OS|OX|GN|PE|SV)=(?P<in_uniprot>.*?)(?=\s+(?:OS|OX|GN|PE|SV)=|$)"  # OS=Homo sapiens OX=9606
    r"|(?<!\S)(?P<quoted>[A-Za-z_][\w.:-]*)=\"(?P<in_quotes>[^\"]*)\""
    r"|(?<!\S)(?P<plain>[A-Za-z_][\w.:-]*)=(?P<value>\S*)"
)
_MATRIX_ROW = re.compile(r"[ACGT]?[\s\[\].eE+-]*\d[\s\[\]\d.eE+-]*")  # of a motif file, which uses > too
_RARE = 0.05  # keys in fewer headers than this stay in the description
_TAKEN = ("id", "description", "sequence", "file")


@dataclass(frozen=True)
class _Parsed:
    headers: list[str]
    sequences: list[str]
    notes: tuple[str, ...] = ()


def read_fasta(file: RawFile) -> Table:
    """Read FASTA. Raises UserError for text before the first ">" and where no record has a sequence."""
    try:
        parsed = _parsed_on_the_way(file) if is_plain(file.head) else _parsed_whole(file)
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
        return len(lines) < 2 or not _MATRIX_ROW.fullmatch(lines[1])
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


def _parsed_on_the_way(file: RawFile) -> _Parsed:
    """One block after the other, so that the file is never in memory twice."""
    with file.stream() as stream, io.TextIOWrapper(stream, encoding="utf-8-sig") as text:
        return _parsed(text, file.shown)


def _parsed_whole(file: RawFile) -> _Parsed:
    content, notes = as_utf8(file.content(), file.shown)
    parsed = _parsed(io.StringIO(content.decode(), newline=None), file.shown)
    return _Parsed(parsed.headers, parsed.sequences, (*notes, *parsed.notes))


def _parsed(text: IO[str], shown: str) -> _Parsed:
    headers: list[str] = []
    sequences: list[str] = []
    records = _records(text)
    notes = _check_start(next(records), shown)
    for record in records:
        header, _, sequence = record.partition("\n")
        headers.append(header)
        sequences.append("".join(sequence.split()))
    return _Parsed(headers, sequences, notes)


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
    if not any(parsed.sequences):
        raise UserError(
            f"There are no sequences, but {counted(len(parsed.sequences), 'header')}.",
            where=file.shown,
            fix="check that this is the file with the sequences, and whole",
        )
    ids, descriptions = _split_headers(parsed.headers, notes)
    columns = {"id": column_of(ids), "sequence": _sequences(ids, parsed.sequences, notes)}
    described, pairs = _pairs(descriptions, notes)
    if any(described):
        columns["description"] = column_of([text or np.nan for text in described])
    columns.update(pairs)
    order = ["id", "description", "sequence", *pairs]
    return Table(
        frame=pd.DataFrame({n: pd.Series(columns[n], dtype=object) for n in order if n in columns}),
        lines=np.arange(1, len(ids) + 1, dtype=np.int64),
        source=file.name,
        format=form,
        sha256=sha256(file.path),
        unit="record",
        notes=tuple(notes),
    )


def _split_headers(headers: list[str], notes: list[str]) -> tuple[list[str], list[str]]:
    """The first word of each header, and the rest."""
    ids, rest = [], []
    unnamed = 0
    for number, header in enumerate(headers, start=1):
        name, _, description = header.strip().replace("\t", " ").partition(" ")  # copies nothing if one word
        unnamed += not name
        ids.append(name or f"record_{number}")
        rest.append(description.strip())
    if unnamed:
        notes.append(f'{counted(unnamed, "record")} without a name, called by number ("record_1" ...)')
    return ids, rest


def _sequences(ids: list[str], sequences: list[str], notes: list[str]) -> NDArray[np.object_]:
    column = column_of(sequences)
    if "" in sequences:
        empty = column == ""
        column[empty] = np.nan
        names = [ids[index] for index in np.flatnonzero(empty)]
        notes.append(f"{counted(len(names), 'record')} without a sequence ({listed(names)})")
    return column


def _pairs(descriptions: list[str], notes: list[str]) -> tuple[list[str], dict[str, NDArray[np.object_]]]:
    """Take key=value words out of the descriptions; keys of few headers stay where they are."""
    if not any("=" in text for text in descriptions):
        return descriptions, {}
    found = [_pairs_of(text) if "=" in text else {} for text in descriptions]
    counts = Counter(key for pairs in found for key in pairs)
    keys = [key for key, count in counts.items() if count >= _RARE * len(descriptions)]
    if not keys:
        return descriptions, {}
    rest = [_without(text, keys) if "=" in text else text for text in descriptions]
    values = {_free(key): column_of([pairs.get(key, "") for pairs in found]) for key in keys}
    columns, words = with_missing(values)
    rare = sorted(counts.keys() - set(keys))
    notes.append(f"columns from key=value in the headers: {listed(list(values))}")
    notes += (
        [f"keys in fewer than 5 % of the headers stay in the description: {listed(rare)}"] if rare else []
    )
    notes += words
    return rest, columns


def _pairs_of(text: str) -> dict[str, str]:
    return dict(_pair(match) for match in _PAIR.finditer(text))


def _pair(match: re.Match[str]) -> tuple[str, str]:
    key, value = [group for group in match.groups() if group is not None]
    return key, value.strip()


def _without(text: str, keys: list[str]) -> str:
    kept = _PAIR.sub(lambda match: "" if _pair(match)[0] in keys else match[0], text)
    return " ".join(kept.split())


def _free(key: str) -> str:
    return f"{key}_in_header" if key in _TAKEN else key
