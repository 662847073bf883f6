"""Claim: a FASTA file of 1,000,000 x 200 nt becomes tokens in under 2 s, at least 5 times faster than the same
sequences, already in memory, become one-hot arrays with tangermeme's encoder."""

from __future__ import annotations

from benchmarks.measure import Side, compare, peer_python, report, timed
from benchmarks.sequences import fasta, strings


def from_file() -> None:
    from bioloom.data import readers
    from bioloom.modalities.dna import Dna

    path = fasta()
    dna = Dna(length=200, aligned=True)
    timed(lambda: dna.encode(readers.read(path).frame[["sequence"]]))


def from_memory() -> None:
    import numpy as np
    import pandas as pd

    from bioloom.modalities.dna import Dna

    frame = pd.DataFrame({"sequence": np.array(strings(), dtype=object)})
    dna = Dna(length=200, aligned=True)
    timed(lambda: dna.encode(frame))


def tangermeme() -> None:
    import torch
    from tangermeme.utils import one_hot_encode

    sequences = strings()
    timed(lambda: torch.stack([one_hot_encode(sequence) for sequence in sequences]))


def main() -> None:
    sides = [Side("bioloom, file to tokens", "from_file"), Side("bioloom, strings to tokens", "from_memory")]
    peer = peer_python()
    if peer:
        sides.append(Side("tangermeme, strings to one-hot", "tangermeme", peer))
    measured = compare("benchmarks.encode", sides, rounds=3)
    file = measured["bioloom, file to tokens"]
    lines = [f"file to tokens: {file.seconds:.2f} s (ceiling 2 s)"]
    if peer:
        other = measured["tangermeme, strings to one-hot"]
        lines.append(
            f"tangermeme takes {other.seconds / file.seconds:.1f} times as long as reading and encoding the file"
        )
        strings_ = measured["bioloom, strings to tokens"]
        lines.append(
            f"and {other.seconds / strings_.seconds:.1f} times as long as encoding alone (claim: at least 5)"
        )
    else:
        lines.append("tangermeme was left out: name a Python that holds it with BIOLOOM_PEER_PYTHON")
    report("encode", __doc__ or "", measured, lines)


if __name__ == "__main__":
    main()
