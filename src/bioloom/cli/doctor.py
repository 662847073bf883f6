"""`bioloom doctor`: whether everything that bioloom needs is here and works."""

from __future__ import annotations

from bioloom.cli import options
from bioloom.cli.terminal import Terminal


def command(json: options.Json = False) -> None:
    """Look at this machine and this installation, and try a tiny training."""
