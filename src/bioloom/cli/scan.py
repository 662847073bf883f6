"""`bioloom scan`: where motifs stand in sequences."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bioloom.cli import options
from bioloom.cli.terminal import Terminal


class Form(StrEnum):
    """The form of a file of sites."""

    tsv = "tsv"
    bed = "bed"
    gff = "gff"


SEARCH = "What is looked for"

Motifs = Annotated[
    str,
    typer.Argument(
        metavar="MOTIFS",
        help="A motif file (JASPAR, MEME, TRANSFAC, HOMER, plain matrix), or jaspar:vertebrates, jaspar:MA0139.1 "
        "(with the extra motifs).",
        show_default=False,
    ),
]
Source = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="FASTA or FASTQ, packed or not, of any size; a table with a column of DNA; "
        "or the name of a data set that comes with bioloom.",
        show_default=False,
    ),
]
Regions = Annotated[
    Path | None,
    typer.Option(
        "--bed",
        metavar="REGIONS",
        help="Look only at these regions; FILE is the genome.",
        rich_help_panel=SEARCH,
    ),
]
Column = Annotated[
    str,
    typer.Option(
        "--column", metavar="NAME", help="The column of a table that holds the DNA.", rich_help_panel=SEARCH
    ),
]
PValue = Annotated[
    float,
    typer.Option(
        "--p-value", metavar="P", help="The highest probability by chance of a site.", rich_help_panel=SEARCH
    ),
]
Forward = Annotated[
    bool, typer.Option("--forward-only", help="Leave the reverse complement out.", rich_help_panel=SEARCH)
]
BackgroundOf = Annotated[
    str,
    typer.Option(
        "--background",
        metavar="WHAT",
        help="What sites are compared with: uniform, sequences (the letters of FILE), or four frequencies of A,C,G,T.",
        rich_help_panel=SEARCH,
    ),
]
Order = Annotated[
    int,
    typer.Option(
        "--order",
        metavar="0|1|2",
        help="Letters before a letter that count, with --background sequences.",
        rich_help_panel=SEARCH,
    ),
]
FormOf = Annotated[
    Form, typer.Option("--format", help="How sites are written.", rich_help_panel=options.OUTPUT)
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Write the sites to this file instead of standard output.",
        rich_help_panel=options.OUTPUT,
        show_default=False,
    ),
]


def command(
    motifs: Motifs,
    source: Source,
    *,
    regions: Regions = None,
    column: Column = "",
    p_value: PValue = 1e-4,
    forward_only: Forward = False,
    background: BackgroundOf = "uniform",
    order: Order = 0,
    form: FormOf = Form.tsv,
    out: Out = None,
    quiet: options.Quiet = False,
) -> None:
    """Find where motifs stand in sequences: both strands, exact p-values, q-values; as TSV, BED or GFF."""
    from bioloom.journey.sites import Search, write_sites

    wanted = Search(motifs, source, regions, column, p_value, forward_only, background, order)
    terminal = Terminal(quiet)
    with terminal.listening() as listener:
        for text in write_sites(wanted, form.value, out, listener):
            sys.stdout.write(text)
    if out is not None:
        terminal.show({}, str(out))
