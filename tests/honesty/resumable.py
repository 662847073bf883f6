"""Trains small networks in child processes, kills them at random moments, starts them again.

Called with a folder and a number of kills; writes the weights of an unbroken run and of the often killed one,
and what happened as JSON. Children are forked from a process that has imported everything, so that each
start costs milliseconds.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file

from bioloom.models import networks
from bioloom.training.loop import fit
from simulated import STEADY, job

SMALL = {"width": 8, "blocks": 2, "hidden": 8}


def train(folder: Path, name: str) -> None:
    """One start: train to the end unless killed, and store the weights."""
    plan = replace(STEADY, epochs=40, patience=40)
    small = job("residual", settings=SMALL, plan=plan)
    fitted = fit(small, checkpoint=folder / name / "checkpoint.safetensors", save_every=0.0)
    save_file(fitted.network.state_dict(), folder / f"{name}.weights")
    (folder / f"{name}.json").write_text(
        json.dumps({"resumed": fitted.resumed, "epochs": len(fitted.history)})
    )


def start(folder: Path, name: str) -> int:
    child = os.fork()
    if child == 0:
        try:
            train(folder, name)
        finally:
            os._exit(0)
    return child


def main(folder: Path, kills: int) -> None:
    torch.set_num_threads(1)
    assert "residual" in networks  # imported here once, not in every child
    began = time.monotonic()
    os.waitpid(start(folder, "unbroken"), 0)
    whole = time.monotonic() - began
    killed = 0
    for _ in range(kills):
        child = start(folder, "killed")
        time.sleep(random.uniform(0.02, 1.5 * whole / kills))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
    os.waitpid(start(folder, "killed"), 0)
    (folder / "told.json").write_text(
        json.dumps({"killed": killed, "dynamo": "torch._dynamo" in sys.modules})
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
