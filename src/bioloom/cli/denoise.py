"""`bioloom denoise`: restore the counts of single cells, and say whether that is nearer to the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bioloom.cli import options
from bioloom.cli.terminal import Terminal, table

Outdir = Annotated[
    Path,
    typer.Option("--outdir", metavar="FOLDER", help="Where restored counts, scores and the figure go."),
]
Genes = Annotated[
    int, typer.Option("--genes", min=20, help="Genes used at most, those that vary most between cells.")
]
Budget = Annotated[
    str, typer.Option("--budget", metavar="fast|normal|thorough", help="How long the network may learn.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of all randomness.")]


def command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An .h5ad file, or a table of counts.")],
    *,
    outdir: Outdir = Path("denoised"),
    genes: Genes = 3_000,
    exclude: options.Exclude = None,
    budget: Budget = "normal",
    seed: Seed = 0,
    settings: options.Settings = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Restore the counts of single cells, judged on molecules that were held out of each cell."""
    from bioloom import recipe as recipes
    from bioloom import workflow
    from bioloom.journey.denoise import Wish

    asked = recipes.resolve({}, {"budget": budget, "seed": seed} | recipes.parse_settings(settings or ()))
    terminal = Terminal(quiet, json)
    with terminal.listening() as listener:
        found = workflow.denoise(Wish(file, asked, genes, tuple(exclude or ())), outdir, listener)
    content = found.content
    rows = [
        (each["title"], f"{each['bits_per_molecule']:.4f}", f"{each['low']:.4f} to {each['high']:.4f}")
        for each in content["scores"].values()
    ]
    head = (
        f"{content['source']}: {content['cells']:,} cells, {content['genes']:,} genes, "
        f"{content['molecules_per_cell']:,.0f} molecules per cell, {content['zeros']:.0%} zeros"
    )
    metric = "bits per held-out molecule"
    scores = table(("way", metric, "95 % interval"), rows, right=(metric, "95 % interval"))
    lines = [head, *(f"  {note}" for note in content["notes"]), "", scores, "", content["verdict"]]
    terminal.show(dict(content), *lines, f"Restored counts: {outdir / 'denoised.csv'}")
