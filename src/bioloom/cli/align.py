"""`bioloom align`: a language model goes on learning, from responses or from what is preferred."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bioloom.cli import options
from bioloom.cli.terminal import Terminal, table

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE", help="A table with the columns prompt and response, or prompt, chosen and rejected."
    ),
]
Outdir = Annotated[Path, typer.Option("--outdir", metavar="FOLDER", help="Where the new model goes.")]
Beta = Annotated[
    float, typer.Option("--beta", min=0.001, help="How dear it is to leave the model it begins with.")
]
Farthest = Annotated[
    float | None,
    typer.Option(
        "--farthest",
        metavar="NATS",
        min=0.0,
        help="Nats per response by which the new model may leave it; where it went farther it steps back.",
        show_default=False,
    ),
]
Epochs = Annotated[int, typer.Option("--epochs", min=1, help="Passes over the rows at most.")]
Rate = Annotated[float, typer.Option("--learning-rate", min=1e-7, help="How large each step is.")]
JudgeRun = Annotated[
    Path | None,
    typer.Option(
        "--judge",
        metavar="RUN",
        help="A run whose prediction says how good a text is; without it a reward model learned from the pairs judges.",
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of all randomness.")]

TITLES = {
    "before": "nats per token of responses, before",
    "after": "nats per token of responses, after",
    "gain": "nats per token gained",
    "preferred": "responses after that are judged better than before",
    "judged before": "judgement of responses before",
    "judged after": "judgement of responses after",
    "kl": "nats per response away from the model before",
    "pairs before": "pairs with the preferred response likelier, before",
    "pairs after": "pairs with the preferred response likelier, after",
    "pairs by reward": "pairs in which the reward model agrees",
}
"""What each figure is, in words."""


def command(
    run: options.RunFolder,
    file: File,
    *,
    outdir: Outdir = Path("aligned"),
    beta: Beta = 0.1,
    farthest: Farthest = None,
    epochs: Epochs = 20,
    learning_rate: Rate = 3e-4,
    judge: JudgeRun = None,
    seed: Seed = 0,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Go on with a language model: learn to respond from examples, or what is preferred from pairs."""
    from bioloom import workflow
    from bioloom.journey.align import Alignment
    from bioloom.training.lessons import Pace

    pace = Pace(epochs=epochs, learning_rate=learning_rate, seed=seed)
    judging = None if judge is None else workflow.load(judge).model
    terminal = Terminal(quiet, json)
    with terminal.listening() as listener:
        found = workflow.align(run, Alignment(file, beta, pace, judging, farthest), outdir, listener)
    content = found.content
    rows = [
        (TITLES[name], f"{each['value']:.3f}", f"{each['low']:.3f} to {each['high']:.3f}")
        for name, each in content["figures"].items()
    ]
    figures = table(("on held-out prompts", "value", "95 % interval"), rows, right=("value", "95 % interval"))
    told = f"The new model: {outdir}; write with it by bioloom generate {outdir}"
    terminal.show(dict(content), figures, "", content["verdict"]["text"], told)
