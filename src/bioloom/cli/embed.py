"""`bioloom embed`: the few numbers by which a trained model describes each record."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bioloom.cli import options
from bioloom.cli.terminal import Terminal, print_json

Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Write the numbers to this file, .csv or .npz, instead of standard output.",
        rich_help_panel=options.OUTPUT,
        show_default=False,
    ),
]
Which = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="WHICH",
        help="auto: the model that the run recommends; network; or simple: the simpler model beside it.",
        show_default=True,
    ),
]
FigureFile = Annotated[
    Path | None,
    typer.Option(
        "--figure",
        metavar="FILE",
        help="Draw a map of the records too, .svg or .png.",
        rich_help_panel=options.OUTPUT,
        show_default=False,
    ),
]
Colour = Annotated[
    str,
    typer.Option(
        "--colour",
        metavar="COLUMN",
        help="Column of the file that colours the map.",
        rich_help_panel=options.OUTPUT,
        show_default=False,
    ),
]


def command(
    run: options.RunFolder,
    files: options.Files,
    *,
    model: Which = "auto",
    out: Out = None,
    figure: FigureFile = None,
    colour: Colour = "",
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Describe records by few numbers: one row for each record, in the same order, as CSV."""
    from bioloom import workflow
    from bioloom.journey.described import Drawing

    drawing = None if figure is None else Drawing(figure, colour)
    terminal = Terminal(quiet, json)
    with terminal.listening() as listener:
        asked = workflow.Embedding(model, drawing)
        found = workflow.embed(run, options.one_or_several(files), out, listener, asked)
    if json:
        rows = found.frame.astype(object).where(found.frame.notna(), None).to_dict(orient="records")
        print_json({"codes": rows, "notes": list(found.notes), "missing": found.missing})
    elif out is None:
        found.frame.to_csv(sys.stdout, index=False, lineterminator="\n")
    else:
        terminal.show({}, str(out))
