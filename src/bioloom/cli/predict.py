"""`bioloom predict`: what a trained model says about new records."""

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
        help="Write the predictions to this CSV file instead of standard output.",
        rich_help_panel=options.OUTPUT,
        show_default=False,
    ),
]


Which = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="WHICH",
        help="auto: the model that the run recommends; network; simple: the simpler model beside it; or fast: one network "
        "taught to say what several say (training.distil).",
        show_default=True,
    ),
]


Positions = Annotated[
    Path | None,
    typer.Option(
        "--positions",
        metavar="FILE",
        help="Write what is predicted at each position, with probabilities, to this CSV file too; for targets at every "
        "position.",
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
    positions: Positions = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Predict new records: one row for each record, in the same order, as CSV."""
    from bioloom import workflow

    terminal = Terminal(quiet, json)
    with terminal.listening() as listener:
        found = workflow.predict(run, options.one_or_several(files), out, listener, model)
        if positions is not None:
            workflow.predict_positions(run, options.one_or_several(files), positions, model)
    if json:
        rows = found.frame.astype(object).where(found.frame.notna(), None).to_dict(orient="records")
        print_json({"predictions": rows, "notes": list(found.notes), "missing": found.missing})
    elif out is None:
        found.frame.to_csv(sys.stdout, index=False, lineterminator="\n")
    else:
        terminal.show({}, str(out))
