"""Large files block by block: long texts go to a file of their own, everything else stays as it is.

A grid is made as for any other file, with a short word in the place of each long text, so that empty rows, missing
cells and unnamed columns are treated alike whatever the size of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bioloom.data.reading.grid import Grid, column_of
from bioloom.data.stored import StoredText, TextWriter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bioloom.data.reading.raw import RawFile

    Column = NDArray[np.object_]

LARGE = 2**27
"""Bytes of text from which a file is read block by block: 128 MB, about 600,000 sequences of 200 letters."""

PACKED = 4
"""Packed text is about so many times as long when it is unpacked."""

BLOCK = 2**25
"""Bytes read at a time."""

LONG = 40
"""Mean length of the cells of a column from which they are kept in a file."""

SHORT = 16
"""Cells below this length stand in the grid as they are: an empty one, a word for a missing value."""

STAND_IN = "N" * 24
"""What stands in the grid for a long text: it reads as a sequence, as long texts do."""


def is_large(file: RawFile) -> bool:
    """Whether a file is so large that it is read block by block."""
    return file.path.stat().st_size * (PACKED if file.packed else 1) > LARGE


def line_blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """The content in blocks of whole lines."""
    rest = b""
    while block := stream.read(BLOCK):
        end = block.rfind(b"\n") + 1
        if end:
            yield rest + block[:end]
            rest = block[end:]
        else:
            rest += block
    if rest:
        yield rest


def is_utf8(block: bytes) -> bool:
    """Whether a block of whole lines can be read without looking at the others."""
    if b"\x00" in block:
        return False
    try:
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False


@dataclass
class Gathered:
    """Columns of a table as they come in, block after block."""

    names: tuple[str, ...]
    columns: list[list[Column]] = field(default_factory=list)
    lines: list[NDArray[np.int64]] = field(default_factory=list)
    long: dict[int, TextWriter] = field(default_factory=dict)

    def add(self, columns: list[Column], lines: NDArray[np.int64], spaced: bool) -> None:
        """Add some rows; spaced: whether there may be white space round the cells."""
        if not self.lines:
            self.columns = [[] for _ in columns]
            self.long = {place: TextWriter() for place, cells in enumerate(columns) if _is_long(cells)}
        for place, cells in enumerate(columns):
            texts: list[str] = cells.tolist()
            if spaced:
                texts = [cell.strip() for cell in texts]
            if place in self.long:
                self.long[place].add(texts)
                texts = [cell if len(cell) < SHORT else STAND_IN for cell in texts]
            self.columns[place].append(column_of(texts))
        self.lines.append(lines)

    def grid(self, shown: str, header: int, notes: tuple[str, ...]) -> Grid:
        """All rows, with stand-ins for long texts."""
        columns = tuple(np.concatenate(parts) for parts in self.columns)
        self.columns = []
        return Grid(self.names, columns, np.concatenate(self.lines), shown, header=header, notes=notes)

    def frame(self, grid: Grid) -> pd.DataFrame:
        """The columns of a tidied grid, of which none was left out, with the long texts themselves."""
        rows = np.searchsorted(np.concatenate(self.lines), grid.lines)
        cells: dict[str, Any] = {}
        for place, (name, column) in enumerate(zip(grid.names, grid.columns, strict=True)):
            if place not in self.long:
                cells[name] = pd.Series(column, dtype=object)
                continue
            stored: StoredText = self.long[place].column().take(rows)
            cells[name] = pd.Series(stored.without(pd.isna(column)))
        return pd.DataFrame(cells)


def _is_long(cells: Column) -> bool:
    return sum(map(len, cells.tolist())) >= LONG * max(1, len(cells))
