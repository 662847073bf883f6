"""Prove it anew: `python -m benchmarks.honesty`, `--quick` for a look; the page says how long it took.

Writes `benchmarks/results/honesty.json` and, from that file alone, `docs/reference/honesty.md`; `--quick` writes
neither and prints the page.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.honesty.coverage import parts
from benchmarks.honesty.page import page
from benchmarks.honesty.planted import traps
from benchmarks.honesty.rotation import rotation_rows
from benchmarks.honesty.shuffled import shuffled_runs

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "honesty.json"
PAGE = ROOT / "docs" / "reference" / "honesty.md"


def main() -> None:
    """Measure, write the result, and write the page from it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.honesty")
    parser.add_argument("--quick", action="store_true", help="few repetitions; nothing is written")
    parser.add_argument(
        "--runs", action="store_true", help="only whole runs anew; simulations stay as they are stored"
    )
    parser.add_argument(
        "--rotation",
        action="store_true",
        help="only intervals around means of networks anew; all else as it is stored",
    )
    parser.add_argument("--page", action="store_true", help="only write the page anew from the stored result")
    asked = parser.parse_args()
    if asked.rotation:
        _store(_with_rotation(_stored()))
    if asked.quick:
        print(page(simulations(60) | whole_runs(10)))
        return
    if not (asked.page or asked.runs or asked.rotation):
        _store(simulations(2000))  # kept before the runs begin
    if not (asked.page or asked.rotation):
        _store(_stored() | whole_runs(200))
    PAGE.write_text(page(_stored()), encoding="utf-8")


def simulations(repetitions: int) -> dict[str, Any]:
    """Coverage of every kind of interval."""
    began = time.monotonic()
    rows = [row.to_json() for part in (*parts(repetitions), _rotation(repetitions)) for row in _told(part)]
    return {
        "repetitions": repetitions,
        "coverage": rows,
        "minutes": round((time.monotonic() - began) / 60),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
    }


def _rotation(repetitions: int) -> Callable[[], list[Any]]:
    """A fifth of the repetitions: each fits five networks and counts 400 new records."""
    return partial(rotation_rows, max(20, repetitions // 5))


def _with_rotation(found: dict[str, Any]) -> dict[str, Any]:
    """A stored result with these rows anew."""
    rows = [row.to_json() for row in _told(_rotation(found["repetitions"]))]
    others = [row for row in found["coverage"] if row["of"] not in {each["of"] for each in rows}]
    return found | {"coverage": [*others, *rows]}


def whole_runs(runs: int) -> dict[str, Any]:
    """What is measured on runs and not on simulated studies."""
    began = time.monotonic()
    found = {"shuffled": shuffled_runs(runs), **traps()}
    return found | {"minutes_of_runs": round((time.monotonic() - began) / 60)}


def _stored() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8"))
    return content


def _store(found: dict[str, Any]) -> None:
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _told(part: Callable[[], list[Any]]) -> list[Any]:
    rows = part()
    for row in rows:
        print(f"{row.coverage:.3f}  {row.of}, {row.size}", flush=True)
    return rows


if __name__ == "__main__":
    main()
