"""`bioloom design`: new sequences to make next, judged by a second model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from bioloom.cli import options
from bioloom.cli.terminal import Terminal, table
from bioloom.errors import UserError

if TYPE_CHECKING:
    from bioloom.design.pool import Order
    from bioloom.events import Listener
    from bioloom.inquiry.designed import Designs

RULES, TRIED, ORDER = "What a design must be", "How it is sought", "How it is ordered"

LONGEST = 100_000
"""Positions of a sequence that is designed."""

Parent = Annotated[
    str,
    typer.Option(
        "--parent", metavar="SEQUENCE|FASTA", help="The sequence that is changed.", rich_help_panel=RULES
    ),
]
Aim = Annotated[
    str,
    typer.Option(
        "--aim",
        metavar="raise|lower|NUMBER",
        help="What is wanted of the run's target.",
        rich_help_panel=RULES,
    ),
]
Also = Annotated[
    list[str] | None,
    typer.Option(
        "--also",
        metavar="RUN=AIM[*WEIGHT]",
        help="A second model with an aim of its own; repeat it for several.",
        rich_help_panel=RULES,
    ),
]
Fixed = Annotated[
    str,
    typer.Option("--fixed", metavar="1-10,25", help="Positions that stay, from 1.", rich_help_panel=RULES),
]
Gc = Annotated[
    str,
    typer.Option(
        "--gc", metavar="LOW-HIGH", help="Share of G and C, such as 0.4-0.6.", rich_help_panel=RULES
    ),
]
Runs = Annotated[
    int,
    typer.Option(
        "--longest-run", metavar="N", min=0, help="Equal letters in a row, at most.", rich_help_panel=RULES
    ),
]
Without = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar="ENZYME|WORD",
        help="Must not occur on either strand, such as EcoRI.",
        rich_help_panel=RULES,
    ),
]
With = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="WORD", help="Must occur, such as TATAAT.", rich_help_panel=RULES),
]
Edits = Annotated[
    int,
    typer.Option(
        "--edits", metavar="N", min=0, help="Differences from the parent, at most.", rich_help_panel=RULES
    ),
]
Coding = Annotated[
    str,
    typer.Option(
        "--coding", metavar="FROM-TO", help="Positions whose protein stays the same.", rich_help_panel=RULES
    ),
]
Usage = Annotated[
    Path | None,
    typer.Option(
        "--usage",
        metavar="FILE",
        help="Codon usage: a table with the columns codon and frequency.",
        rich_help_panel=RULES,
    ),
]
Method = Annotated[
    str,
    typer.Option(
        "--method", metavar="NAME", help="evolve, beam, anneal, gradient or screen.", rich_help_panel=TRIED
    ),
]
Steps = Annotated[int, typer.Option("--steps", metavar="N", min=1, help="Rounds.", rich_help_panel=TRIED)]
Width = Annotated[
    int,
    typer.Option(
        "--width", metavar="N", min=2, help="Sequences kept from round to round.", rich_help_panel=TRIED
    ),
]
Count = Annotated[
    int, typer.Option("--count", metavar="N", min=1, help="Designs that are wanted.", rich_help_panel=TRIED)
]
Apart = Annotated[
    int,
    typer.Option(
        "--apart", metavar="N", min=1, help="Positions at which any two differ.", rich_help_panel=TRIED
    ),
]
Explore = Annotated[
    bool,
    typer.Option("--explore", help="Choose by expected improvement, not by score.", rich_help_panel=TRIED),
]
Unlike = Annotated[
    bool,
    typer.Option(
        "--keep-unlike", help="Keep designs that are unlike the training records.", rich_help_panel=TRIED
    ),
]
JudgeRun = Annotated[
    Path | None,
    typer.Option(
        "--judge",
        metavar="RUN",
        help="A second run that judges; trained on half of the data if left out.",
        rich_help_panel=TRIED,
    ),
]
NoJudge = Annotated[bool, typer.Option("--no-judge", help="Do without a judge.", rich_help_panel=TRIED)]
Seed = Annotated[
    int, typer.Option("--seed", metavar="N", help="Seed of all that is drawn.", rich_help_panel=TRIED)
]
Pool = Annotated[bool, typer.Option("--pool", help="Write oligos to order too.", rich_help_panel=ORDER)]
Primers = Annotated[
    str,
    typer.Option("--primers", metavar="FORWARD,REVERSE", help="Primers at both ends.", rich_help_panel=ORDER),
]
Barcode = Annotated[
    int,
    typer.Option(
        "--barcode", metavar="N", min=0, help="Letters of a barcode; 0 for none.", rich_help_panel=ORDER
    ),
]
Replicates = Annotated[
    int,
    typer.Option("--replicates", metavar="N", min=1, help="Oligos for each design.", rich_help_panel=ORDER),
]
LongestOligo = Annotated[
    int,
    typer.Option(
        "--longest-oligo", metavar="N", min=20, help="Letters that can be ordered.", rich_help_panel=ORDER
    ),
]
Outdir = Annotated[
    Path,
    typer.Option(
        "--outdir", metavar="FOLDER", help="Where the designs are written.", rich_help_panel=options.OUTPUT
    ),
]


def command(
    run: options.RunFolder,
    *,
    parent: Parent,
    outdir: Outdir,
    aim: Aim = "raise",
    also: Also = None,
    fixed: Fixed = "",
    gc: Gc = "",
    longest_run: Runs = 0,
    without: Without = None,
    within: With = None,
    edits: Edits = 0,
    coding: Coding = "",
    usage: Usage = None,
    method: Method = "evolve",
    steps: Steps = 200,
    width: Width = 64,
    count: Count = 20,
    apart: Apart = 2,
    explore: Explore = False,
    keep_unlike: Unlike = False,
    judge: JudgeRun = None,
    no_judge: NoJudge = False,
    seed: Seed = 0,
    pool: Pool = False,
    primers: Primers = "",
    barcode: Barcode = 12,
    replicates: Replicates = 1,
    longest_oligo: LongestOligo = 300,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Design sequences: raise, lower or reach what a model predicts, within rules, and let a second model judge them."""
    from bioloom.design.methods import Effort
    from bioloom.design.rules import Rules
    from bioloom.inquiry import designed
    from bioloom.inquiry.variants import one_sequence

    rules = Rules(
        parent=one_sequence(parent),
        fixed=frozenset(_positions(fixed, "--fixed")),
        gc=_range(gc),
        longest_run=longest_run,
        without=tuple(without or ()),
        words=tuple(within or ()),
        edits=edits,
        coding=_stretch(coding),
        usage=designed.read_usage(usage),
    )
    terminal = Terminal(quiet, json)
    with terminal.listening() as listener:
        brief = designed.Brief(
            runs=((run, aim), *map(_other, also or ())),
            rules=rules,
            judge=None if no_judge else _judge(run, judge, outdir, listener),
            method=method,
            effort=Effort(steps, width, seed=seed),
            count=count,
            apart=apart,
            explore=explore,
            unlike=keep_unlike,
            order=_order(primers, rules.parent, (barcode, replicates, longest_oligo), count, seed)
            if pool
            else None,
        )
        found = designed.design(brief, listener)
        paths = designed.write(found, outdir)
    document = {"summary": found.summary, "files": [str(path) for path in paths]}
    terminal.show(document, *_screen(found), Text("\n".join(map(str, paths))))


def _judge(run: Path, judge: Path | None, outdir: Path, listener: Listener) -> Path:
    """The run that judges: the one that is named, or one that is trained for it."""
    from bioloom.guard import refuse_judge, train_judge

    if judge is None:
        return train_judge(run, outdir / "judge", listener)
    refuse_judge(run, judge)
    return judge


def _order(primers: str, parent: str, sizes: tuple[int, int, int], count: int, seed: int) -> Order:
    """How oligos are made; sizes: letters of a barcode, oligos for each design, letters of an oligo at most."""
    from bioloom.design.pool import Order

    forward, _, reverse = primers.partition(",")
    barcode, replicates, longest = sizes
    return Order(
        forward.strip().upper(),
        reverse.strip().upper(),
        barcode,
        replicates=replicates,
        wild_type=parent,
        shuffles=count // 5,
        longest=longest,
        seed=seed,
    )


def _screen(found: Designs) -> list[Text]:
    """The first designs as a table."""
    shown = found.table.head(10)
    names = [name for name in shown.columns if name not in ("gc", "unlike")]
    rows = [
        [f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row]
        for row in shown[names].itertuples(index=False)
    ]
    return [table(names, rows, right=[name for name in names if name not in ("name", "sequence")])]  # type: ignore[list-item]


def _positions(text: str, option: str) -> list[int]:
    """Positions from 0 of words such as "1-10,25", which count from 1 and include the last."""
    found: list[int] = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        first, dash, last = word.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UserError(f'"{word}" is no position.', where=option, fix="write positions such as 1-10,25")
        low, high = int(first), int(last or first)
        if not 1 <= low <= high <= LONGEST:
            raise UserError(
                f'"{word}" is no stretch of positions.',
                where=option,
                fix="write the first before the last, from 1",
            )
        found += range(low - 1, high)
    return found


def _stretch(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    found = _positions(text, "--coding")
    return found[0], found[-1] + 1


def _range(text: str) -> tuple[float, float]:
    if not text:
        return 0.0, 1.0
    low, _, high = text.partition("-")
    try:
        return float(low), float(high)
    except ValueError:
        raise UserError(
            f'"{text}" is no range.', where="--gc", fix="write two shares such as 0.4-0.6"
        ) from None


def _other(word: str) -> tuple[Path, str]:
    path, equals, aim = word.rpartition("=")
    if not equals:
        raise UserError(
            f'"{word}" names no aim.', where="--also", fix="write RUN=raise, RUN=lower or RUN=NUMBER"
        )
    return Path(path), aim
