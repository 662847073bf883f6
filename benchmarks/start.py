"""Claim: `bioloom --help` takes under 0.3 s of processor time and loads no torch."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.measure import Side, compare, report, timed


def bioloom() -> None:
    command = [sys.executable, "-m", "bioloom", "--help"]
    timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))


def torch() -> None:
    timed(lambda: subprocess.run([sys.executable, "-c", "import torch"], check=True))


def main() -> None:
    measured = compare(
        "benchmarks.start", [Side("bioloom --help", "bioloom"), Side("import torch", "torch")], rounds=7
    )
    ours, other = measured["bioloom --help"], measured["import torch"]
    lines = [
        f"--help: {ours.cpu:.2f} s of processor time (ceiling 0.3 s)",
        f"importing torch alone takes {other.cpu / ours.cpu:.1f} times as long",
    ]
    report("start", __doc__ or "", measured, lines)


if __name__ == "__main__":
    main()
