"""Where the course of a training is written too, beside the run folder: one file per tool, each behind an extra.

A tracker is opened before the first stage, told every epoch of the network that is delivered, and given the result.
It only writes: no number of a run depends on it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Self

from bioloom.errors import UserError
from bioloom.events import EpochTold
from bioloom.registry import Registry


class Tracker(ABC):
    """A tool that draws or collects the course of trainings.

    name:   what users type; also the extra that installs it
    title:  one line for listings
    module: that has to be importable
    """

    name: ClassVar[str]
    title: ClassVar[str]
    module: ClassVar[str]

    @classmethod
    def refuse_missing(cls) -> None:
        """Raise UserError with the line that installs the tool, where it is missing."""
        if find_spec(cls.module) is None:
            raise UserError(
                f"{cls.name} is not installed.",
                where=f"--track {cls.name}",
                fix=f'pip install "bioloom[{cls.name}]", or leave out --track {cls.name}',
            )

    @classmethod
    @abstractmethod
    def open(cls, folder: Path, settings: Mapping[str, Any]) -> Self:
        """Begin, or go on with what was written of a run that was stopped.

        folder: of the run; settings: of its recipe, by dotted key
        """

    @abstractmethod
    def epoch(self, told: EpochTold) -> None:
        """Write down an epoch."""

    @abstractmethod
    def finish(self, scores: Mapping[str, float], report: Path) -> None:
        """Write down the scores on the test records, each with the ends of its interval, and keep the report."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections, whether the run came to its end or not."""


trackers: Registry[type[Tracker]] = Registry("tracker", "bioloom.trackers", "bioloom.trackers")


def flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings by dotted key; empty ones are left out."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        elif value not in (None, "", (), []):
            yield prefix + key, value
