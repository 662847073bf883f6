"""What each column of a table is for: input, target, or one of the reserved roles.

What the user named wins; the rest is found by looking at the cells, and every choice is said in words.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from bioloom.data.feature_names import last_level
from bioloom.data.noise import about_noise
from bioloom.data.reading import beside
from bioloom.data.records import RESERVED, Problem, Table, take_rows
from bioloom.data.wording import listed
from bioloom.errors import UserError, did_you_mean
from bioloom.modalities import modalities
from bioloom.recipe import DataRecipe, InputRecipe

PLACES = ("order", "chromosome")
"""Roles of a column that say where a record stands in time or in a genome; only splits look at them."""


FEWEST_GROUPS = 3
"""Groups without which a column that nobody named for it does not say what belongs together: training, validation
and test need one each."""


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
    excluded = {column for word in data.exclude for column in matching(table, word, "--exclude")}
    for name in filter(None, (*data.error, data.reads)):
        require(table, name, "data.error, data.reads")
    reserved = _reserved(table, data, split_column)
    taken = {*data.target, *reserved.values()}
    free = [name for name in map(str, table.frame.columns) if name not in taken]
    if data.inputs:
        inputs = _named(table, data)
        reasons = {name: _why(each.columns, data) for name, each in inputs.items()}
    else:
        others = about_noise(free, data.target) | {*data.error, data.reads, *RESERVED, *excluded}
        inputs, reasons = propose(table, [name for name in free if name not in others])
    _refuse_as_input(inputs, data.target, "the target", "a model that sees the answer learns nothing")
    _refuse_as_input(inputs, excluded, "excluded", "or do not exclude it")
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


def matching(table: Table, word: str, option: str) -> list[str]:
    """The column of that name, or the columns that a pattern such as "k__*" stands for."""
    columns = list(map(str, table.frame.columns))
    if word in columns or not set("*?[") & set(word):
        require(table, word, option)
        return [word]
    found = fnmatch.filter(columns, word)
    if not found:
        raise UserError(
            f'No column of {table.source} is like "{word}".',
            where=option,
            fix=f"the columns are: {', '.join(columns[:20])}{', ...' if len(columns) > 20 else ''}",
        )
    return found


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
        elif column in columns and column not in data.target and _serves(table, column, role):
            reserved[role] = column
    return reserved | _places(table, data)


def _serves(table: Table, column: str, role: str) -> bool:
    return role != "group" or table.frame[column].nunique() >= FEWEST_GROUPS


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


def parse_inputs(words: Sequence[str], table: Table, targets: Collection[str] = ()) -> dict[str, InputRecipe]:
    """Turn words such as "utr5", "utr5=dna" and "gene_*" into named inputs; table columns form one input.

    targets: columns that a pattern does not mean
    """
    inputs: dict[str, InputRecipe] = {}
    for word in words:
        named, _, forced = word.partition("=")
        found = matching(table, named, "--input")
        found = [column for column in found if column == named or column not in targets]
        claimed = {} if forced else _claimed(table, found)
        if forced and _is_spread(table, found, forced):
            claimed = dict.fromkeys(found, forced)
        if claimed and modalities[next(iter(claimed.values()))].columns == "one":
            inputs |= _joined(claimed)
            continue
        for column in found:
            modality = modalities[forced].name if forced else claimed.get(column) or _detect(table, column)
            if modalities[modality].columns == "many":
                before = inputs[modality].columns if modality in inputs else ()
                columns = tuple(dict.fromkeys((*before, column)))  # one that is named twice counts once
                inputs[modality] = InputRecipe(modality=modality, columns=columns)
            else:
                inputs[column] = _with_companions(modality, column, list(map(str, table.frame.columns)))
    return inputs


def _detect(table: Table, column: str) -> str:
    """What one column is by itself."""
    alone = [name for name in modalities if modalities[name].fewest_columns == 1]
    sure = {name: modalities[name].detect(table.frame[column]) for name in alone}
    return max(sure, key=lambda name: sure[name])


def _claimed(table: Table, columns: Sequence[str]) -> dict[str, str]:
    """Columns that only together can be told for what they are, with the modality that claims them."""
    for name, modality in modalities.items():
        if modality.fewest_columns <= len(columns):
            found = modality.claims(table.frame[list(columns)])
            if len(found) >= max(2, modality.fewest_columns):
                return dict.fromkeys(found, name)
    return {}


def _is_spread(table: Table, columns: Sequence[str], modality: str) -> bool:
    """Whether several columns are one input although each input of that modality may be one column: pixels."""
    part = modalities[modality]
    return part.together and len(columns) > 1 and all(part.detect(table.frame[name]) == 0 for name in columns)


def _joined(claimed: Mapping[str, str]) -> dict[str, InputRecipe]:
    """Columns as one input that is called after its modality."""
    modality = next(iter(claimed.values()))
    return {modality: InputRecipe(modality=modality, columns=tuple(claimed))}


def propose(table: Table, columns: Sequence[str]) -> tuple[dict[str, InputRecipe], dict[str, str]]:
    """The inputs found by looking: every sequence column; where there is none, all other columns as a table.

    Text is the last resort: a column of it is an input where no other column can be one.
    """
    claimed = _claimed(table, columns)
    if claimed:
        inputs = _joined(claimed)
        return inputs, {
            name: f"{len(claimed):,} columns together read as {modalities[name].title}" for name in inputs
        }
    detected = {column: _detect(table, column) for column in columns}
    alone = {column: name for column, name in detected.items() if modalities[name].columns == "one"}
    single = {column: name for column, name in alone.items() if not modalities[name].last}
    if single:
        inputs = {column: _with_companions(name, column, columns) for column, name in single.items()}
        beside = {column for recipe in inputs.values() for column in recipe.columns[1:]}
        inputs = {column: recipe for column, recipe in inputs.items() if column not in beside}
        return inputs, {column: f"its cells read as {single[column]}" for column in inputs}
    if not columns:
        raise UserError(
            f"No column of {table.source} is left to predict from.",
            where=f"columns: {', '.join(map(str, table.frame.columns))}",
            fix="name the input with --input, or another target with --target",
        )
    many = [
        name
        for name, modality in modalities.items()
        if modality.columns == "many" and modality.fewest_columns == 1
    ]
    best = max(many, key=lambda name: sum(modalities[name].detect(table.frame[column]) for column in columns))
    left_out = {problem.column for problem in unfit(table, best, columns)}
    kept = [column for column in columns if column not in left_out]
    if alone and set(kept) <= set(alone):
        inputs = {column: InputRecipe(modality=name, columns=(column,)) for column, name in alone.items()}
        return inputs, {
            column: f"it reads as {name}, and no other column can be an input"
            for column, name in alone.items()
        }
    inputs = {best: InputRecipe(modality=best, columns=tuple(kept or columns))}
    return inputs, {
        best: "no column reads as a sequence, so all columns that are not the target form a table"
    }


def _with_companions(modality: str, column: str, columns: Sequence[str]) -> InputRecipe:
    """An input of one column, and of those beside it that say more of the same thing, such as the chains of a file."""
    named = [f"{column}_{word}" for word in modalities[modality].companions]
    beside = [name for name in (*named, *modalities[modality].companions) if name in columns]
    return InputRecipe(modality=modality, columns=(column, *beside[:1]))


def joined_inputs(table: Table, data: DataRecipe) -> dict[str, InputRecipe]:
    """The inputs that files joined to the records give, each called after its file.

    A file of which an input names columns already gives no other; where it holds several, such as two sequences, each
    is called after its column too. Targets and excluded columns are none.
    """
    named = {column for each in data.inputs.values() for column in each.columns}
    excluded = {column for word in data.exclude for column in matching(table, word, "--exclude")}
    inputs: dict[str, InputRecipe] = {}
    for each in beside.parse(data.join):
        columns = [name for name in map(str, table.frame.columns) if name.startswith(each.prefix)]
        free = [name for name in columns if name not in {*data.target, *excluded}]
        if not free or named & set(columns):
            continue
        alone = table.frame[free].set_axis([name.removeprefix(each.prefix) for name in free], axis="columns")
        found, _ = propose(replace(table, frame=alone), list(map(str, alone.columns)))
        for name, recipe in found.items():
            prefixed = tuple(f"{each.prefix}{column}" for column in recipe.columns)
            called = each.name if len(found) == 1 else f"{each.prefix}{name}"
            inputs[called] = recipe.model_copy(update={"columns": prefixed})
    return inputs


def _why(columns: Sequence[str], data: DataRecipe) -> str:
    """Why columns that the recipe names are an input."""
    for each in beside.parse(data.join):
        if all(name.startswith(each.prefix) for name in columns):
            return f"from {each.path}, by {each.column}"
    return "named with --input"


def unfit(table: Table, modality: str, columns: Sequence[str]) -> list[Problem]:
    """Columns that cannot be an input of that modality, such as names or dates, and why."""
    found = modalities[modality].check(table.frame[list(columns)])
    return [problem for problem in found if problem.severity == "fatal" and problem.column in columns]


def _refuse_as_input(inputs: dict[str, InputRecipe], columns: Collection[str], what: str, why: str) -> None:
    for recipe in inputs.values():
        both = [column for column in recipe.columns if column in columns]
        if both:
            raise UserError(
                f'The column "{both[0]}" is both an input and {what}.',
                where="--input, --target, --exclude",
                fix=f"leave it out of the inputs: {why}",
            )


def _with_gaps(table: Table, recipe: InputRecipe) -> tuple[pd.DataFrame, list[str]]:
    """An input that may lack columns, missing ones empty, and notes on what is missing and what is not used.

    Raises UserError where fewer than half of the columns are there.
    """
    there = set(map(str, table.frame.columns))
    lacking = [column for column in recipe.columns if column not in there]
    if 2 * len(lacking) > len(recipe.columns):
        raise UserError(
            f"{len(lacking):,} of the {len(recipe.columns):,} columns that the model reads are not in {table.source}.",
            where=f"{table.source}: {listed(tuple(map(str, table.frame.columns)))}",
            fix=f"give columns called as in training, such as {lacking[0]}",
        )
    notes = []
    if lacking:
        notes.append(
            f"{len(lacking):,} of the {len(recipe.columns):,} columns of the input are not in {table.source} "
            f"({listed([last_level(name) for name in lacking], 3)}); each is read as its mean in training"
        )
    others = len(there - set(recipe.columns) - set(RESERVED))
    if others:
        notes.append(
            f"{others:,} other column{'s are' if others > 1 else ' is'} in {table.source}, not used by the model"
        )
    frame = table.frame.reindex(columns=list(recipe.columns))
    return take_rows(frame, np.arange(len(frame))), notes


def columns_for(table: Table, inputs: dict[str, InputRecipe]) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """The inputs of a stored model in a new table, and notes on what had to be guessed.

    A sequence column of another name is taken where it is the only one of its modality that no input has yet. Of
    modalities that may lack columns, those that are missing are empty, if at least half are there.
    """
    found: dict[str, pd.DataFrame] = {}
    notes: list[str] = []
    columns = list(map(str, table.frame.columns))
    taken = {column for recipe in inputs.values() for column in recipe.columns}
    for name, recipe in inputs.items():
        if modalities[recipe.modality].may_lack:
            found[name], told = _with_gaps(table, recipe)
            notes += told
            continue
        if set(recipe.columns) <= set(columns):
            found[name] = take_rows(table.frame[list(recipe.columns)], np.arange(len(table.frame)))
            continue
        first, *companions = recipe.columns
        free = [column for column in columns if column not in taken and column not in RESERVED]
        alike = [column for column in free if _detect(table, column) == recipe.modality]
        lone = modalities[recipe.modality].columns == "one" and len(alike) == 1 and first not in columns
        if lone and set(companions) <= set(columns):
            frame = table.frame[[*alike, *companions]].rename(columns={alike[0]: first})
            found[name] = frame.reset_index(drop=True)
            taken.add(alike[0])
            notes.append(f'the column "{alike[0]}" was taken as the input "{first}"')
            continue
        missing = next(column for column in recipe.columns if column not in set(columns))
        raise UserError(
            f'The model needs a column "{missing}", and {table.source} has none.{did_you_mean(missing, columns)}',
            where=table.source,
            fix=f"add the column, or rename the one that holds it; the columns are: {listed(columns, 20)}",
        )
    return found, notes
