"""Targets at every place of the input: which columns are such, which rows cannot be used, and what simple models see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.masks import are_files, other_form, read_mask
from bioloom.data.positions import (
    UNKNOWN,
    class_grid,
    letters_of,
    nothing_known,
    number_grid,
    told_at,
    wrong_length,
)
from bioloom.data.records import Problem, Records
from bioloom.data.wording import counted
from bioloom.errors import UserError
from bioloom.modalities import Kind, Modality, modalities
from bioloom.models import networks
from bioloom.recipe import InputRecipe, Recipe
from bioloom.tasks import TASKS

if TYPE_CHECKING:
    from bioloom.targets import Targets

MASK = "mask"
"""The column that says with 1 and 0 which positions of a target count."""

NAMES = {"classes": "position_classes", "numbers": "position_values"}


NEARLY = 0.5
"""The share of cells that are as long as their record from which that is probably what they are meant to be."""

USUAL_POSITIONS = 75
"""A record of so many positions, each of which has a target, is as much to learn from as one record with one target."""


def size(records: Records, recipe: Recipe) -> float:
    """How much there is to learn from one record, against one with a target for the whole of it; 1 where it is such."""
    found = lengths(records, recipe.data.inputs) if is_everywhere(recipe.data.task) else None
    return 1.0 if found is None or not len(found) else max(1.0, float(found.mean()) / USUAL_POSITIONS)


def is_everywhere(task: str) -> bool:
    """Whether a task has a target at every place of the input."""
    return task in TASKS and TASKS[task].everywhere


def lengths(records: Records, inputs: Mapping[str, InputRecipe]) -> NDArray[np.int64] | None:
    """Positions of each record, (records,), where there is one input that has any."""
    if len(inputs) != 1:
        return None
    ((name, recipe),) = inputs.items()
    return modalities[recipe.modality].positions(records.inputs[name])


def found_at_every_position(
    records: Records, inputs: Mapping[str, InputRecipe]
) -> tuple[str, dict[str, str]] | None:
    """The task of a target with a value at every position, and the reason in words; None for any other target."""
    if len(records.targets.columns) != 1:
        return None
    there, column = lengths(records, inputs), records.targets.iloc[:, 0]
    if _of_pictures(inputs) and are_files(column):
        return "segmentation", {
            "task": f'"{column.name}" names a picture for each "{next(iter(inputs))}", taken as its mask'
        }
    told = "" if there is None else told_at(column, there)
    if not told:
        return None
    what = "a letter" if told == "classes" else "a number"
    return NAMES[told], {"task": f'"{column.name}" has {what} for each position of "{next(iter(inputs))}"'}


def refuse_nearly_everywhere(records: Records, inputs: Mapping[str, InputRecipe]) -> None:
    """UserError where most cells of a target, but not enough, are as long as their record: few are wrong, or all mean that."""
    there, column = lengths(records, inputs), records.targets.iloc[:, 0]
    told = "" if there is None else told_at(column, there, enough=NEARLY)
    if not told or there is None:
        return
    wrong = wrong_length(column, there, told == "numbers")
    name = next(iter(inputs))
    raise UserError(
        f'Most cells of "{column.name}" have {"a letter" if told == "classes" else "a number"} for each position of '
        f'"{name}", but {counted(len(wrong), "row")} of {len(column):,} have more or fewer.',
        where=f'lines {", ".join(map(str, records.lines[wrong[:5]]))}, column "{column.name}"',
        fix=f"add --task {NAMES[told]}, which leaves these rows out, or correct them",
    )


def _of_pictures(inputs: Mapping[str, InputRecipe]) -> bool:
    """Whether the input is one picture."""
    return len(inputs) == 1 and modalities[next(iter(inputs.values())).modality].kind is Kind.IMAGE


def refuse_unfit(records: Records, inputs: Mapping[str, InputRecipe], task: str) -> None:
    """UserError where such a task is asked for and there is not one input with positions, or not one target."""
    if task == "segmentation":
        if not _of_pictures(inputs) or not are_files(records.targets.iloc[:, 0]):
            raise UserError(
                "Segmentation needs one picture and one mask for each record.",
                where=f"--task {task}",
                fix="name the column of pictures with --input, and that of the files of masks with --target",
            )
    elif lengths(records, inputs) is None:
        raise UserError(
            f"A target at every position needs one input with positions, such as a sequence; there is {', '.join(inputs)}.",
            where=f"--task {task}",
            fix="name one sequence with --input",
        )
    if len(records.targets.columns) != 1:
        raise UserError(
            "Only one column can be predicted at every position.",
            where="--target",
            fix="name one column with --target",
        )


def masked(records: Records, task: str) -> tuple[Records, list[Problem]]:
    """The records with unknown positions where a column "mask" says 0, and a note on that."""
    if task != "position_classes" or MASK not in records.columns:
        return records, []
    column, masks = records.targets.iloc[:, 0], letters_of(records.columns[MASK])
    if not set().union(*masks) <= {"0", "1"}:
        return records, []
    cells = [
        "".join(letter if kept != "0" else UNKNOWN for letter, kept in zip(cell, mask, strict=True))
        if len(cell) == len(mask)
        else cell
        for cell, mask in zip(letters_of(column), masks, strict=True)
    ]
    hidden = sum(mask.count("0") for mask in masks)
    shown = pd.Series(cells, dtype=object).where(column.notna().to_numpy())
    message = (
        f'the column "{MASK}" says that {hidden:,} positions do not count; their classes are taken as unknown'
    )
    note = Problem(
        "target.mask",
        "note",
        message,
        "remove the column, or give it another name, to use all positions",
        MASK,
    )
    return replace(records, targets=pd.DataFrame({column.name: shown})), [note]


def problems(records: Records, inputs: Mapping[str, InputRecipe], task: str) -> list[Problem]:
    """Rows whose target is not as long as their record, or that have none."""
    column, there = records.targets.iloc[:, 0], lengths(records, inputs)
    name, numbers = str(column.name), task == "position_values"
    if task == "segmentation":
        return _problems_of_masks(column, records.inputs[next(iter(inputs))])
    wrong = np.zeros(0, dtype=np.int64) if there is None else wrong_length(column, there, numbers)
    empty = np.setdiff1d(np.flatnonzero(nothing_known(column, numbers)), wrong)
    found = []
    if len(wrong):
        message = "the target is not as long as the sequence"
        fix = f'give one value for each position, "{UNKNOWN}" where it is not known'
        found.append(Problem("target.length", "drop", message, fix, name, wrong))
    if len(empty):
        message = "the target is missing, or known at no position"
        found.append(
            Problem("target.missing", "drop", message, "fill it in, or leave these rows out", name, empty)
        )
    return found


def _problems_of_masks(column: pd.Series[Any], pictures: pd.DataFrame) -> list[Problem]:
    """Masks that cannot be read, and those of another form than their picture."""
    found, name = [], str(column.name)
    rows = np.array([row for row in range(len(column)) if read_mask(column, row) is None], dtype=np.int64)
    if len(rows):
        message = "there is no mask that can be read"
        fix = "give a picture of one channel for each record, such as PNG"
        found.append(Problem("target.mask", "drop", message, fix, name, rows))
    other = other_form(column, pictures.iloc[:, 0]) if are_files(pictures.iloc[:, 0]) else rows[:0]
    if len(other):
        message = "the mask has another ratio of height to width than its picture, and would not lie on it"
        fix = "give masks of the size of their pictures"
        found.append(Problem("target.form", "drop", message, fix, name, other))
    return found


def places(task: str, fitted: Mapping[str, Modality]) -> tuple[int, ...]:
    """How many places there are along each axis, as networks see a record; empty where the target is one per record."""
    if not is_everywhere(task):
        return ()
    (modality,) = fitted.values()
    return modality.shape.places


def summary(labels: pd.DataFrame, classes: tuple[str, ...]) -> NDArray[np.float32]:
    """One number for each record, (records, 1), by which the parts of a split are made alike: the share of positions of
    the first class, or the mean."""
    column = labels.iloc[:, 0]
    if are_files(column):
        masks = [read_mask(column, row) for row in range(len(column))]
        shares = [0.0 if mask is None else float((mask == int(classes[0])).mean()) for mask in masks]
        return np.array(shares, dtype=np.float32)[:, None]
    width = max(map(len, letters_of(column)), default=1)
    grid: NDArray[Any] = class_grid(column, classes, width) if classes else number_grid(column, width)
    known = np.isfinite(grid[:, 0])
    values = np.where(known, (grid[:, 0] == 0) if classes else grid[:, 0], 0.0).astype(np.float64)
    means = values.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.asarray(means[:, None], dtype=np.float32)


def usual_network(inputs: Mapping[str, InputRecipe]) -> tuple[str, str]:
    """The network that answers at every place of such an input, and why."""
    ((_, recipe),) = inputs.items()
    kind = modalities[recipe.modality].kind
    for name, network in networks.items():
        if network.everywhere and kind in network.default_for:
            return name, "the default where each position, or pixel, has a target of its own"
    raise UserError(
        f"No network answers at every place of {recipe.modality}.", fix="predict one value for each record"
    )


def refuse_other_network(name: str, task: str) -> None:
    """UserError for a network that answers once for a record where each place has a target, and the other way round."""
    if networks[name].everywhere == is_everywhere(task):
        return
    fitting = [each for each, network in networks.items() if network.everywhere == is_everywhere(task)]
    once, at_all = "one answer for a record", "an answer at every place"
    given, needed = (once, at_all) if is_everywhere(task) else (at_all, once)
    raise UserError(
        f'The network "{name}" gives {given}, and {TASKS[task].title} needs {needed}.',
        where="model.network",
        fix=f"use one of: {', '.join(fitting)}",
    )


def refuse_moved(moved: Mapping[str, Any]) -> None:
    """UserError for changes of records that would move places away from their targets."""
    for key in ("shift", "reverse_complement", "mirror", "upside_down", "rotation", "crop", "elastic"):
        if moved.get(key):
            raise UserError(
                f"augmentation.{key} moves positions, and their targets would stay behind.",
                where=f"augmentation.{key}",
                fix="leave it out",
            )


@dataclass(frozen=True)
class Rows:
    """Places of records as rows, for what looks at rows: raw or value (rows, outputs), truth (rows, 1), weight (rows,)."""

    value: NDArray[np.floating]
    truth: NDArray[np.floating]
    record: NDArray[np.int64]


def as_rows(value: NDArray[np.floating], truth: NDArray[np.floating], most: int = 0, seed: int = 0) -> Rows:
    """The known places of all records one after another; at most so many, chosen at random.

    value: (records, outputs, *places), truth: (records, 1, *places)
    """
    flat = truth[:, 0].reshape(len(truth), -1)
    record, place = np.nonzero(np.isfinite(flat))
    if 0 < most < len(record):
        chosen = np.sort(np.random.default_rng(seed).choice(len(record), most, replace=False))
        record, place = record[chosen], place[chosen]
    values = value.reshape(*value.shape[:2], -1)[record, :, place]
    return Rows(values, flat[record, place][:, None].astype(np.float32), record)


def words(targets: Targets, truth: NDArray[np.floating], rows: NDArray[np.int64]) -> str:
    """How many places are known in some records, such as "92,431 positions"."""
    return counted(int(np.isfinite(truth[rows]).sum()), TASKS[targets.task].place)
