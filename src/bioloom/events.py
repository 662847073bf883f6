"""What happens while a run goes on, told to whoever listens: a terminal, a notebook, a log."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Protocol

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

    def message(self, text: str) -> None:
        """Note a sentence for the user."""
        self._write({"event": "message", "text": text})
        self.listener.message(text)

    def _write(self, event: dict[str, object]) -> None:
        append_line(self.path, json.dumps({"time": round(time.time(), 3), **event}, ensure_ascii=False))
