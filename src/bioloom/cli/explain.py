"""`bioloom explain`: what in a record moves a model's prediction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from bioloom.cli import options
from bioloom.cli.terminal import Terminal, hanging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

Records = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE]",
        help="Records to explain; test records of the run if left out.",
        show_default=False,
    ),
]
Methods = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        metavar="NAME",
        help="An explainer that bioloom parts lists; repeat it for several. The usual ones if left out.",
        rich_help_panel=options.LEARNING,
    ),
]


Position = Annotated[
    int | None,
    typer.Option(
        "--position",
        metavar="NUMBER",
        help="Explain the answer at this position, counted from 1, where the model answers at every position; the mean over "
        "all if left out.",
        rich_help_panel=options.LEARNING,
        show_default=False,
    ),
]


def command(
    run: options.RunFolder,
    files: Records = None,
    *,
    methods: Methods = None,
    position: Position = None,
    seed: options.Seed = None,
    device: options.DeviceOption = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Say what in a record moves the prediction; attributions and figures go to the run folder."""
    from bioloom import workflow

    wanted = workflow.Wanted(
        methods=tuple(methods or ()),
        seed=seed or 0,
        device=device or "cpu",
        place=None if position is None else position - 1,
    )
    terminal = Terminal(quiet, json)
    with terminal.listening() as listener:
        found = workflow.explain(run, options.one_or_several(files) if files else None, wanted, listener)
    terminal.show({"explanations": found}, *(line for entry in found for line in _entry(run, entry)))


def _entry(run: Path, entry: Mapping[str, Any]) -> list[RenderableType]:
    """One explanation: what it says, how it can be trusted, and where its files are."""
    heading = Text.assemble(
        (str(entry["title"]), "bold"), f", {entry['records']} records of {entry['input']}"
    )
    lines: list[RenderableType] = [heading]
    facts = {"": entry.get("text"), "effect: ": entry.get("effect"), "against: ": entry.get("reference")}
    lines += [hanging(f"  {word}", Text(str(text))) for word, text in facts.items() if text]
    places = [entry["file"], *(each["file"] for each in entry["figures"])]
    return [*lines, *(hanging("  ", Text(str(run / place))) for place in places), ""]
