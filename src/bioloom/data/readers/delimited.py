"""Tables as text: CSV, TSV, semicolons or bars between cells, any encoding, any line ends, packed or not.

The quick way is pandas' C parser. It fills short rows silently and knows no lines, so its result is taken only
where counting delimiters and line ends proves that every line is one row; else the csv module goes through the
file row by row, which finds the place of whatever is wrong.
"""

from __future__ import annotations

import csv
import io
import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bioloom.data.readers import Reader, readers
from bioloom.data.reading.blocks import Gathered, is_large, is_utf8, line_blocks
from bioloom.data.reading.encoding import as_utf8, is_text
from bioloom.data.reading.grid import Grid, as_frame, column_of, stripped, tidied
from bioloom.data.records import Table
from bioloom.data.wording import counted, listed, short
from bioloom.errors import UserError
from bioloom.files import sha256

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bioloom.data.reading.raw import RawFile

NAMES = {
    ",": "CSV",
    "\t": "TSV",
    ";": "CSV (semicolon)",
    "|": "CSV (bar)",
    " ": "table with spaces between cells",
    "": "one column of text",
}
"""What a file is called by the delimiter between its cells."""

_WORDS = {",": "a comma", "\t": "a tab", ";": "a semicolon", "|": "a bar", " ": "a space", "": "nothing"}
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_LONGEST_CELL = 2**31 - 1


@dataclass(frozen=True)
class Layout:
    """How the cells of a text lie.

    names: the cells of the header
    start: offset of the first byte after the header
    line:  number of the header's line; first is the line of the first byte after it
    """

    delimiter: str
    names: tuple[str, ...]
    start: int
    line: int
    first: int
    notes: tuple[str, ...] = ()


def read(file: RawFile) -> Table:
    """Read a delimited file. Raises UserError with the line where it is damaged."""
    table = _in_blocks(file) if is_large(file) else None
    return _whole(file) if table is None else table


def _whole(file: RawFile) -> Table:
    content, notes = as_utf8(file.content(), file.shown)
    if not content[:4096].strip() and not content.strip():
        raise UserError("The file holds nothing but white space.", where=file.shown, fix="export it again")
    with _long_cells():
        layout = _layout(content, file.shown)
        columns, lines = _quick(content, layout) or _thorough(content, layout, file.shown)
    grid = Grid(
        layout.names, tuple(columns), lines, file.shown, header=layout.line, notes=(*notes, *layout.notes)
    )
    grid = tidied(stripped(grid) if any(space in content for space in (b" ", b"\t", b"\xc2\xa0")) else grid)
    return Table(
        frame=as_frame(grid),
        lines=grid.lines,
        source=file.name,
        format=NAMES[layout.delimiter],
        sha256=sha256(file.path),
        unit=grid.unit,
        notes=grid.notes,
    )


def _in_blocks(file: RawFile) -> Table | None:
    """A large file block by block; nothing where its text is not plain or a line is not certainly one row."""
    gathered, layout, line = None, None, 0
    notes: tuple[str, ...] = ()
    with file.stream() as stream, _long_cells():
        for block in line_blocks(stream):
            if gathered is None or layout is None:
                content, notes = as_utf8(block, file.shown)
                layout = _layout(content, file.shown)
                gathered, line = Gathered(layout.names), layout.first
            else:
                content, layout = block, replace(layout, start=0, first=line)
            found = _quick(content, layout) if is_utf8(content) and not notes else None
            if found is None:
                return None
            gathered.add(*found, spaced=any(space in content for space in (b" ", b"\t", b"\xc2\xa0")))
            line += len(found[1])
    return None if gathered is None or layout is None else _tidied(file, gathered, layout)


def _tidied(file: RawFile, gathered: Gathered, layout: Layout) -> Table | None:
    """The table of a large file; nothing where columns would have to be compared, the header is a row, or it lies
    on its side."""
    grid = gathered.grid(file.shown, layout.line, layout.notes)
    done = tidied(grid)
    if len(done.names) < len(grid.names) or len(done.lines) > len(grid.lines) or done.unit != grid.unit:
        return None
    return Table(
        frame=gathered.frame(done),
        lines=done.lines,
        source=file.name,
        format=NAMES[layout.delimiter],
        sha256=sha256(file.path),
        notes=done.notes,
    )


reader = readers.register(
    Reader(
        name="CSV or TSV",
        suffixes=(".csv", ".tsv", ".txt", ".tab", ".dat"),
        sniff=lambda file: is_text(file.head),
        read=read,
        last=True,
    )
)


def _layout(content: bytes, shown: str) -> Layout:
    start, line, notes, promised = _preamble(content, shown)
    sample = _first_lines(content, start)
    delimiter = promised or _delimiter(sample)
    rows = _split(sample, delimiter)
    names, after = next(rows)
    widths = [len(row) for row, _ in rows]
    if names[0].startswith("#"):
        names[0] = names[0].lstrip("#")
    if _has_row_names(names, widths, sample, delimiter):
        names.insert(0, "")
    if not delimiter:
        _refuse_odd_delimiter(sample, f"{shown}, line {line}")
    for _ in range(after):
        end = content.find(b"\n", start)
        start = end + 1 if end >= 0 else len(content)
    return Layout(delimiter, tuple(names), start, line, line + after, notes)


def _preamble(content: bytes, shown: str) -> tuple[int, int, tuple[str, ...], str]:
    """Skip what stands above the header: blank lines, comments (#) and Excel's sep=; line."""
    start, line, promised, comments = 0, 1, "", 0
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        text = content[start : min(end, start + 4096)].decode(errors="replace").strip()
        is_separator = re.fullmatch(r'"?sep=(.)"?', text) if line == 1 else None
        if is_separator and is_separator[1] in NAMES:
            promised = is_separator[1]
        elif text and not _is_comment(text, content, end):
            notes = (
                (f"left out: {counted(comments, 'line')} of comments above the header",) if comments else ()
            )
            return start, line, notes, promised
        comments += bool(text) and not is_separator
        start, line = end + 1, line + 1
    raise UserError("The file holds comments only.", where=shown, fix="add a header and rows")


def _is_comment(text: str, content: bytes, end: int) -> bool:
    """A line after a # is a comment, but '#chrom<tab>start' above rows of as many cells is the header."""
    if not text.startswith("#"):
        return False
    following = content[end + 1 : end + 4096].decode(errors="replace").split("\n", 1)[0]
    same = any(text.count(mark) and text.count(mark) == following.count(mark) for mark in "\t;,|")
    return not (same and not text.startswith(("##", "# ")) and not following.startswith("#"))


def _first_lines(content: bytes, start: int, most: int = 100, size: int = 1 << 16) -> str:
    """The header and the rows below it: up to 100 lines and 64 KiB, but no less than three whole lines."""
    end = start
    for count in range(most):
        if count >= 3 and end - start > size:
            break
        found = content.find(b"\n", end)
        if found < 0:
            return content[start:].decode()
        end = found + 1
    return content[start:end].decode()


def _split(text: str, delimiter: str) -> Iterator[tuple[list[str], int]]:
    """The rows of a text and, with each, how many lines were used up to its end; blank lines are left out."""
    if not delimiter:
        yield from (
            ([line], number) for number, line in enumerate(text.splitlines(), start=1) if line.strip()
        )
        return
    lines = io.StringIO(text, newline="")
    rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter == " ")
    yield from ((row, rows.line_num) for row in rows if row)


def _delimiter(sample: str) -> str:
    """The character that cuts all lines into the same number of cells; none where nothing does."""
    scores = {mark: score for mark in "\t;,|" if (score := _fit(sample, mark)) is not None}
    if scores.get("\t", (0, 0.0))[:2] == (2, 1.0):
        return "\t"
    if scores:
        return max(scores, key=lambda mark: scores[mark])
    spaces = _fit(sample, " ")
    regular = spaces is not None and spaces[0] > 0 and spaces[1] == 1.0 and sample.count("\n") > 1
    return " " if regular else ""


def _fit(sample: str, delimiter: str) -> tuple[int, float, int] | None:
    """How well a delimiter fits: how far the header agrees, share of lines that agree, cells per line.

    The header agrees fully (2), lacks the name above row names (1), or not at all (0).
    """
    widths = [len(row) for row, _ in _split(sample, delimiter)]
    below = widths[1:] or widths
    typical = max(set(below), key=below.count)
    if typical < 2 and widths[0] < 2:
        return None
    lines = sample.splitlines()[1:]
    if delimiter == "," and widths[0] == 1 and all(_DECIMAL_COMMA.fullmatch(line.strip()) for line in lines):
        return None
    agrees = {0: 2, 1: 1}.get(typical - widths[0], 0)
    return agrees, below.count(typical) / len(below), typical


def _has_row_names(names: list[str], widths: list[int], sample: str, delimiter: str) -> bool:
    """R's write.table leaves out the name above the row names: each line has one cell more than the header."""
    if not widths or set(widths) != {len(names) + 1}:
        return False
    ends = [row[-1] for row, _ in _split(sample, delimiter)][1:]
    return any(ends)  # else: a delimiter at the end of each line


def _refuse_odd_delimiter(sample: str, where: str) -> None:
    lines = sample.splitlines()
    for mark in "^~!&:":
        count = lines[0].count(mark)
        if count and len(lines) > 1 and all(line.count(mark) == count for line in lines if line):
            raise UserError(
                f'The cells seem to be separated by "{mark}", which is not read.',
                where=where,
                fix="save the table with commas, semicolons or tabs between the cells",
            )


def _quick(content: bytes, layout: Layout) -> tuple[list[NDArray[np.object_]], NDArray[np.int64]] | None:
    """All cells by pandas' C parser, or nothing where one line is not certainly one row."""
    if layout.delimiter in ("", " ") or layout.start >= len(content):
        return None
    stream = io.BytesIO(content)
    stream.seek(layout.start)
    try:
        frame = pd.read_csv(
            stream, sep=layout.delimiter, header=None, dtype=object, na_filter=False, low_memory=False
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError):
        return None
    columns = [column.to_numpy(dtype=object) for _, column in frame.items()]
    if not _is_regular(content, layout, columns):
        return None
    return columns, np.arange(len(frame), dtype=np.int64) + layout.first


def _is_regular(content: bytes, layout: Layout, columns: list[NDArray[np.object_]]) -> bool:
    """Whether each line is one row of full width: then line ends and delimiters come out even."""
    width, rows = len(layout.names), len(columns[0])
    ends = content.count(b"\n", layout.start) + (not content.endswith(b"\n"))
    marks = content.count(layout.delimiter.encode(), layout.start)
    if len(columns) != width or ends != rows or marks != (width - 1) * rows:
        return False
    # a quoted delimiter in one row could hide a missing one in another, which leaves that row's end empty
    return b'"' not in content or not (columns[-1] == "").any()


def _thorough(
    content: bytes, layout: Layout, shown: str
) -> tuple[list[NDArray[np.object_]], NDArray[np.int64]]:
    """All cells by the csv module, with the line where each row begins."""
    rows, lines = _rows(content, layout, shown)
    width = len(layout.names)
    for index, row in enumerate(rows):
        if len(row) > width and not any(row[width:]):
            rows[index] = row[:width]  # delimiters at the end of the line
    ragged = [index for index, row in enumerate(rows) if len(row) != width]
    if ragged:
        raise _ragged(layout, rows, [lines[index] for index in ragged], ragged, shown)
    columns = [column_of([row[index] for row in rows]) for index in range(width)]
    return columns, np.array(lines, dtype=np.int64)


def _rows(content: bytes, layout: Layout, shown: str) -> tuple[list[list[str]], list[int]]:
    stream = io.BytesIO(content)
    stream.seek(layout.start)
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    if not layout.delimiter:
        cells = [([line.strip("\r\n")], number) for number, line in enumerate(text, start=layout.first)]
        filled = [(row, number) for row, number in cells if row[0].strip()]
        return [row for row, _ in filled], [number for _, number in filled]
    reader = csv.reader(
        text, delimiter=layout.delimiter, strict=True, skipinitialspace=layout.delimiter == " "
    )
    rows: list[list[str]] = []
    ends = [0]
    try:
        for row in reader:
            rows.append(row)
            ends.append(reader.line_num)
    except csv.Error as error:
        raise _bad_quote(shown, layout.first + ends[-1], str(error)) from error
    starts = [layout.first + before for before, _ in pairwise(ends)]
    kept = [index for index, row in enumerate(rows) if row]
    return [rows[index] for index in kept], [starts[index] for index in kept]


def _bad_quote(shown: str, line: int, reason: str) -> UserError:
    if "end of data" in reason:
        what = 'A quote (") that opens here is never closed.'
    else:
        what = 'A quote (") stands where none can: text follows after a closing quote.'
    return UserError(
        what,
        where=f"{shown}, line {line}",
        fix='close the quote; a quote that belongs to the text is written twice ("")',
    )


def _ragged(
    layout: Layout, rows: list[list[str]], lines: list[int], ragged: list[int], shown: str
) -> UserError:
    row, width = rows[ragged[0]], len(layout.names)
    more = (
        f" {counted(len(ragged) - 1, 'more line')} differ{'s' if len(ragged) == 2 else ''} in width."
        if len(ragged) > 1
        else ""
    )
    mark = _WORDS[layout.delimiter]
    if len(row) > width:
        found = f"The surplus begins with: {short(row[width])}."
        fix = f'put quotes (") round a cell that holds {mark}, or remove the surplus cells'
        if layout.delimiter == "," and any(len(each) > width for each in rows[:1]):
            fix += "; numbers with a decimal comma need semicolons between the cells"
    else:
        names = [name or f"column {place}" for place, name in enumerate(layout.names, start=1)]
        found = f"Missing: {listed(names[len(row) :])}."
        fix = f"complete the line; an empty cell still needs {mark} before or after it"
    return UserError(
        f"Line {lines[0]} has {counted(len(row), 'cell')}, but the header has {width}. {found}{more}",
        where=f"{shown}, line {lines[0]}",
        fix=fix,
    )


@contextmanager
def _long_cells() -> Iterator[None]:
    """Let the csv module read cells above 131,072 characters, as genes can be; its limit is put back."""
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)
