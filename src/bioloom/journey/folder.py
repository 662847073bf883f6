"""The run folder: opened for a new run, a resumed one, or a finished one; never anybody else's files."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from shutil import rmtree
from typing import Literal

from bioloom import recipe as recipes
from bioloom.errors import UserError
from bioloom.files import write_text
from bioloom.recipe import Recipe

State = Literal["new", "resumed", "finished"]

BEGUN = ("split.csv", "dropped.csv", "events.jsonl", "recipe.toml", "checkpoint/request.txt")
"""What a run writes before it trains; the request goes last, because it marks the folder as ours."""

ENCODED = "encoded"
"""How the names of files of encoded records begin, in the folder of the checkpoint."""

KEPT = ("model", "result.json")
CHECKPOINTS = "training*.safetensors"
"""What took time to make."""


@dataclass(frozen=True)
class Opened:
    """A run folder that belongs to this request.

    state: "new", "resumed" (was begun with the same request) or "finished"
    """

    path: Path
    state: State
    request: str

    @property
    def checkpoint(self) -> Path:
        """Where what is needed to resume lies while the run goes on."""
        return self.path / "checkpoint"


def fingerprint(recipe: Recipe) -> str:
    """What was asked for, data included, as a short hash: equal requests share a folder."""
    return hashlib.sha256(recipes.dumps(recipe).encode()).hexdigest()[:16]


def open_folder(path: Path, recipe: Recipe, force: bool) -> Opened:
    """Open or make the folder of a run.

    The same request again finds its folder and goes on. With `force` an earlier run is moved aside, never deleted.
    Raises UserError where the folder holds another run or other files.
    """
    request = fingerprint(recipe)
    if path.exists() and not path.is_dir():
        raise UserError(
            "A file stands where the run folder should be.", where=str(path), fix="choose another --outdir"
        )
    if not path.exists() or not any(path.iterdir()):
        return _begin(path, recipe, request)
    before = _request_of(path)
    if before is None:
        raise UserError(
            "This folder holds other files.",
            where=str(path),
            fix="choose a new or empty folder with --outdir",
        )
    if force:
        _move_aside(path)
        return _begin(path, recipe, request)
    if before != request:
        raise UserError(
            "This folder holds a run of other data or other settings.",
            where=str(path),
            fix="choose another folder with --outdir, or add --force to move that run aside",
        )
    return Opened(path, "finished" if _is_finished(path) else "resumed", request)


def finish(opened: Opened) -> None:
    """Remove what was only needed to resume; this is the last thing a run does."""
    rmtree(opened.checkpoint, ignore_errors=True)


def abandon(opened: Opened) -> None:
    """Clear the folder of a run that could not begin to train, so that a corrected request may use it.

    A folder that holds a checkpoint, a model or a result is left as it is, and so are files of others.
    """
    if any((opened.path / name).exists() for name in KEPT) or any(opened.checkpoint.glob(CHECKPOINTS)):
        return
    rmtree(opened.checkpoint / "search", ignore_errors=True)  # of no use to another request
    for name in BEGUN:
        (opened.path / name).unlink(missing_ok=True)
    for encoded in opened.checkpoint.glob(f"{ENCODED} *"):
        encoded.unlink()
    for folder in (opened.checkpoint, opened.path):
        with suppress(OSError):  # not empty: somebody else's files are in it
            folder.rmdir()


def _begin(path: Path, recipe: Recipe, request: str) -> Opened:
    write_text(path / "checkpoint" / "request.txt", request + "\n")
    write_text(path / "recipe.toml", recipes.dumps(recipe))
    return Opened(path, "new", request)


def _is_finished(path: Path) -> bool:
    """Whether the run came to its end: the result is written before the report, the checkpoint goes last."""
    return (path / "result.json").exists() and not (path / "checkpoint" / "request.txt").exists()


def _request_of(path: Path) -> str | None:
    """The request a folder was made for; None where it is no run folder."""
    try:
        if (path / "result.json").exists():
            return str(json.loads((path / "result.json").read_text(encoding="utf-8"))["request"])
        return (path / "checkpoint" / "request.txt").read_text(encoding="utf-8").strip()
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _move_aside(path: Path) -> None:
    for number in count(1):
        aside = path.with_name(f"{path.name}~{number}")
        if not aside.exists():
            path.rename(aside)
            return
