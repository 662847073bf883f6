"""What is in a file, told before anything is trained: columns, problems by row, and the recipe that would be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bioloom import recipe as recipes
from bioloom import tasks
from bioloom.data.columns import kind_of
from bioloom.data.records import RESERVED, Problem, Table
from bioloom.events import Listener
from bioloom.journey import roles as column_roles
from bioloom.journey.prepare import Request, assign, prepare_table, read, to_recipe, with_usual_target
from bioloom.journey.unlabelled import has_target
from bioloom.modalities import modalities
from bioloom.recipe import DataRecipe, Recipe

LINES_SHOWN = 5

MANY_COLUMNS = 60
"""Inputs of more columns that nobody named are left out of the proposed recipe: they are found by looking again."""


@dataclass(frozen=True)
class Column:
    """One column of a file.

    kind: the modality it reads as, or what its cells are: number, category, text, date, empty
    role: "input", "target", a reserved role, or "" where it is not used
    """

    name: str
    kind: str
    role: str
    missing: int
    distinct: int
    example: str


@dataclass(frozen=True)
class Noticed:
    """A problem with the lines of the file where it occurs."""

    code: str
    severity: str
    message: str
    fix: str
    column: str
    count: int
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Checked:
    """What a file holds.

    problems: the most severe first
    recipe:   what would be used, as TOML
    """

    source: str
    format: str
    rows: int
    unit: str
    notes: tuple[str, ...]
    columns: tuple[Column, ...]
    problems: tuple[Noticed, ...]
    facts: Mapping[str, str]
    recipe: str

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON."""
        return {
            "source": self.source,
            "format": self.format,
            "rows": self.rows,
            "notes": list(self.notes),
            "columns": [vars(column) for column in self.columns],
            "problems": [vars(problem) | {"lines": list(problem.lines)} for problem in self.problems],
            "facts": dict(self.facts),
            "recipe": self.recipe,
        }


def look(request: Request, listener: Listener) -> Checked:
    """Read a file and say what is in it; nothing is written."""
    recipe, source = to_recipe(request)
    listener.stage("read", "Reading")
    table = read(recipe, source)
    recipe = with_usual_target(recipe, table)
    listener.stage("check", "Checking every record")
    problems, recipe, facts = (
        _as_asked(request, recipe, table)
        if recipe.data.target or not has_target(recipe)
        else _inputs_only(recipe, table)
    )
    roles = {column: name for name, each in recipe.data.inputs.items() for column in each.columns}
    return Checked(
        source=table.source,
        format=table.format,
        rows=len(table.frame),
        unit=table.unit,
        notes=table.notes,
        columns=tuple(_column(table, str(name), recipe, roles) for name in table.frame.columns),
        problems=_noticed(problems, table),
        facts=facts,
        recipe=recipes.dumps(recipe if request.inputs else _found_again(recipe), short=True),
    )


def _found_again(recipe: Recipe) -> Recipe:
    """The recipe without inputs of very many columns, which would be pages of names."""
    if all(len(each.columns) <= MANY_COLUMNS for each in recipe.data.inputs.values()):
        return recipe
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"inputs": {}})})


def _as_asked(
    request: Request, recipe: Recipe, table: Table
) -> tuple[Sequence[Problem], Recipe, dict[str, str]]:
    given = assign(request, recipe, table)
    if any(problem.severity == "fatal" for problem in given.problems):
        data = given.recipe.data.model_copy(update={"inputs": given.roles.inputs, "sha256": table.sha256})
        return (
            given.problems,
            given.recipe.model_copy(update={"data": data}),
            {"used": "none until these are solved"},
        )
    prepared = prepare_table(request, recipe, table)
    facts = {
        "task": f"{tasks.task(prepared.recipe.data.task).title}: {prepared.reasons['task']}",
        "used": f"{len(prepared.records):,} of {len(table.frame):,} rows can be used",
    }
    if prepared.reasons["positive"]:
        facts["positive"] = prepared.reasons["positive"]
    facts |= {
        f"input {name}": f"{each.modality}: {prepared.roles.reasons[name]}"
        for name, each in prepared.roles.inputs.items()
    }
    return prepared.problems, prepared.recipe, facts


def _inputs_only(recipe: Recipe, table: Table) -> tuple[Sequence[Problem], Recipe, dict[str, str]]:
    """Without a target only sequence columns can be told apart from everything else.

    Where the answer is a text too, not even these: the recipe then names no input, because it would name the answer.
    """
    free = [str(name) for name in table.frame.columns if str(name) not in RESERVED]
    inputs, _ = column_roles.propose(table, free)
    sequences = {name: each for name, each in inputs.items() if modalities[each.modality].columns == "one"}
    problems: list[Problem] = []
    for each in sequences.values():
        problems += modalities[each.modality].check(table.frame[list(each.columns)])
    written = recipe.data.task in tasks.TASKS and tasks.TASKS[recipe.data.task].written
    data = recipe.data.model_copy(update={"inputs": {} if written else sequences, "sha256": table.sha256})
    told = "not named; add --target COLUMN to check it too"
    if written:
        told = f"not named; add --target COLUMN, the answers that are to be written: one of {', '.join(free[:20])}"
    return problems, recipe.model_copy(update={"data": data}), {"target": told}


def _column(table: Table, name: str, recipe: Recipe, inputs: Mapping[str, str]) -> Column:
    cells = table.frame[name]
    known = cells.dropna()
    modality = recipe.data.inputs[inputs[name]].modality if name in inputs else ""
    sequence = modality and modalities[modality].columns == "one"
    role = (
        "target"
        if name in recipe.data.target
        else "input"
        if name in inputs
        else _reserved_role(name, recipe.data)
    )
    return Column(
        name=name,
        kind=modality if sequence else kind_of(cells),
        role=role,
        missing=int(cells.isna().sum()),
        distinct=int(known.nunique()),
        example=str(known.iloc[0])[:40] if len(known) else "",
    )


def _reserved_role(name: str, data: DataRecipe) -> str:
    """What a column is for besides input and target, as the recipe says or as its name says."""
    named = {data.id: "id", data.group: "group", data.weight: "weight", data.replicate: "replicate"}
    named |= {data.order: "order", data.chromosome: "chromosome"}
    return named.get(name, RESERVED.get(name, ""))


ORDER = {"fatal": 0, "drop": 1, "note": 2}


def _noticed(problems: Sequence[Problem], table: Table) -> tuple[Noticed, ...]:
    return tuple(
        Noticed(
            code=problem.code,
            severity=problem.severity,
            message=problem.message,
            fix=problem.fix,
            column=problem.column,
            count=len(problem.rows),
            lines=tuple(table.lines[problem.rows[:LINES_SHOWN]].tolist()),
        )
        for problem in sorted(problems, key=lambda each: ORDER[each.severity])
    )
