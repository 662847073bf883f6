"""Claim: `bioloom check` on a FASTA file of 1,000,000 x 200 nt takes under 20 s and 2 GB."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.measure import Side, compare, report, timed
from benchmarks.sequences import fasta


def check() -> None:
    command = [sys.executable, "-m", "bioloom", "check", str(fasta()), "--quiet"]
    timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))


def biopython() -> None:
    """The field's usual parser, only reading."""
    code = f"from Bio import SeqIO; n = sum(len(r.seq) for r in SeqIO.parse({str(fasta())!r}, 'fasta'))"
    timed(lambda: subprocess.run([sys.executable, "-c", code], check=True))


def main() -> None:
    fasta()
    sides = [Side("bioloom check", "check"), Side("Biopython, reading only", "biopython")]
    measured = compare("benchmarks.check", sides, rounds=3)
    ours, peer = measured["bioloom check"], measured["Biopython, reading only"]
    lines = [
        f"check: {ours.seconds:.1f} s (ceiling 20 s), {ours.megabytes / 1024:.2f} GB (ceiling 2 GB)",
        f"that is {ours.seconds / peer.seconds:.1f} times what Biopython takes to read the file",
    ]
    report("check", __doc__ or "", measured, lines)


if __name__ == "__main__":
    main()
