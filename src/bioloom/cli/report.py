"""`bioloom report`: the page of a finished run, written anew."""

from __future__ import annotations

from bioloom.cli import options
from bioloom.cli.terminal import Terminal


def command(run: options.RunFolder, json: options.Json = False) -> None:
    """Write the report of a finished run again, and print where it is."""
    from bioloom import workflow

    path = workflow.report(run)
    Terminal(json=json).show({"report": str(path)}, str(path))
