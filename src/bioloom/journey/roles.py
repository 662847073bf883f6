"""What each column of a table is for: input, target, or one of the reserved roles.

What the user named wins; the rest is found by looking at the cells, and every choice is said in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bioloom.data.columns import as_numbers
from bioloom.data.noise import about_noise
from bioloom.data.records import RESERVED, Problem, Records, Table, take_rows
from bioloom.errors import UserError, did_you_mean
from bioloom.modalities import modalities
from bioloom.recipe import DataRecipe, InputRecipe
from bioloom.targets import target_numbers

PLACES = ("order", "chromosome")
"""Roles of a column that say where a record stands in time or in a genome; only splits look at them."""


LEFT_OUT = "roles.left_out"
"""The code of the note on a column that nobody named and that cannot be an input."""


@dataclass(frozen=True)
class Roles:
    """What each column is for.

    inputs:   by input name: modality and columns
    reasons:  by input name: why, in words
    reserved: role ("id", "group", ...) -> column; "order" and "chromosome" only where they are named
    unused:   columns that are neither; they are only looked at for leaks, and for the order or chromosome
    """

    inputs: dict[str, InputRecipe]
    target: tuple[str, ...]
    reasons: dict[str, str] = field(default_factory=dict)
    reserved: dict[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()


def assign(table: Table, data: DataRecipe, split_column: str = "") -> Roles:
    """Decide what each column is for; a column may be named for the split.

    Raises UserError for a column that does not exist, a target that is an input, and where no input is left.
    """
    for name in data.target:
        require(table, name, "--target")
    for name in filter(None, (*data.error, data.reads)):
        require(table, name, "data.error, data.reads")
    reserved = _reserved(table, data, split_column)
    taken = {*data.target, *reserved.values()}
    free = [name for name in map(str, table.frame.columns) if name not in taken]
    if data.inputs:
        inputs, reasons = _named(table, data), {name: "named with --input" for name in data.inputs}
    else:
        noise = about_noise(free, data.target) | {*data.error, data.reads}
        inputs, reasons = propose(table, [name for name in free if name not in noise])
    _refuse_target_as_input(inputs, data.target)
    used = {column for each in inputs.values() for column in each.columns}
    reserved = {role: column for role, column in reserved.items() if column not in used}
    placed = [name for role, name in reserved.items() if role in PLACES]  # kept beside the unused ones
    unused = [name for name in free if name not in used]
    return Roles(inputs, data.target, reasons, reserved, tuple(dict.fromkeys([*unused, *placed])))


def require(table: Table, column: str, option: str) -> None:
    """Refuse a column that is not in the table, with the closest one that is."""
    columns = list(map(str, table.frame.columns))
    if column not in columns:
        raise UserError(
            f'There is no column "{column}" in {table.source}.{did_you_mean(column, columns)}',
            where=option,
            fix=f"the columns are: {', '.join(columns[:20])}{', ...' if len(columns) > 20 else ''}",
        )


def _reserved(table: Table, data: DataRecipe, split_column: str) -> dict[str, str]:
    named = {
        "id": data.id,
        "group": data.group,
        "weight": data.weight,
        "replicate": data.replicate,
        "split": split_column,
    }
    columns = set(map(str, table.frame.columns))
    reserved = {}
    for column, role in RESERVED.items():
        if named[role]:
            require(table, named[role], f"data.{role}" if role != "split" else "--split")
            reserved[role] = named[role]
        elif column in columns and column not in data.target:
            reserved[role] = column
    return reserved | _places(table, data)


def _places(table: Table, data: DataRecipe) -> dict[str, str]:
    """The columns that are named for the order and the chromosome of records."""
    places = {role: getattr(data, role) for role in PLACES if getattr(data, role)}
    for role, column in places.items():
        require(table, column, f"data.{role}")
        if column in data.target:
            raise UserError(
                f'The column "{column}" is the target and cannot be the {role} too.',
                where=f"data.{role}",
                fix="use --split low-to-high to test on the highest targets"
                if role == "order"
                else "name another column",
            )
    return places


def _named(table: Table, data: DataRecipe) -> dict[str, InputRecipe]:
    for recipe in data.inputs.values():
        for column in recipe.columns:
            require(table, column, "--input")
    return dict(data.inputs)


def parse_inputs(words: Sequence[str], table: Table) -> dict[str, InputRecipe]:
    """Turn words such as "utr5", "utr5=dna" and "species" into named inputs; table columns form one input."""
    inputs: dict[str, InputRecipe] = {}
    for word in words:
        column, _, forced = word.partition("=")
        require(table, column, "--input")
        modality = modalities[forced].name if forced else _detect(table, column)
        if modalities[modality].columns == "many":
            before = inputs[modality].columns if modality in inputs else ()
            columns = tuple(dict.fromkeys((*before, column)))  # one that is named twice counts once
            inputs[modality] = InputRecipe(modality=modality, columns=columns)
        else:
            inputs[column] = InputRecipe(modality=modality, columns=(column,))
    return inputs


def _detect(table: Table, column: str) -> str:
    sure = {name: modalities[name].detect(table.frame[column]) for name in modalities}
    return max(sure, key=lambda name: sure[name])


def propose(table: Table, columns: Sequence[str]) -> tuple[dict[str, InputRecipe], dict[str, str]]:
    """The inputs found by looking: every sequence column; where there is none, all other columns as a table."""
    detected = {column: _detect(table, column) for column in columns}
    single = {column: name for column, name in detected.items() if modalities[name].columns == "one"}
    if single:
        inputs = {column: InputRecipe(modality=name, columns=(column,)) for column, name in single.items()}
        return inputs, {column: f"its cells read as {name}" for column, name in single.items()}
    if not columns:
        raise UserError(
            f"No column of {table.source} is left to predict from.",
            where=f"columns: {', '.join(map(str, table.frame.columns))}",
            fix="name the input with --input, or another target with --target",
        )
    many = [name for name in modalities if modalities[name].columns == "many"]
    best = max(many, key=lambda name: sum(modalities[name].detect(table.frame[column]) for column in columns))
    left_out = {problem.column for problem in unfit(table, best, columns)}
    kept = [column for column in columns if column not in left_out]
    inputs = {best: InputRecipe(modality=best, columns=tuple(kept or columns))}
    return inputs, {
        best: "no column reads as a sequence, so all columns that are not the target form a table"
    }


def unfit(table: Table, modality: str, columns: Sequence[str]) -> list[Problem]:
    """Columns that cannot be an input of that modality, such as names or dates, and why."""
    found = modalities[modality].check(table.frame[list(columns)])
    return [problem for problem in found if problem.severity == "fatal" and problem.column in columns]


def _refuse_target_as_input(inputs: dict[str, InputRecipe], target: Sequence[str]) -> None:
    for recipe in inputs.values():
        both = [column for column in recipe.columns if column in target]
        if both:
            raise UserError(
                f'The column "{both[0]}" is both an input and the target.',
                where="--input, --target",
                fix="leave it out of the inputs: a model that sees the answer learns nothing",
            )


# ---- from a table to records ----------------------------------------------------------------------------


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
    """Notes on columns that were left out of a table because they cannot be an input of it."""
    tables = [
        recipe.modality for recipe in roles.inputs.values() if modalities[recipe.modality].columns == "many"
    ]
    return [
        replace(problem, code=LEFT_OUT, severity="note", message=f"{problem.message}; it is left out")
        for modality in tables[:1]
        for problem in unfit(table, modality, [name for name in roles.unused if name in table.frame.columns])
    ]


def target_problems(records: Records, task: str) -> list[Problem]:
    """Rows whose target is missing or is no number."""
    problems = []
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


def columns_for(table: Table, inputs: dict[str, InputRecipe]) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """The inputs of a stored model in a new table, and notes on what had to be guessed.

    A sequence column of another name is taken where it is the only one of its modality that no input has yet.
    """
    found: dict[str, pd.DataFrame] = {}
    notes: list[str] = []
    columns = list(map(str, table.frame.columns))
    taken = {column for recipe in inputs.values() for column in recipe.columns}
    for name, recipe in inputs.items():
        if all(column in columns for column in recipe.columns):
            found[name] = take_rows(table.frame[list(recipe.columns)], np.arange(len(table.frame)))
            continue
        free = [column for column in columns if column not in taken]
        alike = [column for column in free if _detect(table, column) == recipe.modality]
        if modalities[recipe.modality].columns == "one" and len(alike) == 1:
            found[name] = (
                table.frame[alike].rename(columns={alike[0]: recipe.columns[0]}).reset_index(drop=True)
            )
            taken.add(alike[0])
            notes.append(f'the column "{alike[0]}" was taken as the input "{recipe.columns[0]}"')
            continue
        missing = next(column for column in recipe.columns if column not in columns)
        raise UserError(
            f'The model needs a column "{missing}", and {table.source} has none.{did_you_mean(missing, columns)}',
            where=table.source,
            fix=f"rename the column; the columns are: {', '.join(columns[:20])}",
        )
    return found, notes
