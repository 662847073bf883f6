"""Claim: a whole default run takes at most 2.5 times as long as its training alone, a fast one at most 1.5 times.

Here the peer is our own training: everything that says what the score is worth stands beside it in the same run.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import RESULTS, machine

RUNS = (
    ("lac_promoter", "expression", "normal", 2.5),
    ("lac_promoter", "expression", "fast", 1.5),
    ("splice_junctions", "site", "normal", 2.5),
    ("splice_junctions", "site", "fast", 1.5),
)
ROUNDS = 1


def seconds(source: str, target: str, budget: str) -> dict[str, float]:
    """Train in a fresh process; the seconds of each stage and in all."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bioloom", "train", source, "--target", target]
        command += ["--budget", budget, "--outdir", f"{folder}/run", "--quiet"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        timing = json.loads((Path(folder) / "run" / "result.json").read_text(encoding="utf-8"))["timing"]
    return timing["stages"] | {"total": timing["total"]}


def main() -> None:
    lines = [f"{'':28}  training  whole run  ratio  at most   where the rest goes"]
    for source, target, budget, most in RUNS:
        found = [seconds(source, target, budget) for _ in range(ROUNDS)]
        stages = {name: statistics.median(each[name] for each in found) for name in found[0]}
        ratio = statistics.median(each["total"] / each["train"] for each in found)
        rest = {
            name: spent for name, spent in stages.items() if name not in ("train", "total") and spent >= 0.5
        }
        told = ", ".join(f"{name} {spent:.1f} s" for name, spent in rest.items())
        name = f"{source}, {budget}"
        lines.append(
            f"{name:28}  {stages['train']:7.1f} s  {stages['total']:8.1f} s  {ratio:5.2f}  {most:7.1f}   {told}"
        )
    text = "\n".join([__doc__ or "", *lines, "", machine(ROUNDS), ""])
    print(text)
    (RESULTS / "cost.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
