"""`bioloom train`: from labelled data to a trained, evaluated, explained model and its report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bioloom.cli import options
from bioloom.cli.terminal import Terminal, hanging

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bioloom.report.summary import Block
    from bioloom.run import Run

Outdir = Annotated[
    Path | None,
    typer.Option(
        "--outdir",
        metavar="FOLDER",
        help="Where the run is written; a name made from the data if left out. "
        "The same command again shows a finished run, and goes on with one that was stopped.",
        rich_help_panel=options.OUTPUT,
        show_default=False,
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        metavar="",
        help="Train again where a run is already there.",
        rich_help_panel=options.OUTPUT,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        metavar="",
        help="Say what would be done, and do nothing.",
        rich_help_panel=options.OUTPUT,
    ),
]


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
    start: options.Start = "",
    pretrain: options.Pretrain = "",
    budget: options.BudgetOption = None,
    time: options.Time = "",
    seed: options.Seed = None,
    device: options.DeviceOption = None,
    threads: options.Threads = None,
    outdir: Outdir = None,
    track: options.Track = None,
    force: Force = False,
    dry_run: DryRun = False,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Train a model, judge it honestly, explain it, and write a report."""
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
        start=start,
        pretrain=pretrain,
        trackers=tuple(track or ()),
        budget=budget or "",
        time=time,
        seed=seed,
        device=device or "",
        threads=threads,
    )
    terminal = Terminal(quiet, json)
    if dry_run:
        with terminal.listening() as listener:
            plan = workflow.dry_run(request, listener)
        if outdir is not None:
            plan["folder"] = str(outdir)
        terminal.show(plan, *_plan(plan))
        return
    with terminal.listening() as listener:
        run = workflow.train(request, outdir, listener, force=force)
    terminal.show(
        {"folder": str(run.folder), "report": str(run.report), "result": run.result}, *finished(run)
    )


TONES = {"good": "green", "care": "yellow", "bad": "bold red", "plain": ""}
"""Colours only repeat what the words say."""


def finished(run: Run) -> list[RenderableType]:
    """The result block and where the report is."""
    from bioloom.report.summary import block

    shown = block(run.result)
    lines: list[RenderableType] = ["", Text(shown.title, style="bold"), "", Text(shown.verdict)]
    if shown.next:
        lines.append(hanging("Next: ", Text(shown.next), style="bold"))
    lines += ["", Text(shown.caption), _scores(shown), "", _facts(shown)]
    return [*lines, hanging("Report: ", str(run.report), style="bold")]


def _scores(shown: Block) -> RenderableType:
    """The deciding metric of the network and of its rivals below each other."""
    from bioloom.report.summary import aligned

    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(2):
        grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for row, cells in zip(shown.compared, aligned(shown), strict=True):
        style = "bold" if row.name == "model" else ""
        grid.add_row(*(Text(text, style=style) for text in cells))
    return Padding(grid, (0, 0, 0, 2))


def _facts(shown: Block) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for fact in shown.facts:
        grid.add_row(Text(fact.question), Text(fact.answer, style=TONES[fact.tone]))
    return grid


def _plan(plan: dict[str, Any]) -> list[RenderableType]:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for key, value in plan.items():
        grid.add_row(Text(key, style="bold"), Text(_words(value)))
    return [grid]


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
