"""The trackers of a run: opened before its first stage, told every epoch, given the result, closed in any case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioloom.events import EpochTold, Journal
from bioloom.recipe import Recipe
from bioloom.trackers import Tracker, flat, trackers


@dataclass(frozen=True)
class Tracking:
    """What writes a run down while it goes on.

    journal: of the run, `events.jsonl`; opened: trackers that were asked for
    """

    journal: Journal
    opened: Sequence[Tracker]
    folder: Path

    @property
    def watchers(self) -> list[Callable[[EpochTold], None]]:
        """Whoever is told every epoch."""
        return [self.journal.epoch, *(tracker.epoch for tracker in self.opened)]

    def finish(self, result: Mapping[str, Any]) -> None:
        """Give the scores and the report to every tracker."""
        for tracker in self.opened:
            tracker.finish(_scores(result), self.folder / "report.html")


@contextmanager
def tracking(recipe: Recipe, folder: Path, journal: Journal) -> Iterator[Tracking]:
    """The trackers that a recipe asks for, closed at the end, also of a run that is stopped."""
    settings = dict(flat(recipe.model_dump(mode="json", exclude_none=True)))
    with ExitStack() as stack:
        opened = []
        for name in recipe.trackers:
            tracker = trackers[name].open(folder, settings)
            stack.callback(tracker.close)
            opened.append(tracker)
        yield Tracking(journal, opened, folder)


def _scores(result: Mapping[str, Any]) -> dict[str, float]:
    """Every score of the network on the test records, with the ends of its interval; what is not known is left out."""
    found: dict[str, float] = {}
    for name, score in result["scores"]["model"].items():
        told = {
            f"test/{name}": score["value"],
            f"test/{name}_low": score["low"],
            f"test/{name}_high": score["high"],
        }
        found |= {key: float(value) for key, value in told.items() if value is not None}
    return found
