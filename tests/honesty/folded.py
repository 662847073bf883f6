"""Cross-validates a small network in child processes, kills them while they write, starts them again.

Called with a folder; runs once unbroken and once killed by SIGKILL at chosen writes (the folds so far and the
trainings inside a fold are written as they are done), and writes what happened as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import bioloom
from bioloom import explanation, report, workflow
from small_runs import FAST, motif_table

SETTINGS = FAST | {
    "training.epochs": 3,
    "split.folds": 3,
    "explanation.records": 2,
    "explanation.methods": ["occlusion"],
}

DEADLY = (4, 7, 6, 5, 8)
"""Each start dies in the middle of its so-many-th write; whatever was written whole before is kept."""


def train(folder: Path, deadly: int) -> None:
    """One start: to the end, unless it dies at the deadly-th write."""
    writes, real = iter(range(1, 100_000)), os.fsync

    def fsync(handle: int) -> None:
        if next(writes) == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        real(handle)

    os.fsync = fsync
    bioloom.train(
        motif_table(90),
        "bound",
        inputs="sequence",
        settings=SETTINGS,
        budget="fast",
        outdir=folder,
        quiet=True,
    )


def start(folder: Path, deadly: int = 0) -> int:
    """Fork, train, and say how the child ended: 0, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            train(folder, deadly)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(folder: Path) -> None:
    assert explanation, report  # imported here once, not in every child
    assert workflow
    unbroken = start(folder / "unbroken")
    ended, shelved = [], []
    for deadly in DEADLY:
        ended.append(start(folder / "killed", deadly))
        shelved.append(sorted(path.name for path in (folder / "killed").rglob("checkpoint/**/*.safetensors")))
    last = start(folder / "killed")
    (folder / "told.json").write_text(
        json.dumps({"unbroken": unbroken, "ended": ended, "shelved": shelved, "last": last})
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
