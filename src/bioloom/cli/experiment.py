"""`bioloom experiment`: what a trained sequence model says when sequences are changed on purpose."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bioloom.cli import options
from bioloom.cli.terminal import Terminal

if TYPE_CHECKING:
    from bioloom.events import Listener
    from bioloom.inquiry.experiment import Found

app = typer.Typer(no_args_is_help=True)

SUBJECT = "What is experimented on"

File = Annotated[
    str,
    typer.Option(
        "--file",
        metavar="FILE",
        help="Sequences; test records of the run if left out.",
        rich_help_panel=SUBJECT,
    ),
]
Records = Annotated[
    int, typer.Option("--records", metavar="N", min=1, help="Sequences to take.", rich_help_panel=SUBJECT)
]
Output = Annotated[
    str,
    typer.Option(
        "--output",
        metavar="NAME",
        help="Which target or class; the first if left out.",
        rich_help_panel=SUBJECT,
    ),
]
Shuffle = Annotated[
    bool,
    typer.Option(
        "--shuffle/--as-they-are",
        help="Put motifs into shuffled sequences (neighbouring letters kept), or into the sequences as they are.",
        rich_help_panel=SUBJECT,
    ),
]
Seed = Annotated[
    int, typer.Option("--seed", metavar="N", help="Seed of all that is drawn.", rich_help_panel=SUBJECT)
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", help="Write the table to this TSV file.", rich_help_panel=options.OUTPUT
    ),
]
FigureFile = Annotated[
    Path | None,
    typer.Option(
        "--figure",
        metavar="FILE",
        help="Draw the effects, .svg, .png or .pdf.",
        rich_help_panel=options.OUTPUT,
    ),
]
First = Annotated[str, typer.Argument(metavar="FIRST", help="A word of DNA or RNA.", show_default=False)]
Second = Annotated[str, typer.Argument(metavar="SECOND", help="Another one.", show_default=False)]


@app.callback()
def experiment() -> None:
    """Change sequences on purpose and ask a model: motifs, stretches, distances, pairs."""


@app.command("motif")
def motif(
    run: options.RunFolder,
    motifs: Annotated[
        list[str],
        typer.Argument(metavar="MOTIF...", help="Words such as TGACTCA, motif files, or jaspar:MA0139.1."),
    ],
    *,
    at: Annotated[
        int, typer.Option("--at", metavar="POSITION", min=0, help="Position from 1; 0 for the middle.")
    ] = 0,
    file: File = "",
    records: Records = 100,
    output: Output = "",
    shuffle: Shuffle = True,
    seed: Seed = 0,
    out: Out = None,
    figure: FigureFile = None,
    quiet: options.Quiet = False,
) -> None:
    """What motifs do by themselves: put into sequences that mean nothing."""
    from bioloom.inquiry import experiment as inquiry

    subject = inquiry.Subject(run, file, records, output, shuffle, seed)
    start = at - 1 if at else None
    _show(lambda listener: inquiry.motif_effects(subject, motifs, start, listener), out, figure, quiet=quiet)


@app.command("space")
def space(
    run: options.RunFolder,
    first: First,
    second: Second,
    *,
    most: Annotated[
        int, typer.Option("--most", metavar="N", min=0, help="The widest distance, in letters.")
    ] = 30,
    step: Annotated[
        int, typer.Option("--step", metavar="N", min=1, help="From one distance to the next.")
    ] = 1,
    file: File = "",
    records: Records = 50,
    output: Output = "",
    shuffle: Shuffle = True,
    seed: Seed = 0,
    out: Out = None,
    figure: FigureFile = None,
    quiet: options.Quiet = False,
) -> None:
    """Two motifs at growing distances, in each orientation."""
    from bioloom.inquiry import experiment as inquiry

    subject, gaps = inquiry.Subject(run, file, records, output, shuffle, seed), range(0, most + 1, step)
    _show(
        lambda listener: inquiry.spacing_effects(subject, (first, second), gaps, listener),
        out,
        figure,
        quiet=quiet,
    )


@app.command("pair")
def pair(
    run: options.RunFolder,
    first: First,
    second: Second,
    *,
    spacing: Annotated[
        int, typer.Option("--spacing", metavar="N", min=0, help="Letters between the two.")
    ] = 10,
    file: File = "",
    records: Records = 100,
    output: Output = "",
    shuffle: Shuffle = True,
    seed: Seed = 0,
    out: Out = None,
    figure: FigureFile = None,
    quiet: options.Quiet = False,
) -> None:
    """Two motifs alone and together, and what remains: epistasis."""
    from bioloom.inquiry import experiment as inquiry

    subject = inquiry.Subject(run, file, records, output, shuffle, seed)
    _show(
        lambda listener: inquiry.pair_effects(subject, (first, second), spacing, listener),
        out,
        figure,
        quiet=quiet,
    )


@app.command("tile")
def tile(
    run: options.RunFolder,
    *,
    width: Annotated[int, typer.Option("--width", metavar="N", min=2, help="Letters of a window.")] = 10,
    step: Annotated[int, typer.Option("--step", metavar="N", min=1, help="From one window to the next.")] = 5,
    file: File = "",
    records: Records = 50,
    output: Output = "",
    seed: Seed = 0,
    out: Out = None,
    figure: FigureFile = None,
    quiet: options.Quiet = False,
) -> None:
    """Which stretches matter: window after window is shuffled away."""
    from bioloom.inquiry import experiment as inquiry

    subject = inquiry.Subject(run, file, records, output, seed=seed)
    _show(lambda listener: inquiry.tile_effects(subject, width, step, listener), out, figure, quiet=quiet)


@app.command("stretch")
def stretch(
    run: options.RunFolder,
    start: Annotated[int, typer.Argument(metavar="FROM", min=1, help="First position, from 1.")],
    end: Annotated[int, typer.Argument(metavar="TO", min=1, help="Last position.")],
    *,
    others: Annotated[
        str,
        typer.Option(
            "--from", metavar="FILE", help="Take the stretch of these sequences instead of shuffling."
        ),
    ] = "",
    file: File = "",
    records: Records = 100,
    output: Output = "",
    seed: Seed = 0,
    out: Out = None,
    figure: FigureFile = None,
    quiet: options.Quiet = False,
) -> None:
    """What one stretch does: shuffled away, or replaced by that of other sequences."""
    from bioloom.inquiry import experiment as inquiry

    subject = inquiry.Subject(run, file, records, output, seed=seed)
    _show(
        lambda listener: inquiry.stretch_effect(subject, start, end, others, listener),
        out,
        figure,
        quiet=quiet,
    )


@app.command("pairs")
def pairs(
    run: options.RunFolder,
    *,
    start: Annotated[
        int, typer.Option("--start", metavar="POSITION", min=1, help="First position, from 1.")
    ] = 1,
    end: Annotated[
        int, typer.Option("--end", metavar="POSITION", min=0, help="Last position; 0 for 80 of them.")
    ] = 0,
    file: File = "",
    output: Output = "",
    out: Out = None,
    figure: FigureFile = None,
    quiet: options.Quiet = False,
) -> None:
    """Which positions of one sequence depend on each other: a map of pairs."""
    from bioloom.inquiry import experiment as inquiry

    subject = inquiry.Subject(run, file, 1, output)
    _show(lambda listener: inquiry.pair_map(subject, start, end or None, listener), out, figure, quiet=quiet)


def _show(work: Callable[[Listener], Found], out: Path | None, figure: Path | None, *, quiet: bool) -> None:
    """Do it, and tell the table with what its numbers are."""
    from bioloom.inquiry import experiment as inquiry

    terminal = Terminal(quiet)
    with terminal.listening() as listener:
        found: Any = work(listener)
        listener.message(found.words)
        text = inquiry.write(found, out, figure)
        if figure is not None:
            listener.message(f"drawn: {figure}")
    if out is None:
        sys.stdout.write(text)
    else:
        terminal.show({}, str(out))
