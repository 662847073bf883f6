"""Predictions of a run as arrays, read from `predictions.csv`, for the figures of the page."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import chain
from sys import intern
from typing import TYPE_CHECKING

import numpy as np

from bioloom.report.contract import Facts

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Predictions:
    """Truths and predictions, one row per record of the file.

    part:    (records,) train, validation or test
    truth:   (records, targets); numbers of classes where there are classes; NaN where unknown
    value:   (records, targets), (records, 1) probability of the positive class, or (records, classes)
    classes: names in order of their number; empty for regression
    """

    part: NDArray[np.str_]
    truth: NDArray[np.float64]
    value: NDArray[np.float64]
    classes: tuple[str, ...]

    def of(self, part: str) -> Predictions:
        """The records of one part."""
        here = self.part == part
        return Predictions(self.part[here], self.truth[here], self.value[here], self.classes)

    def labels(self, part: str) -> list[int]:
        """The numbers of the known classes in one part."""
        codes = self.truth[self.part == part, 0]
        return [int(code) for code in codes[np.isfinite(codes)]]


def read(facts: Facts) -> Predictions | None:
    """The predictions of a run; None where the file is missing, empty, or lacks its columns."""
    target = facts["data"]["target"]
    classes = tuple(map(str, target.get("classes") or ()))
    names = [str(name) for name in target["names"]]
    values = _value_columns(names, classes)
    rows = facts.each_row("predictions.csv")
    first = next(rows, None)
    if first is None or not {*names, *values} <= set(first):
        return None
    # numbers in place: there may be millions of rows
    part, truth, value = (list[str](), array("d"), array("d"))
    for row in chain([first], rows):
        part.append(intern(row.get("part") or "test"))
        truth.extend(_truth(row[name], classes) for name in names)
        value.extend(_number(row[name]) for name in values)
    return Predictions(
        part=np.array(part, dtype=np.str_),
        truth=np.array(truth).reshape(len(part), len(names)),
        value=np.array(value).reshape(len(part), len(values)),
        classes=classes,
    )


def _value_columns(names: list[str], classes: tuple[str, ...]) -> list[str]:
    if not classes:
        return [f"{name} predicted" for name in names]
    return [f"p({name})" for name in (classes[1:] if len(classes) == 2 else classes)]


def _truth(cell: str | None, classes: tuple[str, ...]) -> float:
    if not classes:
        return _number(cell)
    return float(classes.index(cell)) if cell in classes else float("nan")


def _number(cell: str | None) -> float:
    try:
        return float(cell or "nan")
    except ValueError:
        return float("nan")
