"""`bioloom generate`: new texts and sequences, written by a trained language model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bioloom.cli import options
from bioloom.cli.terminal import Terminal, print_json

Prompt = Annotated[
    str, typer.Option("--prompt", metavar="TEXT", help="What each text begins with.", show_default=False)
]
Length = Annotated[
    int,
    typer.Option(
        "--length",
        metavar="TOKENS",
        min=0,
        help="Tokens to write; 0: 500 of a text, and sequences as long as the longest that was learned from.",
    ),
]
Count = Annotated[int, typer.Option("-n", "--count", metavar="N", min=1, help="How many texts.")]
Temperature = Annotated[
    float, typer.Option("--temperature", metavar="T", help="Below 1 surer, above 1 bolder choices.")
]
TopK = Annotated[
    int,
    typer.Option("--top-k", metavar="K", min=0, help="Draw from the K likeliest tokens only; 0: from all."),
]
Greedy = Annotated[
    bool, typer.Option("--greedy", help="Take the likeliest token each time, and draw nothing.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Another seed writes another text.")]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Write to this file instead of standard output: .fasta, .csv, or any other for plain text.",
        rich_help_panel=options.OUTPUT,
        show_default=False,
    ),
]


def command(
    run: options.RunFolder,
    *,
    prompt: Prompt = "",
    length: Length = 0,
    count: Count = 1,
    temperature: Temperature = 1.0,
    top_k: TopK = 0,
    greedy: Greedy = False,
    seed: Seed = 0,
    out: Out = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Write new texts or sequences with a language model, each with how likely the model finds it."""
    from bioloom import workflow
    from bioloom.journey.writing import Assignment
    from bioloom.models.writing import Manner

    asked = Assignment(prompt, length, count, Manner(temperature, top_k, greedy, seed))
    terminal = Terminal(quiet, json)
    with terminal.listening() as listener:
        found = workflow.generate(run, asked, out, listener)
    if json:
        print_json({"written": found.frame.to_dict(orient="records"), "notes": list(found.notes)})
    elif out is None:
        sys.stdout.write(found.as_text())
    else:
        terminal.show({}, str(out))
