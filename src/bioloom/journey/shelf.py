"""What took time to work out and is needed again if a run is stopped: arrays kept beside the checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from bioloom.files import write_bytes, write_json

Arrays = dict[str, NDArray[np.float32]]


class Shelf:
    """Named sets of arrays in a folder; None as folder keeps nothing.

    The folder belongs to one request, so a name means the same whenever the run goes on.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def below(self, name: str) -> Shelf:
        """A shelf of its own inside this one."""
        return Shelf(None if self.folder is None else self.folder / name)

    def arrays(self, name: str, make: Callable[[], Arrays]) -> Arrays:
        """The arrays of that name: read where they were kept whole, else made and kept."""
        found = self.kept(name)
        return self.keep(name, make()) if found is None else found

    def kept(self, name: str) -> Arrays | None:
        """The arrays of that name, where they were kept whole."""
        if self.folder is None:
            return None
        try:
            found: Arrays = load((self.folder / f"{name}.safetensors").read_bytes())
        except (OSError, SafetensorError):
            return None
        return found

    def facts(self, name: str) -> dict[str, Any] | None:
        """The facts of that name, where they were kept whole."""
        if self.folder is None:
            return None
        try:
            found: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found

    def keep_facts(self, name: str, facts: dict[str, Any]) -> None:
        """Keep a few facts as JSON."""
        if self.folder is not None:
            write_json(self.folder / f"{name}.json", facts)

    def keep(self, name: str, arrays: Arrays) -> Arrays:
        """Keep arrays, and give them back."""
        if self.folder is not None:
            content = save({key: np.ascontiguousarray(each) for key, each in arrays.items()})
            write_bytes(self.folder / f"{name}.safetensors", content)
        return arrays
