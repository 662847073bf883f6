"""How results, errors and progress reach the person or program at the other end.

Results are written to standard output: coloured and wrapped on a terminal, plain and unwrapped in a pipe.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioloom.events import Listener, Silent

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from bioloom.errors import UserError

UNWRAPPED = 10_000
"""Columns of a "terminal" that is a file or a pipe: nothing is wrapped or cut there."""


@dataclass(frozen=True)
class Terminal:
    """What the user wants to see.

    quiet: no progress and no messages
    json:  the result as one JSON document instead of text
    """

    quiet: bool = False
    json: bool = False

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """Show progress while something long is done."""
        if self.quiet:
            yield Silent()
            return
        from bioloom.progress import Bar, Lines

        console = stderr_console()
        if not console.is_terminal or console.is_dumb_terminal:
            yield Lines(sys.stderr)
            return
        with Bar(console) as bar:
            yield bar

    def show(self, document: Mapping[str, Any], *renderables: RenderableType) -> None:
        """Show a result: the document with --json, the renderables for a person otherwise."""
        if self.json:
            print_json(document)
            return
        console = stdout_console()
        if console.is_terminal:
            console.print(*renderables, sep="\n")
            return
        with console.capture() as captured:
            console.print(*renderables, sep="\n")
        sys.stdout.writelines(line.rstrip() + "\n" for line in captured.get().splitlines())


def stdout_console() -> Console:
    """Where results go; colours and wrapping only on a terminal."""
    return _console(stderr=False)


def stderr_console() -> Console:
    """Where progress and messages go."""
    return _console(stderr=True)


def _console(stderr: bool) -> Console:
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = UNWRAPPED
    return console


def print_json(document: Mapping[str, Any]) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False, default=str) + "\n")


def print_error(error: UserError) -> None:
    """What is wrong, where, and how to fix it, on standard error."""
    from rich.text import Text

    console = stderr_console()
    console.print(hanging("Error: ", Text(error.what), style="bold red"))
    for word, text in (("  where: ", error.where), ("  fix:   ", error.fix)):
        if text:
            console.print(hanging(word, Text(text), style="dim" if "where" in word else "bold"))


def hanging(first: str, rest: RenderableType, style: str = "") -> RenderableType:
    """A word, and a text that keeps clear of it when it wraps."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid()
    grid.add_column(no_wrap=True)
    grid.add_column()
    grid.add_row(Text(first, style=style), rest)
    return grid


def table(
    columns: Sequence[str], rows: Sequence[Sequence[RenderableType]], right: Sequence[str] = ()
) -> RenderableType:
    """Rows below headings, without lines; the columns named in `right` hold numbers."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in columns:
        shown.add_column(Text(name), justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    return shown
