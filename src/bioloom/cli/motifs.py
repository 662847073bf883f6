"""`bioloom motifs`: motif files looked at, drawn, written anew, compared, grouped; and which are enriched."""

from __future__ import annotations

import sys
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bioloom.cli import options
from bioloom.cli.scan import Column, Motifs, PValue
from bioloom.cli.scan import Source as Sequences
from bioloom.cli.terminal import Terminal, table

if TYPE_CHECKING:
    import pandas as pd

    from bioloom.events import Listener

app = typer.Typer(no_args_is_help=True)

OutFile = Annotated[
    Path, typer.Option("--out", metavar="FILE", help="The file to write.", show_default=False)
]
Table = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the table to this TSV file too.", show_default=False),
]
Name = Annotated[
    list[str] | None,
    typer.Option("--name", metavar="MOTIF", help="Only this motif, by name or title; repeat it for several."),
]
Form = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="meme, jaspar, transfac, homer or plain; by the ending if left out.",
    ),
]
EValue = Annotated[
    float, typer.Option("--e-value", metavar="E", help="How many as alike to expect by chance, at most.")
]


@app.callback()
def motifs() -> None:
    """Look at motif files, draw, convert, compare and group them, and find which are enriched."""


@app.command("show")
def show(source: Motifs, json: options.Json = False) -> None:
    """List the motifs of a file with their width, sites, information and consensus."""
    from bioloom.journey import motifs as journey

    found = journey.overview(source)
    rows = [
        (name, title, str(positions), _sites(sites), f"{bits:.1f}", consensus)
        for name, title, positions, sites, bits, consensus in found.to_numpy(dtype=object).tolist()
    ]
    headings = ("motif", "title", "positions", "sites", "bits", "consensus")
    records = found.astype(object).where(found.notna(), None).to_dict("records")
    Terminal(json=json).show({"motifs": records}, table(headings, rows, right=("positions", "sites", "bits")))


def _sites(sites: float | None) -> str:
    return "" if sites is None or isnan(sites) else f"{sites:,.0f}"


@app.command("draw")
def draw(source: Motifs, out: OutFile, *, name: Name = None) -> None:
    """Draw the logos of motifs into one SVG, PNG or PDF."""
    from bioloom.journey import motifs as journey

    journey.draw(source, out, tuple(name or ()))
    Terminal().show({}, str(out))


@app.command("convert")
def convert(source: Motifs, out: OutFile, *, form: Form = "") -> None:
    """Write motifs in another format."""
    from bioloom.journey import motifs as journey

    journey.convert(source, out, form)
    Terminal().show({}, str(out))


@app.command("compare")
def compare(
    source: Motifs,
    database: Annotated[
        str, typer.Argument(metavar="DATABASE", help="Motifs to compare with: a file, or jaspar:vertebrates.")
    ],
    *,
    top: Annotated[int, typer.Option("--top", metavar="N", min=1, help="Rows for each motif.")] = 3,
    e_value: EValue = 10.0,
    out: Table = None,
    json: options.Json = False,
) -> None:
    """Find the motifs of a database that each motif resembles, with E-values (Tomtom's statistics)."""
    from bioloom.journey import motifs as journey

    _tell(journey.resemble(source, database, top, e_value), out, json, "comparisons")


@app.command("group")
def group(source: Motifs, out: OutFile, *, e_value: EValue = 0.01, json: options.Json = False) -> None:
    """Join motifs of one kind into one, and write those to a motif file."""
    from bioloom.journey import motifs as journey

    _tell(journey.group(source, out, e_value), None, json, "motifs")


@app.command("enrich")
def enrich(
    motifs: Motifs,
    source: Sequences,
    *,
    against: Annotated[
        str,
        typer.Option(
            "--against", metavar="FILE", help="Other sequences; the same ones shuffled if left out."
        ),
    ] = "",
    column: Column = "",
    p_value: PValue = 1e-4,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of the shuffling.")] = 0,
    out: Table = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Find motifs that stand in more of some sequences than of others, with exact tests."""
    from bioloom.journey import motifs as journey

    wanted = journey.Enrichment(motifs, source, against, column, p_value, seed)
    with Terminal(quiet, json).listening() as listener:
        found = journey.enrich(wanted, listener)
    _tell(found, out, json, "motifs")


Outdir = Annotated[
    Path, typer.Option("--outdir", metavar="FOLDER", help="Where motifs and sites are written.")
]
Asked = Annotated[
    str,
    typer.Option(
        "--file", metavar="FILE", help="Sequences; records of the run, tested ones first, if left out."
    ),
]
Records = Annotated[int, typer.Option("--records", metavar="N", min=1, help="Sequences to take.")]
Database = Annotated[
    str,
    typer.Option("--database", metavar="MOTIFS", help="Name what is found by a file or jaspar:vertebrates."),
]


@app.command("discover")
def discover(
    run: options.RunFolder,
    outdir: Outdir,
    *,
    file: Asked = "",
    records: Records = 500,
    database: Database = "",
    width: Annotated[int, typer.Option("--width", metavar="N", min=4, help="Letters of a stretch.")] = 11,
    fdr: Annotated[
        float, typer.Option("--fdr", metavar="SHARE", help="The highest false-discovery rate.")
    ] = 0.2,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of the shuffling.")] = 0,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Find the motifs that a trained model uses: stretches that matter more than by chance, grouped and aligned."""
    from bioloom.inquiry import discovered as inquiry

    wanted = inquiry.Wanted(run, file, records, database=database, width=width, fdr=fdr, seed=seed)
    with Terminal(quiet, json).listening() as listener:
        found = inquiry.discover_motifs(wanted, listener)
        _written(inquiry.write(found, outdir), listener)
    _tell(found.table, None, json, "motifs")


@app.command("filters")
def filters(
    run: options.RunFolder,
    outdir: Outdir,
    *,
    file: Asked = "",
    records: Records = 500,
    database: Database = "",
    member: Annotated[
        int, typer.Option("--member", metavar="N", min=1, help="Which of several networks.")
    ] = 1,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Show what the filters of a network's first layer look for, and what the answers lose without each."""
    from bioloom.inquiry import discovered, filtered

    wanted = filtered.Filters(run, file, records, database=database, member=member - 1)
    with Terminal(quiet, json).listening() as listener:
        found = filtered.filters(wanted, listener)
        _written(discovered.write(found, outdir), listener)
    _tell(found.table, None, json, "motifs")


def _written(paths: list[Path], listener: Listener) -> None:
    for path in paths:
        listener.message(f"written: {path}")


def _tell(found: pd.DataFrame, out: Path | None, json: bool, name: str) -> None:
    """A table to standard output as TSV, to a file, or as JSON."""
    if out is not None:
        from bioloom.files import write_text

        write_text(out, found.to_csv(sep="\t", index=False, float_format="%.4g", lineterminator="\n"))
    if json:
        records = found.astype(object).where(found.notna(), None).to_dict("records")
        Terminal(json=True).show({name: records})
    else:
        sys.stdout.write(found.to_csv(sep="\t", index=False, float_format="%.4g", lineterminator="\n"))
