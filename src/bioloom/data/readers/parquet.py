"""Parquet files, through pyarrow (an extra, because it is large)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioloom.data.readers import Reader, readers
from bioloom.data.reading import frames
from bioloom.data.records import Table
from bioloom.errors import UserError
from bioloom.files import sha256

if TYPE_CHECKING:
    from bioloom.data.reading.raw import RawFile


def read(file: RawFile) -> Table:
    """Read a Parquet file. Raises UserError where it is damaged or pyarrow is not installed."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise UserError(
            "Parquet files need pyarrow, which is not installed.",
            where=file.shown,
            fix='pip install "bioloom[parquet]", or save the table as CSV',
        ) from error
    try:
        content = parquet.read_table(file.path, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            "The Parquet file is damaged or cut off.", where=file.shown, fix="write or download it again"
        ) from error
    frame, notes = frames.plain(content, file.shown)
    return Table(
        frame=frame,
        lines=frames.numbered(frame),
        source=file.name,
        format="Parquet",
        sha256=sha256(file.path),
        unit="row",
        notes=notes,
    )


reader = readers.register(
    Reader(
        name="Parquet",
        suffixes=(".parquet", ".pq"),
        sniff=lambda file: file.head.startswith(b"PAR1"),
        read=read,
    )
)
