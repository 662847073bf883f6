"""Section: one part of a chapter. Facts: what a section may look at, the run folder and nothing else."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from bioloom.errors import UserError
from bioloom.registry import Registry

FORMAT = 1
"""The newest `result.json` that this version understands."""


@dataclass(frozen=True)
class Chapter:
    """A chapter of the page: its heading and the question it answers."""

    name: str
    title: str
    question: str


CHAPTERS = (
    Chapter("result", "Result", ""),
    Chapter(
        "data", "Data", "What went in, what was left out, and whether training and test were kept apart."
    ),
    Chapter("optimisation", "Optimisation", "How the model learned, and when it stopped."),
    Chapter("model", "Model", "What learned."),
    Chapter(
        "evaluation", "Evaluation", "How good the predictions are on records that took no part in training."
    ),
    Chapter("explanation", "Explanation", "What in an input moves the prediction."),
    Chapter("methods", "Methods and recipe", "What to write down, and how to do it again."),
)
"""Result comes first; then DOME (Walsh et al. 2021, doi:10.1038/s41592-021-01205-4), explanation, and methods."""


@dataclass(frozen=True)
class Facts:
    """The content of a run folder.

    folder: where it lies
    result: `result.json`, checked to hold what every report needs
    """

    folder: Path
    result: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.result[key]

    def part(self, key: str) -> Mapping[str, Any]:
        """A part of the result that may be missing; empty then."""
        return self.result.get(key) or {}

    def text(self, name: str) -> str | None:
        """The text of a file of the run folder; None where there is none."""
        try:
            return (self.folder / name).read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def rows(self, name: str) -> list[dict[str, str]]:
        """The rows of a CSV file of the run folder; none where there is no file."""
        return list(self.each_row(name))

    def each_row(self, name: str) -> Iterator[dict[str, str]]:
        """The same one after the other, for files of millions of rows."""
        path = self.folder / name
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as stream:
                yield from csv.DictReader(stream)


@dataclass(frozen=True)
class Section:
    """One part of a chapter.

    name:    short stable name, also the anchor in the page
    chapter: the name of one of `CHAPTERS`
    order:   sections of a chapter come in this order
    title:   the heading
    render:  facts -> HTML, escaped; None where a run has nothing to say here
    """

    name: str
    chapter: str
    order: int
    title: str
    render: Callable[[Facts], Markup | None]


sections: Registry[Section] = Registry("report section", "bioloom.report.sections", "bioloom.sections")


NEEDED = {
    "": ("name", "data", "split", "leakage", "model", "training", "scores", "verdict", "seed"),
    "data": ("source", "rows", "used", "inputs", "target"),
    "data.target": ("names", "task"),
    "split": ("method", "reason", "counts"),
    "split.counts": ("train", "validation", "test"),
    "model": ("network", "parameters"),
    "training": ("plan", "epochs_run", "best_epoch", "history"),
    "scores": ("primary", "model", "baselines"),
    "verdict": ("code", "text"),
}
"""What `result.json` must hold for a report; everything else may be missing."""


def read(folder: Path) -> Facts:
    """Read a run folder.

    Raises UserError where there is no result, it is damaged, or a newer version wrote it.
    """
    path = folder / "result.json"
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            "There is no result to report on.",
            where=str(path),
            fix="name a folder that bioloom train finished; the same train command again goes on with it",
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise _damaged(path, "it is not JSON") from None
    _check(result, path)
    return Facts(folder, result)


def _check(result: Any, path: Path) -> None:
    if not isinstance(result, dict) or not isinstance(result.get("format"), int):
        raise _damaged(path, 'it names no "format"')
    if result["format"] > FORMAT:
        raise UserError(
            f"This result was written in format {result['format']}, and this bioloom reads up to {FORMAT}.",
            where=str(path),
            fix="update bioloom",
        )
    for place, keys in NEEDED.items():
        inside = _at(result, place)
        lacking = [key for key in keys if not isinstance(inside, dict) or key not in inside]
        if lacking:
            raise _damaged(path, f'it lacks "{f"{place}.{lacking[0]}".strip(".")}"')
    if result["scores"]["primary"] not in result["scores"]["model"]:
        raise _damaged(path, "the metric that decides has no score")


def _at(result: dict[str, Any], place: str) -> Any:
    inside: Any = result
    for key in filter(None, place.split(".")):
        inside = inside[key]
    return inside


def _damaged(path: Path, why: str) -> UserError:
    return UserError(f"The result of this run is damaged: {why}.", where=str(path), fix="train again")
