"""What happens while a run goes on, told to whoever listens: a terminal, a notebook, a log."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

from bioloom.files import append_line


class Listener(Protocol):
    """Somebody who wants to know how far a run is."""

    def stage(self, name: str, title: str) -> None:
        """A new stage begins, such as ("train", "Training the network")."""

    def progress(self, share: float, note: str = "") -> None:
        """How much of the current stage is done, 0 to 1, with a short note such as the validation score."""

    def message(self, text: str) -> None:
        """Something the user should know, one sentence."""


class Silent:
    """A listener that does not listen."""

    def stage(self, name: str, title: str) -> None:
        """Ignore it."""

    def progress(self, share: float, note: str = "") -> None:
        """Ignore it."""

    def message(self, text: str) -> None:
        """Ignore it."""


def now_and_then(tell: Callable[[float], None], step: float = 0.05) -> Callable[[float], None]:
    """Tell how far something is only where it is a twentieth further than last time, or done."""
    last = [-1.0]

    def sometimes(share: float) -> None:
        if share >= last[0] + step or (share >= 1 and last[0] < 1):
            last[0] = share
            tell(share)

    return sometimes


class Within:
    """Passes on the progress of a part of a stage, as the share of the stage that it is."""

    def __init__(self, listener: Listener, begin: float, end: float, title: str = "") -> None:
        self.listener, self.begin, self.end, self.title = listener, begin, end, title

    def stage(self, name: str, title: str) -> None:
        """A part has no stages of its own."""

    def progress(self, share: float, note: str = "") -> None:
        """Pass on how far the whole stage is."""
        told = ", ".join(filter(None, (self.title, note)))
        self.listener.progress(self.begin + share * (self.end - self.begin), told)

    def message(self, text: str) -> None:
        """Pass on the sentence."""
        self.listener.message(text)


@dataclass(frozen=True)
class EpochTold:
    """One pass over the training records, as it is told while a run goes on.

    member:           which of the networks whose mean is delivered, from 1, of `members`
    number:           from 1, of `epochs` at most
    loss:             mean over the training records while they were learned from
    validation_loss:  None without validation records, and where it is no finite number
    learning_rate:    at the end of the epoch
    metric:           the one that decides, by name
    validation_score: in that metric; None where it cannot be worked out
    best:             whether the validation loss is lower than in all epochs before
    seconds:          that the epoch took
    """

    member: int
    members: int
    number: int
    epochs: int
    loss: float
    validation_loss: float | None
    learning_rate: float
    metric: str
    validation_score: float | None
    best: bool
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """As it stands in `events.jsonl`; what is no finite number is null."""
        return {
            name: None if isinstance(value, float) and not isfinite(value) else value
            for name, value in asdict(self).items()
        }

    def numbers(self) -> dict[str, float]:
        """What a tracker draws over the epochs, by name; what is not known is left out."""
        told = {
            "loss/train": self.loss,
            "loss/validation": self.validation_loss,
            f"{self.metric}/validation": self.validation_score,
            "learning_rate": self.learning_rate,
        }
        which = f"/network {self.member}" if self.members > 1 else ""
        known = {name: value for name, value in told.items() if value is not None and isfinite(value)}
        return {f"{name}{which}": value for name, value in known.items()}


class Journal:
    """Writes every event as a line of `events.jsonl` and passes it on to another listener."""

    def __init__(self, path: Path, listener: Listener) -> None:
        self.path, self.listener = path, listener

    def stage(self, name: str, title: str) -> None:
        """Note the beginning of a stage."""
        self._write({"event": "stage", "name": name, "title": title})
        self.listener.stage(name, title)

    def progress(self, share: float, note: str = "") -> None:
        """Note how far the stage is."""
        self._write({"event": "progress", "share": round(share, 4), "note": note})
        self.listener.progress(share, note)

    def epoch(self, told: EpochTold) -> None:
        """Note what came out of an epoch."""
        self._write({"event": "epoch", **told.to_json()})

    def message(self, text: str) -> None:
        """Note a sentence for the user."""
        self._write({"event": "message", "text": text})
        self.listener.message(text)

    def _write(self, event: dict[str, object]) -> None:
        append_line(self.path, json.dumps({"time": round(time.time(), 3), **event}, ensure_ascii=False))
