"""Run sides of a benchmark in fresh processes, interleaved, and print their medians as a table."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a function of a benchmark module, run by a Python with the right packages."""

    name: str
    function: str
    python: str = sys.executable


@dataclass(frozen=True)
class Measured:
    """Medians over the rounds: wall and processor seconds of the measured part, peak memory of the process."""

    seconds: float
    cpu: float
    megabytes: float
    rounds: int


def peer_python() -> str | None:
    """The Python that holds the peers, if one was named."""
    return os.environ.get("BIOLOOM_PEER_PYTHON")


def timed(work: Callable[[], object]) -> None:
    """Measure a piece of work in this process and print it as JSON for `compare`; called in the fresh process.

    Numbers that the work gives back by name, such as a loss, stand beside the times.
    """
    cpu, wall = _cpu(), time.perf_counter()
    found = work()
    wall, cpu = time.perf_counter() - wall, _cpu() - cpu
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    told = found if isinstance(found, dict) else {}
    print(json.dumps({"seconds": wall, "cpu": cpu, "megabytes": peak / 1024, **told}))


def compare(module: str, sides: list[Side], rounds: int = 5) -> dict[str, Measured]:
    """Run all sides in turn, several rounds; the first round warms caches and does not count."""
    found: dict[str, list[dict[str, float]]] = {side.name: [] for side in sides}
    for round_ in range(rounds + 1):
        for side in sides:
            measured = fresh(module, side)
            if round_:
                found[side.name].append(measured)
    return {
        name: Measured(
            *(statistics.median(each[key] for each in runs) for key in ("seconds", "cpu", "megabytes")),
            rounds,
        )
        for name, runs in found.items()
    }


def machine(rounds: int = 0) -> str:
    """On what it was measured, and how often, where that is the same for all."""
    here = f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    return here + ("", "; one round")[rounds] if rounds < 2 else f"{here}; medians of {rounds} rounds"


def report(name: str, claim: str, measured: dict[str, Measured], lines: list[str]) -> None:
    """Print the table and keep it in `results/`."""
    width = max(len(side) for side in measured)
    table = [f"{'':{width}}  seconds      cpu   peak MB"]
    table += [
        f"{side:{width}}  {m.seconds:7.3f}  {m.cpu:7.3f}  {m.megabytes:8.0f}" for side, m in measured.items()
    ]
    rounds = next(iter(measured.values())).rounds
    text = "\n".join([claim, "", *table, "", *lines, "", machine(rounds), ""])
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.txt").write_text(text, encoding="utf-8")


def fresh(module: str, side: Side, environment: Mapping[str, str] | None = None) -> dict[str, float]:
    """Run one side in a process of its own; what it measured."""
    command = [side.python, "-c", f"from {module} import {side.function}; {side.function}()"]
    told = {**os.environ, **(environment or {})}
    folder = Path(__file__).parents[1]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=told)
    if done.returncode:
        raise SystemExit(f"{side.name} failed:\n{done.stderr}")
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def _cpu() -> float:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
