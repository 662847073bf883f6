"""The simulated sequences that several benchmarks share."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

RECORDS, LENGTH = 1_000_000, 200


def fasta(records: int = RECORDS, length: int = LENGTH) -> Path:
    """A FASTA file of random DNA, made once and kept in the temporary folder."""
    path = Path(tempfile.gettempdir()) / f"bioloom-benchmark-{records}x{length}.fasta"
    if not path.exists():
        source = random.Random(0)
        unfinished = path.with_suffix(".part")
        with unfinished.open("w") as stream:
            for number in range(records):
                stream.write(f">r{number}\n{''.join(source.choices('ACGT', k=length))}\n")
        unfinished.rename(path)
    return path


def strings(records: int = RECORDS, length: int = LENGTH) -> list[str]:
    """The same sequences in memory."""
    with fasta(records, length).open() as stream:
        return [line.rstrip("\n") for line in stream if not line.startswith(">")]
