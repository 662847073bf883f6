"""One file from which a run goes on after it was killed: weights, optimiser, best weights, history.

The file is written whole or not at all, so a run killed at any moment finds either the state after some epoch or
nothing, and both lead to the same final weights.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from bioloom.files import write_bytes

FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after an epoch.

    fingerprint: of everything that the run was told; a checkpoint of another job is no use
    facts:       JSON, such as the history
    tensors:     by name
    """

    fingerprint: str
    facts: dict[str, Any]
    tensors: dict[str, Tensor]


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint over the last one; UserError where that cannot be done, and the last one stays."""
    facts = {"format": FORMAT, "fingerprint": checkpoint.fingerprint, **checkpoint.facts}
    tensors = {name: tensor.contiguous() for name, tensor in checkpoint.tensors.items()}
    write_bytes(path, to_bytes(tensors, metadata={"bioloom": json.dumps(facts)}))


def load(path: Path, fingerprint: str) -> tuple[Checkpoint | None, str]:
    """The checkpoint of this job, or None with the reason in words (empty where there is no file)."""
    _sweep(path)
    if not path.exists():
        return None, ""
    try:
        with safe_open(path, framework="pt") as stream:
            facts = json.loads((stream.metadata() or {})["bioloom"])
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 -- no mapping
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        return (
            None,
            f"The checkpoint {path.name} cannot be read ({error}); training starts from the beginning.",
        )
    if facts.pop("format", None) != FORMAT:
        return None, "The checkpoint is of another version of bioloom; training starts from the beginning."
    if facts.pop("fingerprint") != fingerprint:
        return None, "The checkpoint is of other data or settings; training starts from the beginning."
    return Checkpoint(fingerprint, facts, tensors), ""


class Keeper:
    """Keeps the state after the last epoch, and writes it now and then.

    path:  of the checkpoint; None keeps nothing
    every: seconds between two writes, at least
    notes: why a checkpoint was of no use
    """

    def __init__(self, path: Path | None, fingerprint: str, every: float) -> None:
        self.path, self.fingerprint, self.every = path, fingerprint, every
        self.notes: tuple[str, ...] = ()
        self._latest: Checkpoint | None = None
        self._saved = time.monotonic()

    def load(self) -> Checkpoint | None:
        """The checkpoint of this job, if there is one."""
        if self.path is None:
            return None
        found, note = load(self.path, self.fingerprint)
        self.notes = (note,) if note else ()
        return found

    def offer(self, state: Callable[[], tuple[dict[str, Any], dict[str, Tensor]]]) -> None:
        """Keep the state after an epoch, and write it if the last time is long ago."""
        if self.path is None:
            return
        self._latest = Checkpoint(self.fingerprint, *state())
        if time.monotonic() - self._saved >= self.every:
            self.save()

    def save(self) -> None:
        """Write the state after the last epoch, if it is not written yet."""
        if self.path is not None and self._latest is not None:
            save(self.path, self._latest)
            self._latest, self._saved = None, time.monotonic()


def _sweep(path: Path) -> None:
    """Remove what writes that were killed have left beside the file."""
    for leftover in path.parent.glob(f".{path.name}.*"):
        leftover.unlink(missing_ok=True)
