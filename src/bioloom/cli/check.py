"""`bioloom check`: what is in a file, what is wrong with which rows, and which recipe would be used."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import typer
from rich.padding import Padding
from rich.text import Text

from bioloom.cli import options
from bioloom.cli.terminal import Terminal, hanging, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bioloom.workflow import Checked

SEVERITIES = {
    "fatal": ("stops", "bold red"),
    "drop": ("left out", "yellow"),
    "note": ("note", "cyan"),
}
"""What becomes of the rows, in a word."""


MOST_ALIKE, FIRST = 40, 6
"""Of more columns of one kind and role than the first number, only some are listed."""


def command(
    files: options.FilesOrRecipe,
    *,
    target: options.Target = None,
    inputs: options.Input = None,
    exclude: options.Exclude = None,
    labels: options.Labels = None,
    join: options.Join = None,
    task: options.Task = "",
    positive: options.Positive = None,
    split: options.Split = "",
    settings: options.Settings = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Say what is in a file, what is wrong with which rows, and propose a recipe; nothing is written."""
    from bioloom import workflow
    from bioloom.recipe import parse_settings

    request = workflow.Request(
        source=options.one_or_several(files),
        target=tuple(target or ()),
        inputs=tuple(inputs or ()),
        exclude=tuple(exclude or ()),
        labels=options.one_or_none(labels),
        join=tuple(join or ()),
        task=task,
        positive=positive,
        split=split,
        settings=parse_settings(settings or ()),
    )
    terminal = Terminal(quiet, json)
    with terminal.listening() as listener:
        found = workflow.check(request, listener)
    terminal.show(found.to_json(), *_screen(found))
    if any(problem.severity == "fatal" for problem in found.problems):
        raise typer.Exit(2)


def _screen(found: Checked) -> list[RenderableType]:
    """Columns, facts, problems, recipe."""
    records = f"{found.rows:,} {'row' if found.rows == 1 else 'rows'}"
    head = Text.assemble((found.source, "bold"), f": {found.format}, {records}")
    lines: list[RenderableType] = [head, *(hanging("  ", Text(note)) for note in found.notes), ""]
    lines += [_columns(found), "", *_facts(found), "", *_problems(found), ""]
    lines.append(
        Text.assemble(
            ("Proposed recipe", "bold"), " (save it as recipe.toml and run bioloom train recipe.toml)"
        )
    )
    return [*lines, Padding(Text(found.recipe.rstrip()), (0, 0, 0, 2))]


def _columns(found: Checked) -> RenderableType:
    alike = Counter((each.kind, each.role) for each in found.columns)
    rows, shown = [], Counter[tuple[str, str]]()
    for each in found.columns:
        like = (each.kind, each.role)
        shown[like] += 1
        if alike[like] <= MOST_ALIKE or shown[like] <= FIRST:
            rows.append(
                (each.name, each.kind, each.role, f"{each.missing:,}", f"{each.distinct:,}", each.example)
            )
        elif shown[like] == FIRST + 1:
            rows.append((f"... {alike[like] - FIRST:,} more", *like, "", "", ""))
    headings = ("column", "what it is", "role", "missing", "distinct", "example")
    return table(headings, rows, right=("missing", "distinct"))


def _facts(found: Checked) -> list[RenderableType]:
    width = max(map(len, found.facts), default=0)
    return [hanging(f"{name:<{width}}  ", Text(words), "bold") for name, words in found.facts.items()]


def _problems(found: Checked) -> list[RenderableType]:
    if not found.problems:
        return [Text("No problem was found.", style="green")]
    lines: list[RenderableType] = [Text("Problems", style="bold")]
    for each in found.problems:
        word, style = SEVERITIES[each.severity]
        rows = f"{each.count:,} {'row' if each.count == 1 else 'rows'}" if each.count else "the whole column"
        column = f'column "{each.column}": ' if each.column else ""
        lines.append(hanging(f"  {word:<9} ", Text(f"{rows}, {column}{each.message}"), style))
        lines.append(hanging(" " * 12, Text(_places(found.unit, each.lines, each.count), style="dim")))
        if each.fix:
            lines.append(hanging(" " * 12 + "fix: ", Text(each.fix)))
    return lines


def _places(unit: str, lines: tuple[int, ...], count: int) -> str:
    if not lines:
        return ""
    word = unit if count == 1 else f"{unit}s"
    more = ", ..." if count > len(lines) else ""
    return f"{word} {', '.join(map(str, lines))}{more}"
