"""Simulated records of every kind of input: the small data with a planted signal that each modality brings, as files.

>>> made = simulators()["image"].make(100, 0)
>>> made.frame.head(2)          # id, picture ("image/demo1.png", ...), class
>>> made.truth["planted"]       # by record, the parts that decide
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bioloom.data.simulate import Made, Simulator
from bioloom.data.stores import from_text
from bioloom.errors import UserError
from bioloom.modalities import Demo, modalities

if TYPE_CHECKING:
    from bioloom.data.stores import Content

SOURCE = "made up, so that explanations can be held against it"

SURE = 0.9
"""How surely a column is of another modality for that to be meant."""

FEW = 10
"""Records from which the target of a modality's data is told."""


def simulators() -> dict[str, Simulator]:
    """One simulator for each modality by its name; without other views of the same files, and where an extra is missing."""
    found = {}
    for name, modality in modalities.items():
        demo = _demo(modality.demo)
        if demo is None or (modality.on_request and _recognised(demo)):
            continue
        title = (modality.demo.__doc__ or modality.title).strip().splitlines()[0].rstrip(".")
        title = title[:1].lower() + title[1:]  # as the other simulators begin
        target, column = str(demo.records.targets.columns[0]), demo.records.inputs[demo.input].columns[0]
        words = f"--input {column}={name}" if modality.on_request else ""
        make = partial(_made, name)
        found[name] = Simulator(name, title, target, demo.task, make, SOURCE, words)
    return found


def _recognised(demo: Demo) -> bool:
    """Whether the records are taken for another kind of input, of which this one is a view."""
    column = demo.records.inputs[demo.input].iloc[:, 0]
    return any(each.detect(column) >= SURE for each in modalities.values() if not each.on_request)


def _demo(make: Callable[[int, int], Demo]) -> Demo | None:
    try:
        return make(FEW, 0)
    except UserError:
        return None


def _made(name: str, records: int, seed: int) -> Made:
    """The demo of a modality, its contents as files beside the table, and what was planted where."""
    demo = modalities[name].demo(records, seed)
    values, ids = demo.records.inputs[demo.input], list(map(str, demo.records.ids))
    files: dict[str, bytes] = {}
    columns = {str(column): _as_files(values[column], ids, name, files) for column in values.columns}
    frame = pd.DataFrame({"id": ids, **columns})
    targets = demo.records.targets.reset_index(drop=True)
    return Made(
        pd.concat([frame, targets], axis="columns"), {"planted": _planted(name, demo, ids)}, files=files
    )


def _as_files(column: pd.Series[Any], ids: list[str], folder: str, files: dict[str, bytes]) -> list[object]:
    """The cells of a column; those that hold a content name a file instead, which is added to `files`."""
    cells: list[object] = []
    for each, cell in zip(ids, column.tolist(), strict=True):
        if not isinstance(cell, str) or not cell.startswith("data:"):
            cells.append(cell)
            continue
        ending, content = _file(from_text(cell))
        cells.append(f"{folder}/{each}{ending}")
        files[f"{folder}/{each}{ending}"] = content
    return cells


def _file(content: Content) -> tuple[str, bytes]:
    """The ending and the bytes of a file that holds a content: structures as PDB, pictures as PNG."""
    if isinstance(content, bytes):
        return ".pdb", content
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(content).save(stream, format="PNG")
    return ".png", stream.getvalue()


def _planted(name: str, demo: Demo, ids: list[str]) -> dict[str, list[str]]:
    """By record, the parts in which the signal was planted; records without any are left out."""
    values = demo.records.inputs[demo.input]
    fitted = modalities[name].fit(values)
    found = {}
    for row, planted in enumerate(demo.parts):
        there = np.argwhere(planted).tolist()
        if there:
            called = {part.index: part.label for part in fitted.parts(values.iloc[[row]])}
            found[ids[row]] = [called[tuple(place)] for place in there if tuple(place) in called]
    return found
