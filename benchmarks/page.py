"""Write docs/reference/benchmarks.md from the result files, and from nothing else: `python -m benchmarks.page`."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import training
from benchmarks.measure import RESULTS

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "benchmarks.md"

INTRODUCTION = """\
# Benchmarks

Measured beside others on the same machine, in the same run: fresh processes, sides interleaved, medians. Times drift
with the machine and the hour; the ratio is what counts. A ratio that misses its aim is bold. This page is written by the
machine, by `python -m benchmarks.page`, from the files in `benchmarks/results/`; nothing here is typed in. What misses its
aim, why, and what was tried stands in [decision 21](../decisions/0021-aims-that-are-missed.md).
"""


def page() -> str:
    """The whole page; a part whose results are not there is left out."""
    parts = [INTRODUCTION]
    results = RESULTS / "training.json"
    if results.exists():
        parts.append(training.section(json.loads(results.read_text(encoding="utf-8"))))
    parts += [path.read_text(encoding="utf-8") for path in sorted(RESULTS.glob("*.md"))]
    return "\n".join(
        [*parts, "## Other claims, as each was printed\n", *map(_printed, sorted(RESULTS.glob("*.txt")))]
    )


def _printed(path: Path) -> str:
    """What one benchmark wrote, below the command that wrote it."""
    text = path.read_text(encoding="utf-8").strip()
    return f"### {path.stem.capitalize()}\n\n    python -m benchmarks.{path.stem}\n\n```text\n{text}\n```\n"


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
