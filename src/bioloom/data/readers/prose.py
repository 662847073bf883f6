"""Running text, such as a book: cut into pieces of equal length that stand in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bioloom.data.readers import Reader, readers
from bioloom.data.reading.encoding import as_utf8, is_text
from bioloom.data.records import Table
from bioloom.files import sha256

if TYPE_CHECKING:
    from bioloom.data.reading.raw import RawFile

SUFFIXES = (".txt", ".text")

PIECE = 256
"""Characters of a piece."""

DELIMITERS = "\t;,|"

ALIKE = 0.6
"""Of a table at least so many lines have as many delimiters as the first one."""

WORDS = 3
"""Words that the median line holds at least; lists and columns have fewer."""

ENOUGH = 20 * PIECE
"""Characters without which there is nothing to cut: a list of sentences is read as a column."""


def is_prose(file: RawFile) -> bool:
    """Whether a file is running text: its name says text, its lines hold words, and no delimiter cuts all alike."""
    if file.suffix not in SUFFIXES or not is_text(file.head):
        return False
    text = file.head.decode("utf-8", errors="replace")
    lines = [line for line in text.splitlines()[:-1] if line.strip()]
    if len(text) < ENOUGH or not lines or np.median([len(line.split()) for line in lines]) < WORDS:
        return False
    return not any(_cuts(lines, delimiter) for delimiter in DELIMITERS)


def _cuts(lines: list[str], delimiter: str) -> bool:
    counts = [line.count(delimiter) for line in lines]
    return counts[0] > 0 and sum(count == counts[0] for count in counts) >= ALIKE * len(counts)


def read_prose(file: RawFile) -> Table:
    """Cut a text into pieces of 256 characters, each with its place; nothing is left out but a rest at the end."""
    content, notes = as_utf8(file.content(), file.shown)
    text = content.decode().replace("\r\n", "\n")
    pieces = [text[first : first + PIECE] for first in range(0, len(text) - PIECE + 1, PIECE)]
    before = np.cumsum([0, *(piece.count("\n") for piece in pieces)])[:-1]
    places = np.arange(1, len(pieces) + 1)
    told = (
        f"{file.name} is running text, cut into {len(pieces):,} pieces of {PIECE} characters in their order"
    )
    return Table(
        frame=pd.DataFrame({"text": np.array(pieces, dtype=object), "place": places}),
        lines=before.astype(np.int64) + 1,
        source=file.name,
        format="running text",
        sha256=sha256(file.path),
        notes=(*notes, told),
        order="place",
    )


readers.register(Reader("running text", SUFFIXES, is_prose, read_prose))
