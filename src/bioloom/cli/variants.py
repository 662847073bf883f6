"""`bioloom variants`: what variants change, as a trained sequence model sees it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bioloom.cli import options
from bioloom.cli.terminal import Terminal
from bioloom.errors import UserError

WHAT = "What is asked"

Source = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="A VCF (with --genome), a table of mutations (with --parent), a FASTA (with --against); "
        "with --all a sequence, or a FASTA with one.",
        show_default=False,
    ),
]
GenomeFile = Annotated[
    Path | None,
    typer.Option("--genome", metavar="FASTA", help="The genome of a VCF, not packed.", rich_help_panel=WHAT),
]
Parent = Annotated[
    str,
    typer.Option(
        "--parent",
        metavar="SEQUENCE|FASTA",
        help="What the mutations of a table are mutations of.",
        rich_help_panel=WHAT,
    ),
]
Against = Annotated[
    Path | None,
    typer.Option(
        "--against", metavar="FASTA", help="Sequences of the same names, changed.", rich_help_panel=WHAT
    ),
]
Everything = Annotated[
    bool, typer.Option("--all", help="Every single substitution of one sequence.", rich_help_panel=WHAT)
]
Column = Annotated[
    str,
    typer.Option("--column", metavar="NAME", help="The column that holds mutations.", rich_help_panel=WHAT),
]
First = Annotated[
    int,
    typer.Option(
        "--first", metavar="N", help="The number of the parent's first letter.", rich_help_panel=WHAT
    ),
]
Output = Annotated[
    str,
    typer.Option(
        "--output", metavar="NAME", help="Which target or class; the first if left out.", rich_help_panel=WHAT
    ),
]
Shifts = Annotated[
    int,
    typer.Option(
        "--shifts",
        metavar="N",
        min=0,
        help="Average over windows moved by up to N letters.",
        rich_help_panel=WHAT,
    ),
]
Strands = Annotated[
    bool,
    typer.Option("--both-strands", help="Average over the reverse complement too.", rich_help_panel=WHAT),
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
        help="With --all: draw the map, .svg, .png.",
        rich_help_panel=options.OUTPUT,
    ),
]


def command(
    run: options.RunFolder,
    source: Source,
    *,
    genome: GenomeFile = None,
    parent: Parent = "",
    against: Against = None,
    everything: Everything = False,
    column: Column = "",
    first: First = 1,
    output: Output = "",
    shifts: Shifts = 0,
    both_strands: Strands = False,
    out: Out = None,
    figure: FigureFile = None,
    quiet: options.Quiet = False,
) -> None:
    """Say what variants change: one row for each, with an interval over the networks of the model."""
    from bioloom.inquiry import variants as inquiry

    given = [name for name, value in (("--genome", genome), ("--parent", parent), ("--against", against),
                                      ("--all", everything)) if value]  # fmt: skip
    if len(given) != 1:
        raise UserError(
            "Say what the file holds with one of --genome, --parent, --against and --all.",
            where=" ".join(given) or source,
            fix="--genome FASTA for a VCF, --parent SEQUENCE for a table of mutations",
        )
    asked, terminal = inquiry.Asked(run, output, shifts, both_strands), Terminal(quiet)
    with terminal.listening() as listener:
        if genome is not None:
            table = inquiry.of_vcf(asked, Path(source), genome, listener)
        elif parent:
            table = inquiry.of_mutations(asked, source, parent, column, first)
        elif against is not None:
            table = inquiry.of_pairs(asked, Path(source), against)
        else:
            table, values = inquiry.of_all(asked, source)
            if figure is not None:
                inquiry.draw_all(asked, source, values, figure)
                listener.message(f"drawn: {figure}")
        unused = int((table["problem"] != "").sum())
        if unused:
            listener.message(f"{unused:,} of {len(table):,} rows have no effect; the column problem says why")
    text = inquiry.write(table, out)
    if out is None:
        sys.stdout.write(text)
    else:
        terminal.show({}, str(out))
