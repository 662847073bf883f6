"""From a table whose columns have roles to records, and the rows that had to be left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from os.path import commonprefix
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.columns import as_numbers
from bioloom.data.records import RESERVED, Problem, Records, Table
from bioloom.data.wording import counted, listed
from bioloom.journey.roles import FEWEST_GROUPS, Roles, unfit
from bioloom.modalities import modalities
from bioloom.targets import target_numbers

if TYPE_CHECKING:
    from bioloom.recipe import InputRecipe

LEFT_OUT = "columns.left_out"
"""The code of the note on a column that nobody named and that cannot serve as what it seems to be."""


def to_records(table: Table, roles: Roles) -> tuple[Records, list[Problem]]:
    """Rows with their roles, and what is wrong with them (rows are positions in the table).

    Nothing is dropped here: `drop` does that, so that each dropped row is listed with its reason.
    """
    frame, reserved = table.frame, roles.reserved
    problems: list[Problem] = []
    records = Records(
        ids=_ids(table, reserved.get("id"), problems),
        inputs={
            name: frame[list(recipe.columns)].reset_index(drop=True) for name, recipe in roles.inputs.items()
        },
        targets=frame[list(roles.target)].reset_index(drop=True),
        lines=table.lines,
        group=_text_column(frame, reserved.get("group")),
        split=_text_column(frame, reserved.get("split")),
        weight=_weights(frame, reserved.get("weight"), problems),
        replicate=_text_column(frame, reserved.get("replicate")),
        columns=frame[list(roles.unused)].reset_index(drop=True),
    )
    for name, recipe in roles.inputs.items():
        problems += modalities[recipe.modality].check(records.inputs[name])
    return records, problems + _left_out(table, roles)


def _left_out(table: Table, roles: Roles) -> list[Problem]:
    """Notes on columns that nobody named and that cannot be an input of a table, or say what belongs together."""
    several = [recipe for recipe in roles.inputs.values() if modalities[recipe.modality].columns == "many"]
    tables = [recipe.modality for recipe in several]
    columns = [name for name in roles.unused if name not in RESERVED]
    if any(modalities[name].fewest_columns > 1 for name in tables):
        return [*_described(several[0], columns), *_batches(table, roles, columns)]
    notes = [
        replace(problem, code=LEFT_OUT, severity="note", message=f"{problem.message}; it is left out")
        for modality in tables[:1]
        for problem in unfit(table, modality, columns)
    ]
    if "group" in roles.unused and "group" not in roles.reserved:
        values = counted(int(table.frame["group"].nunique()), "value")
        message = f'the column "group" has only {values}; records are not kept together by it'
        notes.append(Problem(LEFT_OUT, "note", message, "name another column with data.group", "group"))
    return notes


def _described(profile: InputRecipe, columns: list[str]) -> list[Problem]:
    """One note on all columns beside an input of very many: they describe the records."""
    if not columns:
        return []
    left = "is left out" if len(columns) == 1 else "are left out"
    message = (
        f"{counted(len(columns), 'column')} beside the {profile.modality} input ({listed(columns, 4)}) {left}"
    )
    begins = commonprefix(list(profile.columns)) or profile.columns[0]  # noqa: RUF071 - letters are meant
    fix = f"to use one too, name both: --input '{begins}*={profile.modality}' --input '{columns[0]}'"
    return [Problem(LEFT_OUT, "note", message, fix)]


_BATCH = re.compile(
    r"(.*[_ .-])?(batch|plate|run|lane|site|cent(re|er)|cohort|study|donor|patient|subject|individual|animal|mouse|rat)"
    r"([_ .-]?(id|no|nr|number|name))?",
    re.IGNORECASE,
)


def _batches(table: Table, roles: Roles, columns: list[str]) -> list[Problem]:
    """A note on columns that say which records were made together or come from one being, where none keeps them together."""
    if "group" in roles.reserved:
        return []
    notes = []
    for name in filter(_BATCH.fullmatch, columns):
        values = int(table.frame[name].nunique())
        if FEWEST_GROUPS <= values <= 0.8 * len(table.frame):
            message = f'the column "{name}" has {counted(values, "value")}, each for several records, which may be alike'
            fix = f"keep records of one value on one side of the split: --set data.group={name}"
            notes.append(Problem("columns.batch", "note", message, fix, name))
    return notes


def target_problems(records: Records, task: str) -> list[Problem]:
    """Rows whose target is missing or is no number."""
    problems: list[Problem] = []
    if not len(records.targets.columns):
        return problems
    known = records.targets.notna().to_numpy(copy=True)
    wrong = np.zeros_like(known)
    if task == "regression":
        for position, name in enumerate(records.targets.columns):
            numbers, wrong[:, position] = target_numbers(records.targets[name])
            known[:, position] = np.isfinite(numbers)
        problems = _no_numbers(records.targets, wrong, np.asarray(known.any(axis=1)))
    missing = np.flatnonzero(~known.any(axis=1) & ~wrong.any(axis=1))
    if len(missing):
        names = ", ".join(map(str, records.targets.columns))
        problems.append(
            Problem(
                "target.missing",
                "drop",
                "the target is missing",
                "fill it in, or leave these rows out",
                names,
                missing,
            )
        )
    return problems


def _no_numbers(targets: pd.DataFrame, wrong: NDArray[np.bool_], usable: NDArray[np.bool_]) -> list[Problem]:
    """Cells of a target that are no number: their rows stay only where another target is known."""
    fix = "correct these cells, give them in a larger unit, or leave them empty where the value is unknown"
    fates: tuple[tuple[Literal["note", "drop"], NDArray[np.bool_]], ...] = (
        ("note", usable),
        ("drop", ~usable),
    )
    problems = []
    for position, name in enumerate(targets.columns):
        for severity, which in fates:
            rows = np.flatnonzero(wrong[:, position] & which)
            if len(rows):
                first = targets[name].iloc[rows[:1]]
                what = "too large a number" if np.isfinite(as_numbers(first)[0][0]) else "no number"
                message = f"the target is {what}, such as {str(first.iloc[0])[:40]!r}"
                problems.append(Problem("target.number", severity, message, fix, str(name), rows))
    return problems


@dataclass(frozen=True)
class Dropped:
    """A row that was left out, and why."""

    line: int
    id: str
    column: str
    reason: str


def drop(records: Records, problems: Sequence[Problem]) -> tuple[Records, list[Dropped]]:
    """Leave out the rows that cannot be used; every one of them is listed once, with its first reason."""
    reasons: dict[int, Problem] = {}
    for problem in problems:
        if problem.severity == "drop":
            for row in map(int, problem.rows):
                reasons.setdefault(row, problem)
    dropped = [
        Dropped(int(records.lines[row]), str(records.ids[row]), reasons[row].column, reasons[row].message)
        for row in sorted(reasons)
    ]
    if not dropped:
        return records, []
    keep = np.ones(len(records), dtype=bool)
    keep[list(reasons)] = False
    return records.take(keep), dropped


def _ids(
    table: Table, column: str | None, problems: list[Problem]
) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    if column is None:
        return np.array([str(number + 1) for number in range(len(table.frame))], dtype=object)
    ids = table.frame[column].astype(object).where(table.frame[column].notna(), "").map(str)
    repeated = ids.duplicated(keep="first").to_numpy()
    if repeated.any():
        rows = np.flatnonzero(repeated)
        message = f"{len(rows)} ids are empty or were used before, such as {ids.iloc[int(rows[0])]!r}; a number was added to them"
        problems.append(Problem("id.repeated", "note", message, "give each record its own id", column, rows))
        return _numbered(ids.to_numpy(dtype=object), rows)
    return ids.to_numpy(dtype=object)


def _numbered(ids: NDArray[np.object_], rows: NDArray[np.int64]) -> NDArray[np.object_]:
    """Ids with a number added in some rows, such as a#2, that no other record has."""
    ids, taken = ids.copy(), set(ids)
    numbers: dict[str, int] = {}
    for row in rows:
        name = ids[row]
        numbers[name] = next(n for n in count(numbers.get(name, 1) + 1) if f"{name}#{n}" not in taken)
        ids[row] = f"{name}#{numbers[name]}"
        taken.add(ids[row])
    return ids


def _text_column(
    frame: pd.DataFrame, column: str | None
) -> np.ndarray[tuple[int], np.dtype[np.object_]] | None:
    if column is None:
        return None
    cells = frame[column].astype(object)
    return (
        cells.where(cells.notna(), None)
        .map(lambda cell: None if cell is None else str(cell).strip())
        .to_numpy(dtype=object)
    )


def _weights(
    frame: pd.DataFrame, column: str | None, problems: list[Problem]
) -> np.ndarray[tuple[int], np.dtype[np.float32]] | None:
    if column is None:
        return None
    numbers, _ = as_numbers(frame[column])
    wrong = ~((numbers > 1e-30) & (numbers < 1e30))  # what float32 holds, also squared; NaN is neither
    if wrong.any():
        message = "the weight is missing, no number, or not above 0"
        problems.append(
            Problem(
                "weight.number",
                "drop",
                message,
                "give each record a weight above 0",
                column,
                np.flatnonzero(wrong),
            )
        )
    return np.where(wrong, 1.0, numbers).astype(np.float32)
