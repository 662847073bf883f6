"""`bioloom doctor`: whether everything that bioloom needs is here and works."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer
from rich.text import Text

from bioloom.cli import options
from bioloom.cli.terminal import Terminal, hanging

MARKS = {"ok": ("ok", "green"), "note": ("note", "yellow"), "problem": ("PROBLEM", "bold red")}


def command(*, json: options.Json = False) -> None:
    """Look at this machine and this installation, and try a tiny training."""
    from bioloom import doctor

    facts = doctor.examine(Path.cwd())
    lines = []
    for fact in facts:
        mark, style = MARKS[fact.state]
        words = f"{fact.found}; {fact.fix}" if fact.fix else fact.found
        lines.append(hanging(f"{mark:<8}", hanging(f"{fact.name:<26}", Text(words)), style))
    Terminal(json=json).show({"facts": [asdict(fact) for fact in facts]}, *lines)
    if any(fact.state == "problem" for fact in facts):
        raise typer.Exit(2)
