"""`bioloom doctor`: whether everything that bioloom needs is here and works."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer
from rich.text import Text

from bioloom.cli import options
from bioloom.cli.terminal import Terminal, hanging

MARKS = {"ok": ("ok", "green"), "note": ("note", "yellow"), "problem": ("PROBLEM", "bold red")}


def command(*, quiet: options.Quiet = False, json: options.Json = False) -> None:
    """Look at this machine and this installation, and try a tiny training."""
    from bioloom import doctor

    terminal = Terminal(quiet, json)
    with terminal.listening() as listener:
        facts = doctor.examine(Path.cwd(), listener)
    lines = []
    for fact in facts:
        mark, style = MARKS[fact.state]
        words = f"{fact.found}; {fact.fix}" if fact.fix else fact.found
        lines.append(hanging(f"{mark:<8}", hanging(f"{fact.name:<26}", Text(words)), style))
    terminal.show({"facts": [asdict(fact) for fact in facts]}, *lines)
    if any(fact.state == "problem" for fact in facts):
        raise typer.Exit(2)
