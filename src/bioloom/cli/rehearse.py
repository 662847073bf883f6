"""`bioloom rehearse`: rounds of design and measurement on a simulated truth, beside chance and greed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bioloom.cli import options
from bioloom.cli.terminal import Terminal, table

Outdir = Annotated[
    Path,
    typer.Option(
        "--outdir",
        metavar="FOLDER",
        help="Where the courses and the figure go.",
        rich_help_panel=options.OUTPUT,
    ),
]
Landscapes = Annotated[int, typer.Option("--landscapes", metavar="N", min=1, help="Simulated truths.")]
Length = Annotated[int, typer.Option("--length", metavar="N", min=8, max=300, help="Letters of a sequence.")]
Start = Annotated[
    int, typer.Option("--start", metavar="N", min=20, help="Sequences that are measured first.")
]
Batch = Annotated[
    int, typer.Option("--batch", metavar="N", min=2, help="Sequences that each round measures.")
]
Rounds = Annotated[int, typer.Option("--rounds", metavar="N", min=1, help="Rounds that follow.")]
Network = Annotated[
    str, typer.Option("--network", metavar="NAME", help="The network that learns in each round.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Seed of all that is drawn.")]


def command(
    *,
    outdir: Outdir = Path("rehearsal"),
    landscapes: Landscapes = 3,
    length: Length = 30,
    start: Start = 96,
    batch: Batch = 48,
    rounds: Rounds = 4,
    network: Network = "additive_map",
    seed: Seed = 0,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Rehearse rounds of design and measurement on a simulated truth: how much more do designs gain than chance?"""
    from bioloom.inquiry.rehearsed import Rehearsal, rehearse, sentence

    asked = Rehearsal(landscapes, length, start, batch, rounds, seed, network)
    terminal = Terminal(quiet, json)
    with terminal.listening() as listener:
        told = rehearse(asked, outdir, listener)
    rows = [
        (
            name,
            *(
                f"{sum(each['best'][number] for each in done) / len(done):.2f}"
                for number in range(rounds + 1)
            ),
        )
        for name, done in told["courses"].items()
    ]
    heads = (
        "true value of the best measured",
        "at first",
        *(f"round {number + 1}" for number in range(rounds)),
    )
    files = [str(outdir / name) for name in ("rounds.json", "rounds.svg")]
    terminal.show(told, sentence(told), table(heads, rows, right=heads[1:]), *files)
