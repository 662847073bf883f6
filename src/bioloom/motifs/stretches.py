"""Pieces of DNA to look at: the records of a FASTA, the regions of a BED in a genome, the cells of a table.

A FASTA is read record by record, packed or not, so that a genome is never in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import pandas as pd

from bioloom.data import readers
from bioloom.data.reading import sources
from bioloom.data.reading.raw import RawFile, open_file
from bioloom.data.records import Table
from bioloom.data.wording import counted, listed
from bioloom.errors import UserError, did_you_mean

TOGETHER = 32 << 20
"""Letters that are held in memory together, beside what one record is longer."""


@dataclass(frozen=True)
class Stretch:
    """A piece of DNA that is looked at.

    name:  of the sequence that it is part of
    text:  its letters
    start: 0-based position of its first letter in that sequence
    """

    name: str
    text: str
    start: int = 0


@dataclass(frozen=True)
class Region:
    """A place in a genome, 0-based and half-open; line: where it stands in its file."""

    start: int
    end: int
    line: int


def from_fasta(path: Path) -> Iterator[Stretch]:
    """The records of a FASTA or FASTQ file, one after the other.

    Raises UserError with the line of a damaged record.
    """
    import dnaio

    file = open_file(path)
    form = "fastq" if file.head.lstrip().startswith(b"@") else "fasta"
    try:
        with file.stream() as stream, dnaio.open(cast(BinaryIO, stream), fileformat=form) as records:
            for record in records:
                yield Stretch(record.name.split()[0] if record.name.split() else "", record.sequence)
    except dnaio.FileFormatError as error:
        raise UserError(
            f"The {form.upper()} is damaged: {str(error).split(': ', 1)[-1].rstrip('.')}.",
            where=file.shown,
            fix="get the file again",
        ) from error


def is_sequences(path: Path) -> bool:
    """Whether a file is FASTA or FASTQ by its first sign."""
    return open_file(path).head.lstrip()[:1] in (b">", b"@")


def from_regions(bed: Path, genome: Path) -> Iterator[Stretch]:
    """The regions of a BED file, in the order of the genome.

    Raises UserError for a line that is no region, one beyond the end of its sequence, and for sequences that the
    genome does not have.
    """
    regions = _read_bed(open_file(bed))
    names: list[str] = []
    for record in from_fasta(genome):
        names.append(record.name)
        for region in regions.pop(record.name, []):
            if region.end > len(record.text):
                raise UserError(
                    f"The region {record.name}:{region.start}-{region.end} ends behind the sequence, which has "
                    f"{len(record.text):,} letters.",
                    where=f"{bed}, line {region.line}",
                    fix="give the genome that the regions were made with",
                )
            yield Stretch(record.name, record.text[region.start : region.end], region.start)
    if regions:
        name, lines = next(iter(regions.items()))
        raise UserError(
            f'The genome has no sequence called "{name}".{did_you_mean(name, names)}',
            where=f"{bed}, line {lines[0].line}",
            fix=f"its sequences are called: {listed(names)}; use the same names in both files",
        )


def _read_bed(file: RawFile) -> dict[str, list[Region]]:
    """Regions by sequence, sorted by place."""
    found: dict[str, list[Region]] = {}
    with file.stream() as stream:
        for number, raw in enumerate(stream, start=1):
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            if not line.strip() or line.startswith(("#", "track", "browser")):
                continue
            fields = line.split("\t") if "\t" in line else line.split()
            if len(fields) < 3 or not fields[1].isdecimal() or not fields[2].isdecimal():
                raise UserError(
                    "This line is no region.",
                    where=f"{file.shown}, line {number}",
                    fix="a line of BED holds a sequence, a start and an end: whole numbers from 0, separated by tabs",
                )
            region = Region(int(fields[1]), int(fields[2]), number)
            if region.end <= region.start:
                raise UserError(
                    f"The region ends at {region.end}, before it starts at {region.start}.",
                    where=f"{file.shown}, line {number}",
                    fix="the end of a region is the position behind its last letter",
                )
            found.setdefault(fields[0], []).append(region)
    if not found:
        raise UserError(
            "There are no regions in this file.",
            where=file.shown,
            fix="give a BED file with at least one line",
        )
    return {name: sorted(regions, key=lambda each: each.start) for name, regions in found.items()}


def from_table(table: Table, column: str) -> Iterator[Stretch]:
    """The cells of one column; a row is named by its id, or by its number from 1."""
    frame = table.frame
    if column not in frame.columns:
        raise UserError(
            f'There is no column "{column}" in {table.source}.{did_you_mean(column, map(str, frame.columns))}',
            where="--column",
            fix=f"its columns: {', '.join(map(str, frame.columns))}",
        )
    names = frame["id"] if "id" in frame.columns and column != "id" else pd.Series(range(1, len(frame) + 1))
    for name, cell in zip(names, frame[column], strict=True):
        yield Stretch(str(name), "" if pd.isna(cell) else str(cell).strip())


def read_table(source: str) -> Table:
    """A table of sequences in any format that bioloom reads."""
    return readers.read(source)


def as_path(source: str) -> Path:
    """The one file behind what a user wrote: a path, or the name of a data set that comes with bioloom."""
    files = sources.find(source).files
    if len(files) > 1:
        raise UserError(
            f"{counted(len(files), 'file')} match.",
            where=source,
            fix="name one of them, and run the command for each",
        )
    return files[0].path


def in_groups(stretches: Iterator[Stretch]) -> Iterator[list[Stretch]]:
    """Stretches in groups that fit in memory together."""
    group: list[Stretch] = []
    held = 0
    for stretch in stretches:
        group.append(stretch)
        held += len(stretch.text)
        if held >= TOGETHER:
            yield group
            group, held = [], 0
    if group:
        yield group
