"""Claim: 10 million sequences of 200 nt train within 4 GB, report included.

    python -m benchmarks.large            # 1 million
    python -m benchmarks.large 1 2 10     # millions of sequences

Simulated sequences, half of them with a planted word of ten letters, are written to a CSV file in the temporary
folder (2 GB for 10 million; as much again is needed for the working copies). Then `bioloom train --budget fast` runs
on it in a fresh process: one epoch of the small convolutional network, because what is asked is memory, and the
number of epochs does not change it. Peak memory is that of the largest process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.measure import RESULTS, machine

LENGTH, WORD, BLOCK = 200, "TGACTCAGGT", 100_000
CEILING = 4_000
"""Megabytes that 10 million sequences may take."""

SETTINGS = ("training.epochs=1", "model.network=cnn", "search.trials=0")


def write(path: Path, records: int) -> None:
    """A CSV file of labelled DNA; the same bytes for the same number of records."""
    random, word = np.random.default_rng(0), np.frombuffer(WORD.encode(), dtype=np.uint8)
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)
    with path.open("wb") as stream:
        stream.write(b"sequence,bound\n")
        for first in range(0, records, BLOCK):
            text = letters[random.integers(0, 4, (min(BLOCK, records - first), LENGTH))]
            bound = random.random(len(text)) < 0.5
            for row in np.flatnonzero(bound):
                start = random.integers(0, LENGTH - len(word) + 1)
                text[row, start : start + len(word)] = word
            ends = np.where(bound, ",yes\n", ",no\n")
            stream.writelines(
                row.tobytes() + end.encode() for row, end in zip(text, ends.tolist(), strict=True)
            )


def trained(path: Path, folder: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of a whole `bioloom train`."""
    settings = [part for each in SETTINGS for part in ("--set", each)]
    command = [
        "train",
        str(path),
        "--target",
        "bound",
        "--budget",
        "fast",
        *settings,
        "--outdir",
        str(folder),
    ]
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "bioloom", *command, "--quiet"])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"bioloom {' '.join(command)} failed")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def main() -> None:
    """Measure each size and keep the table."""
    millions = [float(word) for word in sys.argv[1:]] or [1.0]
    lines = [(__doc__ or "").strip(), "", "   sequences   seconds   peak MB"]
    for million in millions:
        with tempfile.TemporaryDirectory(prefix="bioloom-large-") as folder:
            path = Path(folder) / "large.csv"
            write(path, round(million * 1e6))
            seconds, peak = trained(path, Path(folder) / "run")
            shutil.rmtree(folder, ignore_errors=True)
        lines.append(f"{million * 1e6:12,.0f}  {seconds:8.0f}  {peak:8.0f}")
        print(lines[-1], flush=True)
    text = "\n".join([*lines, "", f"(ceiling for 10,000,000: {CEILING:,} MB)", "", machine(1), ""])
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "large.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
