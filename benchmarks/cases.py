"""What `benchmarks.accuracy` trains on: one Case for each data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Case:
    """One data set.

    source:    gives a data frame, or the path of a file
    inputs:    empty as the recipe finds them
    metric:    by which the aim is stated, as in result.json; at_most: a lower one is better
    aim:       a number, or the role of the model whose score is to be reached
    split:     column or method, empty as the recipe decides; folds: of a cross-validation, 0 as the recipe decides
    published: what others report, in words
    labels:    files of labels beside the source; task: empty as the target says
    positive:  the class that is told from all others, where it has to be named
    also:      further metrics of the same run, each with its aim
    """

    name: str
    title: str
    source: Callable[[], Any]
    target: str
    inputs: tuple[str, ...] = ()
    metric: str = "accuracy"
    aim: float | str = "simple"
    split: str = ""
    published: str = "none"
    folds: int = 0
    at_most: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    task: str = ""
    positive: str | None = None
    also: tuple[tuple[str, float], ...] = ()

    @property
    def views(self) -> tuple[Case, ...]:
        """The case itself, and one more for each further metric."""
        return (self, *(replace(self, metric=metric, aim=aim, also=()) for metric, aim in self.also))


def file(path: str) -> Callable[[], str]:
    """A file of the shared data as it is."""
    return lambda: str(DATA / path)
