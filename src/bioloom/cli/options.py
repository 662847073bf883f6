"""The options that several verbs share, spelled once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

DATA, LEARNING, OUTPUT = "What is in the data", "How it is learned", "What is shown"


class Budget(StrEnum):
    """How much time may be spent."""

    fast = "fast"
    normal = "normal"
    thorough = "thorough"


class Device(StrEnum):
    """Where the arithmetic is done."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE",
        help="A table (CSV, TSV, XLSX, Parquet), FASTA or FASTQ (one file per class, or with --labels), "
        "or the name of a data set that comes with bioloom.",
        show_default=False,
    ),
]
FilesOrRecipe = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE",
        help="A table (CSV, TSV, XLSX, Parquet), FASTA or FASTQ (one file per class, or with --labels), "
        "the name of a data set that comes with bioloom, or a recipe.toml.",
        show_default=False,
    ),
]
RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="The folder that bioloom train wrote.", show_default=False)
]

Target = Annotated[
    list[str] | None,
    typer.Option(
        "--target", metavar="COLUMN", help="Column to predict; repeat it for several.", rich_help_panel=DATA
    ),
]
Input = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="COLUMN[=MODALITY]",
        help="Column to predict from, such as utr5 or utr5=dna; repeat it for several. Found by looking if left out.",
        rich_help_panel=DATA,
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="COLUMN",
        help="Column that is no input, such as one that is known only after the target; repeat it for several.",
        rich_help_panel=DATA,
    ),
]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--labels",
        metavar="FILE",
        help="Labels for a FASTA or FASTQ file, joined by id: a table, or FASTA with a letter for each position; "
        "repeat it for several.",
        rich_help_panel=DATA,
        show_default=False,
    ),
]
Join = Annotated[
    list[str] | None,
    typer.Option(
        "--join",
        metavar="FILE=COLUMN",
        help="A file whose columns stand beside the records, by the id in a column, such as mutation.csv=cell_line; it "
        "becomes an input of its own; repeat it for several.",
        rich_help_panel=DATA,
    ),
]
Task = Annotated[
    str,
    typer.Option(
        "--task",
        metavar="TASK",
        help="regression, binary, multiclass, or one that bioloom parts lists, such as reconstruct, which needs no "
        "target. Chosen by the target's values if left out.",
        rich_help_panel=DATA,
        show_default=False,
    ),
]
Positive = Annotated[
    str | None,
    typer.Option(
        "--positive",
        metavar="CLASS",
        help="The class whose probability is predicted; of several classes, with --task binary, all others count as one.",
        rich_help_panel=DATA,
        show_default=False,
    ),
]
Split = Annotated[
    str,
    typer.Option(
        "--split",
        metavar="METHOD|COLUMN",
        help="How records are divided into training, validation and test: a method that bioloom parts lists, "
        "or a column. Chosen by looking at the data if left out.",
        rich_help_panel=DATA,
        show_default=False,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Any setting of the recipe, such as training.epochs=20 or model.network=cnn.",
        rich_help_panel=LEARNING,
    ),
]
Start = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="RUN",
        help="Begin with the network of an earlier run instead of random weights: go on with it, or fine-tune it on "
        "other data.",
        rich_help_panel=LEARNING,
        show_default=False,
    ),
]
Pretrain = Annotated[
    str,
    typer.Option(
        "--pretrain",
        metavar="FILE",
        help="Records without labels, from which the network learns first what is usual; those like test or validation "
        "records are left out.",
        rich_help_panel=LEARNING,
        show_default=False,
    ),
]
Time = Annotated[
    str,
    typer.Option(
        "--time",
        metavar="TIME",
        help="How long the run may take, about, such as 10m: half of it goes into trying other networks and settings.",
        rich_help_panel=LEARNING,
        show_default=False,
    ),
]
BudgetOption = Annotated[
    Budget | None,
    typer.Option(
        "--budget",
        help="How much time may be spent; normal if left out.",
        rich_help_panel=LEARNING,
        show_default=False,
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        metavar="NUMBER",
        help="Decides everything random; 0 if left out.",
        rich_help_panel=LEARNING,
        show_default=False,
    ),
]
DeviceOption = Annotated[
    Device | None,
    typer.Option(
        "--device", help="Where to compute; auto if left out.", rich_help_panel=LEARNING, show_default=False
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="NUMBER",
        help="Processor threads; by size of the network if left out.",
        rich_help_panel=LEARNING,
        show_default=False,
    ),
]
Track = Annotated[
    list[str] | None,
    typer.Option(
        "--track",
        metavar="NAME",
        help="Write the course of the training for tensorboard or mlflow too; repeat it for both.",
        rich_help_panel=OUTPUT,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", metavar="", help="No progress and no messages.", rich_help_panel=OUTPUT),
]
Json = Annotated[
    bool, typer.Option("--json", metavar="", help="The result as one JSON document.", rich_help_panel=OUTPUT)
]


def one_or_several(files: list[str]) -> str | list[str]:
    """A single path as itself, several as a list."""
    return files[0] if len(files) == 1 else files


def one_or_none(files: list[str] | None) -> str | tuple[str, ...]:
    """A single path as itself, several as a tuple, none as an empty text."""
    return "" if not files else files[0] if len(files) == 1 else tuple(files)
