"""Tables of a run folder, written as CSV."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bioloom.files import write_parts

ROWS_AT_ONCE = 100_000
"""Rows of a table that are made into text together."""


def write_table(path: Path, frame: pd.DataFrame) -> None:
    """As CSV, some rows after the others, so that the text of millions is never in memory together."""
    starts = range(0, max(1, len(frame)), ROWS_AT_ONCE)
    parts = (frame.iloc[first : first + ROWS_AT_ONCE] for first in starts)
    texts = (
        part.to_csv(index=False, header=number == 0, lineterminator="\n") for number, part in enumerate(parts)
    )
    write_parts(path, (text.encode() for text in texts))
