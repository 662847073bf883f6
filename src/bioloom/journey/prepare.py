"""From what a user asks for to records that are ready to be split: the first half of every verb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bioloom import recipe as recipes
from bioloom import tasks
from bioloom.data import readers
from bioloom.data.datasets import datasets
from bioloom.data.reading.beside import joined
from bioloom.data.reading.long import as_series
from bioloom.data.records import RESERVED, Problem, Records, Table
from bioloom.data.split import splitters
from bioloom.errors import UserError, did_you_mean
from bioloom.journey import everywhere
from bioloom.journey import roles as column_roles
from bioloom.journey.recorded import Dropped, drop, target_problems, to_records
from bioloom.journey.roles import Roles
from bioloom.journey.start import Start, begin, refuse_other_inputs
from bioloom.journey.unlabelled import has_target, read_unlabelled, refuse_target
from bioloom.modalities import modalities
from bioloom.recipe import InputRecipe, Recipe, RegionRecipe
from bioloom.targets import against_rest, class_order, infer, refuse_unfit

Source = Any
"""A path, a list of paths, a data-set name, a recipe, a DataFrame (pandas, polars, arrow) or a mapping of arrays."""


@dataclass(frozen=True)
class Request:
    """What a user asks for, as the command line and the library take it; empty means "decide by looking".

    source:   what to read; see `Source`
    target:   column or columns to predict
    inputs:   words such as "utr5", "utr5=dna", "species"
    exclude:  columns that are no input, whatever is in them
    join:     words such as "mutation.csv=cell_line": columns of other files, an input each
    labels:   a table of labels joined by id to a FASTA file, or several
    split:    a method, or the name of a column
    settings: dotted recipe keys and their values, such as {"training.epochs": 20}
    start:    a run folder; the network begins with the weights of its network
    pretrain: a file without labels, from which the network learns first
    trackers: where the course of the training is written too, such as "tensorboard"
    """

    source: Source
    target: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    labels: str | tuple[str, ...] = ""
    join: tuple[str, ...] = ()
    task: str = ""
    positive: str | None = None
    split: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    start: str = ""
    pretrain: str = ""
    trackers: tuple[str, ...] = ()
    budget: str = ""
    time: str | float = ""
    seed: int | None = None
    device: str = ""
    threads: int | None = None


@dataclass(frozen=True)
class Prepared:
    """Records ready to be split, and everything decided on the way.

    recipe:   the request with inputs, task and positive class resolved
    records:  the rows that can be used; `dropped` lists all others with their reason
    problems: what was noticed; rows are positions in the table
    reasons:  why, in words, for "task" and "positive"
    named_split: whether the recipe names a column for the split
    start:   the model that the training begins with; None for random weights
    unlabelled: the file from which the network learns first; None where there is none
    """

    name: str
    recipe: Recipe
    table: Table
    roles: Roles
    records: Records
    dropped: tuple[Dropped, ...]
    problems: tuple[Problem, ...]
    classes: tuple[str, ...]
    reasons: Mapping[str, str]
    named_split: bool = False
    start: Start | None = None
    unlabelled: Table | None = None


def to_recipe(request: Request) -> tuple[Recipe, Source]:
    """The recipe of a request before the data are looked at, and what to read."""
    overrides = {
        "data.target": list(request.target) or None,
        "data.exclude": list(request.exclude) or None,
        "data.join": list(request.join) or None,
        "data.labels": (request.labels if isinstance(request.labels, str) else list(request.labels)) or None,
        "data.task": request.task or None,
        "data.positive": request.positive,
        "split.method": request.split or None,
        "model.start": request.start or None,
        "model.pretrain": request.pretrain or None,
        "trackers": list(request.trackers) or None,
        "budget": request.budget or None,
        "search.time": request.time or None,
        "seed": request.seed,
        "device": request.device or None,
        "threads": request.threads,
    }
    given = {key: value for key, value in overrides.items() if value is not None} | dict(request.settings)
    source = request.source
    if isinstance(source, str | Path) and Path(source).suffix.lower() == ".toml":
        recipe = recipes.load(Path(source), given)
        if not recipe.data.file:
            raise UserError(
                "The recipe names no data.", where=str(source), fix='add file = "..." below [data]'
            )
        return recipe, recipe.data.file
    if isinstance(source, str | Path):
        given["data.file"] = str(source)
    return recipes.resolve({}, given), source


def read(recipe: Recipe, source: Source) -> Table:
    """Read what a recipe is about; refuses data that changed since the recipe was written."""
    table = readers.read(source, labels=recipe.data.labels or None)
    table = as_series(table, recipe.data.record, recipe.data.time)
    if recipe.data.join:
        table = joined(table, recipe.data.join, readers.read)
    if recipe.data.sha256 and recipe.data.sha256 != table.sha256:
        raise UserError(
            "The data changed since this recipe was written.",
            where=table.source,
            fix="put back the old file, or remove the line sha256 from the recipe to go on with the new one",
        )
    return table


def prepare(request: Request) -> Prepared:
    """Read, give each column its role, choose the task, and set aside the rows that cannot be used."""
    recipe, source = to_recipe(request)
    table = read(recipe, source)
    return prepare_table(request, recipe, table)


def prepare_table(request: Request, recipe: Recipe, table: Table) -> Prepared:
    """The same from a table that was read already."""
    recipe, start = begin(recipe, table)
    recipe, unlabelled = read_unlabelled(_in_order(recipe, table))
    given = assign(request, recipe, table)
    recipe, roles, records, problems = given.recipe, given.roles, given.records, given.problems
    _stop_at_fatal(problems, table)
    records, rest = _against_rest(recipe, records)
    task, reasons = _choose_task(recipe, records, roles.inputs)
    if table.task == task and request.task == "":
        reasons["task"] = "so labels are stored in such a file"
    records, hidden = everywhere.masked(records, task)
    problems += hidden
    problems += (
        everywhere.problems(records, roles.inputs, task)
        if tasks.TASKS[task].everywhere
        else target_problems(records, task)
    )
    kept, dropped = drop(records, problems)
    _refuse_empty(kept, dropped, table)
    classes, reasons["positive"] = _choose_classes(recipe, kept, task)
    reasons["positive"] = ", ".join(filter(None, (reasons["positive"], rest)))
    if start is not None and recipe.data.positive is None:
        classes, reasons["positive"] = _as_before(classes, reasons["positive"], start)
    positive = classes[1] if task == "binary" else None
    inputs = {name: _with_regions(each, recipe.data.file) for name, each in roles.inputs.items()}
    data = {"inputs": inputs, "task": task, "positive": positive, "sha256": table.sha256}
    recipe = _with_data(recipe, data)
    if start is not None:
        refuse_other_inputs(start, recipe)
    return Prepared(
        name=_name(table.source),
        recipe=recipe,
        table=table,
        roles=roles,
        records=kept,
        dropped=tuple(dropped),
        problems=tuple(problems),
        classes=classes,
        reasons=reasons,
        named_split=bool(given.split),
        start=start,
        unlabelled=unlabelled,
    )


def _against_rest(recipe: Recipe, records: Records) -> tuple[Records, str]:
    """Records whose classes are two, where one of several was named as positive; and which are the other one."""
    if recipe.data.task != "binary" or recipe.data.positive is None or not len(records.targets.columns):
        return records, ""
    merged, words = against_rest(records.targets, recipe.data.positive)
    return replace(records, targets=merged), words


def _as_before(classes: tuple[str, ...], reason: str, start: Start) -> tuple[tuple[str, ...], str]:
    """The same classes in the order in which the model to begin with numbers them, others as they are; and why."""
    before = start.model.targets
    if sorted(before.classes) != sorted(classes) or not classes:
        return classes, reason
    return before.classes, f'"{before.positive}" is so in {start.folder}' if before.positive else reason


@dataclass(frozen=True)
class Assigned:
    """All rows with their roles, before anything is refused or left out.

    split: the column that gives the split, where the recipe names one
    """

    recipe: Recipe
    roles: Roles
    records: Records
    problems: list[Problem]
    split: str


def assign(request: Request, recipe: Recipe, table: Table) -> Assigned:
    """Give each column its role and look at every cell."""
    refuse_target(recipe)
    recipe = with_usual_target(recipe, table)
    if not recipe.data.target and has_target(recipe):
        raise _no_target(table, recipe)
    if request.inputs:
        parsed = column_roles.parse_inputs(request.inputs, table, recipe.data.target)
        recipe = _with_data(recipe, {"inputs": parsed})
    if beside := column_roles.joined_inputs(table, recipe.data):
        recipe = _with_data(recipe, {"inputs": recipe.data.inputs | beside})
    split = split_column(recipe, table)
    roles = column_roles.assign(table, recipe.data, split)
    return Assigned(recipe, roles, *to_records(table, roles), split)


def with_usual_target(recipe: Recipe, table: Table) -> Recipe:
    """The recipe with the target and the task that the form of the data suggests, where it names none."""
    if recipe.data.target or not table.target or not has_target(recipe):
        asked = recipe.data.target == (table.target,)
    else:
        recipe, asked = _with_data(recipe, {"target": (table.target,)}), True
    if asked and table.task and recipe.data.task == "auto":
        recipe = _with_data(recipe, {"task": table.task})
    return recipe


def _in_order(recipe: Recipe, table: Table) -> Recipe:
    """The recipe with the order of rows that follow each other, of which the last are the test; what it says itself stays."""
    if not table.order or recipe.data.order or recipe.split.method not in ("auto", "time"):
        return recipe
    recipe = _with_data(recipe, {"order": table.order})
    return recipe.model_copy(update={"split": recipe.split.model_copy(update={"method": "time"})})


def split_column(recipe: Recipe, table: Table) -> str:
    """The column that gives the split, where the recipe names one instead of a method."""
    method = recipe.split.method
    if method in ("auto", "column") or method in splitters:
        return ""
    columns = list(map(str, table.frame.columns))
    if method not in columns:
        raise UserError(
            f'"{method}" is neither a way to split nor a column of {table.source}.'
            f"{did_you_mean(method, ['auto', *splitters, *columns])}",
            where="--split",
            fix=f"use one of: auto, {', '.join(splitters)}; or a column: {', '.join(columns[:20])}",
        )
    return method


def _with_data(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    return recipe.model_copy(update={"data": recipe.data.model_copy(update=dict(changes))})


def _with_regions(recipe: InputRecipe, source: str) -> InputRecipe:
    """Add what is known about the sequences of a data set that comes with bioloom."""
    if recipe.regions or source not in datasets or Path(source).exists():
        return recipe
    known = [region for region in datasets[source].regions if recipe.columns == (region.column,)]
    regions = tuple(RegionRecipe(name=region.name, start=region.start, end=region.end) for region in known)
    return recipe.model_copy(update={"regions": regions})


def _no_target(table: Table, recipe: Recipe) -> UserError:
    columns = [str(name) for name in table.frame.columns]
    likely = [name for name in columns if _could_be_target(table, name)]
    hint = f"; likely targets: {', '.join(likely[:6])}" if likely else ""
    return UserError(
        "The column to predict is not named.",
        where=recipe.data.file or table.source,
        fix=f"add --target COLUMN; the columns are: {', '.join(columns[:20])}{hint}",
    )


def _could_be_target(table: Table, column: str) -> bool:
    sequence = any(
        modalities[name].columns == "one" and modalities[name].detect(table.frame[column]) > 0.5
        for name in modalities
    )
    if sequence or column in RESERVED:
        return False
    try:
        infer(table.frame[[column]])
    except UserError:
        return False
    return True


def _stop_at_fatal(problems: Sequence[Problem], table: Table) -> None:
    fatal = [problem for problem in problems if problem.severity == "fatal"]
    if not fatal:
        return
    first = fatal[0]
    where = (
        table.where(int(first.rows[0]), first.column)
        if len(first.rows)
        else f'{table.source}, column "{first.column}"'
    )
    more = f" ({len(fatal) - 1} more problems of this kind: run bioloom check)" if len(fatal) > 1 else ""
    what = (first.message[:1].upper() + first.message[1:]).rstrip(".") + "." + more
    raise UserError(what, where=where, fix=first.fix)


def _choose_task(
    recipe: Recipe, records: Records, inputs: Mapping[str, InputRecipe]
) -> tuple[str, dict[str, str]]:
    if recipe.data.task != "auto":
        named = tasks.task(recipe.data.task).name
        if not tasks.TASKS[named].labelled:
            told = "" if tasks.TASKS[named].has_target else "; it needs no labels"
            return named, {"task": f"named with --task{told}"}
        if tasks.TASKS[named].everywhere:
            everywhere.refuse_unfit(records, inputs, named)
        else:
            refuse_unfit(records.targets, named)
        return named, {"task": "named with --task"}
    at_positions = everywhere.found_at_every_position(records, inputs)
    if at_positions is not None:
        return at_positions
    try:
        name, reason = infer(records.targets)
    except UserError:
        everywhere.refuse_nearly_everywhere(records, inputs)
        raise
    return name, {"task": reason}


def _choose_classes(recipe: Recipe, records: Records, task: str) -> tuple[tuple[str, ...], str]:
    asked = recipe.evaluation
    stated = [name for name in ("missed_cost", "prevalence") if getattr(asked, name) is not None]
    if task != "binary" and stated:
        raise UserError(
            "A cost of missed positives, or how many there are in use, needs two classes.",
            where=f"evaluation.{stated[0]}",
            fix="leave it out, or choose a target of two classes",
        )
    if task in ("regression", "position_values") or not tasks.TASKS[task].labelled:
        if recipe.data.positive is not None:
            raise UserError(
                "A number has no positive class.",
                where="--positive",
                fix="leave out --positive, or add --task binary",
            )
        return (), ""
    return class_order(records.targets.iloc[:, 0], task, recipe.data.positive)


def _refuse_empty(records: Records, dropped: Sequence[Dropped], table: Table) -> None:
    if len(records) == 0:
        first = dropped[0]
        raise UserError(
            f"None of the {len(dropped)} rows can be used; the first because {first.reason}.",
            where=f'{table.source}, {table.unit} {first.line}, column "{first.column}"',
            fix="run bioloom check on the file to see all problems, and check that --target and --input name the right columns",
        )


def _name(source: str) -> str:
    name = Path(source).name
    return name.split(".")[0] or "data"
